package org.telltale.app.service

import android.content.Context

/** What the person chose, and the few moments that must outlive the process. In no backup (data_extraction_rules.xml). */
class Choices(context: Context) {
    private val stored = context.getSharedPreferences("choices", Context.MODE_PRIVATE)

    var startAfterBoot by flag("start_after_boot", true)
    var tellOpenDetail by flag("tell_open_detail", true)
    var tellDigest by flag("tell_digest", false)
    var wallpaperColours by flag("wallpaper_colours", true)
    var lockApp by flag("lock_app", false)

    /** Which sites browsers open is kept as it is of other apps; else only which companies got how much. */
    var keepSites by flag("keep_sites", false)
    var firstStartDone by flag("first_start_done", false)
    var askedToNotify by flag("asked_to_notify", false)

    /** The person wants it on: what the tile, a restart of the phone and an update go by. */
    var wanted by flag("wanted", false)

    /** Packages that the person chose not to watch. None by default. */
    var leftOut: Set<String>
        get() = stored.getStringSet("left_out", null)?.toSet().orEmpty()
        set(names) = stored.edit().putStringSet("left_out", names).apply()

    /** Packages that the person goes on watching though they may not work: not offered again. */
    var keptWatching: Set<String>
        get() = stored.getStringSet("kept_watching", null)?.toSet().orEmpty()
        set(names) = stored.edit().putStringSet("kept_watching", names).apply()

    var stoppedAt by moment("stopped_at")
    var aliveAt by moment("alive_at")

    /** Since when nothing watches, though that was wanted and nobody ended it; 0 where that is not so. */
    val endedAt: Long get() = if (wanted && stoppedAt == 0L) aliveAt else 0L

    /** When Android last told us that the phone is being turned off, while we watched. */
    var turnedOffAt by moment("turned_off_at")

    /** When it watched for the first time ever: the first minutes have a card of their own. */
    var firstWatchAt by moment("first_watch_at")

    /** The end of the last gap that the person has seen and put away. */
    var gapSeen by moment("gap_seen")
    var stoppedWhy: String
        get() = stored.getString("stopped_why", null).orEmpty()
        set(why) = stored.edit().putString("stopped_why", why).apply()

    fun erase() = stored.edit().clear().apply()

    private fun flag(name: String, usual: Boolean) = object : kotlin.properties.ReadWriteProperty<Any?, Boolean> {
        override fun getValue(thisRef: Any?, property: kotlin.reflect.KProperty<*>) = stored.getBoolean(name, usual)
        override fun setValue(thisRef: Any?, property: kotlin.reflect.KProperty<*>, value: Boolean) =
            stored.edit().putBoolean(name, value).apply()
    }

    private fun moment(name: String) = object : kotlin.properties.ReadWriteProperty<Any?, Long> {
        override fun getValue(thisRef: Any?, property: kotlin.reflect.KProperty<*>) = stored.getLong(name, 0)
        override fun setValue(thisRef: Any?, property: kotlin.reflect.KProperty<*>, value: Long) =
            stored.edit().putLong(name, value).apply()
    }
}
