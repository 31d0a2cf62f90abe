package org.telltale.app.ui

import android.view.View
import android.widget.LinearLayout
import org.telltale.app.R

/** One thing on a page, by its [key]: made once, and shown anew as often as its figures change. */
class Part<V : View>(val key: String, private val make: () -> V, private val show: (V) -> Unit = {}) {
    fun view(old: View?): View {
        @Suppress("UNCHECKED_CAST") // a key is made by one kind of part
        val view = (old ?: make().also { it.setTag(R.id.part, key) }) as V
        show(view)
        return view
    }

    companion object {
        fun keyOf(view: View) = view.getTag(R.id.part) as? String
    }
}

/**
 * Fills a column with parts. What stays keeps its view, and so the place on the screen, the focus of a keyboard and
 * that of TalkBack.
 */
fun LinearLayout.fill(parts: List<Part<*>>) {
    val old = children().associateBy { Part.keyOf(it) }
    val wanted = parts.map { it.view(old[it.key]) }
    val keep = wanted.toSet()
    children().filter { it !in keep }.forEach(::removeView)
    wanted.forEachIndexed { at, view ->
        if (getChildAt(at) === view) return@forEachIndexed
        if (view.parent === this) removeView(view)
        addView(view, at)
    }
}
