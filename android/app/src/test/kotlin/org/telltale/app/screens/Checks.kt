package org.telltale.app.screens

import android.graphics.Bitmap
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.HorizontalScrollView
import android.widget.ImageView
import android.widget.ScrollView
import android.widget.TextView
import org.junit.Assert.assertTrue
import org.telltale.app.ui.contrast

/** What must hold on every screen, whoever looks at it or listens to it. */
object Checks {
    fun all(name: String, stage: Stage, picture: Bitmap) {
        val wrong = wrong(name, stage, picture)
        assertTrue("$name:\n" + wrong.joinToString("\n"), wrong.isEmpty())
    }

    fun wrong(name: String, stage: Stage, picture: Bitmap): List<String> {
        val views = stage.views()
        return targets(stage, views) + labels(views) + alike(views) + cutOff(views) + outside(stage, views) + faint(views, picture) +
            faintIcons(views, picture) + headings(views) + called(views) + order(views) + failed(name, stage)
    }

    /** 48 dp for a finger. */
    private fun targets(stage: Stage, views: List<View>) = views.filter { it.isClickable && it.hasOnClickListeners() || it is EditText }
        .filter { it.width < stage.dp(48) || it.height < stage.dp(48) }
        .map { "too small to touch, ${it.width} x ${it.height}: ${told(it)}" }

    private fun labels(views: List<View>) = views.filter { (it.isClickable && it.hasOnClickListeners()) || it.isScreenReaderFocusable }
        .filter { told(it).isBlank() }
        .map { "without a name for TalkBack: $it" }

    /** What is tapped in several places on one page is not called the same in all of them. */
    private fun alike(views: List<View>) = views.filter { it.isClickable && it.hasOnClickListeners() && it !is EditText }
        .groupBy { told(it) to scrolled(it) }.mapKeys { it.key.first }.filter { (name, all) -> name.isNotBlank() && all.size > 1 }
        .map { (name, all) -> "${all.size} places to touch are called: $name" }

    /** Nothing stands beside the screen, or over what comes before it. */
    private fun outside(stage: Stage, views: List<View>) = views.filterIsInstance<TextView>().filter { it.text.isNotEmpty() && !sideways(it) }.mapNotNull { text ->
        val at = IntArray(2).also(text::getLocationInWindow)
        val right = stage.activity.window.decorView.width
        if (at[0] < 0 || at[0] + text.width > right) "outside of the screen: ${text.text}" else null
    }

    private fun sideways(view: View) = generateSequence(view.parent as? View) { it.parent as? View }.any { it is HorizontalScrollView }

    /** WCAG 2, 1.4.11: a picture that is the only sign of something has 3:1. */
    private fun faintIcons(views: List<View>, picture: Bitmap) = views.filterIsInstance<ImageView>()
        .filter { it.isClickable && it.isEnabled && effectiveAlpha(it) == 1f }
        .mapNotNull { icon ->
            val colour = icon.imageTintList?.defaultColor ?: return@mapNotNull null
            val ground = ground(icon, picture) ?: return@mapNotNull null
            val ratio = contrast(colour or 0xFF000000.toInt(), ground)
            if (ratio < 3) "too faint a picture, ${"%.1f".format(ratio)}: ${told(icon)}" else null
        }

    /** TalkBack goes by how views lie in one another: what is heard later does not stand above. */
    private fun order(views: List<View>): List<String> {
        val heard = views.filter { it.isScreenReaderFocusable || it.isClickable && it.hasOnClickListeners() }
            .groupBy(::scrolled)
        return heard.values.flatMap { all ->
            all.zipWithNext().filter { (one, next) -> top(next) + next.height <= top(one) && overlap(one, next) }
                .map { (one, next) -> "heard after \"${told(one)}\" and stands above it: ${told(next)}" }
        }
    }

    /** The page that scrolls, in which a view stands; on wide screens there are two beside each other. */
    private fun scrolled(view: View): View? = generateSequence(view.parent as? View) { it.parent as? View }.find { it is ScrollView }

    /** Whether one stands under the other; what stands beside it is another column. */
    private fun overlap(one: View, other: View): Boolean {
        val (left, right) = listOf(one, other).map { IntArray(2).also(it::getLocationInWindow)[0] }
        return left < right + other.width && right < left + one.width
    }

    private fun top(view: View) = IntArray(2).also(view::getLocationInWindow)[1]

    private fun told(view: View): String =
        view.contentDescription?.toString() ?: (view as? TextView)?.let { it.text.ifEmpty { it.hint ?: "" } }?.toString().orEmpty()

    /** No text is longer than its place. */
    private fun cutOff(views: List<View>) = views.filterIsInstance<TextView>().filter { it.text.isNotEmpty() && it !is EditText }.mapNotNull { text ->
        val set = text.layout ?: return@mapNotNull "not laid out: ${text.text}"
        val room = text.height - text.compoundPaddingTop - text.compoundPaddingBottom
        val shortened = (0 until set.lineCount).any { set.getEllipsisCount(it) > 0 }
        val outside = text.width > 0 && set.width > text.width
        if (set.height > room + 1 || shortened || outside) "cut off, ${set.height} in $room: ${text.text}" else null
    }

    /** WCAG 2, 1.4.3, against what really lies behind the letters. */
    private fun faint(views: List<View>, picture: Bitmap) = views.filterIsInstance<TextView>()
        .filter { it.text.isNotEmpty() && it.isEnabled && effectiveAlpha(it) == 1f }
        .mapNotNull { text ->
            val ground = ground(text, picture) ?: return@mapNotNull null
            val ratio = contrast(text.currentTextColor or 0xFF000000.toInt(), ground)
            if (ratio < 4.5) "too faint, ${"%.1f".format(ratio)}: ${text.text}" else null
        }

    private fun effectiveAlpha(view: View): Float = view.alpha * ((view.parent as? View)?.let(::effectiveAlpha) ?: 1f)

    /** The colour that there is most of where the text stands; null where it lies outside of the picture. */
    private fun ground(view: View, picture: Bitmap): Int? {
        val at = IntArray(2).also(view::getLocationInWindow)
        val clip = android.graphics.Rect()
        if (!view.getGlobalVisibleRect(clip) || clip.height() < view.height) return null
        val (left, top) = maxOf(at[0], 0) to maxOf(at[1], 0)
        val (wide, high) = minOf(at[0] + view.width, picture.width) - left to minOf(at[1] + view.height, picture.height) - top
        if (wide <= 0 || high <= 0) return null
        val pixels = IntArray(wide * high).also { picture.getPixels(it, 0, wide, left, top, wide, high) }
        return pixels.toTypedArray().groupingBy { it }.eachCount().maxByOrNull { it.value }?.key
    }

    /** No picture of an error where there should be none. */
    private fun failed(name: String, stage: Stage) =
        if (stage.says("could not read its own records") && !name.contains("error")) listOf("the screen shows an error") else emptyList()

    /** TalkBack says that another page has opened, and which. */
    private fun called(views: List<View>) = if (views.any { !it.accessibilityPaneTitle.isNullOrBlank() }) emptyList() else listOf("a page without a name")

    private fun headings(views: List<View>) =
        if (views.any { it.isAccessibilityHeading } || views.any { (it.parent as? ViewGroup)?.isAccessibilityHeading == true }) emptyList() else listOf("no heading")
}
