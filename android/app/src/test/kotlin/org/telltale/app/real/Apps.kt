package org.telltale.app.real

import com.sun.jna.Library
import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.Pointer
import org.json.JSONObject
import java.io.File
import java.net.Inet6Address
import java.net.InetAddress
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.TimeUnit

/**
 * The apps' side of the phone: a network namespace in which there is nothing but the tunnel, and the programs of 2014
 * that run in it. This process is beside it, as we are on a phone, since we leave ourselves out.
 */
class Apps(private val folder: File) : AutoCloseable {
    private val anchor = start("unshare", "--net", "--mount", "sleep", "infinity")
    private val pid = anchor.pid()
    private var tuns = 0

    init {
        folder.mkdirs()
        until("the namespace") { File("/proc/$pid/comm").readText().trim() == "sleep" }
        inside("ip link set lo up")
    }

    /** A tun with these addresses, in the apps' namespace; their traffic goes into the latest. Its descriptor. */
    fun tun(addresses: List<String>, mtu: Int, resolver: String): Int {
        val name = "tun${tuns++}"
        val descriptor = openTun(name)
        sh("ip link set $name netns $pid")
        addresses.forEach { inside("ip address add $it dev $name ${if (':' in it) "nodad" else ""}") }
        inside("ip link set $name mtu $mtu up")
        inside("ip route replace default dev $name")
        if (addresses.any { ':' in it }) inside("ip -6 route replace default dev $name")
        val names = File(folder, "resolv.conf").apply { writeText("nameserver $resolver\n") }
        if (tuns == 1) inside("mount --make-rprivate / && mount --bind $names $(realpath /etc/resolv.conf)")
        return descriptor
    }

    /** Plays act 1, or one step of it, to its end. */
    fun play(step: String? = null) = inside("${scenario()} phone --act 1 ${step?.let { "--step $it" }.orEmpty()} ${places()}")

    fun begin(command: String): Process = start("nsenter", "-t", "$pid", "-n", "-m", "sh", "-c", command)

    fun inside(command: String): String = finish(begin(command), command)

    private fun places() = "--ca ${System.getenv("DEMO")}/phone/ca.pem --programs $folder/programs"

    /** The name of the program behind a connection, as /proc tells it; null where it is gone. */
    fun programOf(protocol: Int, local: InetSocketAddress): String? {
        val socket = socket(if (protocol == 6) "tcp" else "udp", local) ?: return null
        val processes = File("/proc").listFiles { file -> file.name.all(Char::isDigit) }.orEmpty()
        return processes.firstOrNull { has(it, socket) }?.let { File(it, "exe").canonicalFile.name }
    }

    private fun has(process: File, socket: String) = File(process, "fd").listFiles().orEmpty().any {
        runCatching { java.nio.file.Files.readSymbolicLink(it.toPath()).toString() == socket }.getOrDefault(false)
    }

    /** proc(5): the address in words of this machine's order, and the inode in the tenth column. */
    private fun socket(table: String, local: InetSocketAddress): String? {
        val names = if (local.address is Inet6Address) listOf("${table}6") else listOf(table, "${table}6")
        for (name in names) {
            val wanted = words(local.address, mapped = name.endsWith('6')) + ":%04X".format(local.port)
            val any = "0".repeat(wanted.length - 5) + ":%04X".format(local.port)
            val rows = File("/proc/$pid/net/$name").readLines().drop(1).map { it.trim().split(Regex(" +")) }
            rows.find { it[1] == wanted || it[1] == any }?.let { return "socket:[${it[9]}]" }
        }
        return null
    }

    private fun words(address: InetAddress, mapped: Boolean): String {
        val bytes = address.address
        val whole = if (mapped && bytes.size == 4) ByteArray(10) + byteArrayOf(-1, -1) + bytes else bytes
        val buffer = ByteBuffer.wrap(whole).order(ByteOrder.nativeOrder())
        return (1..whole.size / 4).joinToString("") { "%08X".format(buffer.int) }
    }

    override fun close() {
        anchor.destroyForcibly().waitFor()
    }

    private interface C : Library {
        fun open(path: String, flags: Int): Int
        fun ioctl(descriptor: Int, request: Long, argument: Pointer): Int
        fun close(descriptor: Int): Int
    }

    companion object {
        private val libc = Native.load("c", C::class.java)
        private const val READ_WRITE = 2
        private const val TUNSETIFF = 0x400454caL
        private const val PLAIN_TUN = 0x1001 // IFF_TUN | IFF_NO_PI

        private fun openTun(name: String): Int {
            val descriptor = libc.open("/dev/net/tun", READ_WRITE)
            check(descriptor >= 0) { "/dev/net/tun cannot be opened" }
            val request = Memory(40).apply { clear() } // struct ifreq
            request.setString(0, name)
            request.setShort(16, PLAIN_TUN.toShort())
            check(libc.ioctl(descriptor, TUNSETIFF, request) == 0) { "the tun $name cannot be made" }
            return descriptor
        }

        fun close(descriptor: Int) = libc.close(descriptor)

        fun scenario(): String = File(System.getenv("SCENARIO")).absolutePath

        fun sh(command: String): String = finish(start("sh", "-c", command), command)

        /** The apps of that phone by program, with their uids: those of the example. */
        fun known() = JSONObject(File("../rust/screens/example/apps.json").readText())

        fun until(what: String, met: () -> Boolean) {
            var last: Throwable? = null
            repeat(200) {
                if (runCatching(met).onFailure { last = it }.getOrDefault(false)) return
                Thread.sleep(50)
            }
            throw AssertionError("$what never came", last)
        }

        private fun start(vararg command: String): Process =
            ProcessBuilder(*command).redirectErrorStream(true).redirectInput(File("/dev/null")).start()

        private fun finish(process: Process, what: String): String {
            val said = process.inputStream.bufferedReader().readText()
            check(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0) { "$what: $said" }
            return said
        }
    }
}
