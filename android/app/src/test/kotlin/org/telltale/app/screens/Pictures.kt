package org.telltale.app.screens

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.util.zip.CRC32
import java.util.zip.Deflater
import java.util.zip.DeflaterOutputStream

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
        file.writeBytes(png(picture))
    }

    /** RGB without a filter: two thirds of what the platform's own encoder makes of pages that are mostly one colour. */
    private fun png(picture: Bitmap): ByteArray {
        val rows = ByteArrayOutputStream()
        val row = IntArray(picture.width)
        for (y in 0 until picture.height) {
            picture.getPixels(row, 0, picture.width, 0, y, picture.width, 1)
            rows.write(0)
            for (pixel in row) for (shift in 16 downTo 0 step 8) rows.write(pixel shr shift)
        }
        val out = ByteArrayOutputStream()
        out.write(byteArrayOf(0x89.toByte(), 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A))
        chunk(out, "IHDR", ByteBuffer.allocate(13).putInt(picture.width).putInt(picture.height).put(byteArrayOf(8, 2, 0, 0, 0)).array())
        val packed = ByteArrayOutputStream()
        DeflaterOutputStream(packed, Deflater(Deflater.BEST_COMPRESSION)).use { it.write(rows.toByteArray()) }
        chunk(out, "IDAT", packed.toByteArray())
        chunk(out, "IEND", ByteArray(0))
        return out.toByteArray()
    }

    private fun chunk(out: ByteArrayOutputStream, name: String, content: ByteArray) {
        val sum = CRC32().apply {
            update(name.toByteArray())
            update(content)
        }
        out.write(ByteBuffer.allocate(4).putInt(content.size).array())
        out.write(name.toByteArray())
        out.write(content)
        out.write(ByteBuffer.allocate(4).putInt(sum.value.toInt()).array())
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
