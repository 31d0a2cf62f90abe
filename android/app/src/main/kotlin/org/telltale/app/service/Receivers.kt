package org.telltale.app.service

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.net.VpnService
import org.telltale.app.TelltaleApp

/** "Expected" on a finding's notification. */
class Expected : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val key = intent.getStringExtra(Notices.KEY) ?: return
        (context.applicationContext as TelltaleApp).notices.expected(key)
    }
}

/**
 * After the phone was started, or we were updated: watch again, if that is wanted and consent still stands. With
 * always-on the system starts the service itself, and a second start does nothing.
 */
class StartAgain : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val app = context.applicationContext as TelltaleApp
        val wanted = app.choices.wanted && (app.choices.startAfterBoot || intent.action == Intent.ACTION_MY_PACKAGE_REPLACED)
        if (!wanted || VpnService.prepare(context) != null) return
        if (!WatchService.start(context)) app.notices.ended(WatchState.Why.Ended)
    }
}
