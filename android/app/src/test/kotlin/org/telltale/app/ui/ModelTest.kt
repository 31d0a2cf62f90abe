package org.telltale.app.ui

import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.io.File

/** The screens read what the core really answers: rust/screens/golden, which its own tests compare with the code. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class ModelTest {
    private fun golden(name: String) = JSONObject(File("../rust/screens/golden/$name.json").readText())

    @Test
    fun `today has its findings, apps and gaps`() {
        val today = Read.today(golden("today"))
        assertEquals("findings", today.state)
        assertEquals(listOf("WhatsApp", "Morning Dispatch", "Mi Account"), today.apps.map { it.app.name })
        val card = today.findings.first()
        assertEquals("Mi Account", card.sentence.substring(card.strong.first()))
        assertEquals("ended", today.gaps.single().why)
        assertEquals("empty", Read.today(golden("today-empty")).state)
        assertTrue(Read.today(golden("example")).findings.isNotEmpty())
    }

    @Test
    fun `an app has its destinations and a bar for each hour`() {
        val app = Read.appAnswer(golden("app"))
        assertEquals(24, app.bars.size)
        assertEquals("eye", app.destinations.first().mark)
    }

    @Test
    fun `a finding marks the detail in its evidence`() {
        val finding = Read.findingAnswer(golden("finding"))
        val piece = finding.evidence.single()
        assertEquals("+91 98••• •••10", piece.text.substring(piece.hits.single().range))
        assertTrue(finding.steps.isNotEmpty())
    }

    @Test
    fun `details, the first minute and notices are read`() {
        assertEquals(214, Read.details(golden("details")).contacts)
        assertTrue(Read.minute(golden("minute")).sentence.isNotEmpty())
        assertTrue(golden("notification").getString("notification").isNotEmpty())
        val alert = golden("alerts").getJSONArray("alerts").getJSONObject(0)
        assertTrue(listOf("key", "title", "text", "lock").all { alert.getString(it).isNotEmpty() })
    }
}
