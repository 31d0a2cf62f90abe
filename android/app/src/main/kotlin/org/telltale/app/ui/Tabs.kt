package org.telltale.app.ui

import android.content.res.ColorStateList
import android.util.TypedValue
import android.view.Gravity
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.Button
import android.widget.LinearLayout
import org.telltale.app.R

/** The three places of the app. */
enum class Tab(val words: Int, val icon: Int) {
    Today(R.string.tab_today, R.drawable.ic_today),
    Details(R.string.tab_details, R.drawable.ic_person),
    Settings(R.string.tab_settings, R.drawable.ic_gear),
}

/** The bar below the page or, on wide screens, the rail beside it. */
class Tabs(private val look: Look, private val upright: Boolean, private val tap: (Tab) -> Unit) : LinearLayout(look.context) {
    private val entries = Tab.values().associateWith(::Entry)

    init {
        orientation = if (upright) VERTICAL else HORIZONTAL
        setBackgroundColor(look.palette.surface)
        for (entry in entries.values) {
            if (upright) put(entry, bottom = 8) else put(entry, 0, weight = 1f)
        }
    }

    fun choose(tab: Tab) = entries.forEach { (each, entry) -> entry.choose(each == tab) }

    private inner class Entry(private val tab: Tab) : LinearLayout(look.context) {
        private val image = look.icon(tab.icon, look.palette.ink2)
        private val pill = look.row {
            gravity = Gravity.CENTER
            addView(image)
        }
        private val words = look.label(Type.Small, look.text(tab.words)).apply {
            typeface = android.graphics.Typeface.create(android.graphics.Typeface.SANS_SERIF, 500, false)
            gravity = Gravity.CENTER
            textAlignment = View.TEXT_ALIGNMENT_CENTER
            val most = 12f * 1.3f * resources.displayMetrics.density // the words stop at 130 %
            if (textSize > most) setTextSize(TypedValue.COMPLEX_UNIT_PX, most)
        }

        init {
            orientation = VERTICAL
            gravity = Gravity.CENTER_HORIZONTAL
            minimumHeight = look.dp(48)
            put(pill, look.dp(if (look.bigText) 52 else 60), look.dp(30), top = if (upright) 4 else 8, gravity = Gravity.CENTER_HORIZONTAL)
            put(words, top = 3, bottom = if (upright) 4 else 8)
            background = look.pressable(null, 12)
            onTap { tap(tab) }
            readAs(look.text(tab.words))
        }

        fun choose(chosen: Boolean) {
            isSelected = chosen
            pill.background = if (chosen) look.rounded(look.palette.accentSoft, 15) else null
            image.imageTintList = ColorStateList.valueOf(if (chosen) look.palette.onAccentSoft else look.palette.ink2)
            words.setTextColor(if (chosen) look.palette.ink else look.palette.ink2)
        }

        override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
            super.onInitializeAccessibilityNodeInfo(info)
            info.className = Button::class.java.name
            info.isSelected = isSelected
        }
    }
}
