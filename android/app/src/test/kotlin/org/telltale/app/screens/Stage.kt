package org.telltale.app.screens

import android.Manifest
import android.animation.ValueAnimator
import android.app.KeyguardManager
import android.content.Intent
import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Insets
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.TextView
import org.json.JSONArray
import org.json.JSONObject
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowSettings
import org.robolectric.util.ReflectionHelpers
import org.robolectric.util.ReflectionHelpers.ClassParameter
import org.telltale.app.MainActivity
import org.telltale.app.TelltaleApp
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchState
import org.telltale.app.ui.Answers
import org.telltale.app.ui.Icons
import org.telltale.app.ui.children
import java.util.Collections
import java.util.Locale
import java.util.TimeZone
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** The app without its core: answers come from files, and what was asked is written down. */
class StageApp : TelltaleApp() {
    val asked: MutableList<JSONObject> = Collections.synchronizedList(ArrayList())

    /** Which file answers which question; null is a core that fails. */
    @Volatile
    var today: String? = "today-findings"

    /** Which file tells of apps that get no answers. */
    @Volatile
    var failing = "failing-none"

    /** Which file tells what is looked for. */
    @Volatile
    var lookedFor = "details"

    /** Findings that are behind those of the answer. */
    @Volatile
    var moreFindings = 0
    val refused = HashMap<String, String>()

    /** With what the core refuses to answer for one finding or app. */
    @Volatile
    var gone: String? = null
    val added = ArrayList<String>()

    override val ground by lazy {
        val answers = Answers(::answer)
        Ground(answers, Icons(packageManager, answers, 1f), choices, leftOut, ::add, ::remove, ::erase, ::look, { {} }, { VERSION }, { NOW })
    }

    private fun answer(question: String): String {
        val whole = JSONObject(question)
        asked.add(whole)
        val asked = if (whole.optString("ask") == "example") whole.getJSONObject("of") else whole
        if (asked.has("do")) return """{"done":true}"""
        val answer = JSONObject(file(nameFor(asked))).apply { if (has("findings")) put("more_findings", moreFindings) }.toString()
        return if (asked.optString("locale") == "en-XA") Accents.of(JSONObject(answer)).toString() else answer
    }

    private fun nameFor(question: JSONObject) = when (val kind = question.getString("ask")) {
        "today" -> if (question.getLong("now") < NOW) "today-before" else today ?: throw IllegalStateException("no records")
        "failing" -> failing
        "details" -> lookedFor
        "finding" -> gone?.let { throw IllegalArgumentException(it) } ?: "finding"
        else -> kind
    }

    private fun add(kind: String, value: ByteArray, then: (Result<JSONObject>) -> Unit) {
        val errors = JSONArray()
        refused[kind]?.let { errors.put(JSONObject().put("line", 1).put("kind", kind).put("code", it).put("sentence", "No sentence of the core")) }
        if (errors.length() == 0) added.add("$kind ${String(value)}")
        value.fill(0)
        then(Result.success(JSONObject().put("errors", errors)))
    }

    private fun look(then: (Result<JSONObject>) -> Unit) {
        added.add("looked for all")
        then(Result.success(JSONObject()))
    }

    private fun erase(then: (Result<JSONObject>) -> Unit) {
        added.add("erased all")
        then(Result.success(JSONObject()))
    }

    private fun remove(kind: String, number: Int, then: (Result<JSONObject>) -> Unit) {
        added.add("removed $kind $number")
        then(Result.success(JSONObject()))
    }

    companion object {
        const val NOW = 1795530000000L // 24 November 2026, 14:20 UTC
        const val VERSION = """{"version":"0.1.0","build":"4c9b4ea","licences":"kotlin-stdlib, Apache-2.0"}"""

        fun at(hour: Int, minute: Int) = NOW - (14 * 60 + 20 - hour * 60 - minute) * 60_000L

        private fun file(name: String) =
            StageApp::class.java.getResource("/answers/$name.json")?.readText() ?: throw IllegalArgumentException("no answer for $name")
    }
}

/** One window on one kind of phone. */
class Stage(qualifiers: String = PHONE, fontScale: Float = 1f, state: WatchState? = WATCHING, firstDone: Boolean = true, wallpaper: Boolean = false, pin: Boolean = true) {
    private val any = RuntimeEnvironment.getApplication() as TelltaleApp
    val app get() = any as StageApp
    private val controller: ActivityController<MainActivity>
    val activity: MainActivity get() = controller.get()

    init {
        RuntimeEnvironment.setQualifiers(qualifiers)
        RuntimeEnvironment.setFontScale(fontScale)
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        Locale.setDefault(RuntimeEnvironment.getApplication().resources.configuration.locales[0])
        ShadowSettings.set24HourTimeFormat(true)
        ReflectionHelpers.callStaticMethod<Void>(ValueAnimator::class.java, "setDurationScale", ClassParameter.from(Float::class.javaPrimitiveType, 0f))
        any.choices.firstStartDone = firstDone
        any.choices.wallpaperColours = wallpaper
        state?.let { Watch.become(it) }
        val keyguard = shadowOf(any.getSystemService(KeyguardManager::class.java))
        keyguard.setIsDeviceSecure(pin)
        keyguard.setIsDeviceSecure(0, pin) // of the first person on the phone
        controller = Robolectric.buildActivity(MainActivity::class.java)
    }

