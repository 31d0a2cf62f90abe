package org.telltale.app.screens

import android.content.pm.PackageManager
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.Part
import org.telltale.app.ui.Type
import org.telltale.app.ui.fact
import java.security.MessageDigest

/** Which Telltale this is, how to check that it is the published one, and whose work is in it. */
class AboutScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private class Copy(val version: String, val build: String, val signer: String, val licences: String)

    private var copy: Copy? = null

    override fun top() = bar(look.text(R.string.about_telltale))

    override fun parts(answer: JSONObject): List<Part<*>> {
        val copy = copy ?: return listOf(look.gap("wait", 1)).also { load() }
        return listOf(
            fact(R.string.version, copy.version),
            fact(R.string.build, copy.build),
            fact(R.string.signed_by, copy.signer),
            look.textPart("check", Type.Body, look.text(R.string.check_copy), look.palette.ink2, top = 12),
            look.sectionPart("own", look.text(R.string.own_licence)),
            look.textPart("own text", Type.Body, look.text(R.string.own_licence_text)),
            look.sectionPart("others", look.text(R.string.licences)),
            look.textPart("licences", Type.Second, copy.licences, look.palette.ink2),
            look.gap("end", 24),
        )
    }

    private fun fact(name: Int, value: String) = Part("fact $name", { look.fact(look.text(name), value) })

    private fun load() = ground.answers.work(::read) {
        copy = it
        refresh()
    }

    private fun read(): Copy {
        val said = runCatching { JSONObject(ground.version()) }.getOrElse { JSONObject() }
        return Copy(said.optString("version"), said.optString("build"), signer(), said.optString("licences"))
    }

    /** The SHA-256 of the certificate that signed this copy, as `apksigner verify --print-certs` prints it. */
    private fun signer(): String {
        val own = look.context.packageManager.getPackageInfo(look.context.packageName, PackageManager.GET_SIGNING_CERTIFICATES)
        val certificate = own.signingInfo?.apkContentsSigners?.firstOrNull() ?: return look.text(R.string.unsigned)
        return MessageDigest.getInstance("SHA-256").digest(certificate.toByteArray()).joinToString("") { "%02x".format(it) }
    }
}
