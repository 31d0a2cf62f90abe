package org.telltale.app.core

import android.net.ConnectivityManager
import android.os.Handler
import android.os.Looper
import android.os.ParcelFileDescriptor
import android.os.Process
import android.system.OsConstants
import android.util.Log
import org.json.JSONObject
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.CopyOnWriteArraySet
import java.util.concurrent.Executors

/**
 * The one handle on the core that this process has. What begins, changes and ends watching happens on one thread, in
 * the order in which it was asked for; questions, which may take as long as the disk does, never hold it up.
 */
class Session(
    private val config: () -> JSONObject,
    private val connectivity: ConnectivityManager,
    private val apps: Apps,
    /** Called once the core answers, on the main thread: whoever opens it, details are looked for. */
    private val started: () -> Unit = {},
) : Host {
    private val control = Executors.newSingleThreadExecutor { Thread(it, "core") }
    private val questions = Executors.newSingleThreadExecutor { Thread(it, "questions") }
    private val main = Handler(Looper.getMainLooper())
    private val listeners = CopyOnWriteArraySet<Listener>()
    private var handle = 0L

    /** Who gave the tun that is watched, or the last one that was. */
    private var watcher: Any? = null

    /** Told on the main thread. */
    interface Listener {
        fun changed(revision: Long) = Unit
        fun stopped(reason: JSONObject) = Unit
    }

    fun listen(listener: Listener) = listeners.add(listener)

    fun unlisten(listener: Listener) = listeners.remove(listener)

    /** Asks a question or gives a command (docs/boundary.md); the answer, or what went wrong, comes on the main thread. */
    fun ask(question: JSONObject, then: (Result<JSONObject>) -> Unit = {}) = questions.execute {
        val answer = runCatching { JSONObject(Core.query(open(), question.toString())) }
        answer.exceptionOrNull()?.let { Log.w(TAG, "a question was not answered", it) }
        main.post { then(answer) }
    }

    /** The same for a thread that may wait; never the main one. */
    fun answer(question: String): String = Core.query(open(), question)

    /** Watches what comes out of [tunFd], which is the core's from here; [then] hears on the main thread which run does. */
    fun watch(by: Any, tunFd: Int, network: String, then: (Result<Long>) -> Unit) = control.execute {
        watcher = by
        val run = runCatching { Core.replaceTun(openFor(tunFd), tunFd, network) }
        main.post { then(run) }
    }

    /** Ends watching, unless somebody else watches by now. */
    fun unwatch(by: Any, network: String) = control.execute {
        if (watcher === by) runCatching { Core.replaceTun(open(), -1, network) }
    }

    fun networkChanged(network: String) = control.execute { runCatching { Core.networkChanged(open(), network) } }

    /** Takes the whole set; [details] is zeroed. For a thread that may wait. */
    fun setDetails(details: ByteArray): JSONObject = try {
        JSONObject(Core.setDetails(open(), details))
    } finally {
        details.fill(0)
    }

    fun close() = control.execute { taken().takeIf { it != 0L }?.let(Core::stop) }

    override fun ownerOf(protocol: Int, source: String, sourcePort: Int, destination: String, destinationPort: Int): String? {
        val local = InetSocketAddress(InetAddress.getByName(source), sourcePort)
        val remote = InetSocketAddress(InetAddress.getByName(destination), destinationPort)
        val uid = uidOf(protocol, local, remote)
        return if (uid == Process.INVALID_UID) null else apps.of(uid)
    }

    /** A UDP socket that is not connected has no remote address for the kernel to match, so the second try names none. */
    private fun uidOf(protocol: Int, local: InetSocketAddress, remote: InetSocketAddress): Int {
        val uid = connectivity.getConnectionOwnerUid(protocol, local, remote)
        if (uid != Process.INVALID_UID || protocol != OsConstants.IPPROTO_UDP) return uid
        val any = if (local.address.address.size == 4) "0.0.0.0" else "::"
        return connectivity.getConnectionOwnerUid(protocol, local, InetSocketAddress(InetAddress.getByName(any), 0))
    }

    override fun changed(revision: Long) {
        main.post { listeners.forEach { it.changed(revision) } }
    }

    override fun stopped(reason: String) {
        val said = runCatching { JSONObject(reason) }.getOrElse { JSONObject().put("reason", "panic") }
        main.post { listeners.forEach { it.stopped(said) } }
    }

    /** Without a core nobody would read the tunnel, and the phone would have no network: then it is closed. */
    private fun openFor(tunFd: Int): Long = try {
        open()
    } catch (error: Throwable) {
        if (tunFd >= 0) ParcelFileDescriptor.adoptFd(tunFd).close()
        throw error
    }

    @Synchronized
    private fun open(): Long {
        if (handle == 0L) {
            handle = Core.start(-1, config().toString(), this)
            main.post(started)
        }
        return handle
    }

    /** The handle, which nobody uses from here on. */
    @Synchronized
    private fun taken(): Long = handle.also { handle = 0L }

    private companion object {
        const val TAG = "Telltale"
    }
}
