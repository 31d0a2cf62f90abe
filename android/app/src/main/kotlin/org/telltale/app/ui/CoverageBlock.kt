package org.telltale.app.ui

import android.view.View
import android.widget.LinearLayout
import org.telltale.app.R

/** The bar, what its patterns mean, and the sentence below: one node for TalkBack. */
class CoverageBlock(private val look: Look, explain: (() -> Unit)? = null) : LinearLayout(look.context) {
    private val bar = CoverageBar(look)
    private val legend = Legend(look)
    private val sentence = look.label(Type.Second, colour = look.palette.ink2)
    private val more = explain?.let { look.action(look.text(R.string.what_this_means), tap = it) }
    private val whole = look.column {
        put(bar)
        put(legend, top = 8)
        put(sentence, top = 8)
    }

    init {
        orientation = VERTICAL
        pad(look.gutter, look.dp(10), look.gutter, 0)
        put(whole)
        if (more != null) put(more)
    }

    /** [gap]: what was not watched, in words. Where letters are large the sentence moves behind the explanation. */
    fun show(coverage: Coverage, gap: String?, withSentence: Boolean, explained: Boolean = false) {
        bar.show(coverage)
        legend.show(coverage, gap)
        sentence.text = coverage.sentence
        sentence.visibility = if (withSentence && !look.bigText && coverage.sentence.isNotEmpty()) View.VISIBLE else View.GONE
        more?.visibility = if (explained || look.bigText) View.VISIBLE else View.GONE
        whole.readAs(listOfNotNull(coverage.spoken, gap).joinToString(" "))
    }

    fun showUnwatched(howLong: String?) {
        bar.showUnwatched()
        legend.showUnwatched(howLong)
        sentence.visibility = View.GONE
        whole.readAs(listOfNotNull(look.text(R.string.not_watched), howLong).joinToString(" "))
    }
}
