package org.telltale.app

import android.Manifest
import android.app.Activity
import android.app.KeyguardManager
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.content.res.Configuration
import android.graphics.Insets
import android.net.VpnService
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.view.View
import android.view.WindowInsets
import android.view.WindowInsetsController
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher
import org.telltale.app.screens.Place
import org.telltale.app.screens.Shell
import org.telltale.app.service.Notices
import org.telltale.app.service.Watch
import org.telltale.app.service.WatchService
import org.telltale.app.service.WatchState

/** The one window: shows the pages, asks Android for what only a window may ask. */
class MainActivity : Activity() {
    private val ground by lazy { (application as TelltaleApp).ground }
    private lateinit var shell: Shell
    private val main = Handler(Looper.getMainLooper())
    private val look: (WatchState) -> Unit = { watchChanged(it) }
    private val refresh = Runnable { shell.refresh() }
    private var deaf: () -> Unit = {}
    private var granted: () -> Unit = {}
    private var refused: () -> Unit = {}
    private var unlocked = false
    private var asking = false
    private var backCallback: OnBackInvokedCallback? = null

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        unlocked = saved?.getBoolean("unlocked") ?: false
        asking = saved?.getBoolean("asking") ?: false // the answer comes to whoever stands here then
        shell = Shell(this, ground)
        setContentView(shell.view)
        edgeToEdge()
        shell.restore(saved)
        if (saved == null) openNamed(intent)
        if (saved == null) askForConsent(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        openNamed(intent)
        askForConsent(intent)
    }

    /**
     * From the tile, which cannot ask. Other apps can send this too, but do not know the proof: `prepare` alone would
     * already end another VPN, where we have an old consent.
     */
    private fun askForConsent(intent: Intent) {
        if (intent.action != TURN_ON) return
        intent.action = null
        if (ground.choices.firstStartDone && intent.getStringExtra(PROOF) == proof) turn(true)
    }

    /** From a notification: the finding that it told of. */
    private fun openNamed(intent: Intent) {
        val key = intent.getStringExtra(Notices.KEY) ?: return
        intent.removeExtra(Notices.KEY)
        if (!ground.choices.firstStartDone) return
        shell.choose(Place.Kind.Today)
        shell.go(Place(Place.Kind.Finding, key))
    }

    /** What is chosen in Android's settings, where the person comes back from, is in no answer of the core. */
    override fun onRestart() {
        super.onRestart()
        shell.redraw()
    }

    override fun onStart() {
        super.onStart()
        Watch.listen(look)
        deaf = ground.hear(::soon)
        if (locked()) return
        shell.refresh()
    }

    override fun onStop() {
        Watch.unlisten(look)
        deaf()
        main.removeCallbacks(refresh)
        shell.leave()
        if (!isChangingConfigurations && !asking) unlocked = false
        super.onStop()
    }

    override fun onSaveInstanceState(into: Bundle) {
        super.onSaveInstanceState(into)
        into.putBoolean("unlocked", unlocked)
        into.putBoolean("asking", asking)
        shell.save(into)
    }

    private fun watchChanged(state: WatchState) {
        if (state is WatchState.Watching && ground.choices.firstWatchAt == 0L) ground.choices.firstWatchAt = ground.clock()
        shell.redraw()
        shell.refresh()
    }

    /** Figures move at most once a second, so that they can be read. */
    private fun soon() {
        if (!main.hasCallbacks(refresh)) main.postDelayed(refresh, 1000)
    }

    // Watching.

    /** Android asks for its own consent first, whenever that is missing. */
    fun turn(on: Boolean) {
        ground.choices.wanted = on
        if (!on) {
            WatchService.stop(this)
            return
        }
        val consent = VpnService.prepare(this)
        if (consent == null) return start()
        asking = true
        try {
            @Suppress("DEPRECATION") // the newer one is AndroidX's
            startActivityForResult(consent, CONSENT)
        } catch (_: ActivityNotFoundException) { // some makers leave Android's question out
            notAllowed()
        }
    }

    private fun notAllowed() {
        asking = false
        ground.choices.wanted = false
        shell.say(getString(R.string.no_consent))
    }

    private fun start() {
        if (!WatchService.start(this)) return shell.say(getString(R.string.error_title))
        if (Build.VERSION.SDK_INT >= 33 && !ground.choices.askedToNotify) {
            ground.choices.askedToNotify = true
            askFor(Manifest.permission.POST_NOTIFICATIONS) {}
        }
    }

