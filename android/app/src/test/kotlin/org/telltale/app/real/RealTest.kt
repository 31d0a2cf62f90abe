package org.telltale.app.real

import android.Manifest
import android.app.NotificationManager
import android.content.ContentProvider
import android.content.ContentValues
import android.content.Intent
import android.database.MatrixCursor
import android.net.Uri
import android.os.Looper
import android.os.PowerManager
import android.provider.ContactsContract
import android.telephony.TelephonyManager
import org.json.JSONObject
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeNotNull
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ServiceController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowBuild
import org.robolectric.shadows.ShadowContentResolver
import org.robolectric.shadows.ShadowLog
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowSystemClock
import org.robolectric.shadows.ShadowVpnService
import org.robolectric.util.ReflectionHelpers
import org.telltale.app.TelltaleApp
import org.telltale.app.core.Core
import org.telltale.app.details.Vault
import org.telltale.app.screens.Checks
import org.telltale.app.screens.Pictures
import org.telltale.app.screens.Stage
import org.telltale.app.service.Notices
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchService
import org.telltale.app.service.WatchState
import java.io.File
import java.security.MessageDigest
import java.util.TimeZone
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import javax.crypto.spec.SecretKeySpec

/** The app as it is, but for the Keystore, which is the phone's. */
class RealApp : TelltaleApp() {
    override val vault by lazy { Vault(File(noBackupFilesDir, "details.sealed"), { SecretKeySpec(ByteArray(32), "AES") }) }
}

