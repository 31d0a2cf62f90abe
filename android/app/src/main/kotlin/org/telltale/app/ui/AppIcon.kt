package org.telltale.app.ui

import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.RectF
import android.graphics.Typeface
import android.graphics.drawable.Drawable
import android.util.Log
import android.util.LruCache
import android.view.View

/** An app's own icon; where it is no longer installed, its first letter; a dashed ring for a sender without a name. */
class AppIcon(private val look: Look, private val icons: Icons, private val side: Int) : View(look.context) {
    private val ground = Paint(Paint.ANTI_ALIAS_FLAG)
    private val letter = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = 0xFFFFFFFF.toInt()
        textAlign = Paint.Align.CENTER
        textSize = look.dp(side * 0.46f)
        typeface = Typeface.create(Typeface.SANS_SERIF, 500, false)
    }
    private val ring = look.dashed()
    private val clip = Path()
    private var app: App? = null
    private var initial = ""
    private var drawn: Bitmap? = null
    private val place = RectF()
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)

    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    fun show(next: App) {
        if (app == next) return
        app = next
        drawn = null
        initial = next.name.firstOrNull { it.isLetterOrDigit() }?.uppercase().orEmpty()
        ground.color = TILES[Math.floorMod(next.packages.firstOrNull().hashCode(), TILES.size)]
        next.packages.firstOrNull()?.let { name -> icons.of(name) { found -> if (app == next) take(found) } }
        invalidate()
    }

    private fun take(found: Bitmap) {
        drawn = found
        invalidate()
    }

    override fun onMeasure(width: Int, height: Int) = setMeasuredDimension(look.dp(side), look.dp(side))

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) {
        clip.reset()
        place.set(0f, 0f, width.toFloat(), height.toFloat())
        val round = width * 0.3f
        clip.addRoundRect(place, round, round, Path.Direction.CW)
    }

    override fun onDraw(canvas: Canvas) {
        val icon = drawn
        when {
            icon != null -> {
                canvas.clipPath(clip)
                canvas.drawBitmap(icon, null, place, smooth)
            }
            app?.id == 0L -> canvas.drawCircle(width / 2f, height / 2f, width / 2f - ring.strokeWidth, ring)
            else -> {
                canvas.drawPath(clip, ground)
                canvas.drawText(initial, width / 2f, height / 2f - (letter.ascent() + letter.descent()) / 2, letter)
            }
        }
    }

    private companion object {
        val TILES = intArrayOf(
            0xFF1F7A4D.toInt(), 0xFFB4551C.toInt(), 0xFF3D4F8F.toInt(), 0xFF6B5B1E.toInt(), 0xFF4B5B63.toInt(), 0xFFC0492B.toInt(), 0xFF7A3E78.toInt(),
        )
    }
}

/**
 * Icons of installed apps, read off the main thread and kept while there is room for 64. Each is drawn once, in our size:
 * an app may have a picture as its icon that is larger than a window can draw, or none that can be read.
 */
class Icons(private val packages: PackageManager, private val answers: Answers, density: Float) {
    private val side = (LARGEST * density).toInt()
    private val kept = LruCache<String, Bitmap>(64)

    fun of(name: String, then: (Bitmap) -> Unit) {
        kept.get(name)?.let { return then(it) }
        answers.work({ load(name) }) { found ->
            if (found == null) return@work
            kept.put(name, found)
            then(found)
        }
    }

    private fun load(name: String): Bitmap? = try {
        drawn(packages.getApplicationIcon(name))
    } catch (_: PackageManager.NameNotFoundException) {
        null // removed since it sent something
    } catch (error: RuntimeException) {
        Log.w("Telltale", "the icon of $name cannot be drawn", error)
        null
    }

    private fun drawn(icon: Drawable) = Bitmap.createBitmap(side, side, Bitmap.Config.ARGB_8888).also { bitmap ->
        icon.setBounds(0, 0, side, side)
        icon.draw(Canvas(bitmap))
    }

    private companion object {
        /** On the page of an app, in dp. */
        const val LARGEST = 56
    }
}
