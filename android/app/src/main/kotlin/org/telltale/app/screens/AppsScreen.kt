package org.telltale.app.screens

import android.os.Bundle
import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.widget.EditText
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.AppRow
import org.telltale.app.ui.Chips
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.TodayAnswer
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.field
import org.telltale.app.ui.pad
import org.telltale.app.ui.put

/** All apps that sent something, by how much: searched, by group, or only what went to networks abroad. */
class AppsScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private val span = Span.of(place.of)
    private var search = ""
    private var group: String? = null
    private var outside = false
    private var limit = PAGE
    private val soon = Runnable { refresh() }

    private val words: EditText = look.field(look.text(R.string.search)).apply {
        addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
            override fun afterTextChanged(text: Editable) {
                search = text.toString().trim()
                removeCallbacks(soon)
                postDelayed(soon, PAUSE)
            }
        })
    }

    private val searchRow = look.column {
        pad(look.gutter, look.dp(4), look.gutter, look.dp(8))
        put(words)
    }

    override fun top(): View = bar(look.text(R.string.apps_by_size_title))

    override fun question(): JSONObject {
        val range = span.range(ground.clock())
        return JSONObject().put("ask", "today").put("limit", limit).put("findings", 0)
            .put("from", if (place.example) 0 else range.first)
            .put("to", if (place.example) ground.clock() else range.last + 1)
            .put("search", search.ifEmpty { JSONObject.NULL })
            .put("group", group ?: JSONObject.NULL)
            .put("outside", outside)
    }

    override fun parts(answer: JSONObject): List<Part<*>> {
        val today = Read.today(answer)
        return buildList {
            add(Part("search", { searchRow }))
            add(Part("chips", { Chips(look) }) { it.show(choices(today)) })
            if (today.apps.isEmpty()) add(look.textPart("none", Type.Body, look.text(R.string.no_app_fits), look.palette.ink2, top = 24))
            val largest = today.apps.maxOfOrNull { it.coverage.sent } ?: 1
            today.apps.forEach { entry ->
                add(Part("app ${entry.app.id}", { AppRow(look, ground.icons) { shell.go(Place(Place.Kind.App, "${it.id} $span", place.example)) } }) {
                    it.show(entry, largest)
                })
            }
            if (today.more > 0) add(more(today.more))
            add(look.gap("end", 20))
        }
    }

    private fun choices(today: TodayAnswer) = today.groups.map { each ->
        Chips.Choice(each.name, each.group == group) {
            group = each.group.takeIf { it != group }
            askOther()
        }
    } + Chips.Choice(look.text(R.string.outside), outside) {
        outside = !outside
        askOther()
    }

    private fun more(count: Int) = Part("more $count", {
        look.column {
            pad(look.gutter, look.dp(12), look.gutter, 0)
            put(look.button(look.count(R.plurals.show_more, count, Formats.number(count)), Offer.Outline) {
                limit += PAGE
                refresh()
            })
        }
    })

    override fun leave() {
        super.leave()
        words.removeCallbacks(soon)
    }

    override fun save(into: Bundle) {
        super.save(into)
        into.putString("search", search)
        into.putString("group", group)
        into.putBoolean("outside", outside)
        into.putInt("limit", limit)
    }

    override fun restore(from: Bundle) {
        words.setText(from.getString("search").orEmpty())
        group = from.getString("group")
        outside = from.getBoolean("outside")
        limit = from.getInt("limit", PAGE)
        super.restore(from)
    }

    private companion object {
        const val PAGE = 60
        const val PAUSE = 250L
    }
}
