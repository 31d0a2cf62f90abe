package org.telltale.app.ui

import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Typeface
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.text.style.TypefaceSpan
import android.view.View
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import org.telltale.app.R

/** What the patterns of a bar mean, with the figures. Runs on where there is room, stands as a list where letters are large. */
class Legend(private val look: Look) : Flow(look.context, look.dp(10), look.dp(4), look.bigText) {
    init {
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
    }

    fun show(coverage: Coverage, gap: String?) {
        removeAllViews()
        add(Key.Read, look.text(R.string.read), Formats.percent(coverage.readPercent))
        if (coverage.details > 0) add(Key.Yours, look.text(R.string.yours), Formats.number(coverage.details))
        add(Key.Unread, look.text(R.string.could_not_read), Formats.percent(coverage.unreadPercent))
        if (gap != null) add(Key.Unwatched, gap, null)
    }

    fun showUnwatched(howLong: String?) {
        removeAllViews()
        add(Key.Unwatched, look.text(R.string.not_watched), howLong)
    }

    private fun add(key: Key, words: String, figure: String?) {
        addView(look.row {
            val side = if (look.bigText) 20 else 14
            put(KeyMark(look, key), look.dp(side), look.dp(side), end = 6)
            put(look.label(Type.Second, words(words, figure), look.palette.ink2), WRAP_CONTENT)
        })
    }

    private fun words(words: String, figure: String?): CharSequence {
        if (figure == null) return words
        val all = SpannableStringBuilder(words).append(" \u200A")
        val from = all.length
        all.append(figure)
        all.setSpan(ForegroundColorSpan(look.palette.ink), from, all.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        all.setSpan(TypefaceSpan(Typeface.create(Typeface.SANS_SERIF, 500, false)), from, all.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        return all
    }
}

enum class Key { Read, Yours, Unread, Unwatched }

/** One pattern as a little square. */
class KeyMark(private val look: Look, private val key: Key) : View(look.context) {
    private val paint = when (key) {
        Key.Read -> Paint(Paint.ANTI_ALIAS_FLAG).apply { color = look.palette.accent }
        Key.Yours -> Paint(Paint.ANTI_ALIAS_FLAG).apply { color = look.palette.alert }
        Key.Unread -> look.stripes.paint
        Key.Unwatched -> look.dashed()
    }

    override fun onDraw(canvas: Canvas) {
        val in1 = if (key == Key.Unwatched) paint.strokeWidth / 2 else 0f
        canvas.drawRoundRect(in1, in1, width - in1, height - in1, look.dp(3f), look.dp(3f), paint)
    }
}
