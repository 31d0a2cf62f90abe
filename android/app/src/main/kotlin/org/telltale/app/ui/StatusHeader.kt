package org.telltale.app.ui

import android.content.res.ColorStateList
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.LinearLayout
import android.widget.Switch
import org.telltale.app.R

/** Whether Telltale watches, since when, and the switch: for TalkBack one switch. */
class StatusHeader(private val look: Look, private val turn: (Boolean) -> Unit) : LinearLayout(look.context) {
    private val ribbons = look.icon(R.drawable.ribbons_off, size = 42)
    private val mark = look.row {
        gravity = android.view.Gravity.CENTER
        addView(ribbons)
    }
    private val state = look.label(Type.Title)
    private val since = look.label(Type.Second, colour = look.palette.ink2)
    private val toggle = Toggle(look).apply {
        isClickable = false
        isFocusable = false
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
    }
    private var on = false

    init {
        gravity = android.view.Gravity.CENTER_VERTICAL
        minimumHeight = look.dp(68)
        pad(look.gutter, look.dp(8), look.gutter, look.dp(12))
        put(mark, look.dp(48), look.dp(48))
        put(look.column {
            put(state)
            put(since)
        }, 0, weight = 1f, start = 12, end = 12)
        addView(toggle)
        background = look.pressable(null, 0)
        onTap { turn(!on) }
    }

    /** [more]: the second line, which moves behind the words of TalkBack where letters are large. [sees]: not only wanted. */
    fun show(on: Boolean, words: String, more: String?, sees: Boolean = on) {
        this.on = on
        toggle.isChecked = on
        state.text = words
        since.text = more
        since.visibility = if (more == null || look.bigText) View.GONE else View.VISIBLE
        mark.background = look.rounded(if (sees) look.palette.accentSoft else look.palette.sunken, 16)
        ribbons.setImageResource(if (sees) R.drawable.ribbons_on else R.drawable.ribbons_off)
        ribbons.imageTintList = ColorStateList.valueOf(if (sees) look.palette.onAccentSoft else look.palette.ink2)
        readAs(listOfNotNull(words, more).joinToString(". "))
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        info.className = Switch::class.java.name
        info.isCheckable = true
        @Suppress("DEPRECATION") // the newer one begins with Android 16
        info.isChecked = on
    }
}
