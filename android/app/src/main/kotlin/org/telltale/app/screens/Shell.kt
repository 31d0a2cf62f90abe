package org.telltale.app.screens

import android.animation.ValueAnimator
import android.graphics.Insets
import android.os.Build
import android.os.Bundle
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.WindowManager
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.Toast
import org.telltale.app.MainActivity
import org.telltale.app.R
import org.telltale.app.ui.Look
import org.telltale.app.ui.Tab
import org.telltale.app.ui.Tabs
import org.telltale.app.ui.Type
import org.telltale.app.ui.column
import org.telltale.app.ui.icon
import org.telltale.app.ui.label
import org.telltale.app.ui.put

/** The frame around the pages: the way back, the tabs, and on wide screens two pages beside each other. */
class Shell(val activity: MainActivity, val ground: Ground) {
    val look = Look(activity, ground.choices.wallpaperColours)
    private val configuration = activity.resources.configuration
    private val rail = configuration.screenWidthDp >= 600
    private val twoPanes = configuration.screenWidthDp >= 840
    private val trail = ArrayList<Place>()
    private val states = HashMap<Place, Bundle>()
    private var shown: List<Screen> = emptyList()
    private val tabs = Tabs(look, rail, ::choose)
    private val list = FrameLayout(activity)
    private val page = FrameLayout(activity)
    private val pageFrame = FrameLayout(activity)
    private val edge = line()
    val view: View = frame()
    val leavingOut = LeavingOut(this)

    /** What is opened beside the list, if anything. */
    val chosen: Place? get() = if (twoPanes && trail.size > 1) trail.last() else null

