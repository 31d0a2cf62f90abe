package org.telltale.app.details

import android.os.Handler
import android.os.Looper
import android.util.Log
import org.json.JSONArray
import org.json.JSONObject
import java.util.concurrent.Executors

/**
 * The person's details: kept sealed, looked for by the core. The work is done on a thread of its own, one change after
 * the other: each begins with what the one before has kept.
 */
class Details(
    private val vault: Vault,
    private val sources: Sources,
    /** Hands the whole set to the core and waits for its answer (docs/boundary.md, *Details*). */
    private val lookFor: (ByteArray) -> JSONObject,
) {
    private val thread = Executors.newSingleThreadExecutor { Thread(it, "details") }
    private val main = Handler(Looper.getMainLooper())

    /** Hands everything to the core: at start, and after a change of contacts or of installed apps. */
    fun lookForAll(then: (Result<JSONObject>) -> Unit = {}) = work(then) { hand(kept()) }

    /** Adds one detail. The core judges it first: what it refuses is not kept, and its reason goes to [then]. */
    fun add(kind: String, value: ByteArray, then: (Result<JSONObject>) -> Unit) = work(then) {
        val more = kept().with(kind, value)
        value.fill(0)
        val answer = hand(more)
        if (answer.refused()) answer else taken(kind, more, answer)
    }

    /** What the core had already in another way of writing is not kept twice: ids go by the order of the lines. */
    private fun taken(kind: String, more: Given, answer: JSONObject): JSONObject {
        val ids = answer.ids()
        if (ids[kind].orEmpty().size < more.count(kind)) return known(kind)
        keep(more.named(ids))
        return answer
    }

    private fun known(kind: String) = JSONObject().put("errors", JSONArray().put(JSONObject().put("kind", kind).put("code", KNOWN)))

    /** Stops looking for the [number]th detail of a kind. */
    fun remove(kind: String, number: Int, then: (Result<JSONObject>) -> Unit) = work(then) {
        val less = kept().without(kind, number)
        keep(less)
        hand(less)
    }

    fun erase(then: (Result<JSONObject>) -> Unit = {}) = work(then) {
        vault.erase()
        hand(Given())
    }

    /** What nothing can open any more is not looked for, as Today then says, and the next that is given takes its place. */
    private fun kept(): Given = try {
        Given.of(vault.read())
    } catch (error: Vault.Lost) {
        Log.w("Telltale", "the details are lost", error)
        Given()
    }

    private fun keep(given: Given) {
        val bytes = given.toBytes()
        vault.write(bytes)
        bytes.fill(0)
    }

    /** What goes wrong, such as a vault that nothing opens any more, is told and never thrown on the way. */
    private fun work(then: (Result<JSONObject>) -> Unit, body: () -> JSONObject) = thread.execute {
        val answer = runCatching(body)
        main.post { then(answer) }
    }

    private fun hand(given: Given) = lookFor(sources.add(given).toBytes())

    /** Ids by kind, in the order of their numbers. */
    private fun JSONObject.ids(): Map<String, List<String>> {
        val details = optJSONArray("details") ?: return emptyMap()
        val all = (0 until details.length()).map(details::getJSONObject)
        return all.groupBy({ it.getString("kind") }, { it.getString("id") })
    }

    private fun JSONObject.refused() = (optJSONArray("errors")?.length() ?: 0) > 0

    private companion object {
        /** It is looked for already: the one reason that is not the core's. */
        const val KNOWN = "known"
    }
}
