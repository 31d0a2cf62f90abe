package org.telltale.app.real

import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import android.net.VpnService
import android.os.Handler
import android.os.ParcelFileDescriptor
import android.os.Process
import org.json.JSONObject
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.annotation.RealObject
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowConnectivityManager
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowNetworkCapabilities
import org.robolectric.shadows.ShadowVpnService
import org.robolectric.shadows.ShadowParcelFileDescriptor
import org.robolectric.util.ReflectionHelpers
import org.robolectric.util.ReflectionHelpers.ClassParameter.from
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** What Android does for the service, done here with a real tun in a real namespace. */
object Platform {
    lateinit var apps: Apps

    /** Each tunnel that was asked for: what was asked of Android. */
    val asked = ArrayList<Asked>()
    var lockdown = false

    /** Until then nobody is told whose a connection is. */
    @Volatile
    var ownerWaits: CountDownLatch? = null

    /** The number of the last start, and whether the service has ended itself since. */
    var lastStart = 0
    var ended = false

    data class Asked(val addresses: List<String>, val resolvers: List<String>, val leftOut: List<String>, val search: List<String>)

    /** The phone's default network. */
    var under: Under? = null
    var follower: Pair<ConnectivityManager.NetworkCallback, Handler>? = null

    data class Under(val network: Network, val link: LinkProperties, val can: NetworkCapabilities)

    fun reset(apps: Apps) {
        this.apps = apps
        asked.clear()
        lockdown = false
        ownerWaits = null
        lastStart = 0
        ended = false
        follower = null
        under = Under(ShadowNetwork.newInstance(100), RealConnectivity.link(ipv6 = false), RealConnectivity.wifi())
    }

    /** The phone is on another network now, or on none, and who follows hears of it. */
    fun move(next: Under?) {
        val before = under
        under = next
        val (callback, handler) = follower ?: return
        handler.post {
            if (next == null) return@post before?.let { callback.onLost(it.network) } ?: Unit
            callback.onAvailable(next.network)
            callback.onCapabilitiesChanged(next.network, next.can)
            callback.onLinkPropertiesChanged(next.network, next.link)
        }
    }
}

@Implements(VpnService::class)
class RealVpnService : ShadowVpnService() {
    @Implementation
    fun isLockdownEnabled() = Platform.lockdown

    /** As Android: a later start keeps the service. */
    @Implementation
    public override fun stopSelfResult(id: Int) = (id == Platform.lastStart).also { Platform.ended = it }
}

@Implements(VpnService.Builder::class)
class RealBuilder {
    @RealObject
    private lateinit var real: VpnService.Builder
    private val addresses = ArrayList<String>()
    private val resolvers = ArrayList<String>()
    private val leftOut = ArrayList<String>()
    private val search = ArrayList<String>()
    private var mtu = 0

    @Implementation
    fun setMtu(size: Int) = real.also { mtu = size }

    @Implementation
    fun addAddress(address: InetAddress, prefix: Int) = real.also { addresses += "${address.hostAddress}/$prefix" }

    @Implementation
    fun addDnsServer(address: InetAddress) = real.also { resolvers += address.hostAddress!! }

    @Implementation
    fun addRoute(address: String, prefix: Int) = real.also { check(prefix == 0) { address } }

    @Implementation
    fun addDisallowedApplication(name: String) = real.also { leftOut += name }

    @Implementation
    fun addSearchDomain(name: String) = real.also { search += name }

    @Implementation
    fun establish(): ParcelFileDescriptor {
        Platform.asked += Platform.Asked(addresses, resolvers, leftOut, search)
        return ParcelFileDescriptor.adoptFd(Platform.apps.tun(addresses, mtu, resolvers.first()))
    }
}

/** A descriptor of the system's, where Robolectric has one of its own making. */
@Implements(ParcelFileDescriptor::class)
class RealDescriptor : ShadowParcelFileDescriptor() {
    private var number = -1

