package org.telltale.app.details

import android.Manifest
import android.content.Context
import android.content.pm.ApplicationInfo
import android.content.pm.PackageManager
import android.provider.ContactsContract.CommonDataKinds
import android.telephony.TelephonyManager
import android.util.Log

/** What the phone itself tells us to look for: no question asked, but for the contacts, which need a permission. */
class Sources(private val context: Context) {
    /** The lines for the core: carrier, packages that the person installed, and the contacts if we may read them. */
    fun add(given: Given): Given {
        var all = given
        carriers().forEach { all = all.with("carrier", it.toByteArray()) }
        installed().forEach { all = all.with("package", it.toByteArray()) }
        contacts().forEach { (kind, value) -> all = all.with(kind, value.toByteArray()) }
        return all
    }

    fun mayReadContacts() =
        context.checkSelfPermission(Manifest.permission.READ_CONTACTS) == PackageManager.PERMISSION_GRANTED

    /** The SIM's, and abroad the one whose network it uses. */
    private fun carriers() = context.getSystemService(TelephonyManager::class.java)
        ?.run { listOfNotNull(simOperatorName, networkOperatorName).filter { it.isNotBlank() }.distinct() }.orEmpty()

    private fun installed() = context.packageManager.getInstalledApplications(0)
        .filter { it.flags and ApplicationInfo.FLAG_SYSTEM == 0 && it.packageName != context.packageName }
        .map { it.packageName }
        .sorted()
        .take(MAX_PACKAGES)

    /** Never stored: read again at each start and after each change. */
    private fun contacts(): List<Pair<String, String>> {
        if (!mayReadContacts()) return emptyList()
        return numbers().map { "contact" to it }
    }

    /** Contacts are kept by another app, a maker's own on many phones: what goes wrong there ends no other search. */
    private fun numbers(): List<String> = try {
        column(CommonDataKinds.Phone.CONTENT_URI, CommonDataKinds.Phone.NUMBER)
    } catch (error: RuntimeException) {
        Log.w("Telltale", "the contacts cannot be read", error)
        emptyList()
    }

    private fun column(uri: android.net.Uri, name: String): List<String> {
        val found = LinkedHashSet<String>()
        context.contentResolver.query(uri, arrayOf(name), null, null, null)?.use { rows ->
            while (rows.moveToNext() && found.size < MAX_CONTACTS) rows.getString(0)?.takeIf { it.isNotBlank() }?.let(found::add)
        }
        return found.toList()
    }

    private companion object {
        const val MAX_CONTACTS = 5_000
        const val MAX_PACKAGES = 500
    }
}
