package org.telltale.app.screens

import org.telltale.app.R

/** Where the person is: a kind of page and what it is about. Kept as text when the system ends us. */
data class Place(val kind: Kind, val of: String = "", val example: Boolean = false) {
    /** [title]: what the page is called; null where that depends on what it is about. */
    enum class Kind(val title: Int?) {
        First(R.string.app_name), Today(R.string.tab_today), Apps(R.string.apps_by_size_title), App(null), Finding(null),
        Details(R.string.your_details), Detail(null), AddDetail(null), Settings(R.string.tab_settings),
        LeftOut(R.string.apps_left_out), PrivateDns(R.string.private_dns), FullWatch(R.string.full_watch), About(R.string.about_telltale)
    }

    override fun toString() = "${kind.name} $example $of"

    companion object {
        fun of(text: String): Place? {
            val words = text.split(' ', limit = 3)
            val kind = Kind.values().find { it.name == words[0] } ?: return null
            return Place(kind, words.getOrElse(2) { "" }, words.getOrNull(1) == "true")
        }
    }
}
