package org.telltale.app.screens

/** Where the person is: a kind of page and what it is about. Kept as text when the system ends us. */
data class Place(val kind: Kind, val of: String = "", val example: Boolean = false) {
    enum class Kind { First, Today, Apps, App, Finding, Details, Detail, AddDetail, Settings, LeftOut, PrivateDns, FullWatch, About }

    override fun toString() = "${kind.name} $example $of"

    companion object {
        fun of(text: String): Place? {
            val words = text.split(' ', limit = 3)
            val kind = Kind.values().find { it.name == words[0] } ?: return null
            return Place(kind, words.getOrElse(2) { "" }, words.getOrNull(1) == "true")
        }
    }
}
