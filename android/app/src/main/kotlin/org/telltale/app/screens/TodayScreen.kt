package org.telltale.app.screens

import android.os.Bundle
import android.view.View
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchState
import org.telltale.app.ui.AppRow
import org.telltale.app.ui.CoverageBlock
import org.telltale.app.ui.DateRow
import org.telltale.app.ui.FindingCard
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Gap
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.StatusHeader
import org.telltale.app.ui.TodayAnswer
import org.telltale.app.ui.put

/** What was sent: a sentence, how much of it could be read, the findings, and the apps by how much they sent. */
class TodayScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private var span = Span()
    private var findings = FINDINGS
    private val off = TodayOff(shell, ::redraw, ::choose)
    private val troubles = TodayTroubles(shell, ::redraw)
    private val first = TodayFirst(shell, ::redraw)
    private val leftOut = TodayLeftOut(shell, ::redraw)

    override fun top(): View? = if (place.example) bar(look.text(R.string.example_title)) else null

    override fun question(): JSONObject {
        if (!place.example) askBeside()
        val range = span.range(ground.clock())
        return JSONObject().put("ask", "today").put("limit", SHOWN).put("findings", findings)
            .put("from", if (place.example) 0 else range.first)
            .put("to", if (place.example) ground.clock() else range.last + 1)
    }

    override fun parts(answer: JSONObject): List<Part<*>> {
        val today = Read.today(answer)
        val state = Watch.state
        if (place.example) return listOf(look.examplePart()) + said(today) + findings(today) + apps(today) + look.gap("end", 20)
        return head(today.appsSeen) +
            (if (span.isNow && state is WatchState.Off) off.parts(state, today, coverage(today)) else said(today)) +
            troubles.parts(state, today, span.isNow) + (if (span.isNow && today.findings.isEmpty()) first.parts(state) else emptyList()) +
            findings(today) + apps(today) + leftOut.parts() + look.gap("end", 20)
    }

    /** The switch is there whatever becomes of the question. */
    override fun head(): List<Part<*>> = if (place.example) emptyList() else head(null)

    private fun head(seen: Int?) = listOf(header(Watch.state, seen), date())

    private fun header(state: WatchState, seen: Int?) = Part("header", { StatusHeader(look, shell::turn) }) {
        when (state) {
            is WatchState.Watching ->
                it.show(true, look.text(if (state.captive) R.string.status_captive else R.string.status_watching), since(state.since, seen))
            is WatchState.Off -> it.show(false, look.text(R.string.status_off), off.since(state)?.let { at -> since(at) })
            is WatchState.SteppedAside -> it.show(true, look.text(R.string.status_stepped_aside), since(state.since), sees = false)
            WatchState.Starting -> it.show(true, look.text(R.string.status_starting), null)
        }
    }

    private fun since(at: Long, seen: Int? = null): String {
        val moment = Formats.moment(look.context, at, ground.clock())
        if (seen == null) return look.text(R.string.since, moment)
        return look.text(R.string.since_seen, moment, Formats.apart(look.count(R.plurals.apps_seen, seen, Formats.number(seen))))
    }

    private fun date() = Part("date", { DateRow(look, ::choose) }) { it.show(span, ground.clock()) }

    private fun choose(next: Span) {
        span = next
        findings = FINDINGS
        askOther()
    }

    /** The sentence and the bar. */
    private fun said(today: TodayAnswer): List<Part<*>> = buildList {
        if (today.state == "empty" && span.isNow && !place.example) {
            add(look.gap("empty", 8))
            add(Part("empty", { look.emptyCard(look.text(R.string.empty_title), look.text(R.string.empty_text)) }))
            return@buildList
        }
        add(look.leadPart(today.lead))
        if (today.coverage.sent > 0 || today.gaps.isNotEmpty()) add(coverage(today))
        if (today.state == "no-details" && !place.example) add(look.buttonPart(R.string.add_detail) { shell.choose(Place.Kind.Details) })
    }

    private fun coverage(today: TodayAnswer) = Part("coverage", { CoverageBlock(look, ::explain) }) {
        it.show(today.coverage, gapWords(today.gaps), withSentence = true, explained = today.findings.isEmpty())
    }

    private fun gapWords(gaps: List<Gap>): String? {
        val real = gaps.filter { it.why != "too-much" }
        val only = real.singleOrNull()
        return when {
            real.isEmpty() -> null
            only != null -> look.text(R.string.not_watched_from_to, Formats.time(look.context, only.from), Formats.time(look.context, only.to))
            else -> look.count(R.plurals.not_watched_times, real.size, Formats.number(real.size), Formats.duration(real.sumOf { it.to - it.from }))
        }
    }

    private fun explain() = android.app.AlertDialog.Builder(look.context)
        .setTitle(R.string.what_this_means)
        .setMessage(R.string.what_this_means_text)
        .setPositiveButton(R.string.close, null)
        .show()
        .let { }

    private fun findings(today: TodayAnswer): List<Part<*>> {
        if (today.findings.isEmpty()) return emptyList()
        val cards = today.findings.sortedBy { it.expected }.map { finding ->
            Part("finding ${finding.key}", { FindingCard(look, ground.icons, ::openFinding) }) {
                it.show(finding, shell.chosen == Place(Place.Kind.Finding, finding.key, place.example), ground.clock())
            }
        }
        return listOf(look.sectionPart("findings", look.text(R.string.findings))) + cards + look.morePart("findings", today.moreFindings) {
            findings += FINDINGS
            refresh()
        }
    }

    private fun openFinding(key: String) = shell.go(Place(Place.Kind.Finding, key, place.example))

    private fun apps(today: TodayAnswer): List<Part<*>> {
        if (today.apps.isEmpty()) return emptyList()
        val all = look.text(R.string.all_n, Formats.number(today.apps.size + today.more))
        val head = look.sectionPart("apps", look.text(R.string.apps_by_size), all.takeIf { today.more > 0 || today.apps.size > 1 }) {
            shell.go(Place(Place.Kind.Apps, span.toString(), place.example))
        }
        val largest = today.apps.maxOf { it.coverage.sent }
        val rows = today.apps.map { entry ->
            Part("app ${entry.app.id}", { AppRow(look, ground.icons) { shell.go(appPlace(it.id)) } }) { it.show(entry, largest) }
        }
        return listOf(head) + rows + unnamed(today)
    }

    private fun appPlace(id: Long) = Place(Place.Kind.App, "$id $span", place.example)

    private fun unnamed(today: TodayAnswer): List<Part<*>> {
        val unknown = today.apps.find { it.app.id == 0L } ?: return emptyList()
        val size = Formats.size(look.context, unknown.coverage.sent)
        return listOf(look.gap("unnamed", 8), Part("unnamed", { NoteCard(look) }) {
            it.show(R.drawable.ic_ring, look.text(R.string.unnamed), look.text(R.string.unnamed_text, size), false)
        })
    }

    /** What else this page shows; its answers come when they come. */
    private fun askBeside() {
        val state = Watch.state
        if (state is WatchState.Watching) {
            first.ask()
            troubles.ask()
        }
        if (state is WatchState.Off) off.ask(state)
        leftOut.ask()
    }

    override fun leave() {
        super.leave()
        first.leave()
        troubles.leave()
        off.leave()
    }

    override fun save(into: Bundle) {
        super.save(into)
        into.putString("span", span.toString())
        into.putInt("findings", findings)
    }

    override fun restore(from: Bundle) {
        span = Span.of(from.getString("span").orEmpty())
        findings = from.getInt("findings", FINDINGS)
        super.restore(from)
    }

    private companion object {
        const val SHOWN = 6
    }
}
