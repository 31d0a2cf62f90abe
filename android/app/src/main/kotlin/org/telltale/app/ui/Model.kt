package org.telltale.app.ui

import org.json.JSONArray
import org.json.JSONObject

// What the core answers (docs/boundary.md), as the screens read it. A missing member that is not optional throws.

data class Coverage(
    val sent: Long,
    val read: Long,
    val yours: Long,
    val unread: Long,
    val notWatched: Long,
    val readPercent: Int,
    val unreadPercent: Int,
    val details: Int,
    val sentence: String,
    val spoken: String,
)

/** [id] 0: a sender that Android could not name. */
data class App(val id: Long, val name: String, val packages: List<String>, val group: String)

data class Finding(
    val key: String,
    val level: String,
    val label: String,
    val sentence: String,
    val strong: List<IntRange>,
    val app: App,
    val first: Long,
    val last: Long,
    val times: Long,
    val timesWords: String,
    val expected: Boolean,
)

data class AppEntry(val app: App, val coverage: Coverage, val to: String)

data class Gap(val from: Long, val to: Long, val why: String, val sentence: String)

data class Group(val group: String, val name: String, val apps: Long)

data class Bar(val at: Long, val read: Long, val yours: Long, val unread: Long, val gap: Boolean)

data class TodayAnswer(
    val state: String,
    val lead: String,
    val appsSeen: Int,
    val coverage: Coverage,
    val findings: List<Finding>,
    val apps: List<AppEntry>,
    val more: Int,
    val groups: List<Group>,
    val gaps: List<Gap>,
    val moreFindings: Int,
)

data class Destination(
    val name: String,
    val hosts: List<String>,
    val network: String?,
    val sent: Long,
    val mark: String,
    val verdict: String,
)

data class AppAnswer(
    val app: App,
    val about: String,
    val lead: String,
    val coverage: Coverage,
    val bars: List<Bar>,
    val spoken: String,
    val destinations: List<Destination>,
    val findings: List<Finding>,
    val facts: List<Pair<String, String>>,
    val more: Int,
    val moreFindings: Int,
)

data class Hit(val range: IntRange, val tag: String)

data class Evidence(val text: String, val hits: List<Hit>)

data class FindingAnswer(
    val card: Finding,
    val title: String,
    val whenSent: List<Long>,
    val to: String,
    val network: String?,
    val protection: String,
    val sure: String,
    val evidence: List<Evidence>,
    val means: String,
    val steps: List<String>,
    val expected: Boolean,
)

data class Looking(val kind: String, val number: Int, val name: String, val masked: String, val said: String, val mark: String)

data class Missing(val kind: String, val number: Int, val name: String, val hint: String)

data class DetailsAnswer(
    val lead: String,
    val looking: List<Looking>,
    val contacts: Int,
    val contactsSaid: String,
    val contactsMark: String,
    val missing: List<Missing>,
)

data class MinuteAnswer(val sentence: String, val apps: Int)

/** An app that nobody answers while others get answers. */
data class Failing(val app: App, val sentence: String)

/** Reads answers. */
object Read {
    fun today(json: JSONObject) = TodayAnswer(
        json.getString("state"),
        json.getString("lead"),
        json.getInt("apps_seen"),
        coverage(json.getJSONObject("coverage")),
        json.list("findings", ::finding),
        json.list("apps") { AppEntry(app(it.getJSONObject("app")), coverage(it.getJSONObject("coverage")), it.getString("to")) },
        json.optInt("more"),
        json.list("groups") { Group(it.getString("group"), it.getString("name"), it.getLong("apps")) },
        json.list("gaps") { Gap(it.getLong("from"), it.getLong("to"), it.getString("why"), it.getString("sentence")) },
        json.optInt("more_findings"),
    )

    fun app(json: JSONObject) = App(
        json.getLong("id"),
        json.getString("name"),
        json.getJSONArray("packages").strings(),
        json.optString("group"),
    )

    fun appAnswer(json: JSONObject): AppAnswer {
        val timeline = json.getJSONObject("timeline")
        return AppAnswer(
            app(json.getJSONObject("app")),
            json.getString("about"),
            json.getString("lead"),
            coverage(json.getJSONObject("coverage")),
            timeline.list("bars") { Bar(it.getLong("at"), it.getLong("read"), it.getLong("yours"), it.getLong("unread"), it.getBoolean("gap")) },
            timeline.getString("spoken"),
            json.list("destinations", ::destination),
            json.list("findings", ::finding),
            json.list("facts") { it.getString("name") to it.getString("value") },
            json.optInt("more"),
            json.optInt("more_findings"),
        )
    }

    fun findingAnswer(json: JSONObject) = FindingAnswer(
        finding(json.getJSONObject("card")),
        json.getString("title"),
        json.getJSONArray("when").let { all -> (0 until all.length()).map(all::getLong) },
        json.getString("to"),
        json.text("network"),
        json.getString("protection"),
        json.getString("sure"),
        json.list("evidence") { Evidence(it.getString("text"), it.list("hits") { hit -> Hit(range(hit.getJSONArray("range")), hit.getString("tag")) }) },
        json.getString("means"),
        json.getJSONArray("do").strings(),
        json.getBoolean("expected"),
    )

    fun details(json: JSONObject): DetailsAnswer {
        val contacts = json.getJSONObject("contacts")
        return DetailsAnswer(
            json.getString("lead"),
            json.list("looking") {
                Looking(it.getString("kind"), it.getInt("number"), it.getString("name"), it.getString("masked"), it.getString("said"), it.getString("mark"))
            },
            contacts.getInt("count"),
            contacts.getString("said"),
            contacts.getString("mark"),
            json.list("missing") { Missing(it.getString("kind"), it.getInt("number"), it.getString("name"), it.getString("hint")) },
        )
    }

    fun failing(json: JSONObject) = json.list("failing") { Failing(app(it.getJSONObject("app")), it.getString("sentence")) }

    fun minute(json: JSONObject) = MinuteAnswer(json.getString("sentence"), json.getInt("apps"))

    private fun coverage(json: JSONObject) = Coverage(
        json.getLong("sent"),
        json.getLong("read"),
        json.getLong("yours"),
        json.getLong("unread"),
        json.optLong("not_watched"),
        json.getInt("read_percent"),
        json.getInt("unread_percent"),
        json.getInt("details"),
        json.getString("sentence"),
        json.getString("spoken"),
    )

    private fun finding(json: JSONObject) = Finding(
        json.getString("key"),
        json.getString("level"),
        json.getString("label"),
        json.getString("sentence"),
        json.getJSONArray("strong").let { all -> (0 until all.length()).map { range(all.getJSONArray(it)) } },
        app(json.getJSONObject("app")),
        json.getLong("first"),
        json.getLong("last"),
        json.getLong("times"),
        json.getString("times_words"),
        json.getBoolean("expected"),
    )

    private fun destination(json: JSONObject) = Destination(
        json.getString("name"),
        json.getJSONArray("hosts").strings(),
        json.text("network"),
        json.getLong("sent"),
        json.getString("mark"),
        json.getString("verdict"),
    )

    /** From first to before last, in UTF-16 units. */
    private fun range(pair: JSONArray) = pair.getInt(0) until pair.getInt(1)

    private fun JSONArray.strings() = (0 until length()).map(::getString)

    private fun JSONObject.text(name: String) = if (isNull(name)) null else getString(name)

    private fun <T> JSONObject.list(name: String, read: (JSONObject) -> T): List<T> {
        val all = getJSONArray(name)
        return (0 until all.length()).map { read(all.getJSONObject(it)) }
    }
}
