package org.telltale.app.screens

import android.graphics.Bitmap
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import org.junit.Assert.assertTrue
import org.telltale.app.ui.contrast

/** What must hold on every screen, whoever looks at it or listens to it. */
object Checks {
    fun all(name: String, stage: Stage, picture: Bitmap) {
        val views = stage.views()
        val wrong = targets(stage, views) + labels(views) + cutOff(views) + faint(views, picture) + headings(views) + failed(name, stage)
        assertTrue("$name:\n" + wrong.joinToString("\n"), wrong.isEmpty())
    }

    /** 48 dp for a finger. */
    private fun targets(stage: Stage, views: List<View>) = views.filter { it.isClickable && it.hasOnClickListeners() || it is EditText }
        .filter { it.width < stage.dp(48) || it.height < stage.dp(48) }
        .map { "too small to touch, ${it.width} x ${it.height}: ${told(it)}" }

    private fun labels(views: List<View>) = views.filter { (it.isClickable && it.hasOnClickListeners()) || it.isScreenReaderFocusable }
        .filter { told(it).isBlank() }
        .map { "without a name for TalkBack: $it" }

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
        val counts = HashMap<Int, Int>()
        for (y in at[1] until minOf(at[1] + view.height, picture.height)) for (x in at[0] until minOf(at[0] + view.width, picture.width) step 2) {
            if (x >= 0 && y >= 0) counts.merge(picture.getPixel(x, y), 1, Int::plus)
        }
        return counts.maxByOrNull { it.value }?.key
    }

    /** No picture of an error where there should be none. */
    private fun failed(name: String, stage: Stage) =
        if (stage.says("could not read its own records") && !name.endsWith("error")) listOf("the screen shows an error") else emptyList()

    private fun headings(views: List<View>) =
        if (views.any { it.isAccessibilityHeading } || views.any { (it.parent as? ViewGroup)?.isAccessibilityHeading == true }) emptyList() else listOf("no heading")
}
