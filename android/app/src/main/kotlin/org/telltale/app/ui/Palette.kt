package org.telltale.app.ui

import android.R.color
import android.content.Context
import android.content.res.Configuration
import android.graphics.Color
import android.os.Build

/** Every colour of the app. Red, amber and grey mean something and never change; the rest may follow the wallpaper. */
data class Palette(
    val paper: Int,
    val surface: Int,
    val sunken: Int,
    val ink: Int,
    val ink2: Int,
    val line: Int,
    val outline: Int,
    val accent: Int,
    val onAccent: Int,
    val accentSoft: Int,
    val onAccentSoft: Int,
    val alert: Int,
    val alertSoft: Int,
    val onAlertSoft: Int,
    val notice: Int,
    val noticeSoft: Int,
    val seal: Int,
    val sealGround: Int,
    val dark: Boolean,
) {
    /** Whether small text in every colour that a wallpaper may move, or move under, reaches [AA]. */
    fun readable() = listOf(
        ink to paper, ink to surface, ink2 to paper, ink2 to surface, ink2 to sunken, accent to paper, accent to surface,
        onAccent to accent, onAccentSoft to accentSoft, alert to paper, notice to surface, alert to surface,
    ).all { (text, ground) -> contrast(text, ground) >= AA }

    companion object {
        /** WCAG 2, 1.4.3: text smaller than 18 pt. */
        const val AA = 4.5

        val LIGHT = Palette(
            paper = hex(0xF4F6F6), surface = hex(0xFFFFFF), sunken = hex(0xE8ECED), ink = hex(0x14191B), ink2 = hex(0x485257),
            line = hex(0xD3DADC), outline = hex(0x6F7A7F), accent = hex(0x0B5A70), onAccent = hex(0xFFFFFF),
            accentSoft = hex(0xD3E8EE), onAccentSoft = hex(0x06323E), alert = hex(0xA52F18), alertSoft = hex(0xFBE5DE),
            onAlertSoft = hex(0x551708), notice = hex(0x725000), noticeSoft = hex(0xF6EACF), seal = hex(0x77848A),
            sealGround = hex(0xE2E7E9), dark = false,
        )

        val DARK = Palette(
            paper = hex(0x0F1314), surface = hex(0x191E20), sunken = hex(0x080B0C), ink = hex(0xEAEEEF), ink2 = hex(0xAEB8BC),
            line = hex(0x2D3538), outline = hex(0x879298), accent = hex(0x86CEE1), onAccent = hex(0x00313D),
            accentSoft = hex(0x113A45), onAccentSoft = hex(0xCBEAF2), alert = hex(0xFF9A80), alertSoft = hex(0x40190F),
            onAlertSoft = hex(0xFFDACF), notice = hex(0xEDBE62), noticeSoft = hex(0x372908), seal = hex(0x7E8A90),
            sealGround = hex(0x252C2F), dark = true,
        )

        /** [wallpaper]: follow its colours, where Android has them and text stays readable on them. */
        fun of(context: Context, wallpaper: Boolean): Palette {
            val night = context.resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK
            val fixed = if (night == Configuration.UI_MODE_NIGHT_YES) DARK else LIGHT
            if (Build.VERSION.SDK_INT < 31 || !wallpaper) return fixed
            return fixed.dynamic(context).takeIf { it.readable() } ?: fixed
        }

        private fun hex(rgb: Int) = 0xFF000000.toInt() or rgb
    }

    /** The wallpaper's colours, Android 12 and later. */
    private fun dynamic(context: Context): Palette {
        if (Build.VERSION.SDK_INT < 31) return this
        fun pick(light: Int, night: Int) = context.getColor(if (dark) night else light)
        return copy(
            paper = pick(color.system_neutral1_10, color.system_neutral1_900),
            surface = pick(color.system_neutral1_0, color.system_neutral1_800),
            sunken = pick(color.system_neutral2_100, color.system_neutral2_1000),
            ink = pick(color.system_neutral1_900, color.system_neutral1_50),
            ink2 = pick(color.system_neutral2_700, color.system_neutral2_200),
            line = pick(color.system_neutral2_200, color.system_neutral2_700),
            accent = pick(color.system_accent1_600, color.system_accent1_200),
            onAccent = pick(color.system_accent1_0, color.system_accent1_800),
            accentSoft = pick(color.system_accent1_100, color.system_accent1_800),
            onAccentSoft = pick(color.system_accent1_900, color.system_accent1_100),
        )
    }
}

/** The ratio of luminances of two opaque colours, 1 to 21 (WCAG 2). */
fun contrast(one: Int, other: Int): Double {
    val (low, high) = listOf(Color.luminance(one).toDouble(), Color.luminance(other).toDouble()).sorted()
    return (high + 0.05) / (low + 0.05)
}

/** The colour at a part of its strength: pressed surfaces, things that are not there. */
fun Int.faint(part: Float) = Color.argb((255 * part).toInt(), Color.red(this), Color.green(this), Color.blue(this))
