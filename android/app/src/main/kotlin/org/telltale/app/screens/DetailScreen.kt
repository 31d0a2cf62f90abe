package org.telltale.app.screens

import android.content.Intent
import android.net.Uri
import android.provider.Settings
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.pad
import org.telltale.app.ui.put

/** One detail that is looked for: masked, what was seen of it, and the end of looking. */
class DetailScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private val kind = place.of.substringBefore(' ')
    private val number = place.of.substringAfter(' ').toIntOrNull() ?: 1

    override val secure = true

    override fun top() = bar("")

    override fun question(): JSONObject = Span().range(ground.clock()).let {
        JSONObject().put("ask", "details").put("from", it.first).put("to", it.last + 1)
    }

    override fun parts(answer: JSONObject): List<Part<*>> {
        val details = Read.details(answer)
        if (kind == "contact" && number == 0) {
            val count = look.count(R.plurals.contacts_kept, details.contacts, Formats.number(details.contacts))
            return said(look.text(R.string.contacts), count, details.contactsSaid, look.text(R.string.contacts_stop), ::openPermissions)
        }
        val one = details.looking.find { it.kind == kind && it.number == number }
            ?: return listOf(look.textPart("gone", Type.Body, look.text(R.string.detail_gone), look.palette.ink2, top = 16))
        return said(one.name, Formats.apart(one.masked), one.said, look.text(R.string.stop_looking), ::ask)
    }

    private fun said(name: String, value: String, said: String, stop: String, tap: () -> Unit): List<Part<*>> {
        announce(name)
        return listOf(
            look.textPart("name", Type.Lead, name),
            look.textPart("value", Type.Sentence, value, top = 12),
            look.textPart("said", Type.Body, said, look.palette.ink2, top = 4),
            Part("stop", {
                look.column {
                    pad(look.gutter, look.dp(24), look.gutter, 0)
                    put(look.button(stop, Offer.Outline, tap))
                }
            }),
            look.gap("end", 24),
        )
    }

    private fun ask() = look.confirm(R.string.stop_looking_title, R.string.stop_looking_text, R.string.stop_looking, R.string.keep) {
        ground.removeDetail(kind, number) { shell.back() }
    }

    /** What Android gave, only Android takes back. */
    private fun openPermissions() =
        look.openSettings(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", look.context.packageName, null)))
}
