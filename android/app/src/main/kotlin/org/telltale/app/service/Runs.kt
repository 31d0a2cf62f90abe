package org.telltale.app.service

/**
 * Tells the end of what watches now from the end of a run before. That a tun was taken and that a run has ended come
 * in no certain order (docs/boundary.md, `replaceTun` and `stopped`), but both name the run, and later runs have
 * greater numbers.
 */
class Runs {
    private var asked = 0
    private var current = 0L
    private var ended = 0L

    /** Nothing watches any more, though nobody asked for that. */
    val areOver get() = asked == 0 && current in 1..ended

    /** The core was given a tun and has not answered yet. */
    fun asks() {
        asked++
    }

    fun watches(run: Long) {
        asked--
        current = run
    }

    /** The core did not take the tun. Whether that was the last one that it was given. */
    fun refused(): Boolean = --asked == 0

    fun ended(run: Long) {
        ended = maxOf(ended, run)
    }
}
