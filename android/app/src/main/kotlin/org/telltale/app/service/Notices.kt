package org.telltale.app.service

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.os.PowerManager
import android.os.SystemClock
import android.text.format.DateFormat
import org.json.JSONObject
import org.telltale.app.MainActivity
import org.telltale.app.R
import java.util.Date
import java.util.TimeZone

/**
 * All that we say outside our screens: that we watch (silent, always), a detail in the open (at once), the rest once
 * a day if wanted, and troubles. The lock screen names neither app nor detail. Where notifications are denied the
 * system drops them, and nothing else changes.
 */
class Notices(
    private val context: Context,
    /** Puts a question or a command to the core; the answer comes on the main thread. */
    private val ask: (JSONObject, (Result<JSONObject>) -> Unit) -> Unit,
    private val choices: Choices,
    private val gaps: Gaps,
) {
    private val manager = context.getSystemService(NotificationManager::class.java)
    private val power = context.getSystemService(PowerManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private val late = Runnable(::refreshNow)
    private var refreshed = -BETWEEN

    init {
        manager.createNotificationChannels(
            listOf(
                // Less would make Android add a notice of its own that we run (NotificationManager.IMPORTANCE_MIN).
                channel(WATCHING_CHANNEL, R.string.channel_watching, NotificationManager.IMPORTANCE_LOW),
                channel(FINDING_CHANNEL, R.string.channel_finding, NotificationManager.IMPORTANCE_DEFAULT),
                channel(DIGEST_CHANNEL, R.string.channel_digest, NotificationManager.IMPORTANCE_LOW),
                channel(TROUBLE_CHANNEL, R.string.channel_trouble, NotificationManager.IMPORTANCE_DEFAULT),
            ),
        )
    }

    /** The permanent notice: there is no hidden watching, and none that is only said. */
    fun watching(text: String? = null): Notification = builder(WATCHING_CHANNEL, R.drawable.notification_watching).atOnce()
        .setContentTitle(context.getString(if (Watch.state is WatchState.SteppedAside) R.string.status_stepped_aside else R.string.notice_watching))
        .setContentText(text)
        .setOngoing(true)
        .setShowWhen(false)
        .setContentIntent(open())
        .addAction(action(R.string.notice_turn_off, service(WatchService.stopIntent(context), 1)))
        .build()

    /**
     * Something changed: the figures of the permanent notice, and findings that are worth a word. Seldom, and always
     * after the last change. On the main thread.
     */
    fun refresh() {
        val wait = refreshed + BETWEEN - SystemClock.elapsedRealtime()
        if (wait <= 0) refreshNow() else if (!main.hasCallbacks(late)) main.postDelayed(late, wait)
    }

    /** Figures that nobody saw while the screen was off. */
    fun screenIsOn() {
        main.post(::refresh)
    }

    private fun refreshNow() {
        refreshed = SystemClock.elapsedRealtime()
        if (Watch.state is WatchState.Watching) gaps.alive(System.currentTimeMillis())
        if (power.isInteractive) figures()
        ask(today("alerts")) { answer ->
            answer.getOrNull()?.let(::tell)
        }
    }

    private fun figures() = ask(today("notification")) { answer ->
        val text = answer.getOrNull()?.optString("notification").orEmpty()
        if (Watch.state !is WatchState.Watching) return@ask
        manager.notify(WATCHING, watching(text))
        if (Watch.state is WatchState.Off) manager.cancel(WATCHING) // it ended meanwhile, and took an older notice away
    }

    private fun tell(answer: JSONObject) {
        val alerts = answer.optJSONArray("alerts")
        for (at in 0 until (alerts?.length() ?: 0)) alerts?.optJSONObject(at)?.let(::finding)
        answer.optString("digest").takeIf { choices.tellDigest && it.isNotEmpty() && it != "null" }?.let(::digest)
    }

    private fun finding(alert: JSONObject) {
        val key = alert.optString("key")
        if (choices.tellOpenDetail) {
            val hidden = builder(FINDING_CHANNEL, R.drawable.notification_finding).setContentTitle(alert.optString("lock")).build()
            val notice = builder(FINDING_CHANNEL, R.drawable.notification_finding)
                .setContentTitle(alert.optString("title"))
                .setContentText(alert.optString("text"))
                .setStyle(Notification.BigTextStyle().bigText(alert.optString("text")))
                .setVisibility(Notification.VISIBILITY_PRIVATE)
                .setPublicVersion(hidden)
                .setAutoCancel(true)
                .setContentIntent(open(key))
                .addAction(action(R.string.notice_see, open(key)))
                .addAction(action(R.string.notice_expected, broadcast(key)))
                .build()
            manager.notify(key, FINDING, notice)
        }
        ask(alerted(key)) {}
    }

    private fun digest(text: String) {
        val notice = builder(DIGEST_CHANNEL, R.drawable.notification_finding)
            .setContentTitle(context.getString(R.string.notice_digest))
            .setContentText(text)
            .setStyle(Notification.BigTextStyle().bigText(text))
            .setAutoCancel(true)
            .setContentIntent(open())
            .build()
        manager.notify(DIGEST, notice)
        ask(alerted("digest")) {}
    }

    fun steppedAside(until: Long) {
        val text = context.getString(R.string.trouble_network_text, DateFormat.getTimeFormat(context).format(Date(until)))
        manager.notify(WATCHING, watching())
        trouble(context.getString(R.string.trouble_network), text)
    }

    /** What was wrong is over. */
    fun watchingAgain() {
        manager.cancel(TROUBLE)
        if (power.isInteractive) figures()
    }

    fun ended(why: WatchState.Why) = when (why) {
        WatchState.Why.Revoked -> trouble(context.getString(R.string.trouble_off), context.getString(R.string.trouble_other_vpn))
        WatchState.Why.NoConsent -> trouble(context.getString(R.string.trouble_off), context.getString(R.string.trouble_no_consent))
        else -> trouble(context.getString(R.string.trouble_off), context.getString(R.string.trouble_failed), startAgain())
    }

    /** What Android refused to a program it allows to a tap. Who has switched to another VPN since is told, and keeps it. */
    private fun startAgain(): Notification.Action {
        val start = PendingIntent.getForegroundService(context, 0, WatchService.startIntent(context), PendingIntent.FLAG_IMMUTABLE)
        return action(R.string.start_watching, start)
    }

    /** A question about this day, from midnight here. */
    private fun today(what: String): JSONObject {
        val now = System.currentTimeMillis()
        val offset = TimeZone.getDefault().getOffset(now).toLong()
        val midnight = Math.floorDiv(now + offset, DAY) * DAY - offset
        return JSONObject().put("ask", what).put("from", midnight).put("to", midnight + DAY).put("now", now)
            .put("zone_offset", offset / 1000)
            .put("locale", context.resources.configuration.locales[0].toLanguageTag())
    }

    private fun alerted(key: String) = JSONObject().put("do", "alerted").put("key", key).put("at", System.currentTimeMillis())

    fun expected(key: String) {
        ask(JSONObject().put("do", "mute").put("key", key).put("on", true)) {}
        manager.cancel(key, FINDING)
    }

    private fun trouble(title: String, text: String, offer: Notification.Action? = null) {
        val notice = builder(TROUBLE_CHANNEL, R.drawable.notification_watching)
            .setContentTitle(title)
            .setContentText(text)
            .setStyle(Notification.BigTextStyle().bigText(text))
            .setAutoCancel(true)
            .setContentIntent(open())
            .apply { offer?.let(::addAction) }
            .build()
        manager.notify(TROUBLE, notice)
    }

    /** Android 12 and later would else show that a service runs only after it has run for ten seconds. */
    private fun Notification.Builder.atOnce() = apply {
        if (Build.VERSION.SDK_INT >= 31) setForegroundServiceBehavior(Notification.FOREGROUND_SERVICE_IMMEDIATE)
    }

    private fun builder(channel: String, icon: Int) = Notification.Builder(context, channel).setSmallIcon(icon)

    private fun channel(id: String, name: Int, importance: Int) =
        NotificationChannel(id, context.getString(name), importance).apply {
            setShowBadge(false)
            lockscreenVisibility = Notification.VISIBILITY_PRIVATE
        }

    private fun action(title: Int, intent: PendingIntent) =
        Notification.Action.Builder(null, context.getString(title), intent).build()

    private fun open(key: String? = null): PendingIntent {
        val intent = Intent(context, MainActivity::class.java).putExtra(KEY, key)
            .addFlags(Intent.FLAG_ACTIVITY_SINGLE_TOP or Intent.FLAG_ACTIVITY_CLEAR_TOP)
        return PendingIntent.getActivity(context, key.hashCode(), intent, PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT)
    }

    private fun service(intent: Intent, code: Int) =
        PendingIntent.getService(context, code, intent, PendingIntent.FLAG_IMMUTABLE)

    private fun broadcast(key: String): PendingIntent {
        val intent = Intent(context, Expected::class.java).putExtra(KEY, key)
        return PendingIntent.getBroadcast(context, key.hashCode(), intent, PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT)
    }

    companion object {
        const val KEY = "finding"
        const val WATCHING = 1
        private const val FINDING = 2
        private const val DIGEST = 3
        private const val TROUBLE = 4
        private const val WATCHING_CHANNEL = "watching"
        private const val FINDING_CHANNEL = "finding"
        private const val DIGEST_CHANNEL = "digest"
        private const val TROUBLE_CHANNEL = "trouble"
        private const val BETWEEN = 15_000L
        private const val DAY = 24 * 60 * 60 * 1000L
    }
}
