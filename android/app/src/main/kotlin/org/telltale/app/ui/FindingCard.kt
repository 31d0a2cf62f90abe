package org.telltale.app.ui

import android.graphics.Typeface
import android.text.SpannableString
import android.text.Spanned
import android.text.style.StyleSpan
import android.widget.LinearLayout
import org.telltale.app.R

/** One finding: how protected, the sentence, when. The only tinted surface is that of a detail that anyone could read. */
class FindingCard(private val look: Look, icons: Icons, tap: (String) -> Unit) : LinearLayout(look.context) {
    private val level = look.icon(R.drawable.ic_eye, size = 20)
    private val label = look.label(Type.SecondStrong)
    private val sentence = look.label(Type.Sentence)
    private val app = AppIcon(look, icons, 24)
    private val moment = look.label(Type.Second, colour = look.palette.ink2)
    private var key = ""

    init {
        orientation = VERTICAL
        pad(look.dp(16), look.dp(14))
        minimumHeight = look.dp(48)
        put(look.row {
            minimumHeight = look.dp(22)
            addView(level)
            put(label, start = 8)
        })
        put(sentence, top = 6, bottom = 8)
        put(look.row {
            addView(app)
            put(moment, 0, weight = 1f, start = 8, end = 8)
            addView(look.icon(R.drawable.ic_next, look.palette.ink2, 20))
        })
        onTap { tap(key) }
        layoutParams = look.cardPlace()
    }

    /** [chosen]: its page stands beside the list. */
    fun show(finding: Finding, chosen: Boolean, now: Long) {
        key = finding.key
        val open = finding.level == "open" && !finding.expected
        val mark = Mark.of(finding.level)
        val colour = if (finding.expected) look.palette.ink2 else mark.colour(look.palette)
        level.setImageResource(mark.icon)
        level.imageTintList = android.content.res.ColorStateList.valueOf(colour)
        label.text = if (finding.expected) look.text(R.string.label_expected, finding.label) else finding.label
        label.setTextColor(colour)
        sentence.text = strong(finding)
        sentence.setTextColor(if (open) look.palette.onAlertSoft else look.palette.ink)
        app.show(finding.app)
        moment.text = look.text(R.string.when_times, Formats.moment(context, finding.last, now), finding.timesWords)
        val ground = look.rounded(
            if (open) look.palette.alertSoft else look.palette.surface, 20, look.palette.accent, if (chosen) 2 else 0,
        )
        background = look.pressable(ground, 20)
        readAs("${label.text}. ${finding.sentence} ${moment.text}")
    }

    private fun strong(finding: Finding): CharSequence = SpannableString(Formats.whole(finding.sentence)).apply {
        finding.strong.filter { it.first >= 0 && it.last < length && !it.isEmpty() }.forEach {
            setSpan(StyleSpan(Typeface.BOLD), it.first, it.last + 1, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        }
    }
}

/** How protected something was: an icon, a colour, and beside them always a word. */
enum class Mark(val icon: Int, val colour: (Palette) -> Int) {
    Open(R.drawable.ic_eye, Palette::alert),
    Disguised(R.drawable.ic_mask, Palette::notice),
    Protected(R.drawable.ic_lock, Palette::ink2),
    Info(R.drawable.ic_info, Palette::ink2),
    Readable(R.drawable.ic_eye, Palette::ink2),
    None(R.drawable.ic_ring, Palette::ink2),
    ;

    companion object {
        fun of(level: String) = when (level) {
            "open" -> Open
            "disguised" -> Disguised
            "protected" -> Protected
            else -> Info
        }

        /** Of a destination: the eye is red only on the finding itself. */
        fun ofDestination(mark: String) = when (mark) {
            "eye" -> Readable
            "mask" -> Disguised
            "lock" -> Protected
            else -> None
        }
    }
}
