package org.telltale.app.screens

import org.telltale.app.R
import org.telltale.app.service.LeftOut
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchState
import org.telltale.app.ui.NoteCard
import org.telltale.app.ui.Part

/** What the person chose not to watch stands on Today for as long as it holds, each app by its name. */
class TodayLeftOut(private val shell: Shell, private val redraw: () -> Unit) {
    private val look = shell.look
    private val ground = shell.ground
    private var out: List<LeftOut.App> = emptyList()
    private var asked: Pair<Set<String>, Long>? = null

    fun parts(): List<Part<*>> {
        if (out.isEmpty()) return emptyList()
        return listOf(look.gap("left out", 12), Part("left out", { NoteCard(look) }) {
            val blocking = (Watch.state as? WatchState.Watching)?.lockdown == true
            val how = look.text(if (blocking) R.string.watched_while_blocking else R.string.by_your_choice)
            val names = out.map { it.label }.distinct().joinToString("\n") { look.text(R.string.name_said, it, how) }
            it.show(R.drawable.ic_ring, look.text(R.string.apps_left_out), names, false, look.text(R.string.change) to { shell.go(Place(Place.Kind.LeftOut)) })
        })
    }

    /** Reading the names takes a while where many share a uid, and seldom says anything new. */
    fun ask() {
        val now = ground.choices.leftOut to ground.clock() / BETWEEN_LOOKS
        if (now == asked) return
        asked = now
        ground.answers.work(ground.leftOut::named) { next ->
            if (next == out) return@work
            out = next
            redraw()
        }
    }

    private companion object {
        const val BETWEEN_LOOKS = 15_000L
    }
}
