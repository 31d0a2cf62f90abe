package org.telltale.app.ui

import android.content.Context
import android.view.View
import android.view.ViewGroup

/** Lets what it holds stand side by side, and go on in the next line where there is no more room. */
open class Flow(context: Context, private val across: Int, private val down: Int, private val asList: Boolean) : ViewGroup(context) {
    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        children().forEach { it.measure(MeasureSpec.makeMeasureSpec(width, MeasureSpec.AT_MOST), MeasureSpec.UNSPECIFIED) }
        setMeasuredDimension(width, flow(width) { _, _, _ -> })
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        val width = right - left
        flow(width) { child, x, y ->
            val from = if (layoutDirection == LAYOUT_DIRECTION_RTL) width - x - child.measuredWidth else x
            child.layout(from, y, from + child.measuredWidth, y + child.measuredHeight)
        }
    }

    /** Places the children in lines and answers the height of all. */
    private inline fun flow(width: Int, place: (View, Int, Int) -> Unit): Int {
        var x = 0
        var y = 0
        var line = 0
        for (child in children()) {
            if (x > 0 && (asList || x + child.measuredWidth > width)) {
                x = 0
                y += line + down
                line = 0
            }
            place(child, x, y)
            x += child.measuredWidth + across
            line = maxOf(line, child.measuredHeight)
        }
        return y + line
    }
}
