package org.telltale.app.screens

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import org.json.JSONObject
import org.telltale.app.R
import org.telltale.app.ui.EvidenceBox
import org.telltale.app.ui.FindingAnswer
import org.telltale.app.ui.Formats
import org.telltale.app.ui.Mark
import org.telltale.app.ui.Offer
import org.telltale.app.ui.Part
import org.telltale.app.ui.Read
import org.telltale.app.ui.Type
import org.telltale.app.ui.button
import org.telltale.app.ui.column
import org.telltale.app.ui.fact
import org.telltale.app.ui.icon
import org.telltale.app.ui.iconButton
import org.telltale.app.ui.label
import org.telltale.app.ui.pad
import org.telltale.app.ui.put
import org.telltale.app.ui.rounded
import org.telltale.app.ui.row

/** One finding with its evidence: when, to whom, how protected, how sure, what was sent, what it means, what to do. */
class FindingScreen(shell: Shell, place: Place) : Screen(shell, place) {
    private var whole = false
    private var said: FindingAnswer? = null

    override val secure get() = !place.example

    override fun top(): View = bar("", look.iconButton(R.drawable.ic_share, look.text(R.string.share_masked), tap = ::share))

    override fun question(): JSONObject = JSONObject().put("ask", "finding").put("key", place.of)

    override fun parts(answer: JSONObject): List<Part<*>> {
        val said = Read.findingAnswer(answer)
        this.said = said
        announce(said.title)
        return buildList {
            if (place.example) add(look.examplePart())
            add(level(said))
            add(look.textPart("title", Type.Lead, said.title, top = 12, bottom = 14))
            addAll(facts(said))
            if (said.evidence.isNotEmpty()) addAll(evidence(said))
            add(look.sectionPart("means", look.text(R.string.what_it_means)))
            add(look.textPart("means text", Type.Body, said.means))
            if (said.steps.isNotEmpty()) add(look.sectionPart("do", look.text(R.string.what_you_can_do)))
            said.steps.forEachIndexed { at, step -> add(Part("step $at $step", { step(at + 1, step) })) }
            if (!place.example) add(expected(said.expected))
            add(look.gap("end", 24))
        }
    }

    private fun level(said: FindingAnswer) = Part("level ${said.card.level}", {
        val mark = Mark.of(said.card.level)
        val ground = when (said.card.level) {
            "open" -> look.palette.alertSoft
            "disguised" -> look.palette.noticeSoft
            else -> look.palette.sunken
        }
        look.row {
            pad(look.gutter, 0)
            put(look.row {
                background = look.rounded(ground, 14)
                pad(look.dp(9), look.dp(4), look.dp(11), look.dp(4))
                addView(look.icon(mark.icon, mark.colour(look.palette), 20))
                put(look.label(Type.SecondStrong, said.card.label, mark.colour(look.palette)), WRAP_CONTENT, start = 6)
            }, WRAP_CONTENT)
        }
    })

    private fun facts(said: FindingAnswer): List<Part<*>> {
        val last = said.whenSent.lastOrNull() ?: said.card.last
        val moment = Formats.moment(look.context, last, ground.clock())
        val at = if (Formats.daysBetween(last, ground.clock()) == 0) look.text(R.string.today_at, moment) else moment
        return listOf(
            Triple(R.string.when_, look.text(R.string.when_times, at, said.card.timesWords), null),
            Triple(R.string.to, said.to, said.network),
            Triple(R.string.protection, said.protection, null),
            Triple(R.string.how_sure, said.sure, null),
        ).map { (name, value, more) -> Part("fact $name $value", { look.fact(look.text(name), value, more) }) }
    }

    private fun evidence(said: FindingAnswer): List<Part<*>> {
        val head = look.sectionPart("sent", look.text(R.string.what_was_sent))
        return listOf(head) + said.evidence.mapIndexed { at, piece ->
            Part("evidence $at", { evidenceColumn() }) {
                (it.getChildAt(0) as EvidenceBox).show(piece, whole, ::showAll)
            }
        }
    }

    private fun evidenceColumn() = look.column {
        pad(look.gutter, 0, look.gutter, look.dp(8))
        put(EvidenceBox(look))
    }

    private fun showAll() {
        whole = true
        redraw()
    }

    private fun step(number: Int, words: String) = look.row {
        gravity = android.view.Gravity.TOP
        pad(look.gutter, 0, look.gutter, look.dp(8))
        put(look.label(Type.Body, Formats.number(number), look.palette.ink2), look.dp(20))
        put(look.label(Type.Body, words), 0, weight = 1f, start = 10)
    }

    private fun expected(on: Boolean) = Part("expected $on", {
        look.column {
            pad(look.gutter, look.dp(16), look.gutter, 0)
            put(look.button(look.text(if (on) R.string.alert_again else R.string.expected), Offer.Outline) { mute(!on) })
        }
    })

    private fun mute(on: Boolean) =
        ground.answers.tell(JSONObject().put("do", "mute").put("key", place.of).put("on", on)) { refresh() }

    /** Plain text; values are masked in it as they are here. */
    private fun share() {
        val said = this.said ?: return
        val evidence = said.evidence.joinToString("\n\n") { it.text }
        val text = listOf(said.title, said.card.label, "${look.text(R.string.protection)}: ${said.protection}", "${look.text(R.string.how_sure)}: ${said.sure}", evidence)
            .filter { it.isNotEmpty() }.joinToString("\n")
        val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
        look.context.startActivity(Intent.createChooser(send, null))
    }

    override fun save(into: Bundle) {
        super.save(into)
        into.putBoolean("whole", whole)
    }

    override fun restore(from: Bundle) {
        whole = from.getBoolean("whole")
        super.restore(from)
    }
}
