package org.telltale.app.ui

import android.graphics.Typeface
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.EditText
import android.widget.HorizontalScrollView
import android.widget.LinearLayout
import android.widget.TextView
import android.widget.ToggleButton

/** Choices in a line that scrolls sideways; what is chosen is filled, bold and said so. */
class Chips(private val look: Look) : HorizontalScrollView(look.context) {
    class Choice(val words: String, val chosen: Boolean, val tap: () -> Unit)

    private val line = look.row()

    init {
        isHorizontalScrollBarEnabled = false
        isFillViewport = true
        line.pad(look.gutter - look.dp(4), 0)
        addView(line)
    }

    fun show(choices: List<Choice>) {
        while (line.childCount > choices.size) line.removeViewAt(line.childCount - 1)
        while (line.childCount < choices.size) line.put(Chip(), WRAP_CONTENT, start = 4, end = 4)
        choices.forEachIndexed { at, choice -> (line.getChildAt(at) as Chip).show(choice) }
    }

    private inner class Chip : LinearLayout(look.context) {
        private val words: TextView = look.label(Type.Second)

        init {
            minimumHeight = look.dp(48)
            gravity = android.view.Gravity.CENTER_VERTICAL
            words.pad(look.dp(14), look.dp(6))
            put(words, WRAP_CONTENT)
        }

        fun show(choice: Choice) {
            isSelected = choice.chosen
            words.text = choice.words
            words.typeface = Typeface.create(Typeface.SANS_SERIF, if (choice.chosen) 500 else 400, false)
            words.setTextColor(if (choice.chosen) look.palette.onAccentSoft else look.palette.ink2)
            words.background = if (choice.chosen) look.rounded(look.palette.accentSoft, 16, look.palette.accent, 1)
            else look.rounded(0, 16, look.palette.outline, 1)
            foreground = look.pressable(null, 16)
            onTap(choice.tap)
            readAs(choice.words)
        }

        override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
            super.onInitializeAccessibilityNodeInfo(info)
            info.className = ToggleButton::class.java.name
            info.isCheckable = true
            @Suppress("DEPRECATION") // the newer one begins with Android 16
            info.isChecked = isSelected
        }
    }
}

/** A field to write in, with its [hint] as its name. */
fun Look.field(hint: String) = EditText(context).apply {
    Type.Entry.set(this, this@field)
    setTextColor(palette.ink)
    setHintTextColor(palette.ink2)
    this.hint = hint
    background = rounded(palette.surface, 12, palette.outline, 1)
    foreground = focusRing(12)
    pad(dp(14), dp(12))
    setSingleLine()
    minimumHeight = dp(52)
}
