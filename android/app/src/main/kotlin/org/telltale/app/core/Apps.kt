package org.telltale.app.core

/** Who stands behind a uid. */
fun interface Apps {
    /** The *app* of docs/boundary.md as JSON. */
    fun of(uid: Int): String
}