    private fun frame(): View {
        pageFrame.addView(page, FrameLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT, Gravity.CENTER_HORIZONTAL))
        val frame = LinearLayout(activity)
        frame.setBackgroundColor(look.palette.paper)
        frame.orientation = if (rail) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
        if (rail) frame.put(tabs, look.dp(80), MATCH_PARENT)
        if (rail) frame.put(line(), look.dp(1), MATCH_PARENT)
        if (twoPanes) {
            frame.put(list, look.dp(400), MATCH_PARENT)
            frame.put(line(), look.dp(1), MATCH_PARENT)
        }
        if (rail) frame.put(pageFrame, 0, MATCH_PARENT, weight = 1f) else frame.put(pageFrame, height = 0, weight = 1f)
        if (!rail) frame.put(edge, height = look.dp(1))
        if (!rail) frame.put(tabs)
        // Nothing of a page is wider than is good to read.
        pageFrame.addOnLayoutChangeListener { _, left, _, right, _, _, _, _, _ -> narrow(right - left) }
        return frame
    }

    private fun narrow(width: Int) {
        val most = look.dp(if (twoPanes) 640 else 560)
        val wanted = if (rail && width > most) most else MATCH_PARENT
        if (page.layoutParams.width == wanted) return
        page.layoutParams.width = wanted
        page.post { page.requestLayout() }
    }

    private fun line() = View(activity).apply { setBackgroundColor(look.palette.line) }

    /** Room for what the system draws over us. The rail stands where reading begins, and has that edge; the page the other. */
    fun inset(insets: Insets, keyboard: Int) {
        // What the system draws lies over pages, which go on below it; a keyboard takes their room.
        val lower = maxOf(insets.bottom, keyboard)
        val taken = if (keyboard > insets.bottom) keyboard else 0
        val atRail = if (look.rightToLeft) insets.right else insets.left
        val atPage = if (look.rightToLeft) insets.left else insets.right
        val side = if (twoPanes) look.dp(24) else 0
        if (rail) tabs.layoutParams.width = look.dp(80) + atRail
        if (rail) tabs.setPaddingRelative(atRail, insets.top + look.dp(16), 0, lower) else tabs.setPadding(insets.left, 0, insets.right, lower)
        list.setPaddingRelative(0, insets.top, 0, taken)
        pageFrame.setPaddingRelative(side + if (railed()) 0 else atRail, insets.top, side + atPage, if (overTabs()) 0 else taken)
        val below = if (overTabs() || taken > 0) 0 else insets.bottom
        shown.forEach { it.endAbove(below) }
    }

    /** Below the page stand the tabs, which have room for what the system draws. */
    private fun overTabs() = tabbed() && !rail

    private fun railed() = rail && tabbed()

    private fun tabbed() = tabs.visibility == View.VISIBLE

    // The way through the app.

    fun go(place: Place) {
        remember()
        val beside = twoPanes && trail.size > 1 && place.kind == trail.last().kind
        if (beside) trail.removeAt(trail.lastIndex) // another of the same list: the way back stays short
        if (trail.lastOrNull() != place) trail.add(place)
        states.remove(place)
        show(fade = true)
    }

    fun choose(tab: Tab) = choose(Place.Kind.valueOf(tab.name))

    fun choose(kind: Place.Kind) {
        remember()
        trail.clear()
        trail.add(Place(kind))
        show(fade = true)
    }

    fun canGoBack() = trail.size > 1 || trail.firstOrNull()?.kind.let { it != null && it != Place.Kind.Today && it != Place.Kind.First }

    fun back() {
        if (trail.size > 1) trail.removeAt(trail.lastIndex) else choose(Place.Kind.Today)
        show(fade = true)
    }

    fun mayGoBack(screen: Screen) = !(twoPanes && trail.indexOf(screen.place) == 1)

    /** After the first start. */
    fun begin(watch: Boolean) {
        ground.choices.firstStartDone = true
        choose(Place.Kind.Today)
        if (watch) turn(true)
    }

    fun turn(on: Boolean) = activity.turn(on)

    fun askFor(permission: String, never: () -> Unit, then: () -> Unit) = activity.askFor(permission, never, then)

    fun say(words: String) = Toast.makeText(activity, words, Toast.LENGTH_LONG).show()

    // What stands on the screen.

    /** From what the system kept, or from the beginning. */
    fun restore(from: Bundle?) {
        trail.clear()
        from?.getStringArrayList("trail")?.mapNotNullTo(trail) { Place.of(it) }
        trail.forEachIndexed { at, place -> from?.getBundle("page $at")?.let { states[place] = it } }
        if (trail.isEmpty()) trail.add(if (ground.choices.firstStartDone) Place(Place.Kind.Today) else Place(Place.Kind.First, "0"))
        show(fade = false)
    }

    fun save(into: Bundle) {
        remember()
        into.putStringArrayList("trail", ArrayList(trail.map { it.toString() }))
        trail.forEachIndexed { at, place -> states[place]?.let { into.putBundle("page $at", it) } }
    }

    fun refresh() = shown.forEach { it.refresh() }

    fun redraw() = shown.forEach { it.redraw() }

    fun leave() = shown.forEach { it.leave() }

    private fun remember() {
        states.keys.retainAll(trail.toSet())
        shown.forEach { screen -> states[screen.place] = Bundle().also(screen::save) }
    }

    private fun show(fade: Boolean) {
        val old = shown
        val wanted = if (twoPanes && trail.first().kind != Place.Kind.First) listOf(trail.first()) + trail.drop(1).takeLast(1) else listOf(trail.last())
        shown = wanted.map { place -> old.find { it.place == place } ?: open(place) }
        old.filter { it !in shown }.forEach { it.leave() }
        if (twoPanes && wanted.first().kind != Place.Kind.First) {
            list.visibility = View.VISIBLE
            put(list, shown.first().view, fade)
            put(page, shown.getOrNull(1)?.view ?: nothingChosen(), fade)
        } else {
            list.visibility = View.GONE
            put(page, shown.last().view, fade)
        }
        dress()
        shown.forEach { it.redraw() }
    }

    private fun put(into: FrameLayout, view: View, fade: Boolean) {
        if (into.getChildAt(0) === view && into.childCount == 1) return
        into.removeAllViews()
        (view.parent as? FrameLayout)?.removeView(view)
        into.addView(view, FrameLayout.LayoutParams(MATCH_PARENT, MATCH_PARENT))
        if (!fade || !ValueAnimator.areAnimatorsEnabled()) return
        view.alpha = 0f
        view.animate().alpha(1f).setDuration(150).start()
    }

    /** After a choice of the lock. */
    fun lockChanged() = dress()

    /** The tabs stand below their own pages; secrets are kept out of screenshots, and what is locked out of the recent apps. */
    private fun dress() {
        val kind = trail.first().kind
        val tab = Tab.values().find { it.name == kind.name }
        tabs.visibility = if (tab != null && (rail || trail.size == 1)) View.VISIBLE else View.GONE
        edge.visibility = tabs.visibility
        tab?.let(tabs::choose)
        val secure = shown.any { it.secure } || (ground.choices.lockApp && Build.VERSION.SDK_INT < 33)
        if (Build.VERSION.SDK_INT >= 33) activity.setRecentsScreenshotEnabled(!ground.choices.lockApp)
        val flag = WindowManager.LayoutParams.FLAG_SECURE
        activity.window.setFlags(if (secure) flag else 0, flag)
        activity.wayBackChanged()
        view.requestApplyInsets()
    }

    private fun nothingChosen() = look.column {
        gravity = Gravity.CENTER
        put(look.icon(R.drawable.ribbons_on, look.palette.outline), look.dp(44), look.dp(44), gravity = Gravity.CENTER_HORIZONTAL)
        put(look.label(Type.Body, look.text(R.string.nothing_chosen), look.palette.ink2).apply { textAlignment = View.TEXT_ALIGNMENT_CENTER }, top = 12)
    }

    private fun open(place: Place): Screen {
        val screen = make(place)
        screen.view
        states[place]?.let(screen::restore)
        return screen
    }

    private fun make(place: Place): Screen = when (place.kind) {
        Place.Kind.First -> FirstScreen(this, place)
        Place.Kind.Today -> TodayScreen(this, place)
        Place.Kind.Apps -> AppsScreen(this, place)
        Place.Kind.App -> AppScreen(this, place)
        Place.Kind.Finding -> FindingScreen(this, place)
        Place.Kind.Details -> DetailsScreen(this, place)
        Place.Kind.Detail -> DetailScreen(this, place)
        Place.Kind.AddDetail -> AddDetailScreen(this, place)
        Place.Kind.Settings -> SettingsScreen(this, place)
        Place.Kind.LeftOut -> LeftOutScreen(this, place)
        Place.Kind.PrivateDns, Place.Kind.FullWatch -> ExplainScreen(this, place)
        Place.Kind.About -> AboutScreen(this, place)
    }
}
