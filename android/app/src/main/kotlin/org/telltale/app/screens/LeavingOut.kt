package org.telltale.app.screens

import android.icu.text.ListFormatter
import org.telltale.app.R
import org.telltale.app.service.LeftOut
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchService
import org.telltale.app.service.WatchState

/** Leaves an app out, or watches it again; what others send goes on. Who agrees knows which apps go along with it. */
class LeavingOut(private val shell: Shell) {
    private val look = shell.look
    private val ground = shell.ground

    /** Asks where others go along, and with [ask] always; [then] hears that it was done. Nothing is, while Android blocks. */
    fun leaveOut(name: String, ask: Boolean, then: () -> Unit) {
        if (blocked()) return shell.say(look.text(R.string.not_while_blocking))
        ground.answers.work({ ground.leftOut.others(name) }) { others ->
            if (shell.activity.isDestroyed) return@work // turned or left meanwhile: it has no window to ask in
            if (ask || others.isNotEmpty()) agree(others) { set(name, true, then) } else set(name, true, then)
        }
    }

    fun watch(name: String, then: () -> Unit) = set(name, false, then)

    private fun agree(others: List<LeftOut.App>, then: () -> Unit) =
        look.confirm(R.string.leave_out_title, words(others), R.string.leave_it_out, R.string.keep_watching, then)

    private fun words(others: List<LeftOut.App>): String {
        val text = look.text(R.string.leave_out_text)
        if (others.isEmpty()) return text
        return text + "\n\n" + look.text(R.string.leave_out_with, ListFormatter.getInstance().format(others.map { it.label }.distinct()))
    }

    private fun set(name: String, out: Boolean, then: () -> Unit) {
        if (out && blocked()) return shell.say(look.text(R.string.not_while_blocking))
        ground.leftOut.set(name, out)
        if (Watch.state is WatchState.Watching) WatchService.renew(shell.activity)
        then()
    }

    private fun blocked() = when (val state = Watch.state) {
        is WatchState.Watching -> state.lockdown
        is WatchState.Off -> state.lockdown
        else -> false
    }
}
