package org.telltale.app.service

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import java.net.InetAddress

class TunnelTest {
    private fun address(text: String, prefix: Int) = Tunnel.Address(InetAddress.getByName(text), prefix)

    @Test
    fun `has IPv6 only while the network has it`() {
        assertFalse(Tunnel.beside(emptyList(), ipv6 = false).hasIpv6)
        assertTrue(Tunnel.beside(emptyList(), ipv6 = true).hasIpv6)
    }

    @Test
    fun `moves away from a network that uses the same range`() {
        val usual = Tunnel.beside(emptyList(), ipv6 = false).addresses.single()
        val moved = Tunnel.beside(listOf(address("198.19.0.0", 16)), ipv6 = false).addresses.single()
        assertEquals("198.19.84.1", usual.address.hostAddress)
        assertEquals("198.18.84.1", moved.address.hostAddress)
    }

    @Test
    fun `a network that comes later and uses the same range is seen`() {
        val usual = Tunnel.beside(emptyList(), ipv6 = false)
        assertTrue(usual.collides(listOf(address("0.0.0.0", 0), address("198.19.84.7", 22))))
        assertFalse(usual.collides(listOf(address("0.0.0.0", 0), address("192.168.1.7", 24))))
    }

    @Test
    fun `a default route collides with nothing`() {
        val tunnel = Tunnel.beside(listOf(address("0.0.0.0", 0), address("192.168.1.7", 24)), ipv6 = false)
        assertEquals("198.19.84.1", tunnel.addresses.single().address.hostAddress)
    }

    @Test
    fun `IPv6 lies outside the unique local range, where apps would not use it`() {
        val six = Tunnel.beside(emptyList(), ipv6 = true).addresses.last().address.address
        assertFalse(six[0].toInt() and 0xfe == 0xfc)
    }
}
