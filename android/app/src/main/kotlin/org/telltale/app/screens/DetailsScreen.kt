package org.telltale.app.screens

import android.Manifest
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.provider.Settings
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.DetailRow
import org.telltale.app.ui.DetailsAnswer
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.Type
import org.telltale.app.ui.detailIcon

/** What Telltale looks for, what it said of each today, and what else it could look for. */
class DetailsScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private var allowed = mayReadContacts()

    override val secure = true

    override fun question(): JSONObject = Span().range(ground.clock()).let {
        JSONObject().put("ask", "details").put("from", it.first).put("to", it.last + 1)
    }

    override fun parts(answer: JSONObject): List<Part<*>> {
        val details = Read.details(answer)
        lookIfAllowedSince()
        return listOf(
            look.textPart("title", Type.Lead, look.text(R.string.your_details), top = 16),
            look.textPart("lead", Type.Body, details.lead, look.palette.ink2, top = 8, bottom = 2),
        ) + looking(details) + missing(details) + look.gap("end", 16)
    }

    private fun looking(details: DetailsAnswer): List<Part<*>> = buildList {
        if (details.looking.isEmpty() && details.contacts == 0) return@buildList
        add(look.sectionPart("looking", look.text(R.string.looking_for)))
        details.looking.forEach { one ->
            add(Part("looking ${one.kind} ${one.number}", { DetailRow(look, R.drawable.ic_next) { shell.go(Place(Place.Kind.Detail, "${one.kind} ${one.number}")) } }) {
                it.show(detailIcon(one.kind), one.name, one.masked, one.said, one.mark)
            })
        }
        if (details.contacts > 0) add(Part("contacts", { DetailRow(look, R.drawable.ic_next) { shell.go(Place(Place.Kind.Detail, "contact 0")) } }) {
            val count = look.count(R.plurals.contacts_kept, details.contacts, Formats.number(details.contacts))
            it.show(R.drawable.ic_book, look.text(R.string.contacts), count, details.contactsSaid, details.contactsMark)
        })
    }

    private fun missing(details: DetailsAnswer): List<Part<*>> {
        val rows = details.missing.map { one ->
            Part("missing ${one.kind} ${one.number}", { DetailRow(look, R.drawable.ic_plus) { add(one.kind, one.name, one.hint) } }) {
                it.show(detailIcon(one.kind), one.name, one.hint, null, "none")
            }
        }
        return if (rows.isEmpty()) emptyList() else listOf(look.sectionPart("missing", look.text(R.string.not_looking_for))) + rows
    }

    /** Contacts are read by the phone, if it may; everything else the person writes. */
    private fun add(kind: String, name: String, hint: String) {
        if (kind == "contact") return shell.askFor(Manifest.permission.READ_CONTACTS, ::offerSettings, ::lookForContacts)
        shell.go(Place(Place.Kind.AddDetail, "$kind\n$name\n$hint"))
    }

    /** Also where they were allowed before: a tap on what is not looked for looks. */
    private fun lookForContacts() {
        allowed = true
        ground.lookForAll { refresh() }
    }

    /** Allowed in Android's settings, from where the person comes back and nobody tells. */
    private fun lookIfAllowedSince() {
        if (!allowed && mayReadContacts()) lookForContacts()
    }

    private fun mayReadContacts() = look.context.checkSelfPermission(Manifest.permission.READ_CONTACTS) == PackageManager.PERMISSION_GRANTED

    /** Refused before, and Android asks no more: only its own settings lead on. */
    private fun offerSettings() = look.confirm(R.string.contacts, R.string.contacts_refused, R.string.open_app_settings, R.string.not_now) {
        look.openSettings(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", look.context.packageName, null)))
    }
}
