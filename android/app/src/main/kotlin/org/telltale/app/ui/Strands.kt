package org.telltale.app.ui

import android.animation.ValueAnimator
import android.graphics.Canvas
import android.graphics.DashPathEffect
import android.graphics.Paint
import android.graphics.Path
import android.view.View
import android.view.animation.DecelerateInterpolator

/** The picture of the first page: a phone, and what streams out of it. The strands stream once, unless motion is off. */
class Strands(private val look: Look) : View(look.context) {
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = 2.5f
        color = look.palette.ink
    }
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG)
    private val strand = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = 9f
    }
    private val dashes = DashPathEffect(floatArrayOf(2f, 4f), 0f)
    private val paths = HEIGHTS.mapIndexed { at, y -> wave(y, WAVES[at]) }
    private var reach = 1f
    private val motion = ValueAnimator.ofFloat(0f, 1f).apply {
        duration = 1200
        interpolator = DecelerateInterpolator()
        addUpdateListener {
            reach = it.animatedValue as Float
            invalidate()
        }
    }

    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    override fun onAttachedToWindow() {
        super.onAttachedToWindow()
        if (ValueAnimator.areAnimatorsEnabled()) motion.start()
    }

    override fun onDetachedFromWindow() {
        motion.end()
        super.onDetachedFromWindow()
    }

    /** As wide as there is room, in the picture's own proportion, and never higher than 300 dp. */
    override fun onMeasure(width: Int, height: Int) {
        val wide = getDefaultSize(0, width)
        setMeasuredDimension(wide, minOf(wide * HIGH / WIDE, look.dp(HIGH)))
    }

    override fun onDraw(canvas: Canvas) {
        val scale = height / HIGH.toFloat()
        if (layoutDirection == LAYOUT_DIRECTION_RTL) canvas.scale(-1f, 1f, width / 2f, 0f)
        canvas.scale(scale, scale)
        drawPhone(canvas)
        canvas.clipRect(0f, 0f, 127f + (width / scale - 127f) * reach, HIGH.toFloat())
        for (at in paths.indices) drawStrand(canvas, at)
    }

    private fun drawPhone(canvas: Canvas) {
        fill.color = look.palette.surface
        canvas.drawRoundRect(34f, 34f, 118f, 266f, 18f, 18f, fill)
        line.color = look.palette.ink
        canvas.drawRoundRect(34f, 34f, 118f, 266f, 18f, 18f, line)
        fill.color = look.palette.ink.faint(0.5f)
        canvas.drawRoundRect(62f, 250f, 90f, 253.5f, 1.7f, 1.7f, fill)
        for (at in HEIGHTS.indices) {
            fill.color = APPS[at]
            canvas.drawRoundRect(54f, HEIGHTS[at] - 17, 88f, HEIGHTS[at] + 17, 10f, 10f, fill)
            fill.color = look.palette.paper
            canvas.drawCircle(116f, HEIGHTS[at], 5f, fill)
            line.color = if (at == YOURS) look.palette.alert else look.palette.ink
            canvas.drawCircle(116f, HEIGHTS[at], 5f, line)
        }
    }

    private fun drawStrand(canvas: Canvas, at: Int) {
        strand.pathEffect = null
        strand.color = when (at) {
            YOURS -> look.palette.alert
            READ -> look.palette.accent
            else -> look.palette.sealGround
        }
        canvas.drawPath(paths[at], strand)
        if (at == YOURS || at == READ) return
        strand.color = look.palette.seal
        strand.pathEffect = dashes
        canvas.drawPath(paths[at], strand)
    }

    private fun wave(y: Float, high: Float) = Path().apply {
        moveTo(127f, y)
        rCubicTo(26f, -high, 46f, -high, 76f, 0f)
        rCubicTo(30f, high, 52f, high, 76f, 0f)
        var from = high
        repeat(8) { // on wide screens the strands run on to the edge
            rCubicTo(26f, -from, 46f, -from, 76f, 0f)
            from = -from
        }
    }

    private companion object {
        const val WIDE = 360
        const val HIGH = 300
        const val YOURS = 1
        const val READ = 3
        val HEIGHTS = floatArrayOf(72f, 116f, 160f, 204f)
        val WAVES = floatArrayOf(16f, 20f, 15f, 18f)
        val APPS = intArrayOf(0xFF1F7A4D.toInt(), 0xFFC0492B.toInt(), 0xFF3D4F8F.toInt(), 0xFF6B5B1E.toInt())
    }
}
