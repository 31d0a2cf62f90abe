package org.telltale.app.screens

import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.widget.LinearLayout
import android.widget.ScrollView
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Part
import org.telltale.app.ui.Type
import org.telltale.app.ui.children
import org.telltale.app.ui.column
import org.telltale.app.ui.fill
import org.telltale.app.ui.iconButton
import org.telltale.app.ui.label
import org.telltale.app.ui.pad
import org.telltale.app.ui.page
import org.telltale.app.ui.put
import org.telltale.app.ui.row

/** One page: what it asks, and how the answer looks. */
abstract class Screen(protected val shell: Shell, val place: Place) {
    protected val look = shell.look
    protected val ground = shell.ground
    private val asker = ground.answers.Asker()
    private val content = look.column()
    private val scroll: ScrollView = look.page(content)
    private var shown: String? = null
    private val loading = Runnable { if (shown == null) fill(head() + loadingPart()) }

    /** Its content may be seen by nobody else: no screenshots, no preview among the recent apps. */
    open val secure = false

    /** What TalkBack says when the page opens. */
    protected open val title: String? get() = place.kind.title?.let(look::text)

    /** A page with no question of its own is simply drawn. */
    protected open fun question(): JSONObject? = null

    /** What stands on the page, from the answer to [question]. */
    protected abstract fun parts(answer: JSONObject): List<Part<*>>

    /** What stands above the page and does not scroll: a tab has nothing there. */
    protected open fun top(): View? = null

    /** What stands below the page and does not scroll. */
    protected open fun foot(): View? = null

    /** What the page begins with, also where its question has no answer. */
    protected open fun head(): List<Part<*>> = emptyList()

    /** Made once, when the page is first shown. */
    val view: View by lazy {
        look.column {
            top()?.let { put(it) }
            put(scroll, height = 0, weight = 1f)
            foot()?.let { put(it) }
            layoutParams = LinearLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT)
            accessibilityPaneTitle = title
        }
    }

    /** The page goes on below what the system draws over its lower edge, and its end can be scrolled above that. */
    fun endAbove(high: Int) {
        val footed = (view as ViewGroup).children().last() !== scroll
        if (footed) view.pad(bottom = high) else scroll.pad(bottom = high)
    }

    /** For a page that knows its name from its answer alone: TalkBack says it then. */
    protected fun announce(name: String) {
        if (view.accessibilityPaneTitle?.toString() != name) view.accessibilityPaneTitle = name
    }

    /** Asks anew, and draws when the answer differs from what stands there. */
    fun refresh() {
        val question = question() ?: return draw(JSONObject())
        if (shown == null) scroll.postDelayed(loading, PATIENCE)
        asker.ask(asked(question)) { answer ->
            scroll.removeCallbacks(loading)
            answer.onSuccess(::drawIfNew).onFailure { if (isGone(it)) drawGone() else drawError() }
        }
    }

    /** Asks another question: what stands there is not its answer, even if the answers are alike. */
    protected fun askOther() {
        shown = null
        refresh()
    }

    /** Draws again with the answer that is there: something else has changed, such as a choice. */
    fun redraw() {
        val last = shown ?: return refresh()
        draw(JSONObject(last))
    }

    open fun leave() {
        scroll.removeCallbacks(loading)
        asker.cancel()
    }

    open fun save(into: Bundle) = into.putInt("scroll", scroll.scrollY)

    open fun restore(from: Bundle) {
        val at = from.getInt("scroll")
        scroll.post { scroll.scrollTo(0, at) }
    }

    private fun drawIfNew(answer: JSONObject) {
        if (answer.toString() != shown) draw(answer)
    }

    private fun draw(answer: JSONObject) {
        val parts = runCatching { parts(answer) }.getOrElse {
            android.util.Log.w("Telltale", "an answer could not be shown", it)
            return drawError()
        }
        shown = answer.toString()
        fill(parts)
    }

    private fun drawError() {
        shown = null
        fill(head() + errorPart())
    }

    /** The core knows no such app or finding any more: it was forgotten, or the link to it is old (docs/boundary.md, errors). */
    private fun isGone(error: Throwable) = (place.kind == Place.Kind.App || place.kind == Place.Kind.Finding) &&
        generateSequence(error) { it.cause }.any { it is IllegalArgumentException }

    private fun drawGone() {
        shown = null
        fill(listOf(gonePart()))
    }

    private fun fill(parts: List<Part<*>>) = content.fill(parts)

    /** In the example, of what its phone sent. */
    private fun asked(question: JSONObject): JSONObject =
        ground.common(question).let { if (place.example) JSONObject().put("ask", "example").put("of", it) else it }

    private fun errorPart() = Part("error", { NoteCard(look) }) {
        it.show(R.drawable.ic_info, look.text(R.string.error_title), look.text(R.string.error_text), true, look.text(R.string.try_again) to ::refresh)
    }

    private fun gonePart() = Part("gone", { NoteCard(look) }) {
        it.show(R.drawable.ic_info, look.text(R.string.gone_title), look.text(R.string.gone_text), false)
    }

    private fun loadingPart() = Part("loading", { look.loadingCard() })

    /** The arrow back, a title, and what may be done with the page. In the second pane there is nothing to go back to. */
    protected fun bar(title: String, vararg ends: View) = look.row {
        pad(look.dp(8), look.dp(4))
        minimumHeight = look.dp(56)
        if (shell.mayGoBack(this@Screen)) addView(look.iconButton(R.drawable.ic_back, look.text(R.string.back), tap = shell::back))
        put(look.label(Type.Title, title).apply { isAccessibilityHeading = title.isNotEmpty() }, 0, weight = 1f, start = 4)
        ends.forEach { addView(it) }
    }

    private companion object {
        const val PATIENCE = 300L
    }
}
