package org.telltale.app

import android.app.Application
import android.app.NotificationManager
import android.content.res.Resources
import android.net.ConnectivityManager
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.telephony.TelephonyManager
import org.json.JSONObject
import org.telltale.app.core.Asset
import org.telltale.app.core.Core
import org.telltale.app.core.Session
import org.telltale.app.details.Details
import org.telltale.app.details.Sources
import org.telltale.app.details.Vault
import org.telltale.app.screens.Ground
import org.telltale.app.service.AppBook
import org.telltale.app.service.Choices
import org.telltale.app.service.Gaps
import org.telltale.app.service.LeftOut
import org.telltale.app.service.Notices
import org.telltale.app.service.UnderNetwork
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchService
import org.telltale.app.service.WatchState
import org.telltale.app.share.SharedReports
import org.telltale.app.ui.Answers
import org.telltale.app.ui.Icons
import java.io.File
import java.util.TimeZone

/** The process: who is who. Everything is made when it is first needed. */
open class TelltaleApp : Application() {
    val choices by lazy { Choices(this) }
    val leftOut by lazy { LeftOut(packageManager, choices) }
    val apps by lazy { AppBook(this, AppBook.Phone.here()) { choices.keepSites } }
    val session: Session by lazy { Session(::config, getSystemService(ConnectivityManager::class.java), apps) { lookForAll() } }
    val gaps by lazy { Gaps(this, session, choices) }
    val notices by lazy { Notices(this, session::ask, choices, gaps) }
    val sources by lazy { Sources(this) }
    protected open val vault by lazy { Vault(File(noBackupFilesDir, "details.sealed")) }
    val details: Details by lazy { Details(vault, sources, session::setDetails) }

    open val ground by lazy {
        val answers = Answers(session::answer)
        Ground(answers, Icons(packageManager, answers, resources.displayMetrics.density), choices, leftOut, details::add, details::remove, ::eraseAll, details::lookForAll, ::hear, Core::version)
    }

    /** Until it succeeds: a Keystore that fails, as it may right after the start of the phone, works again. */
    private fun lookForAll() = details.lookForAll { found ->
        if (found.isFailure) Handler(Looper.getMainLooper()).postDelayed(::lookForAll, 60_000)
    }

    /** What failed is told, and the rest is erased all the same. */
    private fun eraseAll(then: (Result<JSONObject>) -> Unit) = details.erase { erased ->
        erase(session::ask) { deleted -> then(if (erased.isFailure) erased else deleted) }
    }

    /** What was seen, and what is kept beside it. */
    internal fun erase(ask: (JSONObject, (Result<JSONObject>) -> Unit) -> Unit, then: (Result<JSONObject>) -> Unit) =
        ask(JSONObject().put("do", "delete")) { deleted ->
            eraseBeside()
            then(deleted)
        }

    /** What is kept outside of the database: choices, files that were shared, notices. */
    internal fun eraseBeside() {
        val on = Watch.state !is WatchState.Off
        val leftOut = choices.leftOut
        choices.erase()
        choices.firstStartDone = true
        choices.wanted = on
        SharedReports.clear(this)
        val manager = getSystemService(NotificationManager::class.java)
        manager.activeNotifications.filter { it.id != Notices.WATCHING }.forEach { manager.cancel(it.tag, it.id) }
        if (on && leftOut.isNotEmpty()) WatchService.renew(this)
    }

    private fun hear(what: () -> Unit): () -> Unit {
        val listener = object : Session.Listener {
            override fun changed(revision: Long) = what()
        }
        session.listen(listener)
        return { session.unlisten(listener) }
    }

    /** `config` of docs/boundary.md. */
    private fun config(): JSONObject {
        val telephony = getSystemService(TelephonyManager::class.java)
        val zone = TimeZone.getDefault()
        return JSONObject()
            .put("database", File(noBackupFilesDir, "telltale.db").path)
            .put("tables", Asset.unpacked(this, "tables.bin").path)
            .put("locale", Resources.getSystem().configuration.locales[0].toLanguageTag())
            .put("zone", zone.id)
            .put("zone_offset", zone.getOffset(System.currentTimeMillis()) / 1000)
            .put("maker", Build.MANUFACTURER)
            .put("brand", Build.BRAND)
            .put("model", Build.MODEL)
            .put("carrier", telephony?.networkOperatorName.orEmpty())
            .put("plmn", telephony?.simOperator.orEmpty())
            .put("country", telephony?.run { simCountryIso.orEmpty().ifEmpty { networkCountryIso } }.orEmpty().uppercase())
            .put("network", JSONObject(UnderNetwork.NONE.toJson()))
    }
}
