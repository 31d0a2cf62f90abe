package org.telltale.app.screens

import android.os.Bundle
import android.text.InputType
import android.view.View
import android.view.inputmethod.EditorInfo
import android.widget.EditText
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.field
import org.telltale.app.ui.label
import org.telltale.app.ui.pad
import org.telltale.app.ui.put
import org.telltale.app.ui.refusal
import java.nio.CharBuffer

/** One detail is written down. The core judges it, and says what is wrong with it. */
class AddDetailScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private val kind = place.of.substringBefore('\n')
    private val name = place.of.split('\n').getOrElse(1) { "" }
    private val hint = place.of.split('\n').getOrElse(2) { "" }
    private val field: EditText = look.field(name).apply {
        inputType = keyboard(kind)
        imeOptions = EditorInfo.IME_ACTION_DONE or EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING
        importantForAutofill = View.IMPORTANT_FOR_AUTOFILL_NO
        isSaveEnabled = false // the value goes nowhere but into the vault
        setOnEditorActionListener { _, _, _ ->
            add()
            true
        }
    }
    private val error = look.label(Type.Second, colour = look.palette.alert).apply {
        visibility = View.GONE
        accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    }

    override val secure = true
    override val title get() = name

    override fun top() = bar("")

    override fun parts(answer: JSONObject): List<Part<*>> = listOf(
        look.textPart("name", Type.Lead, name),
        look.textPart("hint", Type.Body, hint, look.palette.ink2, top = 8, bottom = 16),
        Part("field", {
            look.column {
                pad(look.gutter, 0)
                put(field)
                put(error, top = 6)
                put(look.label(Type.Second, look.text(R.string.stays_here), look.palette.ink2), top = 6)
                put(look.button(look.text(R.string.add), Offer.Filled, ::add), top = 20, bottom = 24)
            }
        }),
    )

    private fun add() {
        val text = field.text
        if (text.isBlank()) return show(look.text(R.string.nothing_entered))
        ground.addDetail(kind, utf8(text)) { answer ->
            answer.onSuccess(::judged).onFailure { show(look.text(R.string.error_title)) }
        }
    }

    private fun judged(answer: JSONObject) {
        val wrong = answer.optJSONArray("errors")?.optJSONObject(0) ?: return done()
        show(look.refusal(wrong))
    }

    private fun done() {
        field.text.clear()
        shell.back()
    }

    private fun show(sentence: String) {
        error.text = sentence
        error.visibility = View.VISIBLE
    }

    /** Without a String of the value, which would stay in memory as long as it pleases. */
    private fun utf8(text: CharSequence): ByteArray {
        val letters = CharArray(text.length) { text[it] }
        val encoded = Charsets.UTF_8.encode(CharBuffer.wrap(letters))
        letters.fill('\u0000')
        val bytes = ByteArray(encoded.remaining())
        encoded.get(bytes)
        encoded.array().fill(0)
        return bytes
    }

    private fun keyboard(kind: String) = InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS or when (kind) {
        "phone" -> InputType.TYPE_CLASS_PHONE
        "imei", "imsi", "iccid" -> InputType.TYPE_CLASS_NUMBER
        "email" -> InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_EMAIL_ADDRESS
        else -> InputType.TYPE_CLASS_TEXT
    }

    override fun save(into: Bundle) = Unit
}
