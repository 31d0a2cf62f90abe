package org.telltale.app.service

import android.content.ComponentName
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.content.pm.PackageManager
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class AppBookTest {
    private val packages: PackageManager = RuntimeEnvironment.getApplication().packageManager
    private var keepsSites = false
    private val book = AppBook(RuntimeEnvironment.getApplication(), AppBook.Phone("Xiaomi", "Redmi")) { keepsSites }

    private fun install(name: String, uid: Int, system: Boolean) {
        val info = PackageInfo().apply {
            packageName = name
            versionName = "1.2"
            applicationInfo = ApplicationInfo().apply {
                packageName = name
                this.uid = uid
                this.name = name
                nonLocalizedLabel = name.substringAfterLast('.')
                flags = if (system) ApplicationInfo.FLAG_SYSTEM else 0
            }
        }
        shadowOf(packages).installPackage(info)
        val others = packages.getPackagesForUid(uid).orEmpty().toList()
        shadowOf(packages).setPackagesForUid(uid, *(others + name).distinct().toTypedArray())
    }

    private fun of(uid: Int) = JSONObject(book.of(uid))

    @Test
    fun `an app is its packages, name and version`() {
        install("com.whatsapp", 10_123, system = false)
        val app = of(10_123)
        assertEquals("com.whatsapp", app.getJSONArray("packages").getString(0))
        assertEquals("whatsapp", app.getJSONArray("names").getString(0))
        assertEquals("1.2", app.getString("version"))
        assertEquals("yours", app.getString("group"))
    }

    @Test
    fun `a shared uid names all siblings`() {
        install("com.miui.contacts", 10_200, system = true)
        install("com.miui.messages", 10_200, system = true)
        val app = of(10_200)
        assertEquals(2, app.getJSONArray("names").length())
        assertTrue(app.getBoolean("shared"))
    }

    @Test
    fun `system apps fall into the groups that a person knows`() {
        install("com.xiaomi.account", 10_001, system = true)
        install("com.android.vending", 10_002, system = true)
        install("com.qualcomm.location", 10_003, system = true)
        install("com.facebook.appmanager", 10_004, system = true)
        assertEquals("maker", of(10_001).getString("group"))
        assertEquals("android", of(10_002).getString("group"))
        assertEquals("sim", of(10_003).getString("group"))
        assertEquals("came", of(10_004).getString("group"))
    }

    @Test
    fun `of browsers only totals are kept until the person asks for more`() {
        install("org.example.browser", 10_400, system = false)
        install("org.example.shop", 10_401, system = false)
        listOf("org.example.browser" to null, "org.example.shop" to "shop.example").forEach { (name, host) ->
            val links = IntentFilter(Intent.ACTION_VIEW).apply {
                addCategory(Intent.CATEGORY_BROWSABLE)
                addCategory(Intent.CATEGORY_DEFAULT)
                listOf("http", "https").forEach(::addDataScheme)
                host?.let { addDataAuthority(it, null) }
            }
            val activity = ComponentName(name, "$name.Main")
            shadowOf(packages).addActivityIfNotPresent(activity)
            shadowOf(packages).addIntentFilterForActivity(activity, links)
        }
        assertTrue(of(10_400).getBoolean("totals_only"))
        assertFalse("links of one shop alone", of(10_401).getBoolean("totals_only"))
        keepsSites = true
                assertFalse(of(10_400).getBoolean("totals_only"))
    }

    @Test
    fun `parts of Android have names, what nobody knows has none`() {
        assertEquals("Name lookups (DNS)", of(1051).getJSONArray("names").getString(0))
        assertEquals("unknown", of(5_999).getString("group"))
    }

    @Test
    fun `a uid that Android gives to another app is not shown under the old name`() {
        install("com.old", 10_300, system = false)
        assertEquals("old", of(10_300).getJSONArray("names").getString(0))
        shadowOf(packages).setPackagesForUid(10_300)
        shadowOf(packages).deletePackage("com.old")
        install("com.fresh", 10_300, system = false)
        book.forget()
        assertEquals("fresh", of(10_300).getJSONArray("names").getString(0))
    }
}
