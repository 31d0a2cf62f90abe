package org.telltale.app.core

import android.content.Context
import java.io.File

/** Files that the APK carries compressed and the core maps into memory: unpacked once for each version of the app. */
object Asset {
    fun unpacked(context: Context, name: String): File {
        val stamp = context.packageManager.getPackageInfo(context.packageName, 0).lastUpdateTime
        val file = File(context.noBackupFilesDir, "$name-$stamp")
        if (file.exists()) return file
        forgetOlder(context, name)
        val fresh = File(file.path + ".new")
        context.assets.open(name).use { from -> fresh.outputStream().use { from.copyTo(it) } }
        check(fresh.renameTo(file)) { "$name could not be put in place" }
        return file
    }

    private fun forgetOlder(context: Context, name: String) {
        context.noBackupFilesDir.listFiles { file -> file.name.startsWith("$name-") }?.forEach { it.delete() }
    }
}
