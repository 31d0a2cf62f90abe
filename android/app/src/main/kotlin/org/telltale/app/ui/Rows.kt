package org.telltale.app.ui

import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.LinearLayout
import android.widget.Switch
import org.telltale.app.R

/** A heading with, at its end, something to do with what follows. */
fun Look.section(words: CharSequence, offer: String? = null, tap: () -> Unit = {}) = row {
    if (bigText) orientation = LinearLayout.VERTICAL
    gravity = if (bigText) Gravity.START else Gravity.BOTTOM
    pad(gutter, 0)
    minimumHeight = dp(48)
    val head = heading(words)
    if (bigText) put(head, top = 20, bottom = 8) else put(head, 0, weight = 1f, top = 20, bottom = 8)
    if (offer == null) return@row
    val button = action(offer, tap = tap)
    if (!bigText) button.gravity = Gravity.BOTTOM or Gravity.END
    if (!bigText) button.textAlignment = View.TEXT_ALIGNMENT_VIEW_END
    if (!bigText) button.pad(0, 0, 0, dp(10))
    put(button, WRAP_CONTENT)
}

/** Name and value side by side, or one under the other where letters are large. */
fun Look.fact(name: String, value: String, more: String? = null) = row {
    val stacked = bigText
    if (stacked) orientation = LinearLayout.VERTICAL
    gravity = Gravity.TOP or Gravity.START
    pad(gutter, dp(4), gutter, dp(5))
    put(label(Type.Second, name, palette.ink2), if (stacked) LinearLayout.LayoutParams.MATCH_PARENT else dp(104), top = if (stacked) 0 else 1)
    val values = column {
        put(label(Type.Entry, value))
        if (more != null) put(label(Type.Second, more, palette.ink2))
    }
    if (stacked) put(values) else put(values, 0, weight = 1f, start = 12)
    readAs(listOfNotNull(name, value, more).joinToString(". "))
}

/** A setting: what it is, how it stands, and at its end an arrow or a switch. */
class SettingRow(private val look: Look, private val withSwitch: Boolean, tap: () -> Unit) : LinearLayout(look.context) {
    private val name = look.label(Type.Entry)
    private val how = look.label(Type.Second, colour = look.palette.ink2)
    private val toggle = Toggle(look).apply {
        isClickable = false
        isFocusable = false
        importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    init {
        gravity = Gravity.CENTER_VERTICAL
        minimumHeight = look.dp(64)
        pad(look.gutter, look.dp(12))
        put(look.column {
            put(name)
            put(how)
        }, 0, weight = 1f, end = 16)
        addView(if (withSwitch) toggle else look.icon(R.drawable.ic_next, look.palette.ink2, 20))
        background = look.pressable(null, 0)
        onTap(tap)
    }

    fun show(words: CharSequence, more: CharSequence?, on: Boolean = false) {
        name.text = words
        how.text = more
        how.visibility = if (more.isNullOrEmpty()) View.GONE else View.VISIBLE
        toggle.isChecked = on
        readAs(listOfNotNull(words, more).filter { it.isNotEmpty() }.joinToString(". "))
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        if (!withSwitch) return
        info.className = Switch::class.java.name
        info.isCheckable = true
        @Suppress("DEPRECATION") // the newer one begins with Android 16
        info.isChecked = toggle.isChecked
    }
}

/** An icon, a name, a value, a word on it, and at its end an arrow or a plus. */
class DetailRow(private val look: Look, end: Int, tap: () -> Unit) : LinearLayout(look.context) {
    private val icon = look.icon(R.drawable.ic_word)
    private val name = look.label(Type.Name)
    private val value = look.label(Type.Second).apply { letterSpacing = if (look.tallScript) 0f else 0.02f }
    private val said = look.label(Type.Second)

    init {
        gravity = if (look.bigText) Gravity.TOP else Gravity.CENTER_VERTICAL
        minimumHeight = look.dp(72)
        pad(look.gutter, look.dp(11))
        addView(icon)
        put(look.column {
            put(name)
            put(value)
            put(said)
        }, 0, weight = 1f, start = 14, end = 12)
        addView(look.icon(end, if (end == R.drawable.ic_plus) look.palette.ink else look.palette.ink2, if (end == R.drawable.ic_plus) 24 else 20))
        background = look.pressable(null, 0)
        onTap(tap)
    }

    fun show(image: Int, words: String, shown: String, more: String?, mark: String) {
        icon.setImageResource(image)
        name.text = words
        value.text = Formats.apart(shown)
        said.text = more
        said.visibility = if (more.isNullOrEmpty()) View.GONE else View.VISIBLE
        val strong = mark == "open" || mark == "disguised"
        (if (strong) Type.SecondStrong else Type.Second).set(said, look)
        said.setTextColor(if (mark == "open") look.palette.alert else if (mark == "disguised") look.palette.notice else look.palette.ink2)
        readAs(listOfNotNull(words, shown, more).filter { it.isNotEmpty() }.joinToString(". "))
    }
}

/** The kinds of detail and their pictures. */
fun detailIcon(kind: String) = when (kind) {
    "phone" -> R.drawable.ic_phone
    "imei", "imei_sv", "imsi", "iccid", "serial" -> R.drawable.ic_chip
    "advertising_id", "android_id" -> R.drawable.ic_mega
    "email" -> R.drawable.ic_mail
    "contact" -> R.drawable.ic_book
    "place" -> R.drawable.ic_pin
    "mac", "ssid", "bssid", "carrier" -> R.drawable.ic_wifi
    "name" -> R.drawable.ic_person
    else -> R.drawable.ic_word
}
