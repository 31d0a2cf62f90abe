package org.telltale.app.details

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import java.io.File
import java.security.KeyStore
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * The person's details at rest: one file, sealed with AES-256-GCM under a key that never leaves the Keystore.
 * A copy of the file, or a backup, reveals nothing; someone with root on the running phone can read it.
 */
class Vault(
    private val file: File,
    private val key: () -> SecretKey = ::keystoreKey,
    private val forgetKey: () -> Unit = ::forgetKeystoreKey,
) {
    /** Nothing can open the file any more: the key is gone, or the file was changed. A Keystore that fails may work again. */
    class Lost(cause: Throwable) : Exception("the sealed details cannot be opened", cause)

    /** The lines as they were written; empty if nothing was. The caller zeroes them. */
    fun read(): ByteArray {
        if (!file.exists()) return ByteArray(0)
        val sealed = file.readBytes()
        return try {
            if (sealed.size <= NONCE) throw AEADBadTagException("the file is too short")
            val cipher = Cipher.getInstance(ALGORITHM)
            cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(TAG_BITS, sealed, 0, NONCE))
            cipher.doFinal(sealed, NONCE, sealed.size - NONCE)
        } catch (error: AEADBadTagException) {
            throw Lost(error)
        } catch (error: KeyPermanentlyInvalidatedException) {
            throw Lost(error)
        }
    }

    /** Replaces the file whole: the old one stands until the new one is complete. */
    fun write(details: ByteArray) {
        val cipher = Cipher.getInstance(ALGORITHM)
        cipher.init(Cipher.ENCRYPT_MODE, key())
        val sealed = cipher.iv + cipher.doFinal(details)
        val fresh = File(file.path + ".new")
        fresh.outputStream().use {
            it.write(sealed)
            it.fd.sync()
        }
        if (!fresh.renameTo(file)) throw java.io.IOException("the sealed details could not be put in place")
    }

    /** The file and its key: what a copy of the file holds is lost with that. The next write makes another key. */
    fun erase() {
        file.delete()
        File(file.path + ".new").delete()
        forgetKey()
        if (file.exists()) throw java.io.IOException("the sealed details could not be erased")
    }

    companion object {
        private const val ALGORITHM = "AES/GCM/NoPadding"
        private const val NONCE = 12
        private const val TAG_BITS = 128
        private const val ALIAS = "details"
        private const val STORE = "AndroidKeyStore"

        private fun keystore() = KeyStore.getInstance(STORE).apply { load(null) }

        private fun forgetKeystoreKey() = keystore().deleteEntry(ALIAS)

        /** Made at the first use. Not bound to an unlock, since watching goes on while the phone is locked. */
        private fun keystoreKey(): SecretKey {
            val store = keystore()
            (store.getKey(ALIAS, null) as? SecretKey)?.let { return it }
            val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
            val spec = KeyGenParameterSpec.Builder(ALIAS, purposes)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(256)
                .build()
            return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).apply { init(spec) }.generateKey()
        }
    }
}
