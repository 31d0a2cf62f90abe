package org.telltale.app.screens

import android.content.pm.ApplicationInfo
import android.text.Editable
import android.text.TextWatcher
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.Part
import org.telltale.app.ui.SettingRow
import org.telltale.app.ui.Type
import org.telltale.app.ui.column
import org.telltale.app.ui.field
import org.telltale.app.ui.pad
import org.telltale.app.ui.put

/** Apps that the person does not want watched: none by default, and each of them then stands on Today. */
class LeftOutScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private class Installed(val name: String, val label: String)

    private var apps: List<Installed>? = null
    private var loading = false
    private var search = ""

    private val words = look.field(look.text(R.string.search)).apply {
        addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
            override fun afterTextChanged(text: Editable) {
                search = text.toString().trim()
                refresh()
            }
        })
    }
    private val searchRow = look.column {
        pad(look.gutter, look.dp(16), look.gutter, look.dp(8))
        put(words)
    }

    override fun top() = bar(look.text(R.string.apps_left_out))

    override fun parts(answer: JSONObject): List<Part<*>> {
        if (apps == null) load()
        val out = ground.leftOut.all
        val fitting = apps.orEmpty().filter { search.isEmpty() || it.label.contains(search, ignoreCase = true) }
        val shown = fitting.sortedBy { it.name !in out }.take(MOST)
        return buildList {
            add(look.textPart("text", Type.Body, look.text(R.string.left_out_text), look.palette.ink2))
            add(Part("search", { searchRow }))
            if (apps != null && shown.isEmpty()) add(look.textPart("none", Type.Body, look.text(R.string.no_app_fits), look.palette.ink2, top = 16))
            shown.forEach { app ->
                add(Part("app ${app.name}", { SettingRow(look, true) { turn(app) } }) {
                    val isOut = app.name in out
                    it.show(app.label, if (isOut) look.text(R.string.not_watched) else null, isOut)
                })
            }
            if (fitting.size > shown.size) add(look.textPart("more", Type.Second, look.text(R.string.search_for_more), look.palette.ink2, top = 12))
            add(look.gap("end", 20))
        }
    }

    private fun load() {
        if (loading) return
        loading = true
        ground.answers.work(::installed) {
            apps = it
            refresh()
        }
    }

    private fun installed(): List<Installed> {
        val packages = look.context.packageManager
        return packages.getInstalledApplications(0)
            .filter { it.packageName != look.context.packageName && mayConnect(it) }
            .map { Installed(it.packageName, it.loadLabel(packages).toString()) }
            .sortedBy { it.label.lowercase() }
            .let { here -> here + removed(here) }
    }

    /** What was left out stays so until it is taken back, though it is not installed any more. */
    private fun removed(here: List<Installed>) =
        ground.leftOut.named().filter { left -> here.none { it.name == left.name } }.map { Installed(it.name, it.label) }

    private fun mayConnect(app: ApplicationInfo) =
        look.context.packageManager.checkPermission(android.Manifest.permission.INTERNET, app.packageName) ==
            android.content.pm.PackageManager.PERMISSION_GRANTED

    private fun turn(app: Installed) {
        if (app.name in ground.leftOut.all) shell.leavingOut.watch(app.name, ::refresh) else shell.leavingOut.leaveOut(app.name, ask = false, ::refresh)
    }

    private companion object {
        const val MOST = 80
    }
}
