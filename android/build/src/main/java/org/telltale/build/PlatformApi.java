package org.telltale.build;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * What of Android's public interface came with which API level: the table that R8 carries, made from Android's own
 * api-versions.xml. Hidden classes and members are not in it.
 *
 * <p>Its layout, all numbers big-endian: a title, a version (4 bytes), the number of strings (4); for each string offset
 * and length (4 and 2); a hash table of the strings, 2^17 such pairs; a hash table of the references, 2^18 such pairs;
 * then the texts. A pair of the last table leads to entries: length (2), reference, twice the level (1). A reference is
 * its kind (0 class, 1 field, 2 method) and numbers of strings (2 each): class, name, of a method its types, result last.
 */
final class PlatformApi {
    private static final String TABLE = "resources/api_database.ser";
    private static final byte[] TITLE = "r8-apidatabase\0\0\0\1".getBytes(StandardCharsets.US_ASCII);
    private static final int STRINGS = TITLE.length + 4;
    private static final int PAIR = 6;
    private static final int STRING_SLOTS = 1 << 17;
    private static final int REFERENCE_SLOTS = 1 << 18;

    private final Map<String, Integer> levels = new HashMap<>();

    static PlatformApi read() throws IOException {
        try (InputStream table = PlatformApi.class.getClassLoader().getResourceAsStream(TABLE)) {
            if (table == null) throw new IOException("this R8 carries no " + TABLE);
            ByteBuffer bytes = ByteBuffer.wrap(table.readAllBytes());
            if (bytes.mismatch(ByteBuffer.wrap(TITLE)) != TITLE.length) throw new IOException(TABLE + " has another layout");
            return new PlatformApi(bytes);
        }
    }

    private PlatformApi(ByteBuffer table) {
        int count = table.getInt(TITLE.length);
        int references = STRINGS + (count + STRING_SLOTS) * PAIR;
        int texts = references + REFERENCE_SLOTS * PAIR;
        String[] strings = new String[count];
        for (int i = 0; i < count; i++) strings[i] = string(table, STRINGS + i * PAIR, texts);
        for (int i = 0; i < REFERENCE_SLOTS; i++) entries(table, references + i * PAIR, texts, strings);
    }

    /** A string ends with a zero byte. */
    private static String string(ByteBuffer table, int pair, int texts) {
        byte[] text = new byte[unsigned(table, pair + 4) - 1];
        table.get(texts + table.getInt(pair), text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private void entries(ByteBuffer table, int pair, int texts, String[] strings) {
        int at = texts + table.getInt(pair);
        int end = at + unsigned(table, pair + 4);
        while (at < end) {
            int length = unsigned(table, at);
            // Half a level is one of a quarterly release: who needs 36.1 needs more than 36.
            levels.put(reference(table, at + 2, length, strings), (table.get(at + 2 + length) + 1) / 2);
            at += 2 + length + 1;
        }
    }

    private static String reference(ByteBuffer table, int at, int length, String[] strings) {
        String[] parts = new String[(length - 1) / 2];
        for (int i = 0; i < parts.length; i++) parts[i] = strings[unsigned(table, at + 1 + 2 * i)];
        String type = parts[0].substring(1, parts[0].length() - 1);
        switch (table.get(at)) {
            case 0: return type;
            case 1: return type + "." + parts[1];
            default:
                StringBuilder method = new StringBuilder(type).append('.').append(parts[1]).append('(');
                for (int i = 2; i < parts.length - 1; i++) method.append(parts[i]);
                return method.append(')').append(parts[parts.length - 1]).toString();
        }
    }

    private static int unsigned(ByteBuffer table, int at) {
        return Short.toUnsignedInt(table.getShort(at));
    }

    /**
     * The first level with a class ({@code android/net/VpnService}), a method ({@code android/net/Uri.getHost()...}) or a
     * field ({@code android/graphics/Point.x}); 0 where Android has none that is public and declared there.
     */
    int level(String reference) {
        return levels.getOrDefault(reference, 0);
    }
}
