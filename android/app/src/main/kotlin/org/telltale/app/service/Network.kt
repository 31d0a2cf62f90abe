package org.telltale.app.service

import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import org.json.JSONArray
import org.json.JSONObject
import java.net.Inet4Address
import java.net.Inet6Address

/** The network under the tunnel as the core needs to know it (docs/boundary.md, *network*). */
data class UnderNetwork(
    val network: Network?,
    val ipv4: Boolean,
    val ipv6: Boolean,
    val mtu: Int,
    val dns: List<String>,
    val search: List<String>,
    val privateDns: PrivateDns,
    val privateDnsName: String?,
    val metered: Boolean,
    val captive: Boolean,
    val validated: Boolean,
    val transport: String,
    val taken: List<Tunnel.Address>,
) {
    enum class PrivateDns(val word: String) { Off("off"), Opportunistic("opportunistic"), Strict("strict") }

    /** With [tunnel]: for `replaceTun`, which must know whose addresses the packets carry. */
    fun toJson(tunnel: Tunnel? = null): String {
        val json = if (network == null) JSONObject().put("transport", "none") else known(network)
        return json.putOpt("tunnel", tunnel?.toJson()).toString()
    }

    private fun known(network: Network): JSONObject {
        val families = listOfNotNull("ipv4".takeIf { ipv4 }, "ipv6".takeIf { ipv6 })
        return JSONObject()
            .put("handle", network.networkHandle)
            .put("families", JSONArray(families))
            .put("mtu", mtu)
            .put("dns", JSONArray(dns))
            .put("search", JSONArray(search))
            .put("private_dns", privateDns.word)
            .put("private_dns_name", privateDnsName ?: JSONObject.NULL)
            .put("metered", metered)
            .put("captive", captive)
            .put("validated", validated)
            .put("transport", transport)
    }

    companion object {
        val NONE = UnderNetwork(
            null, ipv4 = false, ipv6 = false, 1500, emptyList(), emptyList(), PrivateDns.Off, null,
            metered = false, captive = false, validated = false, "none", emptyList(),
        )

        fun of(connectivity: ConnectivityManager, network: Network?): UnderNetwork {
            val link = network?.let(connectivity::getLinkProperties) ?: return NONE
            return of(network, link, connectivity.getNetworkCapabilities(network))
        }

        fun of(network: Network, link: LinkProperties, can: NetworkCapabilities?): UnderNetwork = UnderNetwork(
            network,
            ipv4 = link.routes.any { it.isDefaultRoute && it.destination.address is Inet4Address } || hasNat64(link),
            ipv6 = link.routes.any { it.isDefaultRoute && it.destination.address is Inet6Address } && hasGlobal(link),
            mtu = link.mtu.takeIf { it > 0 } ?: 1500,
            dns = link.dnsServers.mapNotNull { it.hostAddress },
            search = link.domains.orEmpty().split(',', ' ').filter { it.isNotBlank() },
            privateDns = when {
                link.privateDnsServerName != null -> PrivateDns.Strict
                link.isPrivateDnsActive -> PrivateDns.Opportunistic
                else -> PrivateDns.Off
            },
            privateDnsName = link.privateDnsServerName,
            metered = can?.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED) == false,
            captive = can?.hasCapability(NetworkCapabilities.NET_CAPABILITY_CAPTIVE_PORTAL) == true,
            validated = can?.hasCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED) == true,
            transport = transportOf(can),
            taken = link.linkAddresses.map { Tunnel.Address(it.address, it.prefixLength) } +
                link.routes.map { Tunnel.Address(it.destination.address, it.destination.prefixLength) },
        )

        /** 464XLAT (RFC 6877) gives apps IPv4 where the network has none: its interface is stacked on this link. */
        private fun hasNat64(link: LinkProperties) =
            if (android.os.Build.VERSION.SDK_INT >= 30) link.nat64Prefix != null else link.linkAddresses.none { it.address is Inet4Address }

        private fun hasGlobal(link: LinkProperties) =
            link.linkAddresses.any { it.address is Inet6Address && !it.address.isLinkLocalAddress && !it.address.isLoopbackAddress }

        private fun transportOf(can: NetworkCapabilities?): String = when {
            can == null -> "none"
            can.hasTransport(NetworkCapabilities.TRANSPORT_WIFI) -> "wifi"
            can.hasTransport(NetworkCapabilities.TRANSPORT_CELLULAR) -> "cellular"
            can.hasTransport(NetworkCapabilities.TRANSPORT_ETHERNET) -> "ethernet"
            can.hasTransport(NetworkCapabilities.TRANSPORT_VPN) -> "vpn"
            else -> "other"
        }
    }
}