    @Implementation
    fun detachFd(): Int = number.also { number = -1 }

    @Implementation
    public override fun close() {
        if (number >= 0) Apps.close(number)
        number = -1
    }

    companion object {
        @JvmStatic
        @Implementation
        fun adoptFd(number: Int): ParcelFileDescriptor {
            val made = Shadow.newInstanceOf(ParcelFileDescriptor::class.java)
            Shadow.extract<RealDescriptor>(made).number = number
            return made
        }
    }
}

@Implements(ConnectivityManager::class)
class RealConnectivity : ShadowConnectivityManager() {
    @Implementation
    fun getConnectionOwnerUid(protocol: Int, local: InetSocketAddress, @Suppress("UNUSED_PARAMETER") remote: InetSocketAddress): Int {
        Platform.ownerWaits?.await(10, TimeUnit.SECONDS)
        val program = Platform.apps.programOf(protocol, local) ?: return Process.INVALID_UID
        return Apps.known().optJSONObject(program)?.getInt("uid") ?: Process.ROOT_UID
    }

    @Implementation
    public override fun getActiveNetwork() = Platform.under?.network

    @Implementation
    public override fun getLinkProperties(network: Network) = Platform.under?.takeIf { it.network == network }?.link

    @Implementation
    public override fun getNetworkCapabilities(network: Network) = Platform.under?.takeIf { it.network == network }?.can

    @Implementation
    public override fun registerDefaultNetworkCallback(callback: ConnectivityManager.NetworkCallback, handler: Handler) {
        Platform.follower = callback to handler
    }

    @Implementation
    public override fun unregisterNetworkCallback(callback: ConnectivityManager.NetworkCallback) {
        if (Platform.follower?.first === callback) Platform.follower = null
    }

    companion object {
        fun wifi(): NetworkCapabilities = ShadowNetworkCapabilities.newInstance().also {
            val shadow = Shadow.extract<ShadowNetworkCapabilities>(it)
            shadow.addTransportType(NetworkCapabilities.TRANSPORT_WIFI)
            shadow.addCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
            shadow.addCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED)
        }

        /** The computer's own network in scripts/demo/world, with or without IPv6. */
        fun link(ipv6: Boolean, search: String? = null) = LinkProperties().apply {
            interfaceName = "wan"
            domains = search
            setDnsServers(listOf(InetAddress.getByName("203.0.113.53")))
            setLinkAddresses(listOfNotNull(address("198.51.100.2/24"), address("2001:db8:1::2/64").takeIf { ipv6 }))
            addRoute(route("0.0.0.0/0", "198.51.100.1"))
            if (ipv6) addRoute(route("::/0", "2001:db8:1::1"))
        }

        private fun address(text: String): android.net.LinkAddress =
            ReflectionHelpers.callConstructor(android.net.LinkAddress::class.java, from(String::class.java, text))

        private fun route(to: String, by: String): android.net.RouteInfo {
            val prefix = ReflectionHelpers.callConstructor(android.net.IpPrefix::class.java, from(String::class.java, to))
            return ReflectionHelpers.callConstructor(
                android.net.RouteInfo::class.java,
                from(android.net.IpPrefix::class.java, prefix),
                from(InetAddress::class.java, InetAddress.getByName(by)),
                from(String::class.java, "wan"),
            )
        }
    }
}

/** An app of the example, as Android's package manager knows it. */
fun packageOf(app: JSONObject) = PackageInfo().apply {
    packageName = app.getJSONArray("packages").getString(0)
    versionName = app.getString("version")
    applicationInfo = ApplicationInfo().apply {
        packageName = this@apply.packageName
        uid = app.getInt("uid")
        name = packageName
        nonLocalizedLabel = app.getJSONArray("names").getString(0)
        flags = if (app.getString("group") == "yours") 0 else ApplicationInfo.FLAG_SYSTEM
    }
}
