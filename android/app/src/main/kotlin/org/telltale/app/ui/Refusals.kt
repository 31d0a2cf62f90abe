package org.telltale.app.ui

import org.json.JSONObject
import org.telltale.app.R

/** Why the core did not take a detail, in the language of the screens; its own sentence where it knows more reasons than we do. */
fun Look.refusal(error: JSONObject): String =
    REFUSALS[error.optString("code")]?.let(::text) ?: error.optString("sentence").ifEmpty { text(R.string.error_title) }

private val REFUSALS = mapOf(
    "short" to R.string.refused_short,
    "long" to R.string.refused_long,
    "unprintable" to R.string.refused_unprintable,
    "filler" to R.string.refused_filler,
    "imei" to R.string.refused_imei,
    "imei-check" to R.string.refused_imei_check,
    "imei-sv" to R.string.refused_imei_sv,
    "imsi" to R.string.refused_imsi,
    "iccid" to R.string.refused_iccid,
    "iccid-check" to R.string.refused_iccid_check,
    "email" to R.string.refused_email,
    "advertising-id" to R.string.refused_advertising_id,
    "android-id" to R.string.refused_android_id,
    "mac" to R.string.refused_mac,
    "serial" to R.string.refused_serial,
    "ssid" to R.string.refused_ssid,
    "place" to R.string.refused_place,
    "place-coarse" to R.string.refused_place_coarse,
    "phone" to R.string.refused_phone,
    "phone-long" to R.string.refused_phone_long,
    "phone-home" to R.string.refused_phone_home,
    "phone-code" to R.string.refused_phone_code,
    "own" to R.string.refused_own,
    "known" to R.string.refused_known,
)
