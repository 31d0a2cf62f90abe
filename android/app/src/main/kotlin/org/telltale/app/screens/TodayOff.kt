package org.telltale.app.screens

import android.content.Intent
import android.provider.Settings
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.WatchState
import org.telltale.app.ui.CoverageBlock
import org.telltale.app.ui.Formats
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Span
import org.telltale.app.ui.TodayAnswer
import org.telltale.app.ui.Type

/** Today while Telltale is off: that comes first, with its why; what was seen before stands below. */
class TodayOff(private val shell: Shell, private val redraw: () -> Unit, private val choose: (Span) -> Unit) {
    private val look = shell.look
    private val ground = shell.ground
    private val asker = ground.answers.Asker()
    private var lastWatched: TodayAnswer? = null

    /** [seen]: how much of today's could be read. */
    fun parts(state: WatchState.Off, today: TodayAnswer, seen: Part<*>): List<Part<*>> = buildList {
        add(look.leadPart(look.text(R.string.lead_off)))
        if (state.lockdown) add(blocked())
        val since = since(state)
        if (since != null) add(Part("unwatched", { CoverageBlock(look) }) { it.showUnwatched(Formats.duration(ground.clock() - since)) })
        add(look.buttonPart(R.string.start_watching, top = 20) { shell.turn(true) })
        if (today.coverage.sent > 0) {
            add(look.sectionPart("before", look.text(R.string.before_today)))
            add(look.textPart("lead before", Type.Sentence, today.lead))
            add(seen)
        }
        lastWatched?.takeIf { today.coverage.sent == 0L && it.coverage.sent > 0 }?.let { last ->
            add(look.sectionPart("last", look.text(R.string.last_watched)))
            add(lastCard(last, since ?: 0))
        }
        why(state)?.let { add(it) }
    }

    /** Since when it is off; null if it never was on. */
    fun since(state: WatchState.Off) = listOf(state.since, ground.choices.stoppedAt, ground.choices.endedAt).firstOrNull { it > 0 }

    /** What the day was like on which it watched last. */
    fun ask(state: WatchState.Off) {
        val since = since(state) ?: return
        val last = JSONObject().put("ask", "today").put("from", Formats.startOfDay(since)).put("to", since + 1).put("limit", 1).put("findings", 0)
        asker.ask(ground.common(last, since)) { answer ->
            val next = answer.mapCatching(Read::today).getOrNull()
            if (next == lastWatched) return@ask
            lastWatched = next
            redraw()
        }
    }

    fun leave() = asker.cancel()

    private fun blocked() = Part("blocked", { NoteCard(look) }) {
        val offer = look.text(R.string.open_vpn_settings) to { look.openSettings(Intent(Settings.ACTION_VPN_SETTINGS)) }
        it.show(R.drawable.ic_info, look.text(R.string.off_blocked), look.text(R.string.off_blocked_text), true, offer)
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
}
