package org.telltale.app.service

import android.app.ActivityManager
import android.content.Context
import android.os.Build
import android.os.SystemClock
import org.json.JSONObject
import org.telltale.app.core.Session

/**
 * When the monitor did not watch, and why. What a person does not know was off, they take for quiet; so every gap is
 * recorded, also the one that began because the system ended us without a word.
 */
class Gaps(private val context: Context, private val session: Session, private val choices: Choices) {
    /** Watching began; what lay between is written down. */
    fun watchingAgain(now: Long) {
        val from = choices.stoppedAt.takeIf { it > 0 } ?: endedAt(now)
        if (from in 1 until now) gap(from, now, why(from, now))
        choices.stoppedAt = 0
        choices.stoppedWhy = ""
        choices.turnedOffAt = 0
        choices.aliveAt = now
    }

    fun stopped(now: Long, why: String) {
        choices.stoppedAt = now
        choices.stoppedWhy = why
    }

    /** What is off sends nothing: the gap begins when the phone is on again. */
    fun phoneTurnsOff(now: Long) {
        choices.turnedOffAt = now
    }

    /** Called while things go well, at most once a minute: the last moment that we know we watched. */
    fun alive(now: Long) {
        if (now - choices.aliveAt >= MINUTE) choices.aliveAt = now
    }

    private fun gap(from: Long, to: Long, why: String) {
        session.ask(JSONObject().put("do", "gap").put("from", from).put("to", to).put("why", why))
    }

    /** After a restart of the phone nothing of ours runs until the first unlock. */
    private fun why(from: Long, now: Long): String {
        if (choices.stoppedAt > 0) return choices.stoppedWhy
        return if (from <= bootedAt(now)) "locked" else "ended"
    }

    /**
     * The start of the phone, where we watched until it was turned off. Else, where Android remembers when it ended us
     * (11 and later), that; else the last moment that we noted ([lastSeen]).
     */
    private fun endedAt(now: Long): Long {
        val booted = bootedAt(now)
        return if (choices.turnedOffAt in 1 until booted) booted else lastSeen()
    }

    /** When watching ended without a word; 0 where we never watched. */
    fun lastSeen(): Long = choices.aliveAt.let { alive -> if (alive == 0L) 0L else exitedAfter(alive) ?: alive }

    private fun bootedAt(now: Long) = now - SystemClock.elapsedRealtime()

    /** The first exit since then was that of the process that watched; in later ones the app was only looked at. */
    private fun exitedAfter(alive: Long): Long? {
        if (Build.VERSION.SDK_INT < 30) return null
        val exits = context.getSystemService(ActivityManager::class.java).getHistoricalProcessExitReasons(context.packageName, 0, ALL)
        return exits.map { it.timestamp }.filter { it >= alive }.minOrNull()
    }

    private companion object {
        const val ALL = 0
        const val MINUTE = 60_000L
    }
}
