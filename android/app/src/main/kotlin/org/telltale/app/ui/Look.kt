package org.telltale.app.ui

import android.content.Context
import android.content.res.Configuration
import android.view.View
import kotlin.math.roundToInt

/** What every view needs to know of the screen that it stands on: colours, density, how large the text is, which way it runs. */
class Look(val context: Context, wallpaper: Boolean) {
    private val configuration: Configuration = context.resources.configuration
    private val density = context.resources.displayMetrics.density

    val palette = Palette.of(context, wallpaper)
    val stripes = Stripes(palette, density)

    /** From 150 % on, what stands side by side moves under one another. */
    val bigText = configuration.fontScale >= 1.5f
    val narrow = configuration.screenWidthDp < 360
    val rightToLeft = configuration.layoutDirection == View.LAYOUT_DIRECTION_RTL
    val tallScript = Type.tallScript(configuration.locales[0])

    /** Between text and the edge of the screen. */
    val gutter = dp(if (narrow || bigText) 16 else 20)

    /** Between a card and the edge of the screen. */
    val cardEdge = dp(if (bigText) 8 else 12)

    fun dp(value: Int) = (value * density).roundToInt()

    fun dp(value: Float) = value * density

    fun text(id: Int): String = context.getString(id)

    fun text(id: Int, vararg values: Any): String = context.getString(id, *values)

    fun count(id: Int, count: Int, vararg values: Any): String = context.resources.getQuantityString(id, count, *values)
}
