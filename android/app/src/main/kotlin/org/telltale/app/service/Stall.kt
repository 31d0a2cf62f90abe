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

    fun look() {
        val now = SystemClock.elapsedRealtime()
        if (now - looked < BETWEEN_LOOKS) return
        looked = now
        session.ask(JSONObject().put("ask", "state")) { answer ->
            val stalled = answer.getOrNull()?.optBoolean("stalled") ?: return@ask
            handler.post { if (stalled) aside() else pause = FIRST_PAUSE }
        }
    }

    /** Each time in a row waits twice as long, a quarter of an hour at most. */
    private fun aside() {
        val now = pause
        pause = minOf(pause * 2, LONGEST_PAUSE)
        stepAside(now)
    }

    private companion object {
        const val BETWEEN_LOOKS = 10_000L
        const val FIRST_PAUSE = 60_000L
        const val LONGEST_PAUSE = 15 * 60_000L
    }
}
