package org.telltale.app.ui

import android.content.Context
import org.telltale.app.R
import java.util.Calendar

/** The stretch of time that a screen tells of: a kind, and how many of its kind back from now. */
data class Span(val kind: Kind = Kind.Day, val back: Int = 0) {
    enum class Kind(val words: Int) {
        Hour(R.string.span_hour), Day(R.string.span_day), Week(R.string.span_week), Month(R.string.span_month)
    }

    val isNow get() = back == 0

    fun earlier() = copy(back = back + 1)

    fun later() = copy(back = (back - 1).coerceAtLeast(0))

    /** From, and to which moment (not included), milliseconds since 1970. */
    fun range(now: Long): LongRange {
        val from = calendar(now).timeInMillis
        val to = calendar(now).apply { add(field(), 1) }.timeInMillis
        return from until to
    }

    fun title(context: Context, now: Long, short: Boolean): String {
        val range = range(now)
        return when (kind) {
            Kind.Day -> Formats.day(range.first, short)
            Kind.Month -> Formats.month(range.first)
            Kind.Hour -> context.getString(R.string.from_to, Formats.moment(context, range.first, now), Formats.time(context, range.last + 1))
            Kind.Week -> context.getString(R.string.from_to, Formats.shortDay(range.first), Formats.shortDay(range.last))
        }
    }

    override fun toString() = "${kind.name}-$back"

    private fun field() = when (kind) {
        Kind.Hour -> Calendar.HOUR_OF_DAY
        Kind.Day -> Calendar.DAY_OF_YEAR
        Kind.Week -> Calendar.WEEK_OF_YEAR
        Kind.Month -> Calendar.MONTH
    }

    private fun calendar(now: Long) = Calendar.getInstance().apply {
        timeInMillis = if (kind == Kind.Hour) Formats.startOfHour(now) else Formats.startOfDay(now)
        if (kind == Kind.Week) set(Calendar.DAY_OF_WEEK, firstDayOfWeek)
        if (kind == Kind.Month) set(Calendar.DAY_OF_MONTH, 1)
        add(field(), -back)
    }

    companion object {
        fun of(text: String): Span {
            val kind = Kind.values().find { it.name == text.substringBefore('-') } ?: return Span()
            return Span(kind, text.substringAfter('-').toIntOrNull()?.coerceAtLeast(0) ?: 0)
        }
    }
}
