package org.telltale.app.service

import org.json.JSONArray
import org.json.JSONObject
import java.net.Inet6Address
import java.net.InetAddress

/**
 * The addresses of our end of the tunnel: what apps see as their network.
 *
 * IPv4 always; IPv6 only while the network has it, or apps would try it in vain. The ranges are set aside for
 * benchmarks and documentation (RFC 2544, RFC 3849), so that no LAN uses them; IPv6 lies outside fc00::/7, since
 * a unique local address would move every app to IPv4 (RFC 6724 2.1).
 */
data class Tunnel(val addresses: List<Address>, val resolvers: List<InetAddress>) {
    data class Address(val address: InetAddress, val prefix: Int)

    fun toJson(): JSONObject = JSONObject()
        .put("addresses", JSONArray(addresses.map { "${it.address.hostAddress}/${it.prefix}" }))
        .put("resolvers", JSONArray(resolvers.map { it.hostAddress }))
        .put("mtu", MTU)

    val hasIpv6 get() = addresses.any { it.address is Inet6Address }

    /** Whether a network beside us has our addresses too. */
    fun collides(taken: List<Address>) = addresses.any { own -> taken.any { overlaps(it, own) } }

    companion object {
        /** Large packets are cheap: one write into the tun each. Before Linux 6.6 a write takes one linear buffer of 16 KiB. */
        const val MTU = 15_800

        /** The first range that shares nothing with [taken], the addresses and routes of the networks beside us. */
        fun beside(taken: List<Address>, ipv6: Boolean): Tunnel {
            val four = IPV4.firstOrNull { range -> taken.none { overlaps(it, Address(range.first, 24)) } } ?: IPV4.first()
            val pairs = if (ipv6) listOf(four, IPV6) else listOf(four)
            return Tunnel(
                pairs.map { (own, _) -> Address(own, if (own is Inet6Address) 64 else 24) },
                pairs.map { (_, resolver) -> resolver },
            )
        }

        private val IPV4 = listOf("198.19.84", "198.18.84", "198.19.211", "203.0.113", "192.0.2")
            .map { numeric("$it.1") to numeric("$it.53") }
        private val IPV6 = numeric("2001:db8:7e11:7a1e::1") to numeric("2001:db8:7e11:7a1e::53")

        private fun numeric(text: String): InetAddress = InetAddress.getByName(text)

        /** Whether two prefixes share an address. A default route is everybody's and collides with nothing. */
        internal fun overlaps(one: Address, other: Address): Boolean {
            val (a, b) = one.address.address to other.address.address
            val bits = minOf(one.prefix, other.prefix)
            if (a.size != b.size || bits == 0) return false
            return (0 until bits).all { bit -> bitOf(a, bit) == bitOf(b, bit) }
        }

        private fun bitOf(bytes: ByteArray, bit: Int) = bytes[bit / 8].toInt() shr (7 - bit % 8) and 1
    }
}
