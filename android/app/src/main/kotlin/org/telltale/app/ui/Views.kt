package org.telltale.app.ui

import android.content.res.ColorStateList
import android.graphics.Color
import android.graphics.drawable.Drawable
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.RippleDrawable
import android.graphics.drawable.StateListDrawable
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.FrameLayout
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView

// The few words in which screens are written.

fun Look.column(fill: LinearLayout.() -> Unit = {}) = LinearLayout(context).apply {
    orientation = LinearLayout.VERTICAL
    fill()
}

fun Look.row(fill: LinearLayout.() -> Unit = {}) = LinearLayout(context).apply {
    orientation = LinearLayout.HORIZONTAL
    gravity = Gravity.CENTER_VERTICAL
    isBaselineAligned = false
    fill()
}

fun Look.label(type: Type, words: CharSequence = "", colour: Int = palette.ink) = TextView(context).apply {
    type.set(this, this@label)
    setTextColor(colour)
    text = words
}

/** What stands above a group: a heading for TalkBack too. */
fun Look.heading(words: CharSequence) = label(Type.SecondStrong, words, palette.ink2).apply { isAccessibilityHeading = true }

fun Look.icon(id: Int, colour: Int = palette.ink, size: Int = 24) = ImageView(context).apply {
    setImageResource(id)
    imageTintList = ColorStateList.valueOf(colour)
    scaleType = ImageView.ScaleType.FIT_CENTER
    layoutParams = LinearLayout.LayoutParams(dp(size), dp(size))
    importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
}

/** A page that scrolls, no wider than is good to read. */
fun Look.page(content: View) = ScrollView(context).apply {
    isFillViewport = true
    clipToPadding = false
    isVerticalScrollBarEnabled = true
    scrollBarStyle = View.SCROLLBARS_OUTSIDE_OVERLAY
    addView(content, FrameLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
}

/** A card stands nearer to the edge than text does, so that the text in it shares its line. */
fun Look.cardPlace() = LinearLayout.LayoutParams(LinearLayout.LayoutParams.MATCH_PARENT, WRAP_CONTENT).apply {
    marginStart = cardEdge
    marginEnd = cardEdge
    bottomMargin = dp(8)
}

fun Look.rule() = View(context).apply {
    setBackgroundColor(palette.line)
    layoutParams = LinearLayout.LayoutParams(MATCH_PARENT, dp(1).coerceAtLeast(1))
}

/** Adds with margins in dp and the given width and weight. */
fun LinearLayout.put(
    view: View,
    width: Int = MATCH_PARENT,
    height: Int = WRAP_CONTENT,
    weight: Float = 0f,
    start: Int = 0,
    top: Int = 0,
    end: Int = 0,
    bottom: Int = 0,
    gravity: Int = -1,
) {
    val density = resources.displayMetrics.density
    fun px(dp: Int) = (dp * density + 0.5f).toInt()
    val set = LinearLayout.LayoutParams(width, height, weight)
    set.setMargins(0, px(top), 0, px(bottom))
    set.marginStart = px(start)
    set.marginEnd = px(end)
    if (gravity != -1) set.gravity = gravity
    addView(view, set)
}

/** Padding in pixels, from the side where reading begins. */
fun View.pad(start: Int = 0, top: Int = 0, end: Int = start, bottom: Int = top) = setPaddingRelative(start, top, end, bottom)

fun Look.rounded(colour: Int, radius: Int, stroke: Int = Color.TRANSPARENT, width: Int = 0) = GradientDrawable().apply {
    setColor(colour)
    cornerRadius = dp(radius.toFloat())
    if (width > 0) setStroke(dp(width), stroke)
}

/** A surface that answers a touch with ink at 8 %, within its own form. */
fun Look.pressable(ground: Drawable?, radius: Int, ink: Int = palette.ink): Drawable =
    RippleDrawable(ColorStateList.valueOf(ink.faint(0.08f)), ground, rounded(Color.WHITE, radius))

/** The ring around what the keyboard is on. */
fun Look.focusRing(radius: Int) = StateListDrawable().apply {
    addState(intArrayOf(android.R.attr.state_focused), rounded(Color.TRANSPARENT, radius, palette.accent, 2))
    addState(intArrayOf(), rounded(Color.TRANSPARENT, radius))
}

fun View.onTap(what: (() -> Unit)?) {
    if (what == null) setOnClickListener(null) else setOnClickListener { what() }
    isClickable = what != null
}

fun ViewGroup.children(): List<View> = (0 until childCount).map(::getChildAt)

/** One node for TalkBack: its parts are not read one by one. */
fun ViewGroup.readAs(words: CharSequence) {
    contentDescription = words
    isFocusable = true
    if (!isClickable) isScreenReaderFocusable = true
    children().forEach { it.importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS }
}
