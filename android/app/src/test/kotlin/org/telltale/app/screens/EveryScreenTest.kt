package org.telltale.app.screens

import android.view.View
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.telltale.app.service.WatchState

/** Every page in each way in which somebody may have it: nothing is cut off, too small, too faint or without a name. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(application = StageApp::class, sdk = [34])
class EveryScreenTest {
    private class Page(val name: String, vararg val trail: Place, val answers: String? = "today-findings", val state: WatchState = Stage.WATCHING, val more: Int = 0)

    private val today = Place(Place.Kind.Today)
    private val settings = Place(Place.Kind.Settings)
    private val details = Place(Place.Kind.Details)
    private val pages = listOf(
        Page("first 1", Place(Place.Kind.First, "0")),
        Page("first 2", Place(Place.Kind.First, "1")),
        Page("first 3", Place(Place.Kind.First, "2")),
        Page("today", today),
        Page("calm", today, answers = "today-calm"),
        Page("off", today, answers = "today-empty", state = Stage.OFF),
        Page("off later", today, state = WatchState.Off(StageApp.at(13, 0), WatchState.Why.Ended, lockdown = true)),
        Page("empty", today, answers = "today-empty"),
        Page("no details", today, answers = "today-no-details"),
        Page("troubles", today, answers = "today-troubles", state = WatchState.SteppedAside(StageApp.at(14, 19), StageApp.at(14, 21))),
        Page("an app that may not work, many findings", today, more = 480),
        Page("starting", today, answers = "today-empty", state = WatchState.Starting),
        Page("login of a Wi-Fi", today, state = WatchState.Watching(StageApp.at(3, 40), captive = true, privateDnsName = "dns.example", lockdown = true)),
        Page("error", today, answers = null),
        Page("error, off", today, answers = null, state = Stage.OFF),
        Page("example", today, Place(Place.Kind.Today, example = true)),
        Page("apps", today, Place(Place.Kind.Apps)),
        Page("app", today, Place(Place.Kind.App, "12")),
        Page("finding", today, Place(Place.Kind.Finding, "mi-phone")),
        Page("details", details),
        Page("detail", details, Place(Place.Kind.Detail, "imei 1")),
        Page("contacts", details, Place(Place.Kind.Detail, "contact 0")),
        Page("settings", settings),
        Page("left out", settings, Place(Place.Kind.LeftOut)),
        Page("private dns", settings, Place(Place.Kind.PrivateDns)),
        Page("full watch", settings, Place(Place.Kind.FullWatch)),
        Page("about", settings, Place(Place.Kind.About)),
    )

    private fun every(qualifiers: String, scale: Float = 1f, check: Stage.(Page) -> List<String> = { emptyList() }) {
        val wrong = pages.flatMap { page ->
            val stage = Stage(qualifiers, scale, page.state)
            stage.app.today = page.answers
            stage.app.moreFindings = page.more
            if (page.more > 0) stage.app.failing = "failing"
            stage.app.choices.leftOut = setOf("com.example.car")
            stage.install("com.example.drive", "Drive", 10_300)
            stage.at(*page.trail)
            val found = Checks.wrong(page.name, stage, stage.draw()) + stage.check(page)
            stage.close()
            found.map { "${page.name}: $it" }
        }
        assertTrue("$qualifiers:\n" + wrong.joinToString("\n"), wrong.isEmpty())
    }

    @Test
    fun onASmallPhone() = every("en-rGB-w320dp-h3000dp-mdpi")

    @Test
    fun inGreatLettersOnASmallPhoneInTheDark() = every("en-rGB-w320dp-h4000dp-night-mdpi", 2f)

    @Test
    fun fromRightToLeftInTheDark() = every("ar-rEG-ldrtl-w360dp-h3000dp-night-mdpi")

    @Test
    fun inTwoPanes() = every("en-rGB-w1024dp-h3000dp-land-mdpi")

    @Test
    fun onAPhoneThatLiesOnItsSide() = every("en-rGB-w640dp-h2400dp-land-night-mdpi")

    /** Longer words than English; and what has no accents there was not taken from the words that are translated. */
    @Test
    fun inALanguageOfLongerWords() = every("en-rXA-w360dp-h4000dp-mdpi") { page -> plain().map { "not to be translated: $it" } }

    @Test
    fun inALanguageOfLongerWordsAndGreatLetters() = every("en-rXA-w320dp-h5000dp-mdpi", 2f)

    @Test
    fun inALanguageThatRunsFromRightToLeft() = every("ar-rXB-ldrtl-w360dp-h4000dp-mdpi")

    /** Words without accents, but for names. */
    private fun Stage.plain(): List<String> = views().flatMap { listOfNotNull((it as? TextView)?.text, it.contentDescription) }
        .map { it.toString() }.distinct()
        .filter { text -> WORD.findAll(text).any { it.value !in NAMES } }

    @Test
    fun everyPageIsThere() {
        val shown = pages.map { it.trail.last().kind }.toSet()
        assertEquals(Place.Kind.values().toSet() - Place.Kind.AddDetail, shown) // AddDetail is drawn by the next
    }

    @Test
    fun aDetailIsAddedInEveryLanguage() {
        for ((qualifiers, scale) in listOf("en-rXA-w320dp-h2000dp-mdpi" to 2f, "ar-rXB-ldrtl-w360dp-h800dp-night-mdpi" to 1f)) {
            val stage = Stage(qualifiers, scale).at(details, Place(Place.Kind.AddDetail, "imei\nÎ\nĐ"))
            stage.app.refused["imei"] = "imei"
            stage.views().filterIsInstance<android.widget.EditText>().single().setText("1")
            stage.views().filter { it.isClickable && it.hasOnClickListeners() }.last(View::isShown).performClick()
            stage.settle()
            Checks.all("add", stage, stage.draw())
            stage.close()
        }
    }

    private companion object {
        val WORD = Regex("[A-Za-z][A-Za-z.]+[A-Za-z]")

        /** With which aapt2 and ICU make the words of en-XA longer; and what is a name, or was sent. */
        val NAMES = ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fiveteen sixteen seventeen " +
            "eighteen nineteen twenty twent com.example.car Drive api.account.xiaomi.com tracking.intl.miui.com policy.app.xiaomi.com " +
            "GET pass user type MXPH externalId Host example.in kotlin stdlib Apache").split(' ').toSet()
    }
}
