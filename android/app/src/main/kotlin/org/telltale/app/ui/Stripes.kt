package org.telltale.app.ui

import android.graphics.Bitmap
import android.graphics.BitmapShader
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Shader
import kotlin.math.roundToInt
import kotlin.math.sqrt

/** The pattern of "could not read", made once and laid as tiles: stripes of 1.6 dp, every 5.6 dp, rising to the right. */
class Stripes(palette: Palette, density: Float) {
    val paint = Paint(Paint.ANTI_ALIAS_FLAG)

    init {
        val side = (PERIOD * sqrt(2f) * density).roundToInt().coerceAtLeast(4)
        val tile = Bitmap.createBitmap(side, side, Bitmap.Config.ARGB_8888)
        val canvas = Canvas(tile)
        canvas.drawColor(palette.sealGround)
        val stroke = Paint(Paint.ANTI_ALIAS_FLAG).apply {
            color = palette.seal
            strokeWidth = STROKE * density
        }
        // The same line three times, so that the tile's corners meet those of its neighbours.
        for (shift in -1..1) {
            val x = (shift * side).toFloat()
            canvas.drawLine(x - side, 2f * side, x + 2 * side, -side.toFloat(), stroke)
        }
        paint.shader = BitmapShader(tile, Shader.TileMode.REPEAT, Shader.TileMode.REPEAT)
    }

    private companion object {
        const val PERIOD = 5.6f
        const val STROKE = 1.6f
    }
}
