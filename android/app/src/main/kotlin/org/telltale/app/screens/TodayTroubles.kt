package org.telltale.app.screens

import android.content.Intent
import android.net.Uri
import android.os.PowerManager
import android.provider.Settings
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.WatchState
import org.telltale.app.ui.Failing
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Gap
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.TodayAnswer

/** Where something went wrong: said once, with what can be done. */
class TodayTroubles(private val shell: Shell, private val redraw: () -> Unit) {
    private val look = shell.look
    private val ground = shell.ground
    private val asker = ground.answers.Asker()
    private var failing: List<Failing> = emptyList()
    private var askedAt = 0L

    /** [now]: the span that is shown is the one that we are in. */
    fun parts(state: WatchState, today: TodayAnswer, now: Boolean): List<Part<*>> = buildList {
        if (state is WatchState.SteppedAside) add(steppedAside(state))
        if (state is WatchState.Watching && !state.lockdown && now) addAll(failing.mapNotNull(::mayNotWork))
        val ended = today.gaps.lastOrNull { it.why == "ended" && it.to > ground.choices.gapSeen }
        if (ended != null && now) add(Part("ended ${ended.from}", { NoteCard(look) }) {
            it.show(R.drawable.ic_info, look.text(R.string.telltale_stopped), ended.sentence, true, *offers(ended))
        })
        for (gap in today.gaps.filter { it.why == "too-much" }.takeLast(2)) add(Part("too much ${gap.from}", { NoteCard(look) }) {
            it.show(R.drawable.ic_ring, look.text(R.string.too_much), gap.sentence, false)
        })
        if (isNotEmpty()) add(0, look.gap("troubles", 12))
    }

    /** Which apps get no answers. Figures move every second; that is seen over minutes. */
    fun ask() {
        if (ground.clock() - askedAt in 0 until BETWEEN_ASKS) return
        askedAt = ground.clock()
        asker.ask(ground.common(JSONObject().put("ask", "failing"))) { answer ->
            val next = answer.mapCatching(Read::failing).getOrDefault(emptyList())
            if (next == failing) return@ask
            failing = next
            redraw()
        }
    }

    fun leave() {
        asker.cancel()
        askedAt = 0
    }

    private fun steppedAside(state: WatchState.SteppedAside) = Part("stepped aside", { NoteCard(look) }) {
        val words = look.text(R.string.trouble_network_text, Formats.time(look.context, state.until))
        it.show(R.drawable.ic_wifi, look.text(R.string.trouble_network), words, true, look.text(R.string.try_now) to { shell.turn(true) })
    }

    /** Seen to get no answers: the person may leave it out, and nobody else does. */
    private fun mayNotWork(failing: Failing): Part<*>? {
        val name = failing.app.packages.firstOrNull { it !in ground.choices.keptWatching } ?: return null
        if (failing.app.packages.any { it in ground.choices.leftOut }) return null
        return Part("failing $name", { NoteCard(look) }) {
            it.show(
                R.drawable.ic_info, look.text(R.string.may_not_work), look.text(R.string.may_not_work_text, failing.sentence), true,
                look.text(R.string.leave_it_out) to { shell.leavingOut.leaveOut(name, ask = true, shell::refresh) },
                look.text(R.string.keep_watching) to { keepWatching(failing.app.packages) },
            )
        }
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

    private companion object {
        const val BETWEEN_ASKS = 15_000L
    }
}
