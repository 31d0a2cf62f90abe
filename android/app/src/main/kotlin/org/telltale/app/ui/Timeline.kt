package org.telltale.app.ui

import android.graphics.Canvas
import android.graphics.Paint
import android.view.View

/** When it was sent: a column for each step of time, patterns as in the bar; a gap is dashed from top to bottom. */
class Timeline(private val look: Look) : View(look.context) {
    private var bars: List<Bar> = emptyList()
    private var most = 1L
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val dashed = look.dashed()

    /** The bars, and what TalkBack says of them. */
    fun show(bars: List<Bar>, spoken: String) {
        this.bars = bars
        most = bars.maxOfOrNull { it.read + it.yours + it.unread }?.coerceAtLeast(1) ?: 1
        contentDescription = spoken
        invalidate()
    }

    override fun onMeasure(width: Int, height: Int) = setMeasuredDimension(getDefaultSize(0, width), look.dp(HIGH))

    override fun onDraw(canvas: Canvas) {
        if (layoutDirection == LAYOUT_DIRECTION_RTL) canvas.scale(-1f, 1f, width / 2f, 0f)
        paint.color = look.palette.outline
        canvas.drawRect(0f, height - look.dp(1f), width.toFloat(), height.toFloat(), paint)
        if (bars.isEmpty()) return
        val step = (width + look.dp(GAP)) / bars.size
        for (at in bars.indices) drawBar(canvas, bars[at], at * step, maxOf(step - look.dp(GAP), 1f))
    }

    private fun drawBar(canvas: Canvas, bar: Bar, x: Float, wide: Float) {
        val floor = height - look.dp(3f)
        val round = look.dp(2f)
        if (bar.gap) {
            val in1 = dashed.strokeWidth / 2
            canvas.drawRoundRect(x + in1, in1, x + wide - in1, floor, look.dp(3f), look.dp(3f), dashed)
            return
        }
        var y = floor
        val room = floor - (if (bar.yours > 0) look.dp(8f + BETWEEN) else 0f) - look.dp(BETWEEN)
        if (bar.read > 0) {
            val tall = tall(bar.read, room)
            paint.color = look.palette.accent
            canvas.drawRoundRect(x, y - tall, x + wide, y, round, round, paint)
            y -= tall + look.dp(BETWEEN)
        }
        if (bar.yours > 0) {
            paint.color = look.palette.alert
            canvas.drawRoundRect(x - look.dp(1f), y - look.dp(8f), x + wide + look.dp(1f), y, round, round, paint)
            y -= look.dp(8f + BETWEEN)
        }
        if (bar.unread > 0) canvas.drawRoundRect(x, y - tall(bar.unread, room), x + wide, y, round, round, look.stripes.paint)
    }

    private fun tall(size: Long, room: Float) = maxOf(room * size / most, look.dp(3f))

    private companion object {
        const val HIGH = 84
        const val GAP = 3f
        const val BETWEEN = 1.5f
    }
}
