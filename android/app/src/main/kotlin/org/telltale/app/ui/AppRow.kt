package org.telltale.app.ui

import android.view.Gravity
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import org.telltale.app.R

/** One app: how much it sent, as a bar that is as long as its share of the largest sender's, and to whom. */
class AppRow(private val look: Look, icons: Icons, tap: (App) -> Unit) : LinearLayout(look.context) {
    private val icon = AppIcon(look, icons, 40)
    private val name = look.label(Type.Name)
    private val size = look.label(Type.Second, colour = look.palette.ink2)
    private val bar = CoverageBar(look, 8)
    private val to = look.label(Type.Second, colour = look.palette.ink2)
    private var app: App? = null

    init {
        gravity = if (look.bigText) Gravity.TOP else Gravity.CENTER_VERTICAL
        minimumHeight = look.dp(64)
        pad(look.gutter, look.dp(9))
        addView(icon)
        put(look.column {
            put(if (look.bigText) stacked() else sideBySide())
            put(bar, top = 1, bottom = 1)
            put(to)
        }, 0, weight = 1f, start = 14)
        background = look.pressable(null, 0)
        onTap { app?.let(tap) }
    }

    private fun sideBySide() = look.row {
        put(name, 0, weight = 1f)
        put(size, WRAP_CONTENT, start = 10)
    }

    private fun stacked() = look.column {
        put(name)
        put(size)
    }

    /** [largest]: the bytes of the largest sender in the list. */
    fun show(entry: AppEntry, largest: Long) {
        app = entry.app
        icon.show(entry.app)
        name.text = entry.app.name
        size.text = Formats.size(context, entry.coverage.sent)
        bar.show(entry.coverage, entry.coverage.sent / largest.coerceAtLeast(1).toFloat())
        to.text = entry.to
        readAs(look.text(R.string.spoken_app, entry.app.name, size.text, entry.to))
    }
}
