package org.telltale.app.share

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.content.Intent
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/**
 * Hands one exported file to the app that the person chose to share it with: read only, out of one folder of the
 * cache, only with a grant for just that file. Platform Views have no FileProvider, and this is all of one we need.
 */
class SharedReports : ContentProvider() {
    override fun onCreate() = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw FileNotFoundException("reports are read only")
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?): Cursor {
        val file = file(uri)
        val names = columns ?: arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)
        val row = names.map { name ->
            when (name) {
                OpenableColumns.DISPLAY_NAME -> file.name
                OpenableColumns.SIZE -> file.length()
                else -> null
            }
        }
        return MatrixCursor(names).apply { addRow(row) }
    }

    override fun getType(uri: Uri) = when (file(uri).extension) {
        "json" -> "application/json"
        "csv" -> "text/csv"
        else -> "text/plain"
    }

    /** One name, and only inside our folder: no path can lead out of it. */
    private fun file(uri: Uri): File {
        val name = uri.pathSegments.singleOrNull() ?: throw FileNotFoundException("no such report")
        val found = File(folder(context ?: throw FileNotFoundException("not yet started")), name)
        val inside = found.canonicalFile.parentFile == found.parentFile?.canonicalFile && found.name == name
        if (!inside || name == ".." || !found.isFile) throw FileNotFoundException("no such report")
        return found
    }

    override fun insert(uri: Uri, values: ContentValues?) = throw UnsupportedOperationException()
    override fun update(uri: Uri, values: ContentValues?, where: String?, args: Array<String>?) = throw UnsupportedOperationException()
    override fun delete(uri: Uri, where: String?, args: Array<String>?) = throw UnsupportedOperationException()

    companion object {
        private const val AUTHORITY = "org.telltale.app.reports"

        /** A fresh file for a report; those of earlier shares are gone. */
        fun fresh(context: Context, name: String): File {
            clear(context)
            return File(folder(context), name)
        }

        fun clear(context: Context) {
            folder(context).listFiles()?.forEach { it.delete() }
        }

        fun shareIntent(file: File, type: String): Intent {
            val uri = Uri.Builder().scheme("content").authority(AUTHORITY).appendPath(file.name).build()
            val send = Intent(Intent.ACTION_SEND).setType(type).putExtra(Intent.EXTRA_STREAM, uri)
                .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
            send.clipData = android.content.ClipData.newRawUri(null, uri) // carries the grant through the chooser
            return Intent.createChooser(send, null)
        }

        private fun folder(context: Context) = File(context.cacheDir, "reports").apply { mkdirs() }
    }
}
