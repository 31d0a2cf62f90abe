package org.telltale.app.core

/** The Rust core: what docs/boundary.md says, function by function. Nothing of it belongs on the main thread. */
object Core {
    init {
        System.loadLibrary("telltale")
    }

    /** Opens database, tables and details; watches if [tunFd] is not negative. Answers a handle. */
    external fun start(tunFd: Int, config: String, host: Host): Long

    /** Goes on with another tun, whose descriptor the core owns from here; with -1, without one. Answers which run watches. */
    external fun replaceTun(handle: Long, tunFd: Int, network: String): Long

    /** Takes the whole set of details, one `kind value` a line, zeroes the array, and says what it took. */
    external fun setDetails(handle: Long, details: ByteArray): String

    external fun networkChanged(handle: Long, network: String)

    external fun query(handle: Long, question: String): String

    external fun stop(handle: Long)

    external fun version(): String
}

/** What the core asks of the phone. Called from threads of the core's own, never while a packet waits. */
interface Host {
    /** The app behind a flow as JSON (docs/boundary.md, *app*), or null where Android cannot say. */
    fun ownerOf(protocol: Int, source: String, sourcePort: Int, destination: String, destinationPort: Int): String?

    /** Something that a screen may show has changed; at most four times a second. */
    fun changed(revision: Long)

    /** Watching has ended, with the reason as JSON. */
    fun stopped(reason: String)
}
