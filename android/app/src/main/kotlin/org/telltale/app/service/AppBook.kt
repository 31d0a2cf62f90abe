package org.telltale.app.service

import android.content.Context
import android.content.Intent
import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.os.Process
import org.json.JSONArray
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.core.Apps
import java.security.MessageDigest
import java.util.concurrent.ConcurrentHashMap

/**
 * From a uid to the app behind it: its packages, names, version and signer as they are now, and its group.
 *
 * Android gives a uid away again after an app is removed, so the answer is stored with each flow, and forgotten
 * here when a package comes or goes.
 */
class AppBook(private val context: Context, private val phone: Phone, private val keepsSites: () -> Boolean = { false }) : Apps {
    private val packages = context.packageManager
    private val known = ConcurrentHashMap<Pair<Int, Boolean>, String>()

    override fun of(uid: Int): String {
        val sites = keepsSites()
        return known.getOrPut(uid to sites) { describe(uid, sites).toString() }
    }

    fun forget() = known.clear()

    private fun describe(uid: Int, sites: Boolean): JSONObject {
        val names = packages.getPackagesForUid(uid).orEmpty().sorted()
        val infos = names.mapNotNull(::info)
        if (infos.isEmpty()) return systemUid(uid, names)
        val main = infos.first()
        return JSONObject()
            .put("uid", uid)
            .put("packages", JSONArray(names))
            .put("names", JSONArray(infos.map(::labelOf).distinct()))
            .put("version", main.versionName.orEmpty())
            .put("since", main.lastUpdateTime)
            .put("signer", signerOf(main).orEmpty())
            .put("group", groupOf(uid, main).word)
            .put("shared", names.size > 1)
            .put("totals_only", !sites && names.any(browsers()::contains))
    }

    /** Apps that show any page of the web: a link that names no host fits none that is for some sites alone. */
    private fun browsers(): Set<String> {
        val link = Intent(Intent.ACTION_VIEW, Uri.fromParts("http", "", null)).addCategory(Intent.CATEGORY_BROWSABLE)
        return packages.queryIntentActivities(link, PackageManager.MATCH_ALL).mapTo(HashSet()) { it.activityInfo.packageName }
    }

    /** Uids below 10000 that no package has: parts of Android itself (system/core's android_filesystem_config.h). */
    private fun systemUid(uid: Int, names: List<String>) = JSONObject()
        .put("uid", uid)
        .put("packages", JSONArray(names))
        .put("names", JSONArray(listOfNotNull(SYSTEM_UIDS[appId(uid)]?.let(context::getString))))
        .put("version", "").put("since", 0).put("signer", "")
        .put("group", (if (SYSTEM_UIDS.containsKey(appId(uid))) Group.Android else Group.Unknown).word)
        .put("shared", false)

    private fun info(name: String): PackageInfo? = try {
        packages.getPackageInfo(name, PackageManager.GET_SIGNING_CERTIFICATES)
    } catch (_: PackageManager.NameNotFoundException) {
        null // removed between the two questions
    }

    private fun labelOf(info: PackageInfo) = info.applicationInfo?.loadLabel(packages)?.toString() ?: info.packageName

    private fun signerOf(info: PackageInfo): String? {
        val signature = info.signingInfo?.apkContentsSigners?.firstOrNull() ?: return null
        return MessageDigest.getInstance("SHA-256").digest(signature.toByteArray()).joinToString("") { "%02x".format(it) }
    }

    internal fun groupOf(uid: Int, info: PackageInfo): Group {
        val name = info.packageName
        val app = info.applicationInfo ?: return Group.Unknown
        val system = app.flags and (ApplicationInfo.FLAG_SYSTEM or ApplicationInfo.FLAG_UPDATED_SYSTEM_APP) != 0
        return when {
            !system -> Group.Yours
            appId(uid) == Process.PHONE_UID || NETWORK_PREFIXES.any { name.startsWith(it) } -> Group.Sim
            phone.prefixes.any { name.startsWith(it) } -> Group.Maker
            ANDROID_PREFIXES.any { name.startsWith(it) } -> Group.Android
            signedAsAndroid(name) -> Group.Maker // with the platform's key, which only the maker has
            else -> Group.Came
        }
    }

