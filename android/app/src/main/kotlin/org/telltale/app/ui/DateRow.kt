package org.telltale.app.ui

import android.view.Gravity
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import android.widget.PopupMenu
import org.telltale.app.R

/** Which stretch of time is shown: the arrows step through it, a tap on the words chooses hour, day, week or month. */
class DateRow(private val look: Look, private val choose: (Span) -> Unit) : LinearLayout(look.context) {
    private var span = Span()
    private val words = look.action("", look.palette.ink2, ::menu).apply { pad(look.dp(8), 0) }
    private val earlier = look.iconButton(R.drawable.ic_prev, look.text(R.string.earlier), look.palette.ink2) { choose(span.earlier()) }
    private val later = look.iconButton(R.drawable.ic_next, look.text(R.string.later), look.palette.ink2) { choose(span.later()) }

    init {
        orientation = VERTICAL
        addView(look.rule())
        put(look.row {
            pad(look.gutter - look.dp(8), 0, look.gutter - look.dp(12), 0)
            put(words, WRAP_CONTENT)
            put(android.widget.Space(context), 0, weight = 1f)
            addView(earlier)
            addView(later)
            gravity = Gravity.CENTER_VERTICAL
        })
    }

    fun show(span: Span, now: Long) {
        this.span = span
        words.text = span.title(context, now, short = look.bigText)
        words.contentDescription = look.text(R.string.spoken_span, words.text)
        later.isEnabled = !span.isNow
        later.alpha = if (span.isNow) 0.35f else 1f
    }

    private fun menu() {
        val menu = PopupMenu(context, words, Gravity.START)
        Span.Kind.values().forEach { menu.menu.add(0, it.ordinal, it.ordinal, look.text(it.words)) }
        menu.setOnMenuItemClickListener { item ->
            choose(Span(Span.Kind.values()[item.itemId]))
            true
        }
        menu.show()
    }
}
