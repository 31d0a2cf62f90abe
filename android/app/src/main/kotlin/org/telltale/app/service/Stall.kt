package org.telltale.app.service

import android.os.Handler
import android.os.SystemClock
import org.json.JSONObject
import org.telltale.app.core.Session

/**
 * Sees that nothing gets through although both sides try, which the core notices (docs/boundary.md, `stalled`), and
 * asks for the tunnel to be taken down. It looks only when something changed, so that an idle phone is left asleep.
 */
class Stall(private val handler: Handler, private val session: Session, private val stepAside: (pause: Long) -> Unit) {
    private var looked = 0L
    private var pause = FIRST_PAUSE
    private var well = 0L

    fun look() {
        val now = SystemClock.elapsedRealtime()
        if (now - looked < BETWEEN_LOOKS) return
        looked = now
        session.ask(JSONObject().put("ask", "state")) { answer ->
            val stalled = answer.getOrNull()?.optBoolean("stalled") ?: return@ask
            handler.post { if (stalled) aside() else well(now) }
        }
    }

    /** Each time in a row waits twice as long, a quarter of an hour at most. */
    private fun aside() {
        well = 0
        val now = pause
        pause = minOf(pause * 2, LONGEST_PAUSE)
        stepAside(now)
    }

    /** A network that works for a while is forgiven; one look is not enough, since a stall takes 30 s to be one. */
    private fun well(now: Long) {
        if (well == 0L) well = now
        if (now - well > FORGIVEN) pause = FIRST_PAUSE
    }

    private companion object {
        const val FORGIVEN = 2 * 60_000L
        const val BETWEEN_LOOKS = 10_000L
        const val FIRST_PAUSE = 60_000L
        const val LONGEST_PAUSE = 15 * 60_000L
    }
}
