package org.telltale.app.ui

import android.graphics.Typeface
import android.graphics.text.LineBreaker
import android.text.Layout
import android.util.TypedValue
import android.view.Gravity
import android.view.View
import android.widget.TextView
import java.util.Locale

/** The sizes of text: sp, and the height of a line as a multiple of the size. */
enum class Type(val sp: Float, val line: Float, val weight: Int = 400) {
    Lead(28f, 34f / 28, 500),
    LeadSmall(24f, 31f / 24, 500),
    Title(20f, 1.25f, 500),
    Sentence(17f, 24f / 17),
    Body(16f, 1.5f),
    Name(16f, 1.4f, 500),
    Entry(16f, 1.4f),
    Button(16f, 1.4f, 500),
    Second(14f, 20f / 14),
    SecondStrong(14f, 20f / 14, 500),
    Small(12f, 16f / 12),
    Mono(14f, 24f / 14),
    ;

    fun set(text: TextView, look: Look) {
        val size = if (this == Lead && (look.narrow || look.tallScript)) 26f else sp
        text.setTextSize(TypedValue.COMPLEX_UNIT_SP, size)
        text.typeface = if (this == Mono) Typeface.MONOSPACE else FACES.getValue(weight)
        text.includeFontPadding = look.tallScript
        // Devanagari and Arabic bring their own, greater height of a line.
        if (look.tallScript) text.setLineSpacing(0f, 1.1f) else text.lineHeight = (text.textSize * tight(look)).toInt()
        // A line alone is as high as one among others, its letters in the middle of it.
        text.minHeight = if (look.tallScript) 0 else text.lineHeight
        text.gravity = Gravity.CENTER_VERTICAL or Gravity.START
        text.fontFeatureSettings = "tnum"
        text.textAlignment = View.TEXT_ALIGNMENT_VIEW_START
        if (this == Lead || this == LeadSmall) lead(text, look)
        if (this == Sentence) text.breakStrategy = LineBreaker.BREAK_STRATEGY_HIGH_QUALITY
    }

    /** Great letters need less between their lines. */
    private fun tight(look: Look) = if (look.bigText) minOf(line, 1.26f) else line

    private fun lead(text: TextView, look: Look) {
        text.letterSpacing = if (look.tallScript) 0f else -0.012f
        text.breakStrategy = LineBreaker.BREAK_STRATEGY_BALANCED
        text.hyphenationFrequency = Layout.HYPHENATION_FREQUENCY_NONE
        text.isAccessibilityHeading = true
    }

    companion object {
        private val FACES = mapOf(
            400 to Typeface.create(Typeface.SANS_SERIF, 400, false),
            500 to Typeface.create(Typeface.SANS_SERIF, 500, false),
        )

        private val TALL = setOf("ar", "fa", "ur", "ckb", "ps", "hi", "mr", "ne", "bn", "as", "pa", "gu", "ta", "te", "kn", "ml", "si", "th", "lo", "km", "my")

        fun tallScript(locale: Locale) = locale.language in TALL
    }
}
