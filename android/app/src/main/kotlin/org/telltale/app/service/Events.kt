package org.telltale.app.service

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.database.ContentObserver
import android.os.Handler
import android.provider.ContactsContract
import android.telephony.TelephonyManager
import android.util.Log
import org.json.JSONObject
import org.telltale.app.TelltaleApp
import org.telltale.app.core.Session

/** What happens on the phone that data may follow: screen, apps, SIM, network, contacts (the last only if allowed). */
class Events(
    private val app: TelltaleApp,
    private val session: Session,
    private val apps: AppBook,
    private val handler: Handler,
    private val screenIsOn: () -> Unit,
) {
    /** Not the service's, whose receivers Android takes away when it is destroyed, before its last work is done. */
    private val context: Context get() = app
    private var following = false
    private var followingContacts = false
    private var sim: Int? = null

    /** Also later: contacts may be allowed while we watch. */
    fun follow() {
        followContacts()
        if (following) return
        following = true
        context.registerReceiver(receiver, screen(), null, handler)
        context.registerReceiver(receiver, packages(), null, handler)
        sim = simState()
    }

    private fun followContacts() {
        if (followingContacts || !app.sources.mayReadContacts()) return
        followingContacts = true
        try {
            context.contentResolver.registerContentObserver(ContactsContract.Contacts.CONTENT_URI, true, contacts)
        } catch (error: SecurityException) { // no app keeps contacts here, or it is turned off
            Log.w("Telltale", "changes of contacts are not told", error)
        }
        app.details.lookForAll() // they may have been allowed since the core began
    }

    fun forget() {
        if (!following) return
        following = false
        followingContacts = false
        context.unregisterReceiver(receiver)
        context.contentResolver.unregisterContentObserver(contacts)
    }

    fun happened(kind: String) {
        session.ask(JSONObject().put("do", "event").put("kind", kind).put("at", System.currentTimeMillis()))
        if (kind == "network") lookAtSim()
    }

    private fun screen() = IntentFilter().apply {
        addAction(Intent.ACTION_SCREEN_ON)
        addAction(Intent.ACTION_SCREEN_OFF)
        addAction(Intent.ACTION_USER_PRESENT)
        addAction(Intent.ACTION_SHUTDOWN)
    }

    private fun packages() = IntentFilter().apply {
        addAction(Intent.ACTION_PACKAGE_ADDED)
        addAction(Intent.ACTION_PACKAGE_REMOVED)
        addAction(Intent.ACTION_PACKAGE_REPLACED)
        addDataScheme("package")
    }

    private val receiver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            when (intent.action) {
                Intent.ACTION_SCREEN_ON -> {
                    happened("screen-on")
                    app.notices.screenIsOn()
                    screenIsOn()
                }
                Intent.ACTION_SHUTDOWN -> app.gaps.phoneTurnsOff(System.currentTimeMillis())
                Intent.ACTION_SCREEN_OFF -> happened("screen-off")
                Intent.ACTION_USER_PRESENT -> happened("unlocked")
                else -> packageChanged(intent)
            }
        }
    }

    private fun packageChanged(intent: Intent) {
        apps.forget()
        val replacing = intent.getBooleanExtra(Intent.EXTRA_REPLACING, false)
        if (intent.action == Intent.ACTION_PACKAGE_ADDED && !replacing) happened("app-installed")
        if (!replacing) app.details.lookForAll()
    }

    private val contacts = object : ContentObserver(handler) {
        override fun onChange(selfChange: Boolean) {
            handler.removeCallbacks(contactsChanged)
            handler.postDelayed(contactsChanged, SETTLE) // a sync changes many at once
        }
    }

    private val contactsChanged = Runnable {
        happened("contact-added")
        app.details.lookForAll()
    }

    /** No permission tells of a SIM directly; its state is looked at when the network changes. */
    private fun lookAtSim() {
        val now = simState()
        if (sim != null && now != sim && now == TelephonyManager.SIM_STATE_READY) happened("sim")
        sim = now
    }

    private fun simState() = context.getSystemService(TelephonyManager::class.java)?.simState

    private companion object {
        const val SETTLE = 5_000L
    }
}
