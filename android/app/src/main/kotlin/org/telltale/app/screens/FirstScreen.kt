package org.telltale.app.screens

import android.view.Gravity
import android.view.View
import android.widget.LinearLayout
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.Key
import org.telltale.app.ui.KeyMark
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Strands
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.icon
import org.telltale.app.ui.label
import org.telltale.app.ui.pad
import org.telltale.app.ui.put
import org.telltale.app.ui.readAs
import org.telltale.app.ui.rounded
import org.telltale.app.ui.row

/** The first start, three pages: what this is, what it can see and what it cannot, and what becomes of it. */
class FirstScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private val page = place.of.toIntOrNull()?.coerceIn(0, LAST) ?: 0

    override fun parts(answer: JSONObject): List<Part<*>> = when (page) {
        0 -> promise()
        1 -> patterns()
        else -> staysHere()
    }

    private fun promise() = listOf(
        look.gap("above", if (look.bigText) 8 else 36),
        Part("strands", { Strands(look) }),
        look.textPart("lead", Type.Lead, look.text(R.string.first_lead), top = 20),
        look.textPart("text", Type.Body, look.text(R.string.first_text), look.palette.ink2, top = 12, bottom = 16),
    )

    private fun patterns() = listOf(
        look.textPart("lead", Type.Lead, look.text(R.string.second_lead), top = 44),
        pattern(Key.Read, R.string.read, R.string.read_means),
        pattern(Key.Unread, R.string.could_not_read, R.string.could_not_read_means),
        pattern(Key.Unwatched, R.string.not_watched, R.string.not_watched_means),
        look.gap("end", 16),
    )

    private fun pattern(key: Key, name: Int, means: Int) = Part(key.name, {
        look.column {
            pad(look.gutter, look.dp(26), look.gutter, 0)
            put(KeyMark(look, key), height = look.dp(18))
            put(look.label(Type.Name, look.text(name)), top = 10)
            put(look.label(Type.Second, look.text(means), look.palette.ink2))
            readAs("${look.text(name)}. ${look.text(means)}")
        }
    })

    private fun staysHere() = listOf(
        look.textPart("lead", Type.Lead, look.text(R.string.third_lead), top = 44, bottom = 14),
        point(R.drawable.ic_vpn, R.string.vpn_asks, R.string.vpn_asks_text),
        point(R.drawable.ic_person, R.string.no_cloud, R.string.no_cloud_text),
        point(R.drawable.ic_swap, R.string.one_vpn, R.string.one_vpn_text),
        point(R.drawable.ic_wifi, R.string.stays_outside, R.string.stays_outside_text),
        look.gap("end", 16),
    )

    private fun point(image: Int, name: Int, text: Int) = Part("point $name", {
        look.row {
            gravity = Gravity.TOP
            pad(look.gutter, look.dp(10))
            addView(look.icon(image))
            put(look.column {
                put(look.label(Type.Name, look.text(name)))
                put(look.label(Type.Second, look.text(text), look.palette.ink2), top = 2)
            }, 0, weight = 1f, start = 16)
            readAs("${look.text(name)}. ${look.text(text)}")
        }
    })

    override fun foot(): View = look.column {
        pad(look.dp(20), look.dp(12), look.dp(20), look.dp(if (page == LAST) 6 else 14))
        put(dots(), bottom = 18)
        if (page < LAST) {
            put(look.button(look.text(R.string.next), Offer.Filled) { shell.go(Place(Place.Kind.First, "${page + 1}")) })
        } else {
            put(look.button(look.text(R.string.start_watching), Offer.Filled) { shell.begin(watch = true) })
            put(look.button(look.text(R.string.not_now), Offer.Text) { shell.begin(watch = false) }, top = 8)
        }
    }

    private fun dots() = look.row {
        gravity = Gravity.CENTER
        for (at in 0..LAST) {
            val dot = View(context)
            dot.background = look.rounded(if (at == page) look.palette.accent else look.palette.line, 4)
            addView(dot, LinearLayout.LayoutParams(look.dp(if (at == page) 24 else 8), look.dp(8)).apply {
                marginStart = look.dp(4)
                marginEnd = look.dp(4)
            })
        }
        readAs(look.text(R.string.page_of, page + 1, LAST + 1))
    }

    private companion object {
        const val LAST = 2
    }
}
