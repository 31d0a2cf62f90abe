package org.telltale.app.screens

import android.app.AlertDialog
import android.content.Intent
import android.provider.Settings
import android.view.Gravity
import android.view.View
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.TextView
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Look
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.cardPlace
import org.telltale.app.ui.column
import org.telltale.app.ui.icon
import org.telltale.app.ui.label
import org.telltale.app.ui.pad
import org.telltale.app.ui.put
import org.telltale.app.ui.readAs
import org.telltale.app.ui.rounded
import org.telltale.app.ui.section
import java.util.Locale
import java.util.TimeZone

// Parts that several screens have.

/** Findings that a page begins with, and that each "more" adds: as many views as a slow phone makes in a moment. */
const val FINDINGS = 20

/** A heading, its offer and tap made anew with the words. */
fun Look.sectionPart(key: String, words: String, offer: String? = null, tap: () -> Unit = {}) =
    Part("section $key $words $offer", { section(words, offer, tap) })

fun Look.textPart(key: String, type: Type, words: CharSequence, colour: Int = palette.ink, top: Int = 0, bottom: Int = 0) =
    Part(key, { label(type).apply { pad(gutter, dp(top), gutter, dp(bottom)) } }) { text: TextView ->
        if (text.text.toString() != words.toString()) text.text = words
        text.setTextColor(colour)
    }

fun Look.leadPart(words: String) = textPart("lead", Type.Lead, words)

/** The one thing to do on a page, as wide as it. */
fun Look.buttonPart(words: Int, top: Int = 16, tap: () -> Unit) = Part("button $words", {
    column {
        pad(gutter, dp(top), gutter, 0)
        put(button(text(words), Offer.Filled, tap))
    }
})

/** A long list goes on: how much there is behind it, and a way to see some of that. */
fun Look.morePart(key: String, count: Int, tap: () -> Unit): List<Part<*>> {
    if (count <= 0) return emptyList()
    return listOf(Part("more $key $count", {
        column {
            pad(gutter, dp(8), gutter, 0)
            put(button(count(R.plurals.show_more, count, Formats.number(count)), Offer.Outline, tap))
        }
    }))
}

fun Look.gap(key: String, high: Int) = Part("gap $key", { View(context).apply { layoutParams = LinearLayout.LayoutParams(1, dp(high)) } })

/** Said at the top of everything that is not this phone's own. */
fun Look.examplePart() = Part("example", {
    column {
        background = rounded(palette.noticeSoft, 12)
        pad(dp(16), dp(10))
        put(label(Type.SecondStrong, text(R.string.example), palette.notice))
        put(label(Type.Second, text(R.string.example_text), palette.ink))
        readAs(text(R.string.example) + ". " + text(R.string.example_text))
        layoutParams = cardPlace().apply { bottomMargin = dp(16) }
    }
})

/** A picture, a sentence, and what to do: where there is nothing yet. */
fun Look.emptyCard(words: String, more: String) = column {
    gravity = Gravity.CENTER_HORIZONTAL
    background = rounded(palette.surface, 20)
    pad(dp(20), dp(22))
    put(icon(R.drawable.ribbons_on, palette.ink2), dp(44), dp(44), bottom = 8, gravity = Gravity.CENTER_HORIZONTAL)
    for ((type, said, colour) in listOf(Triple(Type.Name, words, palette.ink), Triple(Type.Second, more, palette.ink2))) {
        put(label(type, said, colour).apply { textAlignment = View.TEXT_ALIGNMENT_CENTER }, top = if (type == Type.Name) 0 else 4)
    }
    readAs("$words. $more")
    layoutParams = cardPlace()
}

/** Shown only where an answer takes longer than 300 ms: three bars, still. */
fun Look.loadingCard() = column {
    background = rounded(palette.surface, 20)
    pad(dp(16), dp(14))
    put(label(Type.SecondStrong, text(R.string.loading), palette.ink2), bottom = 8)
    for (part in listOf(0.78f, 1f, 0.54f)) put(LinearLayout(context).apply {
        addView(View(context).apply { background = rounded(palette.sunken, 6) }, LinearLayout.LayoutParams(0, dp(12), part))
        addView(View(context), LinearLayout.LayoutParams(0, dp(12), 1 - part))
    }, top = 4, bottom = 6)
    readAs(text(R.string.loading))
    layoutParams = cardPlace().apply { topMargin = dp(16) }
}

/** Asks before something that cannot be undone. */
fun Look.confirm(title: Int, words: Int, yes: Int, no: Int, then: () -> Unit) = confirm(title, text(words), yes, no, then)

fun Look.confirm(title: Int, words: String, yes: Int, no: Int, then: () -> Unit) {
    AlertDialog.Builder(context)
        .setTitle(title)
        .setMessage(words)
        .setPositiveButton(yes) { _, _ -> then() }
        .setNegativeButton(no, null)
        .show()
}

/** Something takes a while, and can be stopped. */
fun Look.progress(words: Int, stop: () -> Unit): AlertDialog {
    val bar = ProgressBar(context, null, android.R.attr.progressBarStyleHorizontal).apply {
        isIndeterminate = true
        contentDescription = text(words)
    }
    val around = column {
        pad(dp(24), dp(16))
        put(bar)
    }
    return AlertDialog.Builder(context).setTitle(words).setView(around)
        .setNegativeButton(R.string.cancel) { _, _ -> stop() }
        .setOnCancelListener { stop() }
        .show()
}

/** Opens a page of the system's settings, or the settings themselves where a maker took it out. */
fun Look.openSettings(intent: Intent) {
    try {
        context.startActivity(intent)
    } catch (_: android.content.ActivityNotFoundException) {
        context.startActivity(Intent(Settings.ACTION_SETTINGS))
    }
}

/** A question in the language of the screens, at the phone's time. */
fun Ground.common(question: JSONObject, now: Long = clock()): JSONObject = question.put("locale", Locale.getDefault().toLanguageTag())
    .put("now", now).put("zone_offset", TimeZone.getDefault().getOffset(now) / 1000)
