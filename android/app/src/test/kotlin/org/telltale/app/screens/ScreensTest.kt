package org.telltale.app.screens

import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.telltale.app.service.WatchState

/** Every screen and state: what it looks like, and what must hold on all of them. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(application = StageApp::class, sdk = [34])
class ScreensTest {
    private fun Stage.look(name: String) = apply {
        val picture = draw()
        Pictures.compare(name, picture)
        Checks.all(name, this, picture)
    }

    private fun stage(qualifiers: String = Stage.PHONE, scale: Float = 1f, state: WatchState = Stage.WATCHING, answers: String? = "today-findings"): Stage {
        val stage = Stage(qualifiers, scale, state)
        stage.app.today = answers
        return stage.open()
    }

    @Test
    fun firstStart() {
        val stage = Stage(firstDone = false, state = WatchState.Off(0, WatchState.Why.Never)).open().look("first-1")
        stage.tap("Next").look("first-2")
        stage.tap("Next").look("first-3")
    }

    @Test
    fun todayWithFindings() { stage(TALL).look("today") }

    @Test
    fun todayInTheDark() { stage(DARK).look("today-dark") }

    @Test
    fun todayInTheColoursOfAWallpaper() { Stage(wallpaper = true).open().look("today-wallpaper") }

    @Test
    fun todayCalm() {
        val stage = Stage()
        stage.app.choices.firstWatchAt = 1 // long ago
        stage.app.today = "today-calm"
        stage.open().look("today-calm")
    }

    @Test
    fun todayOff() { stage(state = Stage.OFF, answers = "today-empty").look("today-off") }

    @Test
    fun todayOffAfterWatching() { stage(TALL, state = WatchState.Off(StageApp.at(13, 0), WatchState.Why.Asked)).look("today-off-later") }

    @Test
    fun todayWithNothingYet() { stage(answers = "today-empty").look("today-empty") }

    @Test
    fun todayWithoutDetails() { stage(answers = "today-no-details").look("today-no-details") }

    @Test
    fun todayInTheFirstMinute() {
        val stage = Stage()
        stage.app.choices.firstWatchAt = StageApp.NOW - 60_000
        stage.app.today = "today-calm"
        stage.open().look("today-first-minute")
    }

    @Test
    fun todayWithTroubles() {
        val aside = WatchState.SteppedAside(StageApp.at(14, 19), StageApp.at(14, 21))
        val stage = Stage(TALL, state = aside)
        stage.app.choices.leftOut = setOf("com.example.car")
        stage.app.today = "today-troubles"
        stage.open().look("today-troubles")
    }

    @Test
    fun todayWithAnAppThatMayNotWork() {
        val stage = Stage("en-rGB-w360dp-h1100dp-hdpi")
        stage.app.choices.firstWatchAt = 1 // long ago
        stage.app.today = "today-calm"
        stage.app.failing = "failing"
        stage.open().look("today-failing")
    }

    @Test
    fun todayThatFails() { stage(answers = null).look("today-error") }

    @Test
    fun todayInGreatLetters() { stage("en-rGB-w360dp-h2700dp-mdpi", 2f).look("today-200-percent") }

    @Test
    fun todayFromRightToLeft() { stage("ar-rEG-ldrtl-w360dp-h1240dp-hdpi").look("today-right-to-left") }

    @Test
    fun todayOnASmallPhone() { stage("en-rGB-w320dp-h640dp-hdpi").look("today-320dp") }

    @Test
    fun twoPanes() { stage("en-rGB-w1024dp-h640dp-land-mdpi").tap("Readable by anyone. Mi Account").look("two-panes") }

    @Test
    fun aTabletUpright() { stage("en-rGB-w700dp-h1000dp-mdpi").look("rail") }

    @Test
    fun example() { stage(TALL).apply { app.today = "today-calm" }.turned().tap("See what it sent").apply { app.today = "today-findings" }.turned().look("example") }

    @Test
    fun apps() { stage().tap("All 34").look("apps") }

    @Test
    fun app() { stage("en-rGB-w360dp-h980dp-hdpi").tap("Messages (Xiaomi), ").look("app") }

    @Test
    fun appInGreatLettersAndDark() { stage("en-rGB-w360dp-h1900dp-night-mdpi", 2f).tap("Messages (Xiaomi), ").look("app-200-percent-dark") }

    @Test
    fun finding() { stage("en-rGB-w360dp-h1060dp-hdpi").tap("Readable by anyone. Mi Account").look("finding") }

    @Test
    fun findingFromRightToLeft() { stage("ar-rEG-ldrtl-w360dp-h1060dp-night-hdpi").tap("Readable by anyone. Mi Account").look("finding-right-to-left-dark") }

    @Test
    fun details() { stage("en-rGB-w360dp-h900dp-hdpi").tap("Details").look("details") }

    @Test
    fun detail() { stage().tap("Details").tap("IMEI, SIM 1").look("detail") }

    @Test
    fun addDetail() {
        val stage = stage().tap("Details").tap("IMEI, SIM 2")
        stage.app.refused["imei"] = "imei"
        stage.views().filterIsInstance<android.widget.EditText>().single().setText("12345")
        stage.tap("Add").look("add-detail")
    }

    @Test
    fun settings() { stage("en-rGB-w360dp-h1640dp-hdpi").tap("Settings").look("settings") }

    @Test
    fun settingsInGreatLetters() { stage("en-rGB-w360dp-h2600dp-mdpi", 2f).tap("Settings").look("settings-200-percent") }

    @Test
    fun fullWatch() { stage().tap("Settings").tap("Full watch").look("full-watch") }

    @Test
    fun privateDns() { stage().tap("Settings").tap("Private DNS").look("private-dns") }

    @Test
    fun leftOut() {
        val stage = Stage().install("org.example.messages", "Messages", 10_200).install("org.example.storage", "Contacts storage", 10_200)
            .install("org.example.drive", "Drive", 10_201).install("org.example.music", "Music", 10_202)
        stage.app.choices.leftOut = setOf("org.example.messages")
        stage.open().tap("Settings").tap("Apps left out").look("left-out")
    }

    @Test
    fun about() { stage().tap("Settings").tap("About Telltale").look("about") }

    private companion object {
        const val TALL = "en-rGB-w360dp-h1440dp-hdpi"
        const val DARK = "en-rGB-w360dp-h1440dp-night-hdpi"
    }
}
