package org.telltale.app.ui

import android.content.Context
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.telltale.app.R
import java.io.File

/** Every word for which the core refuses a detail that a person can write down has a sentence of ours. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class RefusalsTest {
    private val look get() = Look(RuntimeEnvironment.getApplication() as Context, false)

    /** What only a list or the phone itself can get wrong. */
    private val never = setOf("package", "country", "id-twice", "contacts", "packages", "unreadable", "no-kind")

    @Test
    fun `the words are those of the core`() {
        val table = File("../rust/watch/src/details/refusals.rs").readText().substringAfter("const ALL").substringBefore("];")
        val words = Regex("\"([a-z-]+)\"\\)").findAll(table).map { it.groupValues[1] }.toSet()
        assertTrue(words.size > 20)
        for (word in words - never) assertTrue(word, look.refusal(JSONObject().put("code", word)) != look.text(R.string.error_title))
    }

    @Test
    fun `a word that we do not know yet leaves the sentence of the core`() {
        assertEquals("Odd.", look.refusal(JSONObject().put("code", "odd").put("sentence", "Odd.")))
        assertEquals("Telltale looks for this already.", look.refusal(JSONObject().put("code", "known")))
    }
}
