package org.telltale.app.service

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.net.ConnectivityManager
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowActivityManager.ApplicationExitInfoBuilder
import org.telltale.app.core.Session

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class GapsTest {
    private val app = RuntimeEnvironment.getApplication()
    private val choices = Choices(app)
    private val session = Session({ error("no core here") }, app.getSystemService(ConnectivityManager::class.java), { "" })
    private val gaps = Gaps(app, session, choices)

    private fun exits(vararg at: Long) = at.forEach {
        val exit = ApplicationExitInfoBuilder.newBuilder().setTimestamp(it).setReason(ApplicationExitInfo.REASON_LOW_MEMORY).build()
        shadowOf(app.getSystemService(ActivityManager::class.java)).addApplicationExitInfo(exit)
    }

    @Test
    fun `what never watched leaves no gap when it is swiped away`() {
        exits(5_000)
        assertEquals(0, gaps.lastSeen())
    }

    @Test
    fun `watching ended with the process that watched, not with a later one that was only looked at`() {
        choices.aliveAt = 10_000
        exits(5_000, 12_000, 90_000)
        assertEquals(12_000, gaps.lastSeen())
    }

    @Test
    fun `where Android remembers no end it is the last moment that we noted`() {
        choices.aliveAt = 10_000
        exits(5_000)
        assertEquals(10_000, gaps.lastSeen())
    }
}
