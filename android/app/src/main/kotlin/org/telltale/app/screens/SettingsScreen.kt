package org.telltale.app.screens

import android.app.AlertDialog
import android.app.KeyguardManager
import android.app.NotificationManager
import android.content.Intent
import android.os.Build
import android.provider.Settings
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchState
import org.telltale.app.share.SharedReports
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Part
import org.telltale.app.ui.SettingRow
import org.telltale.app.ui.Type
import org.telltale.app.ui.pad
import org.telltale.app.ui.rule
import org.telltale.app.ui.column
import org.telltale.app.ui.put
import java.io.File
import java.util.Locale
import java.util.TimeZone

/** How it watches, what it tells, what it keeps, and how to be rid of that. */
class SettingsScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private val choices = ground.choices
    private val exporter = ground.answers.Asker()
    private val notices = look.context.getSystemService(NotificationManager::class.java)
    private var exporting: AlertDialog? = null

    override fun question(): JSONObject = JSONObject().put("ask", "state")

    override fun parts(answer: JSONObject): List<Part<*>> {
        val kept = answer.getJSONObject("database")
        return listOf(look.textPart("title", Type.Lead, look.text(R.string.tab_settings), top = 16, bottom = 4)) +
            look.sectionPart("watching", look.text(R.string.settings_watching)) + watching() + line("1") +
            look.sectionPart("telling", look.text(R.string.settings_telling)) + telling() + line("2") +
            look.sectionPart("keeping", look.text(R.string.settings_keeping)) + keeping(kept) + line("3") +
            look.sectionPart("about", look.text(R.string.settings_about)) + about(answer) + look.gap("end", 16)
    }

    private fun watching() = listOf(
        switch("restart", R.string.start_again, look.text(R.string.start_again_how), choices.startAfterBoot) { choices.startAfterBoot = it },
        page("full", R.string.full_watch, look.text(R.string.full_watch_how), Place.Kind.FullWatch),
        page("left out", R.string.apps_left_out, leftOutWords(), Place.Kind.LeftOut),
        page("dns", R.string.private_dns, privateDnsWords(), Place.Kind.PrivateDns),
    )

    private fun telling() = listOfNotNull(
        if (notices.areNotificationsEnabled()) null else row("notices", R.string.notices_off, look.text(R.string.notices_off_how), ::openNotices),
        switch("open", R.string.tell_open, look.text(R.string.tell_open_how), choices.tellOpenDetail) { choices.tellOpenDetail = it },
        switch("digest", R.string.tell_digest, look.text(R.string.tell_digest_how), choices.tellDigest) {
            choices.tellDigest = it
        },
    )

    private fun keeping(kept: JSONObject): List<Part<*>> {
        val days = kept.getInt("findings_days")
        val size = look.text(R.string.used_of, Formats.size(look.context, kept.getLong("size")), Formats.size(look.context, kept.getLong("limit")))
        return listOf(
            row("days", R.string.findings_kept, look.count(R.plurals.days, days, Formats.number(days))) { tellOfSize() },
            row("size", R.string.totals_kept, size) { tellOfSize() },
            switch("sites", R.string.keep_sites, keepSitesWords(), choices.keepSites) { choices.keepSites = it; refresh() },
            row("export", R.string.export, look.text(R.string.export_how), ::chooseExport),
            switch("lock", R.string.lock_app, look.text(if (mayLock()) R.string.lock_app_how else R.string.lock_app_open), choices.lockApp, ::lock),
            row("hour", R.string.forget_hour, null, ::forgetHour),
            row("delete", R.string.delete_everything, null, ::deleteEverything),
        )
    }

    private fun about(state: JSONObject) = listOfNotNull(
        if (Build.VERSION.SDK_INT < 31) null else switch("colours", R.string.wallpaper_colours, null, choices.wallpaperColours) {
            choices.wallpaperColours = it
            shell.activity.recreate()
        },
        row("figures", R.string.android_figures, look.text(R.string.android_figures_how, Formats.number(state.getInt("own_connections")))) { tellOfFigures() },
        page("version", R.string.about_telltale, look.text(R.string.about_how), Place.Kind.About),
    )

    private fun openNotices() =
        look.openSettings(Intent(Settings.ACTION_APP_NOTIFICATION_SETTINGS).putExtra(Settings.EXTRA_APP_PACKAGE, look.context.packageName))

    private fun leftOutWords(): String {
        val count = ground.leftOut.all.size
        return if (count == 0) look.text(R.string.none_left_out) else look.count(R.plurals.apps_n, count, Formats.number(count))
    }

    private fun privateDnsWords() = when {
        (Watch.state as? WatchState.Watching)?.privateDnsName != null -> look.text(R.string.private_dns_strict)
        else -> look.text(R.string.private_dns_how)
    }

    private fun keepSitesWords() = look.text(if (choices.keepSites) R.string.keep_sites_on else R.string.keep_sites_off)

    private fun tellOfSize() = note(R.string.totals_kept, R.string.totals_text)

    private fun tellOfFigures() = note(R.string.android_figures, R.string.android_figures_text)

    private fun note(title: Int, text: Int) {
        AlertDialog.Builder(look.context).setTitle(title).setMessage(text).setPositiveButton(R.string.close, null).show()
    }

    private fun chooseExport() {
        val names = arrayOf(look.text(R.string.export_report), look.text(R.string.export_table))
        AlertDialog.Builder(look.context).setTitle(R.string.export)
            .setItems(names) { _, at -> if (at == 0) export("report", "telltale.txt", "text/plain") else export("table", "telltale.csv", "text/csv") }
            .setNegativeButton(R.string.close, null).show()
    }

    /** The core writes the file; the app that the person then chooses may read just that one. */
    private fun export(form: String, name: String, type: String) {
        val progress = look.progress(R.string.exporting, ::cancelExport)
        exporting = progress
        ground.answers.work({ SharedReports.fresh(look.context, name) }) { file ->
            if (exporting === progress) exporter.ask(exported(file.path, form)) { done -> exported(done, file, type) }
        }
    }

    private fun exported(done: Result<JSONObject>, file: File, type: String) {
        exporting?.dismiss()
        exporting = null
        done.onSuccess { look.context.startActivity(SharedReports.shareIntent(file, type)) }
            .onFailure { shell.say(look.text(R.string.export_failed)) }
    }

    /** What was written of the file until then goes as well. */
    private fun cancelExport() {
        exporting?.dismiss() ?: return
        exporting = null
        exporter.cancel()
        ground.answers.work({ SharedReports.clear(look.context) }) {}
    }

    override fun leave() {
        super.leave()
        cancelExport()
    }

    /** All that findings are kept of, in the clock of this phone. */
    private fun exported(path: String, form: String): JSONObject {
        val now = ground.clock()
        val zone = TimeZone.getDefault()
        return JSONObject().put("do", "export").put("path", path).put("as", form).put("from", now - KEPT).put("to", now + HOUR)
            .put("locale", Locale.getDefault().toLanguageTag()).put("zone", zone.id).put("zone_offset", zone.getOffset(now) / 1000)
    }

    /** Without a PIN, pattern or finger of the phone's there is nothing to lock with. */
    private fun mayLock() = look.context.getSystemService(KeyguardManager::class.java).isDeviceSecure

    private fun lock(on: Boolean) {
        if (on && !mayLock()) return shell.say(look.text(R.string.lock_app_open))
        choices.lockApp = on
        shell.lockChanged()
    }

    private fun forgetHour() = look.confirm(R.string.forget_hour, R.string.forget_hour_text, R.string.forget, R.string.keep) {
        ground.answers.tell(JSONObject().put("do", "forget").put("from", ground.clock() - HOUR)) { done -> told(done, R.string.forgotten) }
    }

    private fun deleteEverything() = look.confirm(R.string.delete_title, R.string.delete_text, R.string.delete, R.string.keep) {
        ground.eraseAll { done ->
            told(done, R.string.deleted)
            shell.lockChanged()
        }
    }

    private fun told(done: Result<JSONObject>, words: Int) {
        shell.say(look.text(if (done.isSuccess) words else R.string.error_title))
        refresh()
    }

    private fun switch(key: String, words: Int, how: String?, on: Boolean, set: (Boolean) -> Unit): Part<*> {
        // The part is made once and outlives this answer, so a tap turns what stands there then.
        return Part(key, { Switchable() }) { it.show(look.text(words), how, on, set) }
    }

    private inner class Switchable : android.widget.LinearLayout(look.context) {
        private var turn: () -> Unit = {}
        private val row = SettingRow(look, true) { turn() }

        init {
            put(row)
        }

        fun show(words: String, how: String?, on: Boolean, set: (Boolean) -> Unit) {
            row.show(words, how, on)
            turn = {
                set(!on)
                redraw()
            }
        }
    }

    private fun row(key: String, words: Int, how: String?, tap: () -> Unit) =
        Part("$key $how", { SettingRow(look, false, tap) }) { it.show(look.text(words), how) }

    private fun page(key: String, words: Int, how: String?, kind: Place.Kind) = row(key, words, how) { shell.go(Place(kind)) }

    private fun line(key: String) = Part("line $key", {
        look.column {
            pad(look.gutter, 0)
            put(look.rule(), height = look.dp(1))
        }
    })

    private companion object {
        const val HOUR = 3_600_000L
        const val KEPT = 90 * 24 * HOUR
    }
}
