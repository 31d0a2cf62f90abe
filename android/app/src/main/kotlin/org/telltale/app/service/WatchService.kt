package org.telltale.app.service

import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.content.pm.ServiceInfo
import android.net.ConnectivityManager
import android.net.VpnService
import android.os.Build
import android.os.Handler
import android.os.HandlerThread
import android.os.SystemClock
import android.util.Log
import org.json.JSONObject
import org.telltale.app.MainActivity
import org.telltale.app.TelltaleApp
import org.telltale.app.core.Session

/**
 * Watches: brings up the tunnel, keeps it in step with the network, and takes it down when it must.
 *
 * Everything but the notification happens on one thread of the service's own, in order; nothing waits on the
 * main thread.
 */
class WatchService : VpnService(), Session.Listener {
    private val app get() = application as TelltaleApp
    private val thread = HandlerThread("watch").apply { start() }
    private val handler = Handler(thread.looper)
    private val networks by lazy { Networks(getSystemService(ConnectivityManager::class.java), handler, ::networkChanged) }
    private val events by lazy { Events(app, app.session, app.apps, handler, ::screenIsOn) }
    private val stall by lazy { Stall(handler, app.session, ::stepAside) }
    private val runs = Runs()
    private val again = Runnable { if (Watch.state is WatchState.SteppedAside) begin() }
    private var lastStart = 0
    private var looked = 0L
    private var under = UnderNetwork.NONE
    private var tunnel: Tunnel? = null
    private var search: List<String> = emptyList()

    /** Whether the system lets us be a foreground service. */
    @Volatile
    private var inForeground = false

    /** Whether the person's choice of apps that are left out holds for this tunnel. */
    private var leavesOut = true

