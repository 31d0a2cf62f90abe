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
        var seen = 0
        return Given(lines.filterNot { kindOf(it) == kind && ++seen == number })
    }

    /**
     * With the [ids] that the core gave, by kind and in order: `kind#id value`. A detail keeps its id over restarts,
     * so that what was found before still names it.
     */
    fun named(ids: Map<String, List<String>>): Given {
        val seen = HashMap<String, Int>()
        return Given(lines.map { line ->
            val kind = kindOf(line)
            val at = seen.merge(kind, 1, Int::plus)!! - 1
            val id = ids[kind]?.getOrNull(at)
            if (id == null) line else line("$kind#$id", line.copyOfRange(line.indexOf(SPACE) + 1, line.size))
        })
    }

    fun count(kind: String) = lines.count { kindOf(it) == kind }

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

        private val SPACE = ' '.code.toByte()

        /** What stands before the value, without the id. Kinds are no secret. */
        private fun kindOf(line: ByteArray): String {
            val end = line.indexOf(SPACE).takeIf { it >= 0 } ?: line.size
            return String(line, 0, end).substringBefore('#')
        }

        private val BREAKS = listOf('\n'.code.toByte(), '\r'.code.toByte())
    }
}
