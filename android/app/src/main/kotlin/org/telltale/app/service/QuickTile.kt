package org.telltale.app.service

import android.app.PendingIntent
import android.content.Intent
import android.graphics.drawable.Icon
import android.net.VpnService
import android.os.Build
import android.service.quicksettings.Tile
import android.service.quicksettings.TileService
import org.telltale.app.MainActivity
import org.telltale.app.R
import org.telltale.app.TelltaleApp

/** The quick settings tile: watching or off, and a tap changes it. Consent, where it is missing, is asked in the app. */
class QuickTile : TileService() {
    private val draw: (WatchState) -> Unit = { show() }

    override fun onStartListening() {
        Watch.listen(draw)
        show()
    }

    override fun onStopListening() {
        Watch.unlisten(draw)
    }

    override fun onClick() {
        val choices = (application as TelltaleApp).choices
        when {
            on() -> {
                choices.wanted = false
                WatchService.stop(this)
            }
            VpnService.prepare(this) != null -> openApp()
            else -> {
                choices.wanted = true
                if (!WatchService.start(this)) openApp()
            }
        }
    }

    private fun show() {
        val tile = qsTile ?: return
        val aside = Watch.state is WatchState.SteppedAside
        tile.state = if (on()) Tile.STATE_ACTIVE else Tile.STATE_INACTIVE
        tile.icon = Icon.createWithResource(this, if (on() && !aside) R.drawable.tile_on else R.drawable.tile_off)
        tile.label = getString(R.string.app_name)
        tile.subtitle = getString(if (aside) R.string.status_stepped_aside else if (on()) R.string.tile_on else R.string.tile_off)
        tile.updateTile()
    }

    /** Also while it steps aside: a tap ends that too. */
    private fun on() = Watch.state !is WatchState.Off

    @Suppress("DEPRECATION") // the only way before Android 14
    private fun openApp() {
        val intent = Intent(this, MainActivity::class.java).setAction(MainActivity.TURN_ON).putExtra(MainActivity.PROOF, MainActivity.proof)
            .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK or Intent.FLAG_ACTIVITY_SINGLE_TOP or Intent.FLAG_ACTIVITY_CLEAR_TOP)
        if (Build.VERSION.SDK_INT >= 34) {
            startActivityAndCollapse(PendingIntent.getActivity(this, TURN_ON, intent, PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT))
        } else {
            startActivityAndCollapse(intent)
        }
    }

    private companion object {
        /** Another than that of the notifications, which only open the app. */
        const val TURN_ON = 7
    }
}
