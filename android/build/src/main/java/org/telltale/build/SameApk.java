package org.telltale.build;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Whether two APKs are the same but for who signed them: {@code SameApk APK APK}. */
public final class SameApk {
    /** The end of the archive, without a comment (APPNOTE.TXT 4.3.16). */
    private static final int END = 22;
    private static final int DIRECTORY = 16;

    private SameApk() {}

    public static void main(String[] args) throws IOException {
        byte[] one = unsigned(Path.of(args[0]));
        int difference = Arrays.mismatch(one, unsigned(Path.of(args[1])));
        if (difference >= 0) {
            System.err.println(args[0] + " and " + args[1] + " differ, first at byte " + difference);
            System.exit(1);
        }
        System.out.println("Two builds are the same, " + one.length + " bytes without signatures");
    }

    /** The block of signatures stands before the central directory; its size before and after itself. */
    static byte[] unsigned(Path apk) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(apk)).order(ByteOrder.LITTLE_ENDIAN);
        int end = all.capacity() - END;
        int directory = all.getInt(end + DIRECTORY);
        int block = directory - 8 - (int) all.getLong(directory - 24);
        ByteBuffer without = ByteBuffer.allocate(block + all.capacity() - directory).order(ByteOrder.LITTLE_ENDIAN);
        without.put(all.slice(0, block)).put(all.slice(directory, all.capacity() - directory));
        without.putInt(without.capacity() - END + DIRECTORY, block);
        return without.array();
    }
}
