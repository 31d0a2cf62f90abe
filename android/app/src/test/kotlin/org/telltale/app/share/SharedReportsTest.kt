package org.telltale.app.share

import android.content.pm.ProviderInfo
import android.net.Uri
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import java.io.File
import java.io.FileNotFoundException

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class SharedReportsTest {
    private val context = RuntimeEnvironment.getApplication()
    private val provider = Robolectric.buildContentProvider(SharedReports::class.java)
        .create(ProviderInfo().apply { authority = "org.telltale.app.reports" }).get()

    private fun uri(path: String) = Uri.parse("content://org.telltale.app.reports/$path")

    @Test
    fun `hands out the report, read only`() {
        SharedReports.fresh(context, "report.txt").writeText("hello")
        val read = provider.openFile(uri("report.txt"), "r").use { java.io.FileInputStream(it.fileDescriptor).readBytes() }
        assertEquals("hello", String(read))
        assertThrows(FileNotFoundException::class.java) { provider.openFile(uri("report.txt"), "rw") }
    }

    @Test
    fun `no path leads out of the folder`() {
        SharedReports.fresh(context, "report.txt").writeText("hello")
        File(context.cacheDir, "secret").writeText("no")
        for (path in listOf("../secret", "..%2Fsecret", "..", "%2E%2E", "reports/report.txt", "/etc/passwd", "")) {
            assertThrows(path, FileNotFoundException::class.java) { provider.openFile(uri(path), "r") }
        }
    }

    @Test
    fun `a new report removes the one before`() {
        SharedReports.fresh(context, "one.txt").writeText("1")
        SharedReports.fresh(context, "two.txt").writeText("2")
        assertThrows(FileNotFoundException::class.java) { provider.openFile(uri("one.txt"), "r") }
    }
}
