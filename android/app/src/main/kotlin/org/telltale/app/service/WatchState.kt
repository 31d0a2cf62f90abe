package org.telltale.app.service

import android.os.Handler
import android.os.Looper
import java.util.concurrent.CopyOnWriteArraySet

/** What the monitor is doing, for the screens, the tile and the notification. */
sealed interface WatchState {
    /** Not watching since [since] (0 = never watched), because of [why]. With [lockdown] no app has a network now. */
    data class Off(val since: Long, val why: Why, val lockdown: Boolean = false) : WatchState
    data object Starting : WatchState
    data class Watching(val since: Long, val captive: Boolean, val privateDnsName: String?, val lockdown: Boolean) : WatchState

    /** The network did not answer through the tunnel, so it was taken down; the next try is at [until]. */
    data class SteppedAside(val since: Long, val until: Long) : WatchState

    enum class Why { Asked, Revoked, NoConsent, Failed, Ended, Never }
}

/** The one state of this process. Written by the service alone, read on any thread; listeners hear on the main one. */
object Watch {
    @Volatile
    var state: WatchState = WatchState.Off(0, WatchState.Why.Never)
        private set

    private val main = Handler(Looper.getMainLooper())
    private val listeners = CopyOnWriteArraySet<(WatchState) -> Unit>()
    private var owner: Any? = null

    fun listen(listener: (WatchState) -> Unit) = listeners.add(listener)

    fun unlisten(listener: (WatchState) -> Unit) = listeners.remove(listener)

    /** False where [by] is a service that ends after another one has begun: then nothing has changed. */
    @Synchronized
    internal fun become(next: WatchState, by: Any? = null): Boolean {
        if (next is WatchState.Off && by != null && owner != null && by !== owner) return false
        owner = by
        if (state == next) return true
        state = next
        main.post { listeners.forEach { it(next) } }
        return true
    }
}
