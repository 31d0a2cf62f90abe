package org.telltale.app.service

import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class RunsTest {
    private val runs = Runs()

    private fun given(run: Long) {
        runs.asks()
        runs.watches(run)
    }

    @Test
    fun `the end of what watches is an end`() {
        given(1)
        assertFalse(runs.areOver)
        runs.ended(1)
        assertTrue(runs.areOver)
    }

    @Test
    fun `the late end of a run before is none`() {
        given(1)
        given(2)
        runs.ended(1)
        assertFalse(runs.areOver)
    }

    @Test
    fun `an end that overtakes the answer counts once the answer is there`() {
        given(1)
        runs.asks()
        runs.ended(1)
        assertFalse("the new tun is on its way", runs.areOver)
        runs.ended(2)
        runs.watches(2)
        assertTrue(runs.areOver)
    }

    @Test
    fun `a tun that is refused matters only if no other was given since`() {
        runs.asks()
        runs.asks()
        assertFalse(runs.refused())
        assertTrue(runs.refused())
        assertFalse("nothing has ever watched", runs.areOver)
    }
}
