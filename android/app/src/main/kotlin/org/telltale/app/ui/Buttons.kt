package org.telltale.app.ui

import android.graphics.Color
import android.view.Gravity
import android.widget.Button
import android.widget.ImageButton
import android.widget.ImageView
import android.content.res.ColorStateList
import android.widget.LinearLayout

/** How strongly a button offers itself. */
enum class Offer { Filled, Tonal, Outline, Text }

fun Look.button(words: CharSequence, offer: Offer, tap: () -> Unit) = Button(context, null, 0).apply {
    Type.Button.set(this, this@button)
    text = words
    gravity = Gravity.CENTER
    textAlignment = android.view.View.TEXT_ALIGNMENT_CENTER
    isAllCaps = false
    stateListAnimator = null
    minHeight = dp(if (offer == Offer.Text) 48 else 52)
    minimumHeight = minHeight
    pad(dp(24), dp(8))
    dress(this, offer)
    isFocusable = true
    isClickable = true
    onTap(tap)
}

private fun Look.dress(button: Button, offer: Offer) {
    val (ground, text) = when (offer) {
        Offer.Filled -> rounded(palette.accent, 26) to palette.onAccent
        Offer.Tonal -> rounded(palette.accentSoft, 26) to palette.onAccentSoft
        Offer.Outline -> rounded(Color.TRANSPARENT, 26, palette.outline, 1) to palette.accent
        Offer.Text -> null to palette.accent
    }
    val states = arrayOf(intArrayOf(-android.R.attr.state_enabled), intArrayOf())
    button.setTextColor(ColorStateList(states, intArrayOf(text.faint(0.38f), text)))
    button.background = pressable(ground, 26, text)
    button.foreground = focusRing(26)
    button.defaultFocusHighlightEnabled = false
}

/** A word that does something, in a card or beside a heading: small to see, 48 dp to touch. */
fun Look.action(words: CharSequence, colour: Int = palette.accent, tap: () -> Unit) = Button(context, null, 0).apply {
    Type.SecondStrong.set(this, this@action)
    text = words
    isAllCaps = false
    stateListAnimator = null
    gravity = Gravity.CENTER_VERTICAL or Gravity.START
    setTextColor(colour)
    minHeight = dp(48)
    minimumHeight = minHeight
    minWidth = dp(48)
    minimumWidth = minWidth
    background = pressable(null, 12, colour)
    isFocusable = true
    onTap(tap)
}

fun Look.iconButton(id: Int, words: CharSequence, colour: Int = palette.ink, tap: () -> Unit) = ImageButton(context, null, 0).apply {
    setImageResource(id)
    imageTintList = ColorStateList.valueOf(colour)
    scaleType = ImageView.ScaleType.CENTER
    contentDescription = words
    tooltipText = words
    background = pressable(null, 24)
    isFocusable = true
    layoutParams = LinearLayout.LayoutParams(dp(48), dp(48))
    onTap(tap)
}
