package org.telltale.app.service

import android.app.Notification
import android.app.NotificationManager
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.util.ReflectionHelpers
import org.telltale.app.screens.StageApp

/** What is told outside of the screens, and what can be done there. */
@RunWith(RobolectricTestRunner::class)
@Config(application = StageApp::class, sdk = [34])
class NoticesTest {
    private val app = RuntimeEnvironment.getApplication() as StageApp
    private val notices = Notices(app, { _, _ -> }, app.choices, app.gaps)

    private fun last(): Notification = shadowOf(app.getSystemService(NotificationManager::class.java)).allNotifications.last()

    private fun offers() = last().actions.orEmpty().map { it.title.toString() }

    @Test
    fun thatWeWatchIsShownFromTheFirstSecond() {
        val shown = ReflectionHelpers.getField<Int>(notices.watching(), "mFgsDeferBehavior") // hidden from apps
        assertEquals(Notification.FOREGROUND_SERVICE_IMMEDIATE, shown)
    }

    @Test
    fun whatEndedByItselfIsStartedAgainByATap() {
        notices.ended(WatchState.Why.Ended)
        assertEquals(listOf("Start watching"), offers())
        val start = shadowOf(last().actions.single().actionIntent)
        assertEquals(true to WatchService::class.java.name, start.isForegroundService to start.savedIntent.component?.className)
    }

    /** To start would need Android's consent, and would end the other VPN. */
    @Test
    fun whatAnotherVpnEndedIsNotStartedByATap() {
        notices.ended(WatchState.Why.Revoked)
        assertEquals(emptyList<String>(), offers())
    }
}
