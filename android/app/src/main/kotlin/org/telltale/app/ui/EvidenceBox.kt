package org.telltale.app.ui

import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import android.text.SpannableString
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.View
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import android.widget.TextView
import org.telltale.app.R

/** What was sent, line by line, with the person's details marked in it. Always left to right, as it went over the wire. */
class EvidenceBox(private val look: Look) : LinearLayout(look.context) {
    init {
        orientation = VERTICAL
        layoutDirection = View.LAYOUT_DIRECTION_LTR
        background = look.rounded(look.palette.surface, 12, look.palette.line, 1)
        pad(look.dp(14), look.dp(14))
    }

    /** [whole]: all lines; else five, and a word that shows the rest. */
    fun show(evidence: Evidence, whole: Boolean, showAll: () -> Unit) {
        removeAllViews()
        val lines = lines(evidence)
        val shown = if (whole || lines.size <= FEW + 1) lines else lines.take(FEW)
        shown.forEach(::add)
        if (shown.size < lines.size) {
            val rest = lines.size - shown.size
            put(look.action(look.count(R.plurals.more_lines, rest, Formats.number(rest)), tap = showAll), WRAP_CONTENT)
        }
    }

    private fun add(line: Line) {
        put(EvidenceLine(look, line))
        for (tag in line.hits.map { it.tag }.distinct()) put(look.row {
            addView(look.icon(R.drawable.ic_eye, look.palette.alert, 20))
            put(look.label(Type.SecondStrong, tag, look.palette.alert), start = 6)
            importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
        }, top = 2, bottom = 4)
    }

    /** Hits are counted from the beginning of the whole text; one that crosses a line is marked in both. */
    private fun lines(evidence: Evidence): List<Line> {
        var at = 0
        return evidence.text.split('\n').map { text ->
            val from = at
            at += text.length + 1
            val hits = evidence.hits.mapNotNull { hit ->
                val first = maxOf(hit.range.first - from, 0)
                val last = minOf(hit.range.last - from, text.length - 1)
                if (first <= last) Hit(first..last, hit.tag) else null
            }
            Line(text, hits)
        }
    }

    private companion object {
        const val FEW = 5
    }
}

class Line(val text: String, val hits: List<Hit>)

/** One line; names quieter than values, hits on red ground with a line beneath. */
private class EvidenceLine(private val look: Look, private val line: Line) : TextView(look.context) {
    private val ground = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = look.palette.alertSoft }
    private val under = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = look.palette.alert }
    private var boxes: List<RectF> = emptyList()

    init {
        Type.Mono.set(this, look)
        textDirection = View.TEXT_DIRECTION_LTR
        setTextColor(look.palette.ink2)
        text = coloured()
        contentDescription = spoken()
    }

    private fun coloured(): CharSequence = SpannableString(line.text).apply {
        val value = valueAt(line.text)
        setSpan(ForegroundColorSpan(look.palette.ink), value, length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        line.hits.forEach { setSpan(ForegroundColorSpan(look.palette.onAlertSoft), it.range.first, it.range.last + 1, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE) }
    }

    /** Where the value begins: after "name = ", "Name: " or the method of a request. */
    private fun valueAt(text: String): Int {
        for (mark in listOf(" = ", ": ", " ")) {
            val at = text.indexOf(mark)
            if (at >= 0) return at + mark.length
        }
        return 0
    }

    /** TalkBack: the field, which detail, and that the value is hidden. */
    private fun spoken(): CharSequence {
        if (line.hits.isEmpty()) return line.text
        val field = line.text.substring(0, valueAt(line.text)).trim().trimEnd('=', ':').trim()
        val tags = line.hits.map { it.tag }.distinct().joinToString(", ")
        return look.text(if ('•' in line.text) R.string.spoken_hit_hidden else R.string.spoken_hit, field, tags)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        super.onLayout(changed, left, top, right, bottom)
        boxes = line.hits.flatMap { boxes(it.range) }
    }

    private fun boxes(range: IntRange): List<RectF> {
        val set = layout ?: return emptyList()
        val first = set.getLineForOffset(range.first)
        val last = set.getLineForOffset(range.last)
        return (first..last).map { row ->
            val from = if (row == first) set.getPrimaryHorizontal(range.first) else 0f
            val to = if (row == last) set.getPrimaryHorizontal(range.last + 1) else set.getLineRight(row)
            val top = totalPaddingTop + set.getLineTop(row).toFloat()
            val bottom = totalPaddingTop + set.getLineBottom(row).toFloat()
            RectF(from - look.dp(3f), top - look.dp(1f), to + look.dp(3f), bottom + look.dp(1f))
        }
    }

    override fun onDraw(canvas: Canvas) {
        val round = look.dp(4f)
        for (at in boxes.indices) {
            val box = boxes[at]
            canvas.drawRoundRect(box.left, box.top, box.right, box.bottom, round, round, ground)
            canvas.drawRect(box.left, box.bottom - look.dp(2f), box.right, box.bottom, under)
        }
        super.onDraw(canvas)
    }
}
