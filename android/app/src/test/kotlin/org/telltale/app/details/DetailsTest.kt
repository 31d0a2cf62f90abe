package org.telltale.app.details

import android.Manifest
import android.content.ContentProvider
import android.content.ContentValues
import android.net.Uri
import android.os.Looper
import android.provider.ContactsContract
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowContentResolver
import javax.crypto.spec.SecretKeySpec

/** What becomes of details that come one close after the other. */
@RunWith(RobolectricTestRunner::class)
@Config(application = android.app.Application::class, sdk = [34])
class DetailsTest {
    @get:Rule
    val folder = TemporaryFolder()
    private val vault by lazy { Vault(folder.root.resolve("details.sealed"), { SecretKeySpec(ByteArray(32), "AES") }, {}) }
    private val sets = ArrayList<List<String>>()

    /** A core that takes a while, and takes everything but a number with too few digits. */
    private val details by lazy {
        Details(vault, Sources(RuntimeEnvironment.getApplication())) { bytes ->
            val lines = String(bytes).lines().filter { it.isNotEmpty() && !it.startsWith("carrier") && !it.startsWith("package") }
            sets.add(lines)
            Thread.sleep(50)
            val refused = JSONArray(lines.filter { it == "imei 1" }.map { JSONObject().put("code", "imei") })
            val taken = lines.map { it.split(' ', '#') }
            JSONObject().put("errors", refused)
                .put("details", JSONArray(taken.mapIndexed { at, words -> JSONObject().put("kind", words[0]).put("id", "%016x".format(at + 1)) }))
        }
    }

    /** Contacts of a maker's own making. */
    private class Broken : ContentProvider() {
        override fun onCreate() = true
        override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?) = throw IllegalStateException("no table")
        override fun getType(uri: Uri) = null
        override fun insert(uri: Uri, values: ContentValues?) = null
        override fun delete(uri: Uri, where: String?, values: Array<String>?) = 0
        override fun update(uri: Uri, values: ContentValues?, where: String?, others: Array<String>?) = 0
    }

    private fun kept() = Given.of(vault.read()).let { given -> listOf("phone", "email", "imei").associateWith(given::count) }

    private fun until(met: () -> Boolean) {
        repeat(200) {
            shadowOf(Looper.getMainLooper()).idle()
            if (met()) return
            Thread.sleep(20)
        }
        throw AssertionError("it never came")
    }

    @Test
    fun twoThatAreAddedAtOnceAreBothKept() {
        val told = ArrayList<Boolean>()
        details.add("phone", "+919812345610".toByteArray()) { told.add(it.isSuccess) }
        details.add("email", "a@example.in".toByteArray()) { told.add(it.isSuccess) }
        until { told.size == 2 }
        assertEquals(mapOf("phone" to 1, "email" to 1, "imei" to 0), kept())
        assertEquals("the second began with the first", 2, sets.last().size)
        assertTrue(told.all { it })
    }

    @Test
    fun contactsThatCannotBeReadEndNoOtherSearch() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.READ_CONTACTS)
        ShadowContentResolver.registerProviderInternal(ContactsContract.AUTHORITY, Broken())
        var told = false
        details.add("email", "a@example.in".toByteArray()) { told = it.isSuccess }
        until { told }
        assertEquals(listOf("email a@example.in"), sets.last())
    }

    @Test
    fun detailsThatNothingOpensAnyMoreAreGivenAnew() {
        Vault(folder.root.resolve("details.sealed"), { SecretKeySpec(ByteArray(32) { 7 }, "AES") }, {}).write("phone +919812345610".toByteArray())
        val told = ArrayList<Boolean>()
        details.lookForAll { told.add(it.isSuccess) }
        details.add("email", "a@example.in".toByteArray()) { told.add(it.isSuccess) }
        until { told.size == 2 }
        assertEquals(listOf(true, true), told)
        assertEquals(mapOf("phone" to 0, "email" to 1, "imei" to 0), kept())
    }

    @Test
    fun whatIsRefusedIsNotKeptByWhatComesNext() {
        val told = ArrayList<Int>()
        details.add("imei", "1".toByteArray()) { told.add(it.getOrThrow().getJSONArray("errors").length()) }
        details.add("email", "a@example.in".toByteArray()) { told.add(it.getOrThrow().getJSONArray("errors").length()) }
        details.remove("phone", 1) { told.add(2) }
        until { told.size == 3 }
        assertEquals(listOf(1, 0, 2), told)
        assertEquals(mapOf("phone" to 0, "email" to 1, "imei" to 0), kept())
    }
}
