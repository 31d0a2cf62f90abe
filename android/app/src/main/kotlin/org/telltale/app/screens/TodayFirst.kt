package org.telltale.app.screens

import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.WatchState
import org.telltale.app.ui.MinuteAnswer
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read

/** Before there are findings: what was seen in the first minutes, and what a phone of 2014 sent. */
class TodayFirst(private val shell: Shell, private val redraw: () -> Unit) {
    private val look = shell.look
    private val ground = shell.ground
    private val asker = ground.answers.Asker()
    private var minute: MinuteAnswer? = null

    fun parts(state: WatchState): List<Part<*>> {
        val live = minute?.takeIf { state is WatchState.Watching && it.apps > 0 && young() }
        return listOfNotNull(look.gap("first", 8), live?.let(::minuteCard), exampleCard())
    }

    fun ask() {
        if (!young()) return
        asker.ask(ground.common(JSONObject().put("ask", "minute").put("since", ground.choices.firstWatchAt))) { answer ->
            val next = answer.mapCatching(Read::minute).getOrNull()
            if (next == minute) return@ask
            minute = next
            redraw()
        }
    }

    fun leave() = asker.cancel()

    private fun young() = ground.clock() - ground.choices.firstWatchAt in 0..YOUNG

    /** No live region: its figures move every second, and TalkBack would say nothing else. */
    private fun minuteCard(live: MinuteAnswer) = Part("minute", { NoteCard(look) }) {
        it.show(R.drawable.ic_clock, look.text(R.string.first_minute), live.sentence, false)
    }

    private fun exampleCard() = Part("2014", { NoteCard(look) }) {
        val see = look.text(R.string.example_see) to { shell.go(Place(Place.Kind.Today, example = true)) }
        it.show(R.drawable.ic_device, look.text(R.string.example), look.text(R.string.example_offer), false, see)
    }

    private companion object {
        const val YOUNG = 10 * 60_000L
    }
}