    /** The height of the keyboard, if one is shown, in dp. */
    var keyboard = 0

    /** An app on the phone; those of one uid share a line. */
    fun install(name: String, label: String, uid: Int) = apply {
        val installed = PackageInfo().apply {
            packageName = name
            requestedPermissions = arrayOf(Manifest.permission.INTERNET)
            requestedPermissionsFlags = intArrayOf(PackageInfo.REQUESTED_PERMISSION_GRANTED)
            applicationInfo = ApplicationInfo().apply {
                packageName = name
                this.uid = uid
                this.name = name
                nonLocalizedLabel = label
            }
        }
        val packages = shadowOf(any.packageManager)
        val others = any.packageManager.getPackagesForUid(uid).orEmpty()
        packages.installPackage(installed)
        packages.setPackagesForUid(uid, *(others.toSet() + name).toTypedArray())
    }

    fun open(): Stage {
        controller.setup()
        settle()
        return this
    }

    /** Opened again at some place, as after the system had ended the app. */
    internal fun at(vararg trail: Place): Stage {
        val kept = Bundle().apply { putStringArrayList("trail", ArrayList(trail.map { it.toString() })) }
        controller.setup(kept)
        settle()
        return this
    }

    /** What a turned phone does: the activity ends and begins again with what it kept. */
    fun turned() = apply {
        controller.recreate()
        settle()
    }

    /** From another app, such as Android's settings. */
    fun returned() = apply {
        controller.pause().stop().restart().resume()
        settle()
    }

    fun close() {
        controller.pause().stop().destroy()
    }

    fun intended(intent: Intent) = apply {
        controller.newIntent(intent)
        settle()
    }

    fun back() = apply {
        @Suppress("DEPRECATION")
        activity.onBackPressed()
        settle()
    }

    /** Until no answer is on its way any more. */
    fun settle() {
        repeat(4) {
            val done = CountDownLatch(1)
            any.ground.answers.work({ done.countDown() }) {}
            check(done.await(10, TimeUnit.SECONDS)) { "no answer came" }
            shadowOf(android.os.Looper.getMainLooper()).idle()
        }
        layout()
    }

    /** As tall as all that is on it, so that one picture shows the whole page. */
    private fun layout() {
        val decor = activity.window.decorView
        val metrics = activity.resources.displayMetrics
        val bars = Insets.of(0, dp(28), 0, dp(22))
        val insets = WindowInsets.Builder().setInsets(WindowInsets.Type.systemBars(), bars)
            .setInsets(WindowInsets.Type.ime(), Insets.of(0, 0, 0, dp(keyboard))).build()
        activity.findViewById<View>(android.R.id.content).dispatchApplyWindowInsets(insets)
        decor.measure(exactly(metrics.widthPixels), exactly(metrics.heightPixels))
        decor.layout(0, 0, metrics.widthPixels, metrics.heightPixels)
    }

    private fun exactly(size: Int) = View.MeasureSpec.makeMeasureSpec(size, View.MeasureSpec.EXACTLY)

    fun dp(value: Int) = (value * activity.resources.displayMetrics.density + 0.5f).toInt()

    fun draw(): Bitmap {
        layout()
        val decor = activity.window.decorView
        views().forEach { it.isVerticalScrollBarEnabled = false } // it would fade in time
        val bitmap = Bitmap.createBitmap(decor.width, decor.height, Bitmap.Config.ARGB_8888)
        decor.draw(Canvas(bitmap))
        return bitmap
    }

    /** All that stands on the screen. */
    fun views(): List<View> = all(activity.findViewById(android.R.id.content)).filter { it.isShown }

    private fun all(view: View): List<View> = listOf(view) + ((view as? ViewGroup)?.children()?.flatMap(::all) ?: emptyList())

    fun texts() = views().mapNotNull { (it as? TextView)?.text?.toString() }.filter { it.isNotEmpty() }

    fun says(words: String) = texts().any { words in it }

    /** Taps the first thing that can be tapped and is called that, or holds it. */
    fun tap(words: String) = apply {
        val tappable = views().filter { it.isClickable && it.hasOnClickListeners() }
        val found = tappable.find { it.contentDescription?.startsWith(words) == true || (it as? TextView)?.text?.startsWith(words) == true }
            ?: tappable.find { it.contentDescription?.contains(words) == true }
            ?: throw AssertionError("nothing called \"$words\" among ${tappable.map { it.contentDescription ?: (it as? TextView)?.text }}")
        found.performClick()
        settle()
    }

    companion object {
        const val PHONE = "en-rGB-w360dp-h800dp-hdpi"
        val WATCHING = WatchState.Watching(StageApp.at(3, 40), captive = false, privateDnsName = null, lockdown = false)
        val OFF = WatchState.Off(StageApp.at(0, 0) - 79 * 60_000L, WatchState.Why.Revoked)
    }
}
