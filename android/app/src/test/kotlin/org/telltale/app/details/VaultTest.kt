package org.telltale.app.details

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File
import java.security.UnrecoverableKeyException
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/** The key of these tests is a plain one, since the Keystore is the phone's. */
class VaultTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val details = "imei 490154203237518\n".toByteArray()

    private fun key(byte: Int): () -> SecretKey = { SecretKeySpec(ByteArray(32) { byte.toByte() }, "AES") }

    private fun file() = File(folder.root, "details.sealed")

    @Test
    fun `an empty home has no details`() = assertEquals(0, Vault(file(), key(1)).read().size)

    @Test
    fun `comes back whole, and the file does not show it`() {
        Vault(file(), key(1)).write(details)
        assertEquals(String(details), String(Vault(file(), key(1)).read()))
        assertFalse(String(file().readBytes(), Charsets.ISO_8859_1).contains("4901542"))
    }

    @Test
    fun `a changed, cut or foreign file is lost, never half read`() {
        val vault = Vault(file(), key(1)).apply { write(details) }
        val good = file().readBytes()
        file().writeBytes(good.copyOf().also { it[20] = (it[20] + 1).toByte() })
        assertThrows(Vault.Lost::class.java) { vault.read() }
        file().writeBytes(good.copyOf(5))
        assertThrows(Vault.Lost::class.java) { vault.read() }
        file().writeBytes(good)
        assertThrows(Vault.Lost::class.java) { Vault(file(), key(2)).read() }
    }

    /** A Keystore that fails today may work tomorrow: what it sealed is not given up. */
    @Test
    fun `a keystore that fails loses nothing`() {
        Vault(file(), key(1)).write(details)
        assertThrows(UnrecoverableKeyException::class.java) { Vault(file(), { throw UnrecoverableKeyException("busy") }).read() }
        assertEquals(String(details), String(Vault(file(), key(1)).read()))
    }

    @Test
    fun `what is erased is gone with its key`() {
        var keys = 1
        val vault = Vault(file(), { key(keys)() }, { keys++ })
        vault.write(details)
        vault.erase()
        assertEquals(0, vault.read().size)
        assertEquals(2, keys)
        assertEquals(emptyList<String>(), folder.root.list()?.toList())
    }

    @Test
    fun `two writings of the same details share no byte pattern`() {
        val vault = Vault(file(), key(1))
        vault.write(details)
        val first = file().readBytes()
        vault.write(details)
        assertFalse(first.contentEquals(file().readBytes()))
    }
}
