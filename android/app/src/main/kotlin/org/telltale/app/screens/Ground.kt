package org.telltale.app.screens

import org.json.JSONObject
import org.telltale.app.service.Choices
import org.telltale.app.service.LeftOut
import org.telltale.app.ui.Answers
import org.telltale.app.ui.Icons

/** What the screens stand on: whom they ask, and what they may change. */
class Ground(
    val answers: Answers,
    val icons: Icons,
    val choices: Choices,
    val leftOut: LeftOut,
    /** A kind and a value, which is zeroed; the core's answer, with its sentences on what is wrong. */
    val addDetail: (String, ByteArray, (Result<JSONObject>) -> Unit) -> Unit,
    /** A kind, and which of that kind, from 1. */
    val removeDetail: (String, Int, (Result<JSONObject>) -> Unit) -> Unit,
    /** All that is kept of the person: what was seen, details and their key, choices, files that were shared. */
    val eraseAll: ((Result<JSONObject>) -> Unit) -> Unit,
    val lookForAll: ((Result<JSONObject>) -> Unit) -> Unit,
    /** Names the listener to the core and answers how to end that. */
    val hear: (() -> Unit) -> () -> Unit,
    /** The core's `version()`, JSON. */
    val version: () -> String,
    val clock: () -> Long = System::currentTimeMillis,
)
