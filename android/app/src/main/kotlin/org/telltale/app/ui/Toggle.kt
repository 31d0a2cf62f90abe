package org.telltale.app.ui

import android.graphics.Canvas
import android.graphics.Paint
import android.view.View
import android.widget.CompoundButton
import android.widget.Switch

/** The switch: 52 by 32 dp drawn, 48 dp high to touch. Filled is on; an outline with a small knob is off. */
class Toggle(private val look: Look) : CompoundButton(look.context) {
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG)
    private val stroke = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = look.dp(2f)
    }

    init {
        background = null
        buttonDrawable = null
        isFocusable = true
        isClickable = true
    }

    override fun onMeasure(width: Int, height: Int) = setMeasuredDimension(look.dp(52), look.dp(48))

    override fun getAccessibilityClassName(): CharSequence = Switch::class.java.name

    override fun onDraw(canvas: Canvas) {
        val top = (height - look.dp(32f)) / 2
        val bottom = top + look.dp(32f)
        val atEnd = isChecked != (layoutDirection == View.LAYOUT_DIRECTION_RTL)
        if (isChecked) {
            fill.color = look.palette.accent
            canvas.drawRoundRect(0f, top, width.toFloat(), bottom, look.dp(16f), look.dp(16f), fill)
        } else {
            stroke.color = look.palette.outline
            val in1 = look.dp(1f)
            canvas.drawRoundRect(in1, top + in1, width - in1, bottom - in1, look.dp(15f), look.dp(15f), stroke)
        }
        fill.color = if (isChecked) look.palette.onAccent else look.palette.outline
        val x = if (atEnd) width - look.dp(16f) else look.dp(16f)
        canvas.drawCircle(x, height / 2f, look.dp(if (isChecked) 12f else 8f), fill)
    }
}
