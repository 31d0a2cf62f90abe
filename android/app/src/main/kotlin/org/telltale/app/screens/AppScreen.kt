package org.telltale.app.screens

import android.content.Intent
import android.net.Uri
import android.provider.Settings
import android.view.View
import android.widget.LinearLayout
import android.widget.PopupMenu
import android.widget.Space
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.App
import org.telltale.app.ui.AppAnswer
import org.telltale.app.ui.AppIcon
import org.telltale.app.ui.CoverageBlock
import org.telltale.app.ui.DestinationRow
import org.telltale.app.ui.FindingCard
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.Timeline
import org.telltale.app.ui.Type
import org.telltale.app.ui.column
import org.telltale.app.ui.fact
import org.telltale.app.ui.iconButton
import org.telltale.app.ui.label
import org.telltale.app.ui.pad
import org.telltale.app.ui.put
import org.telltale.app.ui.readAs
import org.telltale.app.ui.row

/** One app: what it sent, when, and where it went. */
class AppScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private val id = place.of.substringBefore(' ').toLongOrNull() ?: 0
    private val span = Span.of(place.of.substringAfter(' ', ""))
    private var app: App? = null
    private var limit = PAGE
    private var findings = FINDINGS
    private val more = look.iconButton(R.drawable.ic_more, look.text(R.string.more)) { menu() }.apply { visibility = View.INVISIBLE }

    override fun top(): View = bar("", more)

    override fun question(): JSONObject {
        val range = span.range(ground.clock())
        return JSONObject().put("ask", "app").put("app", id).put("limit", limit).put("findings", findings)
            .put("from", if (place.example) 0 else range.first)
            .put("to", if (place.example) ground.clock() else range.last + 1)
    }

    override fun parts(answer: JSONObject): List<Part<*>> {
        val said = Read.appAnswer(answer)
        app = said.app
        announce(said.app.name)
        more.visibility = if (said.app.packages.isEmpty() || place.example) View.INVISIBLE else View.VISIBLE
        return buildList {
            if (place.example) add(look.examplePart())
            add(head(said))
            add(look.textPart("lead", Type.LeadSmall, said.lead))
            if (said.coverage.sent > 0) add(Part("coverage", { CoverageBlock(look) }) { it.show(said.coverage, null, withSentence = false) })
            if (said.bars.any { it.read + it.yours + it.unread > 0 }) addAll(whenSent(said))
            addAll(findings(said))
            addAll(destinations(said))
            if (said.facts.isNotEmpty()) add(look.sectionPart("about", look.text(R.string.about_app)))
            said.facts.forEach { (name, value) -> add(Part("fact $name $value", { look.fact(name, value) })) }
            add(look.gap("end", 24))
        }
    }

    private fun head(said: AppAnswer) = Part("head", { Head() }) { it.show(said) }

    private inner class Head : LinearLayout(look.context) {
        private val icon = AppIcon(look, ground.icons, 56)
        private val name = look.label(Type.Title)
        private val about = look.label(Type.Second, colour = look.palette.ink2)

        init {
            gravity = android.view.Gravity.CENTER_VERTICAL
            pad(look.gutter, 0, look.gutter, look.dp(14))
            addView(icon)
            put(look.column {
                put(name)
                put(about)
            }, 0, weight = 1f, start = 14)
        }

        fun show(said: AppAnswer) {
            icon.show(said.app)
            name.text = said.app.name
            about.text = said.about
            readAs("${said.app.name}. ${said.about}")
        }
    }

    private fun whenSent(said: AppAnswer): List<Part<*>> = listOf(
        look.sectionPart("when", look.text(R.string.when_it_sent)),
        Part("timeline", {
            look.column {
                pad(look.gutter, 0)
                put(Timeline(look))
                put(axis(), top = 5)
            }
        }) { (it.getChildAt(0) as Timeline).show(said.bars, said.spoken) },
        look.textPart("spoken", Type.Second, said.spoken, look.palette.ink2, top = 8),
    )

    /** Five words below the columns, from the beginning of the span to its end. */
    private fun axis() = look.row {
        val range = span.range(ground.clock())
        val marks = if (look.bigText) 3 else 5
        for (at in 0 until marks) {
            if (at > 0) put(Space(context), 0, weight = 1f)
            val moment = range.first + (range.last + 1 - range.first) * at / (marks - 1)
            put(look.label(Type.Small, mark(moment, at == marks - 1), look.palette.ink2), LinearLayout.LayoutParams.WRAP_CONTENT)
        }
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
    }

    private fun mark(at: Long, ends: Boolean) = when (span.kind) {
        Span.Kind.Hour -> Formats.time(look.context, at)
        Span.Kind.Day -> Formats.hour(look.context, at, ends)
        else -> Formats.shortDay(at)
    }

    private fun findings(said: AppAnswer): List<Part<*>> {
        if (said.findings.isEmpty()) return emptyList()
        return listOf(look.sectionPart("findings", look.text(R.string.findings))) + said.findings.map { finding ->
            Part("finding ${finding.key}", { FindingCard(look, ground.icons) { shell.go(Place(Place.Kind.Finding, it, place.example)) } }) {
                it.show(finding, chosen = false, ground.clock())
            }
        } + look.morePart("findings", said.moreFindings) {
            findings += FINDINGS
            refresh()
        }
    }

    private fun destinations(said: AppAnswer): List<Part<*>> {
        if (said.destinations.isEmpty()) return emptyList()
        val rows = said.destinations.mapIndexed { at, to -> Part("to $at ${to.name}", { DestinationRow(look) }) { it.show(to) } }
        return listOf(look.sectionPart("to", look.text(R.string.where_it_went))) + rows + look.morePart("to", said.more) {
            limit += PAGE
            refresh()
        }
    }

    private fun menu() {
        val name = app?.packages?.firstOrNull() ?: return
        val out = name in ground.leftOut.all
        val menu = PopupMenu(look.context, more)
        menu.menu.add(0, LEAVE_OUT, 0, if (out) R.string.watch_again else R.string.leave_out)
        menu.menu.add(0, SYSTEM, 1, R.string.open_app_settings)
        menu.setOnMenuItemClickListener { item ->
            if (item.itemId == LEAVE_OUT) leaveOut(name, !out) else openSystem(name)
            true
        }
        menu.show()
    }

    private fun leaveOut(name: String, out: Boolean) {
        val said = look.text(if (out) R.string.now_left_out else R.string.now_watched, app?.name.orEmpty())
        if (out) shell.leavingOut.leaveOut(name, ask = false) { shell.say(said) } else shell.leavingOut.watch(name) { shell.say(said) }
    }

    private fun openSystem(name: String) =
        look.openSettings(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", name, null)))

    private companion object {
        const val PAGE = 40
        const val LEAVE_OUT = 1
        const val SYSTEM = 2
    }
}
