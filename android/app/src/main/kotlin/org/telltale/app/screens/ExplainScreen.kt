package org.telltale.app.screens

import android.content.Intent
import android.provider.Settings
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchState
import org.telltale.app.ui.Formats
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.fact
import org.telltale.app.ui.pad
import org.telltale.app.ui.put

/** What only Android's own settings can change is explained here, with the way there. */
class ExplainScreen(shell: Shell, place: Place) : Screen(shell, place) {
    override fun top() = bar("")

    override fun parts(answer: JSONObject): List<Part<*>> = (if (place.kind == Place.Kind.FullWatch) fullWatch() else privateDns()) + look.gap("end", 24)

    private fun fullWatch() = buildList {
        val watching = Watch.state as? WatchState.Watching
        add(look.textPart("title", Type.Lead, look.text(R.string.full_watch_title)))
        add(look.textPart("text", Type.Body, look.text(R.string.full_watch_text), look.palette.ink2, top = 12, bottom = 16))
        if (watching?.lockdown == true) add(note("on", R.string.full_watch_on, R.string.full_watch_on_text, false))
        add(note("care", R.string.full_watch_care, R.string.full_watch_care_text, true))
        if (ground.choices.leftOut.isNotEmpty()) add(note("out", R.string.apps_left_out, R.string.full_watch_left_out, true))
        add(settingsButton(Settings.ACTION_VPN_SETTINGS, R.string.open_vpn_settings))
    }

    private fun privateDns() = buildList {
        val name = (Watch.state as? WatchState.Watching)?.privateDnsName
        add(look.textPart("title", Type.Lead, look.text(R.string.private_dns_title)))
        add(look.textPart("text", Type.Body, look.text(R.string.private_dns_text), look.palette.ink2, top = 12, bottom = 16))
        if (name != null) add(Part("now $name", { look.fact(look.text(R.string.private_dns_now), Formats.apart(name)) }))
        add(note("choice", R.string.private_dns_choice, R.string.private_dns_choice_text, false))
        add(settingsButton(Settings.ACTION_WIRELESS_SETTINGS, R.string.open_network_settings))
    }

    private fun note(key: String, title: Int, text: Int, care: Boolean) = Part("note $key", { NoteCard(look) }) {
        it.show(R.drawable.ic_info, look.text(title), look.text(text), care)
    }

    private fun settingsButton(action: String, words: Int) = Part("open", {
        look.column {
            pad(look.gutter, look.dp(12), look.gutter, 0)
            put(look.button(look.text(words), Offer.Tonal) { look.openSettings(Intent(action)) })
        }
    })
}
