package org.telltale.app.screens

import android.Manifest
import android.app.Activity
import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.content.Intent
import android.content.pm.PackageManager
import android.os.Build
import android.os.PowerManager
import android.provider.Settings
import android.view.View
import android.view.WindowManager
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.EditText
import android.widget.ScrollView
import android.widget.Switch
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowActivity
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowToast
import org.robolectric.shadows.ShadowVpnService
import org.robolectric.util.ReflectionHelpers
import org.telltale.app.MainActivity
import org.telltale.app.R
import org.telltale.app.service.Notices
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchService
import org.telltale.app.service.WatchState
import org.telltale.app.share.SharedReports
import org.telltale.app.ui.CoverageBar
import org.telltale.app.ui.Palette
import org.telltale.app.ui.contrast
import java.io.File

/** What a person does: taps, goes back, turns the phone. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(application = StageApp::class, sdk = [34])
class PathsTest {
    private fun Stage.secure() = activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_SECURE != 0

    private fun Stage.last(ask: String) = app.asked.last { it.optString("ask") == ask || it.optString("do") == ask }

    private fun Stage.started(): Intent? = shadowOf(app).nextStartedService

    private fun press(button: Int) = ShadowAlertDialog.getLatestAlertDialog().getButton(button).performClick()

    @Test
    fun theFirstStartLeadsToTodayAndAsksAndroidForItsConsent() {
        ShadowVpnService.setPrepareResult(Intent("consent"))
        val stage = Stage(firstDone = false, state = WatchState.Off(0, WatchState.Why.Never)).open()
        stage.tap("Next").tap("Next").back()
        assertTrue(stage.says("What it can see"))
        stage.tap("Next").tap("Start watching")
        assertEquals("consent", shadowOf(stage.activity).nextStartedActivityForResult.intent.action)
        assertTrue(stage.app.choices.firstStartDone && stage.app.choices.wanted)
        assertTrue(stage.says("Telltale is off."))
    }

    @Test
    fun theSwitchStartsAndStopsTheService() {
        ShadowVpnService.setPrepareResult(null)
        val off = Stage(state = Stage.OFF).open().tap("Off")
        assertEquals(WatchService::class.java.name, off.started()?.component?.className)
        val on = Stage().open().tap("Watching")
        assertEquals(WatchService.STOP, generateSequence { on.started() }.last().action)
        assertFalse(on.app.choices.wanted)
    }

    @Test
    fun aFindingHidesItsValuesAndIsKeptFromScreenshots() {
        val stage = Stage().open()
        assertFalse(stage.secure())
        stage.tap("Readable by anyone. Mi Account")
        assertTrue(stage.secure() && stage.says("+9198••••••10"))
        assertFalse(stage.says("+919812345610"))
        stage.tap("Expected")
        assertEquals("mi-phone", stage.last("mute").getString("key"))
        stage.tap("Share")
        val sent = shadowOf(stage.activity).nextStartedActivity.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)
        val text = sent?.getStringExtra(Intent.EXTRA_TEXT).orEmpty()
        assertTrue("+9198••••••10" in text && "+919812345610" !in text)
        stage.back()
        assertTrue(stage.says("Apps, by how much they sent") && !stage.secure())
    }

    @Test
    fun anAppThatGetsNoAnswersIsOfferedAndLeftOutOnlyAfterAYes() {
        val stage = Stage()
        stage.app.failing = "failing"
        stage.open()
        assertTrue(stage.says("Drive tried 6 times") && stage.app.choices.leftOut.isEmpty())
        stage.tap("Leave it out")
        press(android.app.AlertDialog.BUTTON_NEGATIVE)
        stage.settle()
        assertTrue(stage.app.choices.leftOut.isEmpty())
        stage.tap("Leave it out")
        press(android.app.AlertDialog.BUTTON_POSITIVE)
        stage.settle()
        assertEquals(setOf("com.example.drive"), stage.app.choices.leftOut)
        assertEquals("a new tunnel without it", "org.telltale.app.EXCLUSIONS", stage.started()?.action)
        assertTrue("${stage.texts()}", !stage.says("Drive tried") && stage.says("com.example.drive: Not watched, by your choice"))
    }

    private fun asked() = shadowOf(ShadowAlertDialog.getLatestAlertDialog()).message.toString()

    private fun Stage.withSharedLine() = install("org.example.messages", "Messages", 10_200).install("org.example.storage", "Contacts storage", 10_200)
        .install("org.example.music", "Music", 10_202)

    @Test
    fun whoLeavesAnAppOutIsToldFirstWhatGoesWithItAndAllOfThemCount() {
        val stage = Stage("en-rGB-w360dp-h1440dp-hdpi").withSharedLine().open().tap("Settings").tap("Apps left out").tap("Messages")
        assertTrue(asked(), "These go with it: Contacts storage." in asked() && stage.app.choices.leftOut.isEmpty())
        press(android.app.AlertDialog.BUTTON_POSITIVE)
        stage.settle()
        assertEquals(setOf("org.example.messages", "org.example.storage"), stage.app.choices.leftOut)
        assertEquals(2, stage.texts().count { it == "Not watched" })
        assertTrue(stage.back().says("2 apps"))
        stage.back()
        assertTrue(stage.says("Contacts storage: Not watched, by your choice") && stage.says("Messages: Not watched, by your choice"))
        stage.tap("Settings").tap("Apps left out").tap("Contacts storage")
        assertTrue("watched again together", stage.app.choices.leftOut.isEmpty())
    }

    @Test
    fun anAppThatSharesNoLineIsLeftOutAtOnceAndOneThatComesLaterCounts() {
        val stage = Stage("en-rGB-w360dp-h1440dp-hdpi").withSharedLine().open().tap("Settings").tap("Apps left out").tap("Music")
        assertEquals(setOf("org.example.music"), stage.app.choices.leftOut)
        stage.install("org.example.radio", "Radio", 10_202)
        assertTrue(stage.back().says("2 apps"))
    }

    @Test
    fun theOfferToLeaveAnAppOutNamesWhatGoesWithIt() {
        val stage = Stage().install("com.example.drive", "Drive", 10_203).install("com.example.sheets", "Sheets", 10_203)
        stage.app.failing = "failing"
        stage.open().tap("Leave it out")
        assertTrue(asked(), "These go with it: Sheets." in asked())
    }

    @Test
    fun whatIsAskedBesideIsShownAsSoonAsItIsThere() {
        val stage = Stage().open()
        stage.app.choices.leftOut = setOf("com.example.car")
        stage.returned()
        assertTrue(stage.says("com.example.car: Not watched"))
    }

    /** Today is shown anew each second: a finger that is down meanwhile must come up on the same button. */
    @Test
    fun whatCanBeTappedOnACardStaysTheSame() {
        val stage = Stage()
        stage.app.failing = "failing"
        stage.open()
        fun offer() = stage.views().single { (it as? android.widget.TextView)?.text == "Leave it out" }
        val before = offer()
        stage.returned()
        assertTrue(before === offer())
    }

    private fun Stage.page() = views().filterIsInstance<ScrollView>().last()

    private fun Stage.lowerEdge(view: View) = IntArray(2).also(view::getLocationInWindow)[1] + view.height

    @Test
    fun pagesGoOnBelowTheBarOfTheSystemAndEndAboveIt() {
        for ((phone, bar) in listOf("en-rGB-w1024dp-h640dp-land-mdpi" to 22, Stage.PHONE to 33)) {
            val stage = Stage(phone).open().tap("Readable by anyone. Mi Account")
            val scrolls = stage.views().filterIsInstance<ScrollView>()
            assertEquals(scrolls.map { stage.activity.window.decorView.height to bar }, scrolls.map { stage.lowerEdge(it) to it.paddingBottom })
            assertTrue(scrolls.none { it.clipToPadding })
        }
    }

    @Test
    fun aKeyboardTakesTheRoomOfThePage() {
        val stage = Stage().open().tap("Details").tap("IMEI, SIM 2")
        stage.keyboard = 300
        stage.settle()
        assertEquals(stage.activity.window.decorView.height - stage.dp(300), stage.lowerEdge(stage.page()))
        assertEquals(0, stage.page().paddingBottom)
    }

    @Test
    fun aPageSaysToTalkBackWhichItIs() {
        fun Stage.called() = views().mapNotNull { it.accessibilityPaneTitle?.toString() }
        val stage = Stage().open()
        assertEquals(listOf("Today"), stage.called())
        stage.tap("Readable by anyone. Mi Account")
        assertEquals(listOf("Mi Account sent your phone number to Xiaomi."), stage.called())
        assertEquals(listOf("IMEI, SIM 2"), stage.back().tap("Details").tap("IMEI, SIM 2").called())
    }

    @Test
    fun aPhoneWithoutAndroidsQuestionAboutVpnsSaysSo() {
        ShadowVpnService.setPrepareResult(Intent("consent"))
        val stage = Stage(state = Stage.OFF).open()
        shadowOf(stage.app).checkActivities(true)
        stage.tap("Off")
        assertEquals("Android did not allow it. What apps send is not seen.", ShadowToast.getTextOfLatestToast())
        assertFalse(stage.app.choices.wanted)
    }

    @Test
    fun aPhoneWithoutAPinCannotLockWhatItShows() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi", pin = false).open().tap("Settings")
        assertTrue(stage.says("This phone has no PIN"))
        stage.tap("Lock Telltale")
        assertFalse(stage.app.choices.lockApp)
    }

    @Test
    fun whoGoesOnWatchingAnAppIsNotAskedAgain() {
        val stage = Stage()
        stage.app.failing = "failing"
        stage.open().tap("Keep watching it")
        assertFalse(stage.says("Drive tried"))
        assertFalse(stage.turned().says("Drive tried"))
        assertTrue(stage.app.choices.leftOut.isEmpty())
    }

    @Test
    fun nothingIsLeftOutWhileAndroidBlocksWhatGoesPast() {
        val stage = Stage(state = WatchState.Watching(StageApp.at(3, 40), captive = false, privateDnsName = null, lockdown = true))
        stage.app.failing = "failing"
        stage.app.choices.leftOut = setOf("com.example.car")
        stage.open()
        assertFalse(stage.says("Drive tried"))
        assertTrue(stage.says("com.example.car: Watched while Android blocks") && !stage.says("by your choice"))
    }

    @Test
    fun manyFindingsComeInPages() {
        val stage = Stage()
        stage.app.moreFindings = 480
        stage.open()
        assertEquals(20, stage.last("today").getInt("findings"))
        stage.tap("Show 480 more")
        assertEquals(40, stage.last("today").getInt("findings"))
        stage.tap("Earlier")
        assertEquals("another day begins at its beginning", 20, stage.last("today").getInt("findings"))
    }

    @Test
    fun theDateStepsBackAndNotPastToday() {
        val stage = Stage().open().tap("Earlier")
        assertTrue(stage.says("Monday, 23 November"))
        val range = stage.last("today")
        assertEquals(24 * 3_600_000L, range.getLong("to") - range.getLong("from"))
        stage.tap("Later")
        assertTrue(stage.says("Tuesday, 24 November"))
        assertFalse(stage.views().single { it.contentDescription == "Later" }.isEnabled)
    }

    @Test
    fun allAppsAreSearchedAndChosenByGroup() {
        val stage = Stage().open().tap("All 34")
        stage.tap("Your phone’s maker")
        assertEquals("maker", stage.last("today").getString("group"))
        stage.tap("Your phone’s maker").tap("Registered outside")
        assertTrue(stage.last("today").isNull("group") && stage.last("today").getBoolean("outside"))
        stage.views().filterIsInstance<EditText>().single().setText("tor")
        shadowOf(android.os.Looper.getMainLooper()).idleFor(java.time.Duration.ofMillis(400))
        stage.settle()
        assertEquals("tor", stage.last("today").getString("search"))
        stage.turned()
        assertEquals("tor", stage.last("today").getString("search"))
        stage.tap("Bright Flashlight")
        assertTrue(stage.says("Where it went"))
        stage.back().back()
        assertTrue(stage.says("At least 3 of your details"))
    }

    @Test
    fun aDetailIsRefusedInASentenceThenTakenAndCanBeGivenUp() {
        val stage = Stage().open().tap("Details").tap("IMEI, SIM 2")
        assertTrue(stage.secure())
        stage.tap("Add")
        assertTrue(stage.says("Write something first."))
        stage.app.refused["imei"] = "imei-check"
        stage.views().filterIsInstance<EditText>().single().setText("490154203237517")
        stage.tap("Add")
        assertTrue(stage.says("The last digit does not fit."))
        stage.app.refused.clear()
        stage.tap("Add")
        assertEquals(listOf("imei 490154203237517"), stage.app.added)
        assertTrue(stage.says("Looking for"))
        stage.tap("Phone number").tap("Stop looking")
        press(android.app.AlertDialog.BUTTON_POSITIVE)
        stage.settle()
        assertEquals("removed phone 1", stage.app.added.last())
    }

    @Test
    fun settingsForgetAndDeleteOnlyAfterAYes() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings").tap("Forget the last hour")
        press(android.app.AlertDialog.BUTTON_NEGATIVE)
        stage.settle()
        assertTrue(stage.app.asked.none { it.has("do") })
        stage.tap("Forget the last hour")
        press(android.app.AlertDialog.BUTTON_POSITIVE)
        stage.settle()
        assertEquals(StageApp.NOW - 3_600_000, stage.last("forget").getLong("from"))
        stage.tap("Delete everything")
        press(android.app.AlertDialog.BUTTON_POSITIVE)
        stage.settle()
        assertEquals("erased all", stage.app.added.last())
    }

    @Test
    fun deletingEverythingLeavesNoChoiceFileOrNotice() {
        val stage = Stage().open()
        val app = stage.app
        app.choices.lockApp = true
        app.choices.leftOut = setOf("com.example.car")
        app.choices.gapSeen = 7
        val report = SharedReports.fresh(app, "telltale.txt").apply { writeText("Mi Account") }
        val manager = app.getSystemService(NotificationManager::class.java)
        manager.createNotificationChannel(NotificationChannel("finding", "Finding", NotificationManager.IMPORTANCE_LOW))
        listOf(Notices.WATCHING to null, 2 to "mi-phone").forEach { (id, tag) ->
            manager.notify(tag, id, Notification.Builder(app, "finding").setSmallIcon(R.drawable.ic_eye).build())
        }
        app.eraseBeside()
        assertEquals(mapOf("first_start_done" to true, "wanted" to true), app.getSharedPreferences("choices", 0).all)
        assertFalse(report.exists())
        assertEquals(listOf(Notices.WATCHING), manager.activeNotifications.map { it.id })
        assertEquals("what was left out is watched again", WatchService::class.java.name, stage.started()?.component?.className)
    }

    @Test
    fun aReportIsWrittenInTheClockOfThePhoneAndShared() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings").tap("Export")
        ShadowAlertDialog.getLatestAlertDialog().listView.performItemClick(null, 0, 0)
        stage.settle()
        val asked = stage.last("export")
        assertEquals("UTC", asked.getString("zone"))
        assertEquals(0, asked.getInt("zone_offset"))
        assertFalse("the progress is gone", ShadowAlertDialog.getLatestAlertDialog().isShowing)
        val sent = shadowOf(stage.activity).nextStartedActivity.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)
        assertEquals("telltale.txt", sent?.clipData?.getItemAt(0)?.uri?.lastPathSegment)
    }

    @Test
    fun aReportThatIsBeingWrittenCanBeStopped() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings").tap("Export")
        ShadowAlertDialog.getLatestAlertDialog().listView.performItemClick(null, 1, 0)
        val progress = ShadowAlertDialog.getLatestAlertDialog()
        assertTrue(progress.isShowing && progress.getButton(android.app.AlertDialog.BUTTON_NEGATIVE).text == "Cancel")
        SharedReports.fresh(stage.app, "telltale.csv").writeText("app,")
        press(android.app.AlertDialog.BUTTON_NEGATIVE)
        stage.settle()
        assertFalse(progress.isShowing)
        assertEquals(null, shadowOf(stage.activity).nextStartedActivity)
        assertTrue(File(stage.app.cacheDir, "reports").list().isNullOrEmpty())
    }

    /** What Robolectric's own shadow does not remember. */
    @Implements(Activity::class)
    class Recents : ShadowActivity() {
        var shown = true

        @Implementation
        fun setRecentsScreenshotEnabled(enabled: Boolean) {
            shown = enabled
        }
    }

    @Test
    @Config(shadows = [Recents::class])
    fun whatIsLockedShowsNothingAmongTheRecentApps() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings")
        val recents = Shadow.extract<Recents>(stage.activity)
        assertTrue(recents.shown)
        stage.tap("Lock Telltale")
        assertFalse(recents.shown || stage.secure())
        stage.tap("Lock Telltale")
        assertTrue(recents.shown)
    }

    @Test
    fun whatIsLockedIsSecureWhereAndroidKnowsNoOtherWay() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings")
        assertFalse(stage.secure())
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 32)
        try {
            stage.tap("Lock Telltale")
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 34)
        }
        assertTrue(stage.secure())
    }

    @Test
    fun theTileLeadsToTheConsentAndOnlyThere() {
        ShadowVpnService.setPrepareResult(Intent("consent"))
        val stage = Stage(state = Stage.OFF).open()
        stage.intended(Intent(MainActivity.TURN_ON))
        assertEquals("another app cannot make it ask, which may end another VPN", null, shadowOf(stage.activity).nextStartedActivityForResult)
        stage.intended(Intent(MainActivity.TURN_ON).putExtra(MainActivity.PROOF, MainActivity.proof))
        assertEquals("consent", shadowOf(stage.activity).nextStartedActivityForResult.intent.action)
        ShadowVpnService.setPrepareResult(null)
        stage.intended(Intent(MainActivity.TURN_ON))
        assertEquals("another app cannot turn it on", null, stage.started())
    }

    @Test
    fun whatEndedWithoutAWordIsToldWhenTheAppIsOpened() {
        val stage = Stage(state = WatchState.Off(0, WatchState.Why.Never))
        stage.app.choices.wanted = true
        stage.app.choices.aliveAt = StageApp.at(13, 2)
        stage.open()
        assertTrue(stage.says("Since 13:02") && stage.says("Android ended it."))
    }

    @Test
    fun offWhileAndroidBlocksIsToldWithAWayOut() {
        val stage = Stage(state = WatchState.Off(StageApp.at(13, 0), WatchState.Why.Asked, lockdown = true)).open()
        assertTrue(stage.says("No app has a connection now"))
        stage.tap("Open VPN settings")
        assertEquals(Settings.ACTION_VPN_SETTINGS, shadowOf(stage.activity).nextStartedActivity.action)
    }

    @Test
    fun whatIsLeftOutIsNotCalledUnwatchedWhileAndroidBlocks() {
        val stage = Stage(state = Stage.WATCHING.copy(lockdown = true))
        stage.app.choices.leftOut = setOf("com.example.car")
        stage.open()
        assertTrue(stage.says("com.example.car: Watched while Android blocks") && !stage.says("Not watched, by your choice"))
    }

    @Test
    fun whatMayNotTellSaysSoAndLeadsToAndroidsSettings() {
        val manager = shadowOf(RuntimeEnvironment.getApplication().getSystemService(NotificationManager::class.java))
        manager.setNotificationsEnabled(false)
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings").tap("Android does not let Telltale tell you")
        assertEquals(Settings.ACTION_APP_NOTIFICATION_SETTINGS, shadowOf(stage.activity).nextStartedActivity.action)
        manager.setNotificationsEnabled(true)
        stage.returned()
        assertFalse(stage.says("Android does not let Telltale tell you"))
    }

    @Test
    fun contactsThatAndroidDoesNotAskForAnyMoreLeadToItsSettings() {
        val stage = Stage()
        stage.open()
        stage.activity.askFor(Manifest.permission.READ_CONTACTS, never = { stage.app.added += "never" }) { stage.app.added += "granted" }
        stage.activity.onRequestPermissionsResult(3, arrayOf(Manifest.permission.READ_CONTACTS), intArrayOf(PackageManager.PERMISSION_DENIED))
        assertEquals(listOf("never"), stage.app.added)
    }

    @Test
    fun contactsThatAreAllowedInAndroidsSettingsAreLookedForAtOnce() {
        val stage = Stage().open().tap("Details").returned()
        assertTrue(stage.app.added.isEmpty())
        shadowOf(stage.app).grantPermissions(Manifest.permission.READ_CONTACTS)
        stage.returned().returned()
        assertEquals(listOf("looked for all"), stage.app.added)
    }

    @Test
    fun contactsThatWereAllowedBeforeAreLookedForByATapOnTheirRow() {
        val stage = Stage()
        stage.app.lookedFor = "details-no-contacts"
        shadowOf(stage.app).grantPermissions(Manifest.permission.READ_CONTACTS)
        stage.open()
        stage.app.added.clear()
        stage.tap("Details").tap("Contacts")
        assertEquals(listOf("looked for all"), stage.app.added)
    }

    @Test
    fun anAppThatWasLeftOutAndThenRemovedCanBeTakenBack() {
        val stage = Stage()
        stage.app.choices.leftOut = setOf("com.example.car")
        stage.open().tap("Settings").tap("Apps left out").tap("com.example.car")
        assertTrue(stage.app.choices.leftOut.isEmpty())
    }

    @Test
    fun nothingIsLeftOutWhileAndroidBlocksAlsoWhenOff() {
        val stage = Stage().withSharedLine().open()
        Watch.become(WatchState.Off(0, WatchState.Why.Never, lockdown = true), stage.app)
        stage.tap("Settings").tap("Apps left out").tap("Music")
        assertTrue(stage.app.choices.leftOut.isEmpty())
    }

    @Test
    fun whatIsAllowedInTheBackgroundIsNotOfferedAgain() {
        val power = shadowOf(RuntimeEnvironment.getApplication().getSystemService(PowerManager::class.java))
        val stage = Stage("en-rGB-w360dp-h1440dp-hdpi")
        stage.app.today = "today-troubles"
        stage.open()
        assertTrue(stage.says("Allow in background") && stage.says("Not now"))
        power.setIgnoringBatteryOptimizations(stage.app.packageName, true)
        stage.returned()
        assertTrue(!stage.says("Allow in background") && stage.says("Close"))
    }

    @Test
    fun aTurnedPhoneIsAskedForItsPinOnce() {
        val stage = Stage()
        stage.app.choices.lockApp = true
        stage.open()
        assertNotEquals(null, shadowOf(stage.activity).nextStartedActivityForResult)
        stage.turned()
        assertEquals(null, shadowOf(stage.activity).nextStartedActivityForResult)
    }

    @Test
    fun aSettingIsASwitchForTalkBackToo() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings")
        fun row(): View = stage.views().single { it.contentDescription?.startsWith("Start again") == true }
        fun node() = AccessibilityNodeInfo.obtain().also { row().onInitializeAccessibilityNodeInfo(it) }
        assertEquals(Switch::class.java.name, node().className)
        @Suppress("DEPRECATION")
        assertTrue(node().isChecked)
        stage.tap("Start again")
        @Suppress("DEPRECATION")
        assertFalse(node().isChecked || stage.app.choices.startAfterBoot)
    }

    @Test
    fun everyPageOfTheSettingsOpensAndLeadsBack() {
        val stage = Stage("en-rGB-w360dp-h1400dp-xhdpi").open().tap("Settings")
        for ((name, words) in listOf("Full watch" to "Always on", "Private DNS" to "Who looks up names", "Apps left out" to "goes past Telltale", "About Telltale" to "4c9b4ea")) {
            stage.tap(name)
            assertTrue(name, stage.says(words))
            stage.tap("Back")
        }
        assertTrue(stage.says("Forget the last hour"))
        stage.back()
        assertTrue(stage.says("At least 3 of your details"))
    }

    @Test
    fun theExampleIsMarkedAndAsksOnlyForTheExample() {
        val stage = Stage()
        stage.app.today = "today-calm"
        stage.open().tap("See what it sent")
        assertTrue(stage.says("Nothing here is yours"))
        assertEquals("today", stage.last("example").getJSONObject("of").getString("ask"))
        stage.tap("WhatsApp")
        assertEquals("app", stage.last("example").getJSONObject("of").getString("ask"))
    }

    @Test
    fun aTurnedPhoneStaysWhereItWas() {
        val stage = Stage().open().tap("Earlier").tap("Readable by anyone. Mi Account").turned()
        assertTrue(stage.says("What it means"))
        stage.back()
        assertTrue(stage.says("Monday, 23 November"))
    }

    @Test
    fun whatFailsSaysSoAndCanBeTriedAgain() {
        val stage = Stage()
        stage.app.today = null
        stage.open()
        assertTrue(stage.says("That did not work"))
        stage.tap("Watching")
        assertEquals("it can be turned off all the same", WatchService.STOP, generateSequence { stage.started() }.last().action)
        stage.app.today = "today-findings"
        stage.tap("Try again")
        assertTrue(stage.says("At least 3 of your details"))
    }

    @Test
    fun whatStaysOnAPageKeepsItsView() {
        val stage = Stage().open()
        fun whatsApp() = stage.views().single { it.contentDescription?.startsWith("WhatsApp") == true }
        val before = whatsApp()
        stage.app.today = "today-calm"
        stage.tap("Earlier")
        assertTrue(before === whatsApp())
        assertTrue(before.contentDescription.contains("6.1") && !stage.says("Findings"))
    }

    @Test
    fun everyColourThatCarriesWordsIsReadable() {
        for (palette in listOf(Palette.LIGHT, Palette.DARK)) {
            assertTrue(palette.readable())
            assertTrue(contrast(palette.onAlertSoft, palette.alertSoft) >= Palette.AA && contrast(palette.alert, palette.alertSoft) >= Palette.AA)
            assertTrue(contrast(palette.notice, palette.noticeSoft) >= Palette.AA)
        }
        assertFalse(Palette.LIGHT.copy(ink2 = 0xFFAAAAAA.toInt()).readable())
        assertNotEquals(Palette.LIGHT, Palette.DARK)
    }

    @Test
    fun everyPartOfTheBarIsWideEnoughToBeSeen() {
        val stage = Stage().open()
        val bar = stage.views().filterIsInstance<CoverageBar>().first()
        val picture = stage.draw()
        val at = IntArray(2).also(bar::getLocationInWindow)
        val middle = at[1] + bar.height / 2
        val red = (at[0] until at[0] + bar.width).count { picture.getPixel(it, middle) == Palette.LIGHT.alert }
        val blue = (at[0] until at[0] + bar.width).count { picture.getPixel(it, middle) == Palette.LIGHT.accent }
        assertTrue("$red $blue", red >= stage.dp(5) && blue >= stage.dp(5))
    }

    @Test
    fun anAnswerWithoutAMemberIsAnErrorAndNotAGuess() {
        val whole = JSONObject(StageApp::class.java.getResource("/answers/today-calm.json")!!.readText())
        whole.remove("lead")
        assertTrue(runCatching { org.telltale.app.ui.Read.today(whole) }.isFailure)
    }
}
