package org.telltale.app.service

import android.content.pm.PackageManager

/**
 * The apps that go past us, by the person's choice. Android leaves out whole uids: apps that share one go together, also
 * one of them that was installed since, and all of them are counted and named.
 */
class LeftOut(private val packages: PackageManager, private val choices: Choices) {
    /** One app, by its package and by the name that a person knows; the package where it is no longer installed. */
    data class App(val name: String, val label: String)

    /** Packages, in their order. */
    val all: Set<String>
        get() = sortedSetOf<String>().apply {
            for (name in choices.leftOut) if (name !in this) addAll(together(name)) // asked once for each uid
        }

    /** The app itself, and all that share its uid. */
    fun together(name: String): List<String> = try {
        packages.getPackagesForUid(packages.getPackageUid(name, 0)).orEmpty().toSet().plus(name).sorted()
    } catch (_: PackageManager.NameNotFoundException) {
        listOf(name) // removed since it was chosen
    }

    fun set(name: String, out: Boolean) {
        val names = together(name).toSet()
        choices.leftOut = if (out) choices.leftOut + names else choices.leftOut - names
    }

    /** All that are left out with their names, which Android reads out of each app: not on the main thread. */
    fun named(): List<App> = named(all)

    /** The others that go along with an app. */
    fun others(name: String): List<App> = named(together(name) - name)

    private fun named(names: Collection<String>) = names.map { App(it, label(it)) }

    private fun label(name: String): String = try {
        packages.getApplicationInfo(name, 0).loadLabel(packages).toString()
    } catch (_: PackageManager.NameNotFoundException) {
        name
    }
}