    override fun onCreate() {
        super.onCreate()
        app.session.listen(this)
    }

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        if (intent?.action == STOP) {
            app.choices.wanted = false
            started(startId) { end(WatchState.Why.Asked) }
            return START_NOT_STICKY
        }
        app.choices.wanted = true // also where always-on starts us, without a tap of the person's here
        showThatWeWatch()
        started(startId) { if (intent?.action == EXCLUSIONS) renew() else begin() }
        return START_STICKY
    }

    /** Acts on a start in its turn: an end that comes before it must not end the service for it ([end]). */
    private fun started(id: Int, act: () -> Unit) = handler.post {
        lastStart = id
        act()
    }

    /** Another VPN took over, or the person withdrew consent in the system's settings. */
    override fun onRevoke() {
        handler.post { end(WatchState.Why.Revoked) }
    }

    override fun onDestroy() {
        app.session.unlisten(this)
        handler.post {
            if (tunnel != null) end(WatchState.Why.Ended)
            thread.quitSafely()
        }
        super.onDestroy()
    }

    override fun changed(revision: Long) {
        stall.look()
        app.notices.refresh()
        handler.post(::lookAtSettings)
    }

    /** A run ended by itself; what we did not ask for is told. */
    override fun stopped(reason: JSONObject) {
        handler.post {
            runs.ended(reason.optLong("run"))
            lookAtRuns()
        }
    }

    private fun lookAtRuns() {
        if (tunnel != null && runs.areOver) end(WatchState.Why.Failed)
    }

    /**
     * Nobody tells when the person changes these in Android's settings: blocking, under which apps that are left out
     * would lose all network, and whether contacts may be read, or we may run in the background.
     */
    private fun lookAtSettings() {
        val now = SystemClock.elapsedRealtime()
        if (tunnel == null || now - looked < BETWEEN_LOOKS) return
        looked = now
        if (!inForeground) showThatWeWatch()
        networks.follow() // where Android refused it
        events.follow()
        val overtaken = isLockdownEnabled == leavesOut && app.choices.leftOut.isNotEmpty()
        if (overtaken) bringUp() else Watch.become(watching(), this)
    }

    private fun begin() {
        if (tunnel != null) return
        handler.removeCallbacks(again)
        Watch.become(WatchState.Starting, this)
        networks.follow()
        under = networks.now()
        if (!bringUp()) return
        if (app.choices.firstWatchAt == 0L) app.choices.firstWatchAt = System.currentTimeMillis()
        app.gaps.watchingAgain(System.currentTimeMillis())
        app.notices.watchingAgain()
        events.follow()
        tellOfBoot()
    }

    /** Also where always-on started us: what follows a start of the phone is of interest. */
    private fun tellOfBoot() {
        if (SystemClock.elapsedRealtime() < JUST_STARTED) events.happened("boot")
    }

    /** Exclusions or families changed: a new tunnel takes over before the old one closes. */
    private fun renew() {
        if (tunnel != null) bringUp() else begin()
    }

    private fun bringUp(): Boolean {
        val next = Tunnel.beside(under.taken, under.ipv6)
        val fd = try {
            establish(next) ?: return false.also { end(WatchState.Why.NoConsent) }
        } catch (error: RuntimeException) { // SecurityException, IllegalStateException, IllegalArgumentException
            Log.e(TAG, "the tunnel was refused", error)
            return false.also { end(WatchState.Why.Failed) }
        }
        tunnel = next
        search = under.search
        runs.asks()
        app.session.watch(this, fd, under.toJson(next)) { run -> handler.post { taken(run) } }
        Watch.become(watching(), this)
        return true
    }

    private fun taken(run: Result<Long>) {
        run.onSuccess { runs.watches(it) }.onFailure { error ->
            Log.e(TAG, "the core did not take the tunnel", error)
            if (runs.refused() && tunnel != null) end(WatchState.Why.Failed)
        }
        lookAtRuns()
    }

    /**
     * Answers the tunnel's descriptor, or null where we are not the VPN that the person chose last. `prepare` is not
     * asked here: with an old consent it would make us that VPN, and end the other one.
     */
    private fun establish(next: Tunnel): Int? = builder(next).establish()?.detachFd()

    private fun builder(next: Tunnel): Builder {
        val builder = Builder().setSession(getString(applicationInfo.labelRes)).setMtu(Tunnel.MTU).setBlocking(false)
        next.addresses.forEach { builder.addAddress(it.address, it.prefix) }
        next.resolvers.forEach { builder.addDnsServer(it) }
        builder.addRoute("0.0.0.0", 0)
        if (next.hasIpv6) builder.addRoute("::", 0)
        under.search.forEach { builder.addSearchDomain(it) }
        builder.setUnderlyingNetworks(null) // follow the default network: its icons, its data accounting
        builder.setMetered(false) // as metered as the network under it, and no more: backups and updates go on
        builder.setConfigureIntent(openApp())
        leaveOut(builder)
        return builder
    }

    /** Ourselves always, so that our sockets go out beside the tunnel; the person's choices unless they would lose all network. */
    private fun leaveOut(builder: Builder) {
        leavesOut = !isLockdownEnabled
        val leftOut = if (leavesOut) app.choices.leftOut else emptySet()
        for (name in leftOut + packageName) {
            try {
                builder.addDisallowedApplication(name)
            } catch (_: PackageManager.NameNotFoundException) {
                // removed since it was chosen
            }
        }
    }

    private fun networkChanged(next: UnderNetwork) {
        val before = under
        under = next
        val up = tunnel ?: return tryOther(before)
        if (next.network != null && outgrown(up)) bringUp() else app.session.networkChanged(next.toJson())
        if (tunnel == null) return
        if (before != next) Watch.become(watching(), this)
        events.happened("network")
    }

    /** Families, search domains and a LAN that has our addresses are matters of the tunnel itself. */
    private fun outgrown(up: Tunnel) = under.ipv6 != up.hasIpv6 || under.search != search || up.collides(under.taken)

    /** We stepped aside for a network that does not answer; another one may. */
    private fun tryOther(before: UnderNetwork) {
        val other = under.network != null && under.network != before.network
        if (other && Watch.state is WatchState.SteppedAside) begin()
    }

    /** A pause counts no time in which the phone sleeps: what is over is over when somebody looks. */
    private fun screenIsOn() {
        val aside = Watch.state as? WatchState.SteppedAside ?: return
        if (System.currentTimeMillis() >= aside.until) begin()
    }

    private fun watching(): WatchState {
        val since = (Watch.state as? WatchState.Watching)?.since ?: System.currentTimeMillis()
        return WatchState.Watching(since, under.captive, under.privateDnsName, isLockdownEnabled)
    }

    /** Nothing gets through while both sides try: better no watching than no network. Tried again after a while. */
    private fun stepAside(pause: Long) {
        // Under lockdown an app has no network without the tunnel either.
        if (tunnel == null || isLockdownEnabled) return
        tunnel = null
        app.session.unwatch(this, under.toJson())
        val now = System.currentTimeMillis()
        app.gaps.stopped(now, "network")
        Watch.become(WatchState.SteppedAside(now, now + pause), this)
        app.notices.steppedAside(now + pause)
        handler.postDelayed(again, pause)
    }

    private fun end(why: WatchState.Why) {
        val watched = tunnel != null
        tunnel = null
        handler.removeCallbacks(again)
        networks.forget()
        events.forget()
        app.session.unwatch(this, UnderNetwork.NONE.toJson())
        val now = System.currentTimeMillis()
        if (!Watch.become(WatchState.Off(now, why, isLockdownEnabled), this)) return
        // That was the person's last word: neither a restart of the phone nor an update of ours throws the other VPN out.
        if (why == WatchState.Why.Revoked || why == WatchState.Why.NoConsent) app.choices.wanted = false
        if (watched) app.gaps.stopped(now, gapWord(why))
        if (why != WatchState.Why.Asked) app.notices.ended(why)
        // False where a start waits behind this end: it goes on with this service and its notice.
        if (stopSelfResult(lastStart)) leaveForeground()
    }

    private fun leaveForeground() {
        stopForeground(STOP_FOREGROUND_REMOVE)
        inForeground = false
    }

    private fun gapWord(why: WatchState.Why) = if (why == WatchState.Why.Revoked) "revoked" else if (why == WatchState.Why.Asked) "off" else "ended"

    /**
     * Since Android 12 the system may refuse; the tunnel still runs, only with less protection from being ended. It is
     * tried again ([lookAtSettings]): what was refused behind other apps is allowed before them, or once the person has
     * allowed us in the background.
     */
    private fun showThatWeWatch() {
        val notice = app.notices.watching()
        inForeground = try {
            if (Build.VERSION.SDK_INT >= 34) {
                startForeground(Notices.WATCHING, notice, ServiceInfo.FOREGROUND_SERVICE_TYPE_SPECIAL_USE)
            } else {
                startForeground(Notices.WATCHING, notice)
            }
            true
        } catch (error: RuntimeException) { // ForegroundServiceStartNotAllowedException, SecurityException of some makers
            Log.w(TAG, "the system refused a foreground service", error)
            false
        }
    }

    private fun openApp() =
        PendingIntent.getActivity(this, 0, Intent(this, MainActivity::class.java), PendingIntent.FLAG_IMMUTABLE)

    companion object {
        private const val TAG = "Telltale"
        private const val BETWEEN_LOOKS = 10_000L
        private const val JUST_STARTED = 10 * 60_000L
        const val STOP = "org.telltale.app.STOP"
        private const val EXCLUSIONS = "org.telltale.app.EXCLUSIONS"

        /** Whether the system let it start: from behind other apps it may refuse since Android 12. */
        fun start(context: Context): Boolean = try {
            context.startForegroundService(startIntent(context))
            true
        } catch (error: RuntimeException) { // ForegroundServiceStartNotAllowedException
            Log.w(TAG, "the system refused to start watching", error)
            false
        }

        fun startIntent(context: Context) = Intent(context, WatchService::class.java)

        fun stop(context: Context) = context.startService(stopIntent(context))

        fun stopIntent(context: Context): Intent = Intent(context, WatchService::class.java).setAction(STOP)

        /** After a change of what is left out: watched apps' flows go on. */
        fun renew(context: Context) =
            context.startForegroundService(Intent(context, WatchService::class.java).setAction(EXCLUSIONS))
    }
}
