package org.telltale.app.screens

import android.app.NotificationManager
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.Shadows.shadowOf
import org.telltale.app.service.Notices
import org.telltale.app.ui.Read
import java.io.File

/**
 * Where Kotlin and Rust meet: what the screens and the service ask is what rust/screens/golden/questions.json has, in which the core's
 * own tests answer each, and what they answer is read here.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(application = StageApp::class, sdk = [34])
class SeamTest {
    private fun golden(name: String) = File("../rust/screens/golden/$name.json").readText()

    private val questions = JSONArray(golden("questions")).let { all -> (0 until all.length()).map(all::getJSONObject) }
        .associate { it.getString("name") to it.getJSONObject("question") }

    /** Asked by the service and by the process, not by a screen. */
    private val ofTheService = setOf("notification", "alerts", "alerted", "mute", "delete")

    /** What is asked, and which members of which type it has. */
    private fun shape(question: JSONObject): String = question.keys().asSequence().sorted().joinToString { name ->
        val value = question.get(name)
        "$name: " + when {
            name == "ask" || name == "do" -> value
            value is JSONObject -> "{${shape(value)}}"
            value is Number -> "number"
            value is Boolean -> "yes or no"
            value == JSONObject.NULL -> "nothing"
            else -> "text"
        }
    }

    @Test
    fun theScreensAskWhatTheCoreAnswers() {
        val asked = HashSet<String>()
        fun walk(stage: Stage, way: Stage.() -> Unit) {
            stage.app.today = "today-findings"
            stage.way()
            stage.app.asked.filter { it.optString("ask") != "state" }.forEach { asked.add(shape(it)) }
            stage.close()
        }
        walk(Stage()) {
            app.choices.firstWatchAt = StageApp.NOW - 60_000
            app.today = "today-calm"
            open().tap("See what it sent").tap("WhatsApp")
        }
        walk(Stage()) { at(Place(Place.Kind.Today, example = true), Place(Place.Kind.Finding, "mi-phone", example = true)) }
        walk(Stage()) { open().tap("Readable by anyone. Mi Account").tap("Expected") }
        walk(Stage()) { open().tap("All 34").tap("WhatsApp") }
        walk(Stage()) {
            open().tap("All 34").tap("Your phone’s maker")
            views().filterIsInstance<android.widget.EditText>().single().setText("tor")
            org.robolectric.Shadows.shadowOf(android.os.Looper.getMainLooper()).idleFor(java.time.Duration.ofMillis(400))
            settle()
        }
        walk(Stage()) { open().tap("Details").tap("IMEI, SIM 1") }
        walk(Stage("en-rGB-w360dp-h1400dp-xhdpi")) {
            open().tap("Settings").tap("Forget the last hour")
            ShadowAlertDialog.getLatestAlertDialog().getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
            settle()
            tap("Export")
            ShadowAlertDialog.getLatestAlertDialog().listView.performItemClick(null, 0, 0)
            settle()
        }
        val answered = questions.filterKeys { it !in ofTheService - "mute" }.values.map(::shape).toSet()
        assertEquals(answered.sorted().joinToString("\n"), (asked intersect answered).sorted().joinToString("\n"))
        val loose = asked.filter { it !in answered && !loosely(it, answered) }
        assertTrue("the core is never tested with:\n" + loose.joinToString("\n"), loose.isEmpty())
    }

    @Test
    fun theServiceAsksWhatTheCoreAnswers() {
        val stage = Stage()
        val app = stage.app
        val asked = ArrayList<JSONObject>()
        val core = { question: JSONObject, then: (Result<JSONObject>) -> Unit ->
            asked.add(question)
            then(Result.success(if (question.has("do")) JSONObject().put("done", true) else JSONObject(golden(question.getString("ask")))))
        }
        val notices = Notices(app, core, app.choices, app.gaps)
        notices.refresh()
        val shown = shadowOf(app.getSystemService(NotificationManager::class.java)).allNotifications.map { it.extras.getString("android.title") }
        notices.expected("identifier-sent|com.xiaomi.account|xiaomi|phone #5 open")
        app.erase(core) {}
        val answered = questions.filterKeys { it in ofTheService }.values.map(::shape).toSet()
        assertEquals(answered.sorted().joinToString("\n"), asked.map(::shape).toSet().sorted().joinToString("\n"))
        val alert = JSONObject(golden("alerts")).getJSONArray("alerts").getJSONObject(0)
        assertTrue("$shown", alert.getString("title") in shown)
        assertEquals(alert.getString("key"), asked.first { it.optString("do") == "alerted" }.getString("key"))
    }

    /** The list of apps asks for a search or none, a group or none. */
    private fun loosely(shape: String, answered: Set<String>): Boolean {
        fun any(text: String) = text.replace(Regex("(search|group): (text|nothing)"), "$1")
        return any(shape) in answered.map(::any)
    }

    @Test
    fun everyAnswerIsRead() {
        for ((name, question) in questions) {
            val of = question.optJSONObject("of") ?: question
            if (of.has("do")) continue
            val answer = JSONObject(golden(name))
            when (of.getString("ask")) {
                "today" -> Read.today(answer)
                "app" -> Read.appAnswer(answer)
                "finding" -> Read.findingAnswer(answer)
                "details" -> Read.details(answer)
                "minute" -> Read.minute(answer)
                "failing" -> Read.failing(answer).single()
                "notification" -> answer.getString("notification")
                "alerts" -> answer.getJSONArray("alerts").getJSONObject(0).let { alert -> listOf("key", "title", "text", "lock").forEach(alert::getString) }
                else -> throw AssertionError("nobody reads $name")
            }
        }
    }

    @Test
    fun whatWasForgottenSaysSoAndIsNoError() {
        val stage = Stage()
        stage.app.gone = JSONArray(golden("errors")).let { all -> (0 until all.length()).map(all::getJSONObject) }
            .single { it.getString("name") == "a finding that was forgotten" }.getString("error")
        stage.at(Place(Place.Kind.Today), Place(Place.Kind.Finding, "gone"))
        assertTrue(stage.says("Not here any more") && !stage.says("could not read"))
    }
}
