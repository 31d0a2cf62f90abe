package org.telltale.app.ui

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.drawable.ColorDrawable
import android.graphics.drawable.Drawable
import android.os.Looper
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** Icons are other apps' pictures: anything may be in them. */
@RunWith(RobolectricTestRunner::class)
@Config(application = android.app.Application::class, sdk = [34])
class IconsTest {
    private val packages = RuntimeEnvironment.getApplication().packageManager
    private val answers = Answers { "{}" }
    private val icons = Icons(packages, answers, 2f)

    /** Larger than any window can draw. */
    private class Great : ColorDrawable(Color.RED) {
        override fun getIntrinsicWidth() = 20_000
        override fun getIntrinsicHeight() = 20_000
    }

    private class Broken : ColorDrawable(Color.RED) {
        override fun draw(canvas: Canvas) = throw IllegalStateException("no picture")
    }

    private fun iconOf(drawable: Drawable): Bitmap? {
        var found: Bitmap? = null
        val before = Thread.getDefaultUncaughtExceptionHandler()
        val uncaught = Collections.synchronizedList(ArrayList<Throwable>()) // on a phone each ends the process
        Thread.setDefaultUncaughtExceptionHandler { _, error -> uncaught.add(error) }
        try {
            shadowOf(packages).setApplicationIcon("org.example", drawable)
            icons.of("org.example") { found = it }
            repeat(2) { settle() }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before)
        }
        assertEquals(emptyList<Throwable>(), uncaught)
        return found
    }

    private fun settle() {
        val done = CountDownLatch(1)
        answers.work({ done.countDown() }) {}
        assertTrue("no answer came", done.await(10, TimeUnit.SECONDS))
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Test
    fun anIconIsKeptInOurSizeWhateverItsOwn() = assertEquals(112 to 112, iconOf(Great())?.run { width to height })

    @Test
    fun anIconThatCannotBeDrawnIsNone() = assertEquals(null, iconOf(Broken()))
}
