package org.telltale.app.ui

import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.util.TimeZone

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class SpanTest {
    private val before = TimeZone.getDefault()

    @Before
    fun india() = TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kolkata"))

    @After
    fun back() = TimeZone.setDefault(before)

    @Test
    fun `an hour is one of the clock on the wall, also half an hour beside the others`() {
        val halfPastSeven = 1_795_485_600_000L // 24 November 2026, 02:00 UTC
        val range = Span(Span.Kind.Hour).range(halfPastSeven)
        assertEquals(halfPastSeven - 30 * 60_000, range.first)
        assertEquals(3_600_000, range.last + 1 - range.first)
    }
}
