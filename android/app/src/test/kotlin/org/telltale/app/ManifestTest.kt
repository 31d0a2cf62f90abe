package org.telltale.app

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/** What the app may do and what others may reach: the manifest, read as the installer reads it. */
class ManifestTest {
    private val root: Element = DocumentBuilderFactory.newInstance().apply { isNamespaceAware = true }
        .newDocumentBuilder().parse(File("app/src/main/AndroidManifest.xml")).documentElement

    private fun all(tag: String): List<Element> {
        val nodes = root.getElementsByTagName(tag)
        return (0 until nodes.length).map { nodes.item(it) as Element }
    }

    private fun Element.android(name: String): String = getAttributeNS("http://schemas.android.com/apk/res/android", name)

    @Test
    fun `asks for nothing that reads messages, calls or notifications`() {
        val asked = all("uses-permission").map { it.android("name").removePrefix("android.permission.") }.toSet()
        val allowed = setOf(
            "INTERNET", "ACCESS_NETWORK_STATE", "ACCESS_LOCAL_NETWORK", "FOREGROUND_SERVICE",
            "FOREGROUND_SERVICE_SPECIAL_USE", "POST_NOTIFICATIONS", "RECEIVE_BOOT_COMPLETED", "QUERY_ALL_PACKAGES",
            "READ_CONTACTS", "REQUEST_IGNORE_BATTERY_OPTIMIZATIONS",
        )
        assertEquals(allowed, asked)
        assertTrue(all("service").none { it.android("permission").endsWith("BIND_NOTIFICATION_LISTENER_SERVICE") })
    }

    @Test
    fun `nothing is exported but launcher, tunnel and tile, the last two to the system alone`() {
        val exported = (all("activity") + all("service") + all("receiver") + all("provider"))
            .filter { it.android("exported") == "true" }
            .associate { it.android("name") to it.android("permission") }
        val expected = mapOf(
            ".MainActivity" to "",
            ".service.WatchService" to "android.permission.BIND_VPN_SERVICE",
            ".service.QuickTile" to "android.permission.BIND_QUICK_SETTINGS_TILE",
        )
        assertEquals(expected, exported)
    }

    @Test
    fun `every component says whether it is exported`() {
        val components = all("activity") + all("service") + all("receiver") + all("provider")
        assertTrue(components.all { it.android("exported") in setOf("true", "false") })
    }

    @Test
    fun `no backup, no transfer to another phone`() {
        val application = all("application").single()
        assertEquals("false", application.android("allowBackup"))
        assertEquals("false", application.android("fullBackupContent"))
        val rules = File("app/src/main/res/xml/data_extraction_rules.xml").readText()
        for (domain in listOf("root", "file", "database", "sharedpref", "external")) {
            assertEquals(2, Regex("exclude domain=\"$domain\"").findAll(rules).count())
        }
    }

    @Test
    fun `the service says what it is for, and may be always on`() {
        val service = all("service").single { it.android("name") == ".service.WatchService" }
        assertEquals("specialUse", service.android("foregroundServiceType"))
        assertTrue(all("property").single().android("name").endsWith("SPECIAL_USE_FGS_SUBTYPE"))
        assertTrue(all("meta-data").any { it.android("name").endsWith("SUPPORTS_ALWAYS_ON") && it.android("value") == "true" })
    }
}
