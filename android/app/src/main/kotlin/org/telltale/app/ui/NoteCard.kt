package org.telltale.app.ui

import android.widget.LinearLayout
import android.widget.TextView
import org.telltale.app.R

/** A plain card: a small icon and a word above, a sentence, at most two actions below. */
class NoteCard(private val look: Look) : LinearLayout(look.context) {
    private val icon = look.icon(R.drawable.ic_info, size = 20)
    private val label = look.label(Type.SecondStrong).apply { isAccessibilityHeading = true }
    private val sentence: TextView = look.label(Type.Body)
    private val actions = Flow(look.context, look.dp(24), 0, look.bigText)
    private var taps: List<() -> Unit> = emptyList()

    init {
        orientation = VERTICAL
        background = look.rounded(look.palette.surface, 20)
        pad(look.dp(16), look.dp(14))
        put(look.row {
            minimumHeight = look.dp(22)
            addView(icon)
            put(label, start = 8)
        })
        put(sentence, top = 6)
        put(actions)
        layoutParams = look.cardPlace()
    }

    fun show(image: Int, words: String, said: CharSequence, trouble: Boolean, vararg offers: Pair<String, () -> Unit>) {
        val colour = if (trouble) look.palette.notice else look.palette.ink2
        icon.setImageResource(image)
        icon.imageTintList = android.content.res.ColorStateList.valueOf(colour)
        label.text = words
        label.setTextColor(colour)
        sentence.text = said
        offer(offers, if (trouble) colour else look.palette.accent)
        pad(look.dp(16), look.dp(14), look.dp(16), look.dp(if (offers.isEmpty()) 14 else 0))
    }

    /** The card is shown anew each second: a finger, or TalkBack, may be on a button then, which stays the same view. */
    private fun offer(offers: Array<out Pair<String, () -> Unit>>, colour: Int) {
        taps = offers.map { it.second }
        val stand = actions.children().map { (it as TextView).text.toString() }
        if (stand == offers.map { it.first }) return
        actions.removeAllViews()
        offers.forEachIndexed { at, (name, _) -> actions.addView(look.action(name, colour) { taps[at]() }) }
    }
}
