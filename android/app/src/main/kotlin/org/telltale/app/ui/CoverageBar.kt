package org.telltale.app.ui

import android.graphics.Canvas
import android.graphics.DashPathEffect
import android.graphics.Paint
import android.view.View

/**
 * The bar that stands everywhere: solid = read, the taller mark = yours, striped = could not read, dashed = not watched.
 * One call of [show] lays it out; drawing allocates nothing.
 */
class CoverageBar(private val look: Look, private val high: Int = 14) : View(look.context) {
    private val shares = LongArray(PARTS)
    private val starts = FloatArray(PARTS)
    private val widths = FloatArray(PARTS)
    private var share = 1f
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val dashed = look.dashed()

    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    /** Sizes in bytes, and how much of the view's width the whole takes (0..1). */
    fun show(coverage: Coverage, share: Float = 1f) {
        shares[READ] = coverage.read
        shares[YOURS] = coverage.yours
        shares[UNREAD] = coverage.unread
        shares[UNWATCHED] = coverage.notWatched
        lay(share)
    }

    /** Nothing was watched at all. */
    fun showUnwatched() {
        shares.fill(0)
        shares[UNWATCHED] = 1
        lay(1f)
    }

    private fun lay(share: Float) {
        this.share = share.coerceIn(0f, 1f)
        measureParts()
        invalidate()
    }

    override fun onMeasure(width: Int, height: Int) =
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, width), look.dp(high + TALLER))

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) = measureParts()

    /** Every part that is there is wide enough to be seen; what that takes, the great parts give. */
    private fun measureParts() {
        val gap = look.dp(GAP)
        val there = shares.indices.count { shares[it] > 0 }
        if (there == 0 || width == 0) return widths.fill(0f)
        val least = shares.indices.filter { shares[it] > 0 }.sumOf { least(it).toDouble() }.toFloat() + gap * (there - 1)
        var room = maxOf(width * share, least) - gap * (there - 1)
        var rest = shares.sum().toDouble()
        val small = BooleanArray(PARTS)
        do {
            var again = false
            for (part in shares.indices) {
                if (shares[part] <= 0 || small[part] || room * shares[part] / rest >= least(part)) continue
                small[part] = true
                widths[part] = least(part)
                room -= least(part)
                rest -= shares[part]
                again = true
            }
        } while (again && rest > 0)
        var x = 0f
        for (part in shares.indices) {
            if (!small[part]) widths[part] = if (shares[part] > 0) (room * shares[part] / rest).toFloat() else 0f
            starts[part] = x
            if (widths[part] > 0) x += widths[part] + gap
        }
    }

    private fun least(part: Int) = look.dp(if (part == YOURS) 6f else 5f)

    override fun onDraw(canvas: Canvas) {
        if (layoutDirection == LAYOUT_DIRECTION_RTL) canvas.scale(-1f, 1f, width / 2f, 0f)
        for (part in shares.indices) if (widths[part] > 0) drawPart(canvas, part)
    }

    private fun drawPart(canvas: Canvas, part: Int) {
        val more = if (part == YOURS) 0f else look.dp(TALLER / 2f)
        val in1 = if (part == UNWATCHED) dashed.strokeWidth / 2 else 0f
        val ink = when (part) {
            READ -> paint.apply { color = look.palette.accent }
            YOURS -> paint.apply { color = look.palette.alert }
            UNREAD -> look.stripes.paint
            else -> dashed
        }
        val right = starts[part] + widths[part]
        canvas.drawRoundRect(starts[part] + in1, more + in1, right - in1, height - more - in1, look.dp(3f), look.dp(3f), ink)
    }

    private companion object {
        const val READ = 0
        const val YOURS = 1
        const val UNREAD = 2
        const val UNWATCHED = 3
        const val PARTS = 4
        const val GAP = 2f
        const val TALLER = 8
    }
}

/** The outline of what was not watched. */
fun Look.dashed() = Paint(Paint.ANTI_ALIAS_FLAG).apply {
    style = Paint.Style.STROKE
    color = palette.outline
    strokeWidth = dp(1.5f)
    pathEffect = DashPathEffect(floatArrayOf(dp(3.4f), dp(2.2f)), 0f)
}
