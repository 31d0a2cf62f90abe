package org.telltale.app.core

import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.content.pm.Signature
import android.content.pm.SigningInfo
import android.net.ConnectivityManager
import android.net.Network
import android.os.Looper
import android.telephony.TelephonyManager
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowBuild
import org.robolectric.util.ReflectionHelpers
import org.telltale.app.TelltaleApp
import org.telltale.app.details.Given
import org.telltale.app.service.AppBook
import org.telltale.app.service.Tunnel
import org.telltale.app.service.UnderNetwork
import java.io.File
import java.net.InetAddress

/**
 * Kotlin's side of rust/jni/golden: what the core's own tests read there is what is written here, and what they find in
 * its answers is read here.
 */
@RunWith(RobolectricTestRunner::class)
@Config(application = TelltaleApp::class, sdk = [34], qualifiers = "en-rIN")
class GoldenTest {
    private val app = RuntimeEnvironment.getApplication() as TelltaleApp

    private fun golden(name: String) = File("../rust/jni/golden/$name").readText()

    private fun json(name: String) = JSONObject(golden("$name.json"))

    /** Comparable, and readable where it differs. */
    private fun plain(value: Any): Any = when (value) {
        is JSONObject -> value.keys().asSequence().associateWith { plain(value.get(it)) }.toSortedMap()
        is JSONArray -> (0 until value.length()).map { plain(value.get(it)) }
        is Number -> value.toLong()
        else -> value
    }

    private val wifi = UnderNetwork(
        Network.fromNetworkHandle(432_902_426_637), ipv4 = true, ipv6 = true, 1500, listOf("192.168.1.1", "fe80::1%1"), listOf("lan"),
        UnderNetwork.PrivateDns.Opportunistic, null, metered = false, captive = false, validated = true, "wifi", emptyList(),
    )

    @Test
    fun `a network`() {
        assertEquals(plain(json("network")), plain(JSONObject(wifi.toJson())))
        assertEquals(plain(json("no-network")), plain(JSONObject(UnderNetwork.NONE.toJson())))
    }

    @Test
    fun `a network with another tunnel`() {
        val other = wifi.copy(
            ipv6 = false, dns = listOf("192.168.1.1"), search = emptyList(), privateDns = UnderNetwork.PrivateDns.Strict,
            privateDnsName = "dns.example", metered = true,
        )
        val tunnel = Tunnel.beside(listOf(Tunnel.Address(InetAddress.getByName("192.168.1.7"), 24)), ipv6 = false)
        assertEquals(plain(json("replace-tun")), plain(JSONObject(other.toJson(tunnel))))
    }

    /** But for the tunnel, which the app hands over when there is one. */
    @Test
    fun `a configuration`() {
        ShadowBuild.setManufacturer("Xiaomi")
        ShadowBuild.setBrand("Redmi")
        ShadowBuild.setModel("Redmi 1S")
        shadowOf(app.getSystemService(TelephonyManager::class.java)).apply {
            setNetworkOperatorName("Airtel")
            setSimOperator("40445")
            setSimCountryIso("in")
            // Abroad.
            setNetworkOperator("21401")
            setNetworkCountryIso("es")
        }
        val stamp = app.packageManager.getPackageInfo(app.packageName, 0).lastUpdateTime
        File(app.noBackupFilesDir, "tables.bin-$stamp").writeText("")
        val zone = java.util.TimeZone.getDefault()
        java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("Asia/Kolkata"))
        val config = try {
            ReflectionHelpers.callInstanceMethod<JSONObject>(TelltaleApp::class.java, app, "config")
        } finally {
            java.util.TimeZone.setDefault(zone)
        }
        val expected = json("config")
        for (tunnel in listOf("mtu", "addresses", "resolvers")) expected.remove(tunnel)
        for (file in listOf("database" to "telltale.db", "tables" to "tables.bin")) {
            val path = File(config.getString(file.first))
            assertTrue("$path", path.parentFile == app.noBackupFilesDir && path.name.startsWith(file.second))
            expected.put(file.first, path.path)
        }
        expected.put("network", JSONObject(UnderNetwork.NONE.toJson()))
        assertEquals(plain(expected), plain(config))
    }

    @Test
    fun `an app`() {
        val expected = json("app")
        val names = expected.getJSONArray("packages")
        val labels = expected.getJSONArray("names")
        for (at in 0 until names.length()) install(names.getString(at), labels.getString(at), expected)
        val uid = expected.getInt("uid")
        shadowOf(app.packageManager).setPackagesForUid(uid, *Array(names.length(), names::getString))
        val found = JSONObject(AppBook(app, AppBook.Phone("Xiaomi", "Redmi")).of(uid))
        assertTrue(found.getString("signer"), found.getString("signer").matches(Regex("[0-9a-f]{64}")))
        assertEquals(plain(expected), plain(found.put("signer", expected.getString("signer"))))
    }

    private fun install(name: String, label: String, like: JSONObject) {
        val signing = Shadow.newInstanceOf(SigningInfo::class.java)
        shadowOf(signing).setSignatures(arrayOf(Signature(byteArrayOf(1, 2, 3))))
        shadowOf(app.packageManager).installPackage(PackageInfo().apply {
            packageName = name
            versionName = like.getString("version")
            lastUpdateTime = like.getLong("since")
            signingInfo = signing
            applicationInfo = ApplicationInfo().apply {
                packageName = name
                uid = like.getInt("uid")
                nonLocalizedLabel = label
                flags = ApplicationInfo.FLAG_SYSTEM
            }
        })
    }

    @Test
    fun `details and their ids`() {
        val lines = golden("details.txt").lines().filter { it.isNotEmpty() && !it.startsWith("#") }
        var given = Given()
        for (line in lines) given = given.with(line.substringBefore(' ').substringBefore('#'), line.substringAfter(' ').toByteArray())
        val answer = json("details-answer").getJSONArray("details")
        val ids = (0 until answer.length()).map(answer::getJSONObject).groupBy({ it.getString("kind") }, { it.getString("id") })
        assertEquals(lines, String(given.named(ids).toBytes()).lines().dropLast(1))
    }

    @Test
    fun `the end of a run`() {
        val session = Session({ JSONObject() }, app.getSystemService(ConnectivityManager::class.java), { "" })
        var heard = JSONObject()
        session.listen(object : Session.Listener {
            override fun stopped(reason: JSONObject) {
                heard = reason
            }
        })
        session.stopped(golden("stopped.json"))
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals(plain(json("stopped")), plain(heard))
        assertEquals(1L, heard.optLong("run"))
    }

    /** Screens are drawn with an answer of the same members. */
    @Test
    fun `the state`() {
        fun members(state: JSONObject): Any = state.keys().asSequence().sorted().map { name ->
            name to when (val value = state.get(name)) { is JSONObject -> members(value); is Number -> "number"; else -> value.javaClass }
        }.toList()
        assertEquals(members(json("state")), members(JSONObject(File("app/src/test/resources/answers/state.json").readText())))
    }

    /** An event that the core does not know would be a line in the log, and no rule would hear of it. */
    @Test
    fun `every event that the app tells of is known`() {
        val known = JSONArray(golden("questions.json")).let { all -> (0 until all.length()).map(all::getJSONObject) }
            .filter { it.optString("do") == "event" }.map { it.getString("kind") }.toSet()
        val told = File("app/src/main/kotlin").walk().filter { it.extension == "kt" }
            .flatMap { Regex("""happened\("([^"]*)"\)""").findAll(it.readText()).map { found -> found.groupValues[1] } }.toSet()
        assertEquals(known, told)
    }
}
