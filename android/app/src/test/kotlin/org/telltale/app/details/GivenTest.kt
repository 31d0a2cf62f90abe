package org.telltale.app.details

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class GivenTest {
    @Test
    fun `comes back as it was written`() {
        val given = Given().with("imei", "490154203237518".toByteArray()).with("word", "Zephyr Quill".toByteArray())
        assertEquals("imei 490154203237518\nword Zephyr Quill\n", String(given.toBytes()))
        assertEquals(String(given.toBytes()), String(Given.of(given.toBytes()).toBytes()))
    }

    @Test
    fun `the second of a kind goes, and only that`() {
        val given = Given.of("imei 1\nimei_sv 9\nimei 2\nimei 3\n".toByteArray()).without("imei", 2)
        assertEquals("imei 1\nimei_sv 9\nimei 3\n", String(given.toBytes()))
    }

    @Test
    fun `a line break in a value does not begin another detail`() {
        val given = Given().with("word", "one\nimei 490154203237518".toByteArray())
        assertEquals("word one imei 490154203237518\n", String(given.toBytes()))
    }

    @Test
    fun `what was read is zeroed`() {
        val bytes = "phone +919876543210\n".toByteArray()
        val given = Given.of(bytes)
        assertTrue(bytes.all { it == 0.toByte() })
        given.zero()
        assertArrayEquals(ByteArray("phone +919876543210".length + 1).also { it[it.size - 1] = '\n'.code.toByte() }, given.toBytes())
    }

    @Test
    fun `those of a kind are counted, with and without ids`() {
        val given = Given.of("imei#00aa 1\nimei 2\nimei_sv 3\n".toByteArray())
        assertEquals(listOf(2, 1, 0), listOf("imei", "imei_sv", "phone").map(given::count))
    }

    @Test
    fun `ids stand with their details and do not hide the kind`() {
        val given = Given.of("imei 1\nphone 9\nimei 2\n".toByteArray())
        val named = given.named(mapOf("imei" to listOf("00aa", "00bb")))
        assertEquals("imei#00aa 1\nphone 9\nimei#00bb 2\n", String(named.toBytes()))
        assertEquals("phone 9\nimei#00bb 2\n", String(named.without("imei", 1).toBytes()))
        assertEquals(String(named.toBytes()), String(named.named(mapOf("imei" to listOf("00aa", "00bb"))).toBytes()))
    }
}