/**
 * The service, the core and the screens at work: a real tun, real programs behind it, real servers before it, as
 * scripts/demo/world makes them. Without that world there is nothing to test with. The core is found by
 * LD_LIBRARY_PATH.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(
    application = RealApp::class, sdk = [34],
    shadows = [RealVpnService::class, RealBuilder::class, RealDescriptor::class, RealConnectivity::class],
)
class RealTest {
    @get:Rule
    val folder = TemporaryFolder()
    private val app get() = RuntimeEnvironment.getApplication() as RealApp
    private lateinit var apps: Apps
    private lateinit var service: ServiceController<WatchService>

    @Before
    fun phone() {
        assumeNotNull(System.getenv("DEMO"))
        ShadowLog.stream = System.err
        apps = Apps(folder.root)
        Platform.reset(apps)
        ShadowVpnService.setPrepareResult(null)
        ShadowBuild.setManufacturer("Xiaomi")
        ShadowBuild.setBrand("Redmi")
        ShadowBuild.setModel("Redmi 1S")
        val telephony = shadowOf(app.getSystemService(TelephonyManager::class.java))
        telephony.setNetworkOperatorName("MTNL")
        telephony.setNetworkOperator("40468")
        telephony.setNetworkCountryIso("in")
        install()
        tables()
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        Watch.become(WatchState.Off(0, WatchState.Why.Never))
        service = Robolectric.buildService(WatchService::class.java).create()
    }

    @After
    fun over() {
        if (!::apps.isInitialized) return
        stop()
        service.destroy()
        app.session.close()
        apps.close()
    }

    @Test
    fun `act 1 stands on Today and on its findings`() {
        lookForDetails()
        start()
        apps.play()
        val senders = listOf("Mi Account", "Contacts (Xiaomi)", "Messages (Xiaomi)", "Phone (Xiaomi)", "Weather", "Morning Dispatch", "Messenger")
        until("all that sent") { names(today().getJSONArray("apps")) { it.getJSONObject("app").getString("name") }.containsAll(senders) }
        until("all that rust/scenario/truth says, and no more") { identifiers() == SENT }
        pictures()
    }

    /** Which app has sent which detail to whom, by the keys of the findings. */
    private fun identifiers() = names(today().getJSONArray("findings")) { it.getString("key") }
        .filter { it.startsWith("identifier-sent|") }.map { it.removePrefix("identifier-sent|").replace(ID, "") }.toSet()

    /** Times, sizes and the order of equals are those of this run, so the pictures are looked at and not compared. */
    private fun pictures() {
        val stage = Stage("en-rGB-w360dp-h1100dp-hdpi", state = null).open()
        until("Today on the screen") { stage.settle().let { stage.says("Mi Account sent") } }
        keep("act-1-today", stage)
        stage.tap("Mi Account sent your phone number")
        until("the finding on the screen") { stage.settle().let { stage.says("api.account.xiaomi.com") || stage.says("Xiaomi") } }
        keep("act-1-finding", stage)
    }

    private fun keep(name: String, stage: Stage) {
        val picture = stage.draw()
        if (System.getProperty("screenshots") == "write") Pictures.compare(name, picture)
        Checks.all(name, stage, picture)
    }

    @Test
    fun `off is off, and on again goes on`() {
        start()
        apps.inside(FETCH)
        val seen = sent { "Weather" !in it }
        stop()
        assertTrue(Watch.state is WatchState.Off)
        assertEquals("no way out", false, runCatching { apps.inside("curl -s -m 2 http://shop.example/") }.isSuccess)
        until("no tun") { "tun" !in apps.inside("cat /proc/net/dev") }
        assertFalse(watching())
        start()
        apps.inside(FETCH)
        until("more") { sent { "Weather" !in it } > seen }
        assertEquals("off", today().getJSONArray("gaps").getJSONObject(0).getString("why"))
    }

    @Test
    fun `off and on at once is on`() {
        start()
        repeat(5) {
            command(WatchService.STOP)
            command(null)
        }
        until("the last start") { Platform.asked.size == 6 }
        until("watching") { watching() && Watch.state is WatchState.Watching }
        assertFalse("the service ended itself", Platform.ended)
        apps.inside(FETCH)
    }

    @Test
    fun `what is left out changes while bytes flow, and none is lost`() {
        start()
        val photo = apps.begin("curl -s -m 20 --limit-rate 500k http://shop.example/photo | sha256sum")
        Thread.sleep(300)
        app.choices.leftOut = setOf("org.example.music")
        // Only a tap asks this: it ends another VPN, where we have an old consent.
        ShadowVpnService.setPrepareResult(Intent("not asked"))
        command("org.telltale.app.EXCLUSIONS")
        until("another tunnel") { Platform.asked.size == 2 }
        assertEquals(setOf("org.example.music", app.packageName), Platform.asked[1].leftOut.toSet())
        assertEquals(listOf(app.packageName), Platform.asked[0].leftOut)
        val sum = photo.inputStream.bufferedReader().readText().substringBefore(' ')
        assertEquals(sum("${System.getenv("DEMO")}/photo"), sum)
        // Nothing is left out while a tunnel is the only way out.
        Platform.lockdown = true
        command("org.telltale.app.EXCLUSIONS")
        until("a third tunnel") { Platform.asked.size == 3 }
        assertEquals(listOf(app.packageName), Platform.asked[2].leftOut)
        until("lockdown shown") { (Watch.state as? WatchState.Watching)?.lockdown == true }
        // Nobody tells of its end; then the person's choice holds again.
        Platform.lockdown = false
        later(11)
        until("a fourth tunnel") {
            apps.inside(FETCH)
            Platform.asked.size == 4
        }
        assertEquals(setOf("org.example.music", app.packageName), Platform.asked[3].leftOut.toSet())
    }

    @Test
    fun `a foreground service that was refused is tried again`() {
        val shadow = shadowOf(service.get())
        shadow.setThrowInStartForeground(IllegalStateException("behind other apps"))
        start()
        assertEquals("it watches all the same", null, shadow.lastForegroundNotification)
        shadow.setThrowInStartForeground(null)
        later(11)
        until("in the foreground") {
            apps.inside(FETCH)
            shadow.lastForegroundNotification != null
        }
        assertTrue(Watch.state is WatchState.Watching)
    }

    @Test
    fun `contacts that are allowed while it watches are looked for`() {
        start()
        assertEquals(0, contacts())
        shadowOf(app).grantPermissions(Manifest.permission.READ_CONTACTS)
        ShadowContentResolver.registerProviderInternal(ContactsContract.AUTHORITY, Contacts(listOf("+91 98765 43210")))
        later(11)
        until("the contact") {
            apps.inside(FETCH)
            contacts() == 1
        }
    }

    private fun contacts() = asked("details", hours = 1).getJSONObject("contacts").getInt("count")

    @Test
    fun `what Android starts by itself is wanted, until somebody ends it`() {
        start()
        assertTrue(app.choices.wanted)
        stop()
        assertFalse(app.choices.wanted)
    }

    @Test
    fun `IPv6 comes and goes with the network`() {
        start()
        assertEquals(1, Platform.asked[0].addresses.size)
        Platform.move(Platform.Under(ShadowNetwork.newInstance(101), RealConnectivity.link(ipv6 = true), RealConnectivity.wifi()))
        until("a tunnel of both families") { Platform.asked.size == 2 }
        assertTrue(Platform.asked[1].addresses.any { ':' in it })
        until("an answer over IPv6") { runCatching { apps.inside("curl -s -m 2 http://news.example/") }.isSuccess }
        Platform.move(null)
        until("no network") { !state().getBoolean("network") }
        assertTrue(watching())
        Platform.move(Platform.Under(ShadowNetwork.newInstance(102), RealConnectivity.link(ipv6 = false), RealConnectivity.wifi()))
        until("a tunnel of one family") { Platform.asked.size == 3 }
        apps.inside(FETCH)
    }

    @Test
    fun `a network with other search domains gets a tunnel with them`() {
        start()
        assertEquals(emptyList<String>(), Platform.asked[0].search)
        Platform.move(Platform.Under(ShadowNetwork.newInstance(103), RealConnectivity.link(ipv6 = false, search = "lan home.arpa"), RealConnectivity.wifi()))
        until("another tunnel") { Platform.asked.size == 2 }
        assertEquals(listOf("lan", "home.arpa"), Platform.asked[1].search)
        apps.inside(FETCH)
    }

    @Test
    fun `another VPN takes over`() {
        app.choices.wanted = true
        start()
        service.get().onRevoke()
        until("the end") { (Watch.state as? WatchState.Off)?.why == WatchState.Why.Revoked }
        until("no tun") { "tun" !in apps.inside("cat /proc/net/dev") }
        until("the end of the service") { Platform.ended }
        val notices = shadowOf(app.getSystemService(NotificationManager::class.java)).allNotifications
        assertTrue(notices.any { it.extras.getString("android.title") == "Telltale is off" })
        assertFalse("an update or a restart would throw the other VPN out", app.choices.wanted)
        start()
        until("what was wrong is over") { shadowOf(app.getSystemService(NotificationManager::class.java)).allNotifications.none { it.extras.getString("android.title") == "Telltale is off" } }
        apps.inside(FETCH)
        val gaps = today().getJSONArray("gaps")
        assertEquals("revoked", gaps.getJSONObject(0).getString("why"))
    }

    /** docs/boundary.md, *stop*. */
    @Test
    fun `stop returns within half a second in any state`() {
        stopped("nobody watches")
        start()
        apps.inside("ip link delete tun0")
        stopped("the tunnel is gone")
        start()
        stopped("it watches")
        start()
        apps.begin("curl -s -m 20 -o /dev/null http://shop.example/photo")
        stopped("bytes flow")
        start()
        apps.begin("curl -s -m 20 -o /dev/null http://192.0.2.77/")
        stopped("nobody answers")
        start()
        val owner = CountDownLatch(1)
        Platform.ownerWaits = owner
        apps.begin("curl -s -m 20 -o /dev/null http://shop.example/")
        stopped("Android does not say who it was")
        owner.countDown()
        start()
        Platform.move(null)
        stopped("there is no network")
    }

    /** The service that watched goes on with a core of its own. */
    private fun stopped(state: String) {
        state()
        val handle = ReflectionHelpers.getField<Long>(app.session, "handle")
        ReflectionHelpers.setField(app.session, "handle", 0L)
        val began = System.nanoTime()
        Core.stop(handle)
        val took = (System.nanoTime() - began) / 1_000_000
        assertTrue("$state: $took ms", took < 500)
        assertThrows(IllegalStateException::class.java) { Core.query(handle, """{"ask":"state"}""") }
        stop()
    }

    @Test
    fun `a tunnel that the system takes away is told`() {
        start()
        apps.inside("ip link delete tun0")
        until("the end") { (Watch.state as? WatchState.Off)?.why == WatchState.Why.Failed }
        assertFalse(watching())
    }

    @Test
    fun `the notice ends a burst with its last figures, and rests while the screen is off`() {
        val power = shadowOf(app.getSystemService(PowerManager::class.java))
        start()
        apps.inside(FETCH)
        until("the figures") { figures().contains("sent") }
        apps.inside("curl -sf -m 10 -T ${System.getenv("DEMO")}/photo http://shop.example/upload/photo")
        until("the upload on record") { sent { true } > 1_000_000 }
        later(16)
        until("the last figures") { figures() == notification() }
        power.turnScreenOn(false)
        apps.inside("curl -sf -m 10 -T ${System.getenv("DEMO")}/photo http://shop.example/upload/photo")
        until("both uploads on record") { sent { true } > 2_000_000 }
        later(16)
        val before = figures()
        assertFalse("nobody looks", before == notification())
        power.turnScreenOn(true)
        app.sendBroadcast(Intent(Intent.ACTION_SCREEN_ON))
        later(16)
        until("the figures of now") { figures() == notification() }
    }

    @Test
    fun `what is turned off sends nothing, and is no gap`() {
        start()
        val now = System.currentTimeMillis()
        stop()
        // As if the phone had been turned off an hour ago, and this process were the first of its new life.
        app.choices.stoppedAt = 0
        app.choices.aliveAt = now - 3_660_000
        app.choices.turnedOffAt = now - 3_600_000
        start()
        until("the gap") { today(hours = 2).getJSONArray("gaps").length() == 1 }
        val gap = today(hours = 2).getJSONArray("gaps").getJSONObject(0)
        assertEquals("locked", gap.getString("why"))
        assertTrue("$gap", gap.getLong("from") > now - 60_000)
    }

    private fun figures() = shadowOf(app.getSystemService(NotificationManager::class.java)).getNotification(Notices.WATCHING)
        ?.extras?.getString("android.text").orEmpty()

    private fun notification(): String {
        val now = System.currentTimeMillis()
        val day = 24 * 60 * 60 * 1000L
        val midnight = now / day * day
        val question = JSONObject().put("ask", "notification").put("from", midnight).put("to", midnight + day).put("now", now)
            .put("locale", app.resources.configuration.locales[0].toLanguageTag()).put("zone_offset", 0)
        return JSONObject(app.session.answer(question.toString())).getString("notification")
    }

    private fun later(seconds: Long) {
        shadowOf(Looper.getMainLooper()).idle()
        ShadowSystemClock.advanceBy(seconds, TimeUnit.SECONDS)
        shadowOf(Looper.getMainLooper()).idle()
    }

    private fun start() {
        command(null)
        until("watching") { Watch.state is WatchState.Watching && watching() }
    }

    private fun stop() {
        command(WatchService.STOP)
        until("the end") { Watch.state is WatchState.Off }
    }

    private fun command(action: String?) {
        Platform.ended = false
        service.get().onStartCommand(Intent(app, WatchService::class.java).setAction(action), 0, ++Platform.lastStart)
    }

    private fun until(what: String, met: () -> Boolean) = Apps.until(what) {
        shadowOf(Looper.getMainLooper()).idle()
        met()
    }

    private fun state() = JSONObject(app.session.answer("""{"ask":"state"}"""))

    private fun watching() = state().getBoolean("watching")

    private fun today(hours: Int = 1) = asked("today", hours)

    private fun asked(what: String, hours: Int): JSONObject {
        val now = System.currentTimeMillis()
        val question = JSONObject().put("ask", what).put("from", now - hours * 3_600_000).put("to", now + 60_000).put("now", now)
            .put("locale", "en-GB").put("zone_offset", 0)
        return JSONObject(app.session.answer(question.toString()))
    }

    private fun sent(whose: (String) -> Boolean): Long {
        val rows = today().getJSONArray("apps")
        return (0 until rows.length()).map(rows::getJSONObject)
            .filter { whose(it.getJSONObject("app").getString("name")) }
            .sumOf { it.getJSONObject("coverage").getLong("sent") }
    }

    private fun names(rows: org.json.JSONArray, name: (JSONObject) -> String) = (0 until rows.length()).map { name(rows.getJSONObject(it)) }

    private fun sum(file: String) =
        MessageDigest.getInstance("SHA-256").digest(File(file).readBytes()).joinToString("") { "%02x".format(it) }

    private fun install() {
        val packages = shadowOf(app.packageManager)
        val known = Apps.known()
        for (program in known.keys()) {
            val info = packageOf(known.getJSONObject(program))
            if (info.packageName == "android") continue
            packages.installPackage(info)
            packages.setPackagesForUid(info.applicationInfo!!.uid, info.packageName)
        }
    }

    /** Where it is once unpacked: what Robolectric takes for the APK has no assets. */
    private fun tables() {
        val stamp = app.packageManager.getPackageInfo(app.packageName, 0).lastUpdateTime
        File("../rust/tables/destinations.zst").copyTo(File(app.noBackupFilesDir, "tables.bin-$stamp"))
    }

    /** What the person typed, and the contacts, which the phone has. */
    private fun lookForDetails() {
        shadowOf(app).grantPermissions(Manifest.permission.READ_CONTACTS)
        val given = File("../rust/screens/example/details.txt").readLines().filter { ' ' in it && !it.startsWith("#") }
        val details = given.map { it.substringBefore(' ') to it.substringAfter(' ') }
        val contacts = details.filter { it.first == "contact" }.map { it.second }
        ShadowContentResolver.registerProviderInternal(ContactsContract.AUTHORITY, Contacts(contacts))
        for ((kind, value) in details.filter { (kind, _) -> kind !in listOf("contact", "package", "carrier") }) {
            var taken = false
            app.details.add(kind, value.toByteArray()) { taken = it.getOrThrow().getJSONArray("errors").length() == 0 }
            until("the detail $kind") { taken }
        }
    }

    private class Contacts(private val numbers: List<String>) : ContentProvider() {
        override fun onCreate() = true

        override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?) =
            MatrixCursor(columns).apply { numbers.forEach { addRow(arrayOf(it)) } }

        override fun getType(uri: Uri): String? = null

        override fun insert(uri: Uri, values: ContentValues?): Uri? = null

        override fun delete(uri: Uri, where: String?, values: Array<String>?) = 0

        override fun update(uri: Uri, values: ContentValues?, where: String?, arguments: Array<String>?) = 0
    }

    private companion object {
        /** What a detail is called in a key: it is random. */
        val ID = Regex(" #[0-9a-f]+")

        /** What act 1 sends in the open. */
        val SENT = setOf(
            "com.xiaomi.account|xiaomi|imei open", "com.xiaomi.account|xiaomi|phone open",
            "com.xiaomi.account|xiaomi|carrier 1 open", "com.android.contacts|xiaomi|contact 1 open",
            "com.android.mms|xiaomi|contact 1 open", "com.android.mms|xiaomi|contact 2 open",
            "com.android.mms|xiaomi|contact 3 open", "com.android.phone|xiaomi|contact 1 open",
            "com.android.phone|xiaomi|contact 4 open",
        )
        const val FETCH = "curl -sf -m 10 -o /dev/null http://shop.example/"
    }
}
