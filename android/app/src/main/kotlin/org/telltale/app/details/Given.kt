package org.telltale.app.details

/**
 * What the person gave, as the lines that the core reads (`kind value`, UTF-8), kept as bytes so that they can be
 * zeroed. Values are never made into a String here, since a String stays in memory as long as it pleases.
 */
class Given(private val lines: List<ByteArray> = emptyList()) {
    val size get() = lines.size

    fun with(kind: String, value: ByteArray) = Given(lines + listOf(line(kind, value)))

    /** Without the [number]th line (from 1) of a kind. */
    fun without(kind: String, number: Int): Given {
        val prefix = "$kind ".toByteArray()
        var seen = 0
        return Given(lines.filterNot { it.startsWith(prefix) && ++seen == number })
    }

    fun toBytes(): ByteArray {
        val size = lines.sumOf { it.size + 1 }
        val all = ByteArray(size)
        var at = 0
        for (line in lines) {
            line.copyInto(all, at)
            all[at + line.size] = '\n'.code.toByte()
            at += line.size + 1
        }
        return all
    }

    fun zero() = lines.forEach { it.fill(0) }

    companion object {
        /** Takes the lines out of [bytes], which are zeroed. */
        fun of(bytes: ByteArray): Given {
            val lines = ArrayList<ByteArray>()
            var start = 0
            for (at in bytes.indices) {
                if (bytes[at] != '\n'.code.toByte()) continue
                if (at > start) lines.add(bytes.copyOfRange(start, at))
                start = at + 1
            }
            if (start < bytes.size) lines.add(bytes.copyOfRange(start, bytes.size))
            bytes.fill(0)
            return Given(lines)
        }

        /** A line break inside a value would begin a new line, so it becomes a space. */
        private fun line(kind: String, value: ByteArray): ByteArray {
            val name = "$kind ".toByteArray()
            val line = name.copyOf(name.size + value.size)
            value.forEachIndexed { at, byte -> line[name.size + at] = if (byte in BREAKS) ' '.code.toByte() else byte }
            return line
        }

        private val BREAKS = listOf('\n'.code.toByte(), '\r'.code.toByte())

        private fun ByteArray.startsWith(prefix: ByteArray) = size >= prefix.size && prefix.indices.all { this[it] == prefix[it] }
    }
}