    private fun signedAsAndroid(name: String) = packages.checkSignatures("android", name) == PackageManager.SIGNATURE_MATCH

    private fun appId(uid: Int) = uid % PER_USER

    enum class Group(val word: String) {
        Yours("yours"), Came("came"), Maker("maker"), Android("android"), Sim("sim"), Unknown("unknown")
    }

    /** Whose phone this is, and how the packages of that maker begin. */
    data class Phone(val maker: String, val brand: String) {
        val prefixes = MAKERS.filterKeys { it.equals(maker, true) || it.equals(brand, true) }.values.flatten()

        companion object {
            fun here() = Phone(Build.MANUFACTURER.orEmpty(), Build.BRAND.orEmpty())
        }
    }

    private companion object {
        const val PER_USER = 100_000 // UserHandle.PER_USER_RANGE

        val SYSTEM_UIDS = mapOf(
            0 to R.string.uid_root, 1000 to R.string.uid_system, 1001 to R.string.uid_phone, 1010 to R.string.uid_wifi,
            1013 to R.string.uid_media, 1016 to R.string.uid_vpn, 1020 to R.string.uid_mdns, 1021 to R.string.uid_gps,
            1027 to R.string.uid_nfc, 1051 to R.string.uid_dns, 1052 to R.string.uid_dns, 1073 to R.string.uid_network_stack,
            2000 to R.string.uid_shell, 9999 to R.string.uid_isolated,
        )
        val NETWORK_PREFIXES = listOf(
            "com.qualcomm.", "com.qti.", "org.codeaurora.", "vendor.qti.", "com.mediatek.", "com.android.stk",
            "com.android.phone", "com.android.ims", "com.android.carrier", "com.google.android.ims", "com.unisoc.",
            "com.samsung.slsi.", "com.sec.imsservice", "com.shannon.",
        )
        val ANDROID_PREFIXES = listOf("com.android.", "com.google.", "android", "androidx.", "com.chrome.")
        val XIAOMI = listOf("com.xiaomi.", "com.miui.", "com.mi.", "com.redmi.", "com.poco.", "miui.")
        val OPPO = listOf("com.oppo.", "com.coloros.", "com.heytap.", "com.oplus.", "com.oneplus.", "com.realme.", "com.nearme.")
        val TRANSSION = listOf("com.transsion.", "com.transsnet.", "com.tecno.", "com.infinix.", "com.itel.", "com.hoffnung.")
        val MAKERS = mapOf(
            "xiaomi" to XIAOMI, "redmi" to XIAOMI, "poco" to XIAOMI,
            "samsung" to listOf("com.samsung.", "com.sec.", "com.osp."),
            "huawei" to listOf("com.huawei.", "com.hicloud."),
            "honor" to listOf("com.hihonor.", "com.honor."),
            "oppo" to OPPO, "oneplus" to OPPO, "realme" to OPPO,
            "vivo" to listOf("com.vivo.", "com.bbk.", "com.iqoo."), "iqoo" to listOf("com.vivo.", "com.bbk.", "com.iqoo."),
            "tecno" to TRANSSION, "infinix" to TRANSSION, "itel" to TRANSSION,
            "motorola" to listOf("com.motorola.", "com.lenovo."), "lenovo" to listOf("com.lenovo.", "com.motorola."),
            "nothing" to listOf("com.nothing."), "sony" to listOf("com.sonymobile.", "com.sony.", "com.sonyericsson."),
            "asus" to listOf("com.asus."), "zte" to listOf("com.zte.", "cn.nubia."), "nubia" to listOf("cn.nubia.", "com.zte."),
            "tcl" to listOf("com.tcl.", "com.tct.", "com.jrdcom."), "alcatel" to listOf("com.tcl.", "com.tct.", "com.jrdcom."),
            "hmd global" to listOf("com.hmdglobal.", "com.evenwell."), "nokia" to listOf("com.hmdglobal.", "com.evenwell."),
            "google" to listOf("com.google.android.apps.pixel", "com.google.pixel."),
            "amazon" to listOf("com.amazon."), "fairphone" to listOf("com.fairphone."), "lge" to listOf("com.lge."),
        )
    }
}
