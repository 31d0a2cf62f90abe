package org.telltale.app.ui

import android.content.Context
import android.icu.text.MeasureFormat
import android.icu.text.NumberFormat
import android.icu.text.SimpleDateFormat
import android.icu.util.Measure
import android.icu.util.MeasureUnit
import android.icu.util.TimeZone
import android.text.BidiFormatter
import android.text.format.DateFormat
import android.text.format.Formatter
import org.telltale.app.R
import java.util.Calendar
import java.util.Date
import java.util.Locale

/** Figures as the phone writes them: its language, its numerals, its 12 or 24 hours. */
object Formats {
    fun number(value: Number): String = NumberFormat.getIntegerInstance().format(value)

    fun percent(value: Int): String = NumberFormat.getPercentInstance().format(value / 100.0)

    /** A figure and its unit stay on one line. */
    fun size(context: Context, bytes: Long): String = Formatter.formatShortFileSize(context, bytes).replace(' ', '\u00A0')

    fun time(context: Context, at: Long): String = apart(DateFormat.getTimeFormat(context).format(Date(at)))

    /** "Tuesday 24 November"; shorter where letters are large. */
    fun day(at: Long, short: Boolean = false) = pattern(if (short) "EEEdMMM" else "EEEEdMMMM", at)

    fun shortDay(at: Long) = pattern("dMMM", at)

    fun month(at: Long) = pattern("LLLLyyyy", at)

    /** The hour on an axis, without minutes; where a day ends, it is 24 and not 0. */
    fun hour(context: Context, at: Long, ends: Boolean = false): String = when {
        !DateFormat.is24HourFormat(context) -> pattern("j", at)
        ends -> number(24)
        else -> write("HH", at)
    }

    /** A time, with its day where that is not today. */
    fun moment(context: Context, at: Long, now: Long): String {
        val time = time(context, at)
        val day = daysBetween(at, now)
        return when {
            day == 0 -> time
            day == 1 -> context.getString(R.string.yesterday_at, time)
            day in 2..6 -> pattern("EEEE", at)
            else -> shortDay(at)
        }
    }

    fun duration(millis: Long): String {
        val minutes = (millis / 60_000).coerceAtLeast(1)
        val hours = minutes / 60
        val days = hours / 24
        val parts = when {
            days >= 2 -> listOf(Measure(days, MeasureUnit.DAY))
            hours == 0L -> listOf(Measure(minutes, MeasureUnit.MINUTE))
            minutes % 60 == 0L -> listOf(Measure(hours, MeasureUnit.HOUR))
            else -> listOf(Measure(hours, MeasureUnit.HOUR), Measure(minutes % 60, MeasureUnit.MINUTE))
        }
        return MeasureFormat.getInstance(Locale.getDefault(), MeasureFormat.FormatWidth.SHORT).formatMeasures(*parts.toTypedArray())
    }

    /** Its last word does not stand alone in a line, unless it is long. */
    fun whole(sentence: String): String {
        val last = sentence.lastIndexOf(' ')
        return if (last < 0 || sentence.length - last > SHORT_WORD) sentence else sentence.replaceRange(last, last + 1, "\u00A0")
    }

    /** A name or a number that may run the other way than the sentence around it. */
    fun apart(words: String): String = BidiFormatter.getInstance().run { if (isRtlContext) "$FIRST_STRONG$words$POP" else unicodeWrap(words) }

    fun startOfDay(at: Long): Long = Calendar.getInstance().run {
        timeInMillis = at
        set(Calendar.HOUR_OF_DAY, 0)
        set(Calendar.MINUTE, 0)
        set(Calendar.SECOND, 0)
        set(Calendar.MILLISECOND, 0)
        timeInMillis
    }

    /** By the clock here: some countries are half an hour beside the others. */
    fun startOfHour(at: Long): Long = Calendar.getInstance().run {
        timeInMillis = at
        set(Calendar.MINUTE, 0)
        set(Calendar.SECOND, 0)
        set(Calendar.MILLISECOND, 0)
        timeInMillis
    }

    /** How many midnights lie between. */
    fun daysBetween(from: Long, to: Long) = Math.round((startOfDay(to) - startOfDay(from)) / 86_400_000.0).toInt()

    private const val SHORT_WORD = 14

    /** Isolates (UAX 9, 2.4.3): numerals of Arabic have no direction that BidiFormatter would wrap. */
    private const val FIRST_STRONG = '\u2068'
    private const val POP = '\u2069'

    private fun pattern(skeleton: String, at: Long) = write(DateFormat.getBestDateTimePattern(Locale.getDefault(), skeleton), at)

    private fun write(pattern: String, at: Long): String {
        val format = SimpleDateFormat(pattern, Locale.getDefault())
        format.timeZone = TimeZone.getTimeZone(java.util.TimeZone.getDefault().id)
        return format.format(Date(at))
    }
}
