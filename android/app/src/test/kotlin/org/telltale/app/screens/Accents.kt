package org.telltale.app.screens

import org.json.JSONArray
import org.json.JSONObject

/** An answer as the core gives it in en-XA, the language of tests (rust/words/src/pseudo.rs): letters have accents, and sentences are longer. */
object Accents {
    /** What is no word of any language: keys, marks, names of hosts. */
    private val PLAIN = setOf("key", "level", "state", "group", "kind", "mark", "why", "code", "packages", "hosts", "text", "masked", "role", "country")

    fun of(answer: JSONObject): JSONObject {
        for (name in answer.keys().asSequence().toList()) if (name !in PLAIN) answer.put(name, said(answer.get(name)))
        return answer
    }

    private fun said(value: Any): Any = when (value) {
        is String -> accented(value)
        is JSONObject -> of(value)
        is JSONArray -> JSONArray((0 until value.length()).map { said(value.get(it)) })
        else -> value
    }

    private fun accented(words: String): String {
        val letters = words.map { letter -> PAIRS[letter] ?: letter }.joinToString("")
        return letters + "~".repeat((words.count { it.isLetter() } + 2) / 3)
    }

    private val PAIRS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        .zip("åƀçđéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ").toMap()
}
