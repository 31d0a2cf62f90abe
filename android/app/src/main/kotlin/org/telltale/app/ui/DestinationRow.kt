package org.telltale.app.ui

import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import org.telltale.app.R

/** One receiver: how protected, who, how much, what could be said of it, and under which names. */
class DestinationRow(private val look: Look) : LinearLayout(look.context) {
    private val mark = look.icon(R.drawable.ic_lock)
    private val name = look.label(Type.Name)
    private val size = look.label(Type.Second, colour = look.palette.ink2)
    private val verdict = look.label(Type.Second, colour = look.palette.ink2)
    private val hosts = look.label(Type.Small, colour = look.palette.ink2).apply { textDirection = View.TEXT_DIRECTION_LTR }
    private val network = look.label(Type.Small, colour = look.palette.ink2)

    init {
        gravity = Gravity.TOP
        pad(look.gutter, look.dp(11))
        addView(mark)
        put(look.column {
            val head = if (look.bigText) look.column() else look.row()
            if (look.bigText) head.put(name) else head.put(name, 0, weight = 1f)
            head.put(size, WRAP_CONTENT, start = if (look.bigText) 0 else 10)
            put(head)
            put(verdict)
            put(hosts, top = 2)
            put(network)
        }, 0, weight = 1f, start = 14)
    }

    fun show(to: Destination) {
        val kind = Mark.ofDestination(to.mark)
        mark.setImageResource(kind.icon)
        mark.imageTintList = android.content.res.ColorStateList.valueOf(kind.colour(look.palette))
        name.text = to.name
        size.text = Formats.size(context, to.sent)
        verdict.text = to.verdict
        hosts.text = to.hosts.joinToString(", ")
        hosts.visibility = if (to.hosts.isEmpty()) View.GONE else View.VISIBLE
        network.text = to.network
        network.visibility = if (to.network == null) View.GONE else View.VISIBLE
        readAs(listOfNotNull(to.name, size.text, to.verdict, hosts.text, to.network).filter { it.isNotEmpty() }.joinToString(". "))
    }
}
