package org.telltale.app.screens

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import java.io.File

/**
 * The pictures of all screens in android/screenshots. A screen that looks different fails its test and leaves what it
 * looked like in target/screenshots; `-Dscreenshots=write` makes that the picture to look like from then on.
 */
object Pictures {
    private val kept = File("screenshots")
    private val seen = File("target/screenshots")

    fun compare(name: String, now: Bitmap) {
        val file = File(kept, "$name.png")
        if (System.getProperty("screenshots") == "write") return write(now, file)
        if (!file.exists()) return fail("there is no ${file.path}: run with -Dscreenshots=write, and look at it")
        val before = BitmapFactory.decodeFile(file.path)
        val share = difference(before, now)
        if (share > TOLERANCE) write(now, File(seen, "$name.png"))
        assertTrue("$name looks different in ${"%.2f".format(share * 100)} % of its pixels: see target/screenshots/$name.png", share <= TOLERANCE)
    }

    private fun write(picture: Bitmap, file: File) {
        file.parentFile?.mkdirs()
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    /** The share of pixels in which a channel differs by more than [CHANNEL]. */
    private fun difference(one: Bitmap, other: Bitmap): Double {
        if (one.width != other.width || one.height != other.height) return 1.0
        val size = one.width * one.height
        val first = IntArray(size).also { one.getPixels(it, 0, one.width, 0, 0, one.width, one.height) }
        val second = IntArray(size).also { other.getPixels(it, 0, one.width, 0, 0, one.width, one.height) }
        return first.indices.count { differs(first[it], second[it]) } / size.toDouble()
    }

    private fun differs(one: Int, other: Int) =
        (0..16 step 8).any { Math.abs((one shr it and 0xFF) - (other shr it and 0xFF)) > CHANNEL }

    private const val CHANNEL = 24
    private const val TOLERANCE = 0.004
}
