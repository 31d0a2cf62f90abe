package org.telltale.app.screens

import android.content.pm.PackageManager
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.PowerManager
import android.provider.Settings
import android.view.View
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchState
import org.telltale.app.ui.AppRow
import org.telltale.app.ui.CoverageBlock
import org.telltale.app.ui.DateRow
import org.telltale.app.ui.Failing
import org.telltale.app.ui.FindingCard
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Gap
import org.telltale.app.ui.MinuteAnswer
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.StatusHeader
import org.telltale.app.ui.TodayAnswer
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.pad
import org.telltale.app.ui.put

/** What was sent: a sentence, how much of it could be read, the findings, and the apps by how much they sent. */
class TodayScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private var span = Span()
    private val minuteAsker = ground.answers.Asker()
    private val lastAsker = ground.answers.Asker()
    private val failingAsker = ground.answers.Asker()
    private var minute: MinuteAnswer? = null
    private var failing: List<Failing> = emptyList()
    private var failingAskedAt = 0L
    private var findings = FINDINGS
    private var lastWatched: TodayAnswer? = null

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
        return listOf(header(state, today), date()) +
            (if (span.isNow && state is WatchState.Off) off(state, today) else said(today)) +
            troubles(state, today) + first(state, today) + findings(today) + apps(today) + leftOut() + look.gap("end", 20)
    }

    private fun header(state: WatchState, today: TodayAnswer) = Part("header", { StatusHeader(look, shell::turn) }) {
        val seen = Formats.apart(look.count(R.plurals.apps_seen, today.appsSeen, Formats.number(today.appsSeen)))
        when (state) {
            is WatchState.Watching -> it.show(
                true,
                look.text(if (state.captive) R.string.status_captive else R.string.status_watching),
                look.text(R.string.since_seen, Formats.moment(look.context, state.since, ground.clock()), seen),
            )
            is WatchState.Off -> it.show(false, look.text(R.string.status_off), since(state)?.let { at -> look.text(R.string.since, Formats.moment(look.context, at, ground.clock())) })
            is WatchState.SteppedAside -> it.show(
                true,
                look.text(R.string.status_stepped_aside),
                look.text(R.string.since, Formats.moment(look.context, state.since, ground.clock())),
                sees = false,
            )
            WatchState.Starting -> it.show(true, look.text(R.string.status_starting), null)
        }
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
        add(lead(today.lead))
        if (today.coverage.sent > 0 || today.gaps.isNotEmpty()) add(coverage(today))
        if (today.state == "no-details" && !place.example) add(wideButton(R.string.add_detail) { shell.choose(Place.Kind.Details) })
    }

    private fun lead(words: String) = look.textPart("lead", Type.Lead, words)

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

    /** Off: that comes first; what was seen today before stands below. */
    private fun off(state: WatchState.Off, today: TodayAnswer): List<Part<*>> = buildList {
        add(lead(look.text(R.string.lead_off)))
        if (state.lockdown) add(Part("blocked", { NoteCard(look) }) {
            val offer = look.text(R.string.open_vpn_settings) to { look.openSettings(Intent(Settings.ACTION_VPN_SETTINGS)) }
            it.show(R.drawable.ic_info, look.text(R.string.off_blocked), look.text(R.string.off_blocked_text), true, offer)
        })
        val since = since(state)
        if (since != null) add(Part("unwatched", { CoverageBlock(look) }) { it.showUnwatched(Formats.duration(ground.clock() - since)) })
        add(wideButton(R.string.start_watching, top = 20) { shell.turn(true) })
        if (today.coverage.sent > 0) {
            add(look.sectionPart("before", look.text(R.string.before_today)))
            add(look.textPart("lead before", Type.Sentence, today.lead))
            add(coverage(today))
        }
        lastWatched?.takeIf { today.coverage.sent == 0L && it.coverage.sent > 0 }?.let { last ->
            add(look.sectionPart("last", look.text(R.string.last_watched)))
            add(lastCard(last, since ?: 0))
        }
        why(state)?.let { add(it) }
    }

    private fun lastCard(last: TodayAnswer, since: Long) = Part("last watched", { NoteCard(look) }) {
        it.show(
            R.drawable.ic_clock,
            look.text(R.string.day_until, Formats.day(since), Formats.time(look.context, since)),
            last.lead,
            false,
            look.text(R.string.show_day) to { choose(Span(Span.Kind.Day, Formats.daysBetween(since, ground.clock()))) },
        )
    }

    private fun why(state: WatchState.Off): Part<*>? {
        val words = when (if (ground.choices.endedAt > 0) WatchState.Why.Ended else state.why) {
            WatchState.Why.Revoked -> R.string.trouble_other_vpn
            WatchState.Why.NoConsent -> R.string.trouble_no_consent
            WatchState.Why.Failed -> R.string.trouble_failed
            WatchState.Why.Ended -> R.string.trouble_ended
            WatchState.Why.Asked, WatchState.Why.Never -> return null
        }
        return Part("why", { NoteCard(look) }) {
            val offer = look.text(R.string.keep_on) to { shell.go(Place(Place.Kind.FullWatch)) }
            it.show(R.drawable.ic_info, look.text(R.string.why_stopped), look.text(words), false, offer)
        }
    }

    /** Where something went wrong: said once, with what can be done. */
    private fun troubles(state: WatchState, today: TodayAnswer): List<Part<*>> = buildList {
        if (state is WatchState.SteppedAside) add(Part("stepped aside", { NoteCard(look) }) {
            val words = look.text(R.string.trouble_network_text, Formats.time(look.context, state.until))
            it.show(R.drawable.ic_wifi, look.text(R.string.trouble_network), words, true, look.text(R.string.try_now) to { shell.turn(true) })
        })
        if (state is WatchState.Watching && !state.lockdown && span.isNow) addAll(failing.mapNotNull(::mayNotWork))
        val ended = today.gaps.lastOrNull { it.why == "ended" && it.to > ground.choices.gapSeen }
        if (ended != null && span.isNow) add(Part("ended ${ended.from}", { NoteCard(look) }) {
            it.show(R.drawable.ic_info, look.text(R.string.telltale_stopped), ended.sentence, true, *offers(ended))
        })
        for (gap in today.gaps.filter { it.why == "too-much" }.takeLast(2)) add(Part("too much ${gap.from}", { NoteCard(look) }) {
            it.show(R.drawable.ic_ring, look.text(R.string.too_much), gap.sentence, false)
        })
        if (isNotEmpty()) add(0, look.gap("troubles", 12))
    }

    /** Seen to get no answers: the person may leave it out, and nobody else does. */
    private fun mayNotWork(failing: Failing): Part<*>? {
        val name = failing.app.packages.firstOrNull { it !in ground.choices.keptWatching } ?: return null
        if (failing.app.packages.any { it in ground.choices.leftOut }) return null
        return Part("failing $name", { NoteCard(look) }) {
            it.show(
                R.drawable.ic_info, look.text(R.string.may_not_work), look.text(R.string.may_not_work_text, failing.sentence), true,
                look.text(R.string.leave_it_out) to { leaveOut(name) },
                look.text(R.string.keep_watching) to { keepWatching(failing.app.packages) },
            )
        }
    }

    private fun leaveOut(name: String) = look.confirm(R.string.leave_out_title, R.string.leave_out_text, R.string.leave_it_out, R.string.keep_watching) {
        if (!shell.leaveOut(name, true)) shell.say(look.text(R.string.not_while_blocking))
        redraw()
    }

    private fun keepWatching(names: List<String>) {
        ground.choices.keptWatching += names
        redraw()
    }

    private fun offers(ended: Gap): Array<Pair<String, () -> Unit>> {
        val allowed = look.context.getSystemService(PowerManager::class.java).isIgnoringBatteryOptimizations(look.context.packageName)
        val close: Pair<String, () -> Unit> = look.text(if (allowed) R.string.close else R.string.not_now) to { dismiss(ended) }
        return if (allowed) arrayOf(close) else arrayOf(look.text(R.string.allow_in_background) to ::allowInBackground, close)
    }

    private fun dismiss(gap: Gap) {
        ground.choices.gapSeen = gap.to
        redraw()
    }

    private fun allowInBackground() {
        val own = Uri.fromParts("package", look.context.packageName, null)
        look.openSettings(Intent(Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS, own))
    }

    /** In the first minutes: what is seen already, and what a phone of 2014 sent. */
    private fun first(state: WatchState, today: TodayAnswer): List<Part<*>> = buildList {
        if (!span.isNow || today.findings.isNotEmpty()) return@buildList
        val live = minute?.takeIf { state is WatchState.Watching && it.apps > 0 && young() }
        if (live != null) add(Part("minute", {
            NoteCard(look).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
        }) { it.show(R.drawable.ic_clock, look.text(R.string.first_minute), live.sentence, false) })
        add(Part("2014", { NoteCard(look) }) {
            it.show(R.drawable.ic_phone, look.text(R.string.example), look.text(R.string.example_offer), false, look.text(R.string.example_see) to {
                shell.go(Place(Place.Kind.Today, example = true))
            })
        })
        add(0, look.gap("first", 8))
    }

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

    /** What the person chose not to watch stands here for as long as it holds. */
    private fun leftOut(): List<Part<*>> {
        val out = ground.choices.leftOut.sorted()
        if (out.isEmpty()) return emptyList()
        return listOf(look.gap("left out", 12), Part("left out", { NoteCard(look) }) {
            val blocking = (Watch.state as? WatchState.Watching)?.lockdown == true
            val how = look.text(if (blocking) R.string.watched_while_blocking else R.string.by_your_choice)
            val names = out.joinToString("\n") { name -> look.text(R.string.name_said, label(name), how) }
            it.show(R.drawable.ic_ring, look.text(R.string.apps_left_out), names, false, look.text(R.string.change) to { shell.go(Place(Place.Kind.LeftOut)) })
        })
    }

    private fun label(name: String): String {
        val packages = look.context.packageManager
        return try {
            packages.getApplicationInfo(name, 0).loadLabel(packages).toString()
        } catch (_: PackageManager.NameNotFoundException) {
            name // removed since
        }
    }

    private fun wideButton(words: Int, top: Int = 16, tap: () -> Unit) = Part("button $words", {
        look.column {
            pad(look.gutter, look.dp(top), look.gutter, 0)
            put(look.button(look.text(words), Offer.Filled, tap))
        }
    })

    /** What else this page shows; its answers come when they come. */
    private fun askBeside() {
        val state = Watch.state
        if (state is WatchState.Watching && young()) {
            minuteAsker.ask(common(JSONObject().put("ask", "minute").put("since", ground.choices.firstWatchAt))) { answer ->
                val next = answer.mapCatching(Read::minute).getOrNull()
                if (next != minute) minute = next.also { redraw() }
            }
        }
        if (state is WatchState.Watching) askWhatFails()
        val since = (state as? WatchState.Off)?.let(::since) ?: return
        val last = JSONObject().put("ask", "today").put("from", Formats.startOfDay(since)).put("to", since + 1).put("limit", 1).put("findings", 0)
        lastAsker.ask(common(last, since)) { answer ->
            val next = answer.mapCatching(Read::today).getOrNull()
            if (next != lastWatched) lastWatched = next.also { redraw() }
        }
    }

    /** Figures move every second; what fails is seen over minutes. */
    private fun askWhatFails() {
        if (ground.clock() - failingAskedAt in 0 until BETWEEN_ASKS) return
        failingAskedAt = ground.clock()
        failingAsker.ask(common(JSONObject().put("ask", "failing"))) { answer ->
            val next = answer.mapCatching(Read::failing).getOrDefault(emptyList())
            if (next != failing) failing = next.also { redraw() }
        }
    }

    private fun young() = ground.clock() - ground.choices.firstWatchAt in 0..YOUNG

    /** Since when it is off; null if it never was on. */
    private fun since(state: WatchState.Off) = listOf(state.since, ground.choices.stoppedAt, ground.choices.endedAt).firstOrNull { it > 0 }

    override fun leave() {
        super.leave()
        minuteAsker.cancel()
        lastAsker.cancel()
        failingAsker.cancel()
        failingAskedAt = 0
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
        const val BETWEEN_ASKS = 15_000L
        const val YOUNG = 10 * 60_000L
    }
}
