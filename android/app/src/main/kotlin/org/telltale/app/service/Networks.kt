package org.telltale.app.service

import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import android.os.Handler
import android.util.Log

/**
 * Follows the phone's default network. We are excluded from our own VPN, so our default is the network under it.
 * The callback only notes what it was told and leaves: a slow one would hold up the system's.
 */
class Networks(
    private val connectivity: ConnectivityManager,
    private val handler: Handler,
    private val changed: (UnderNetwork) -> Unit,
) {
    private var following = false
    private var link: LinkProperties? = null
    private var can: NetworkCapabilities? = null
    private var last = UnderNetwork.NONE

    fun now(): UnderNetwork = UnderNetwork.of(connectivity, connectivity.activeNetwork).also { last = it }

    fun follow() {
        if (following) return
        following = try {
            connectivity.registerDefaultNetworkCallback(callback, handler)
            true
        } catch (error: SecurityException) { // some phones with Android 11 throw it now and then, for no reason of ours
            Log.w("Telltale", "changes of the network are not told", error)
            false
        }
    }

    fun forget() {
        if (!following) return
        following = false
        connectivity.unregisterNetworkCallback(callback)
    }

    private val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) {
            link = null
            can = null
        }

        override fun onCapabilitiesChanged(network: Network, capabilities: NetworkCapabilities) {
            can = capabilities
            tell(network)
        }

        override fun onLinkPropertiesChanged(network: Network, properties: LinkProperties) {
            link = properties
            tell(network)
        }

        override fun onLost(network: Network) = say(UnderNetwork.NONE)
    }

    private fun tell(network: Network) {
        val known = link ?: return
        say(UnderNetwork.of(network, known, can))
    }

    /** Signal strength changes capabilities many times a minute; only what we look at counts. */
    private fun say(next: UnderNetwork) {
        if (!following || next == last) return
        last = next
        changed(next)
    }
}