    @Deprecated("the newer one is AndroidX's")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        asking = false
        when (request) {
            CONSENT -> if (result == RESULT_OK) start() else notAllowed()
            UNLOCK -> if (result == RESULT_OK) unlock() else finish()
        }
    }

    /** [never]: Android does not even ask any more, since the person has refused before. */
    fun askFor(permission: String, never: () -> Unit = {}, then: () -> Unit) {
        if (checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED) return then()
        val before = shouldShowRequestPermissionRationale(permission)
        granted = then
        refused = { if (!before && !shouldShowRequestPermissionRationale(permission)) never() }
        requestPermissions(arrayOf(permission), PERMISSION)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        if (results.firstOrNull() == PackageManager.PERMISSION_GRANTED) granted() else if (results.isNotEmpty()) refused()
        granted = {}
        refused = {}
    }

    // The lock, where the person chose one.

    /** Whether nothing may be shown yet; then Android asks for the phone's own PIN, pattern or finger. */
    private fun locked(): Boolean {
        val keyguard = getSystemService(KeyguardManager::class.java)
        if (!ground.choices.lockApp || unlocked || !keyguard.isDeviceSecure) {
            shell.view.visibility = View.VISIBLE
            return false
        }
        shell.view.visibility = View.INVISIBLE
        if (!asking) {
            asking = true
            @Suppress("DEPRECATION") // BiometricPrompt takes the device's credential alone only from Android 11 on
            startActivityForResult(keyguard.createConfirmDeviceCredentialIntent(getString(R.string.app_name), null), UNLOCK)
        }
        return true
    }

    private fun unlock() {
        unlocked = true
        shell.view.visibility = View.VISIBLE
        shell.refresh()
    }

    // The way back.

    /** With nothing to go back to, the system's own gesture leaves the app, and shows that while it is drawn. */
    fun wayBackChanged() {
        if (Build.VERSION.SDK_INT < 33) return
        val wanted = shell.canGoBack()
        val old = backCallback
        if (wanted == (old != null)) return
        if (old != null) {
            onBackInvokedDispatcher.unregisterOnBackInvokedCallback(old)
            backCallback = null
        } else {
            backCallback = OnBackInvokedCallback { shell.back() }.also {
                onBackInvokedDispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, it)
            }
        }
    }

    @Deprecated("from Android 13 on the callback above")
    @Suppress("DEPRECATION")
    override fun onBackPressed() {
        if (shell.canGoBack()) shell.back() else super.onBackPressed()
    }

    // To the edges.

    private fun edgeToEdge() {
        if (Build.VERSION.SDK_INT >= 30) {
            window.setDecorFitsSystemWindows(false)
            val light = WindowInsetsController.APPEARANCE_LIGHT_STATUS_BARS or WindowInsetsController.APPEARANCE_LIGHT_NAVIGATION_BARS
            window.insetsController?.setSystemBarsAppearance(if (isNight()) 0 else light, light)
        } else {
            @Suppress("DEPRECATION")
            window.decorView.systemUiVisibility = View.SYSTEM_UI_FLAG_LAYOUT_STABLE or View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or
                View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION or
                (if (isNight()) 0 else View.SYSTEM_UI_FLAG_LIGHT_STATUS_BAR or View.SYSTEM_UI_FLAG_LIGHT_NAVIGATION_BAR)
        }
        shell.view.setOnApplyWindowInsetsListener { _, insets ->
            shell.inset(taken(insets), keyboard(insets))
            insets
        }
    }

    @Suppress("DEPRECATION")
    private fun taken(insets: WindowInsets): Insets {
        if (Build.VERSION.SDK_INT >= 30) return insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
        return insets.systemWindowInsets.run { Insets.of(left, top, right, insets.stableInsets.bottom) }
    }

    /** How high it stands from the lower edge of the window. */
    @Suppress("DEPRECATION")
    private fun keyboard(insets: WindowInsets) =
        if (Build.VERSION.SDK_INT >= 30) insets.getInsets(WindowInsets.Type.ime()).bottom else insets.systemWindowInsets.bottom

    private fun isNight() = resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK == Configuration.UI_MODE_NIGHT_YES

    companion object {
        /** Asks for the consent that watching needs, where it is missing. */
        const val TURN_ON = "org.telltale.app.TURN_ON"

        /** That it was this process that asks. */
        const val PROOF = "proof"
        val proof: String = java.util.UUID.randomUUID().toString()
        private const val CONSENT = 1
        private const val UNLOCK = 2
        private const val PERMISSION = 3
    }
}
