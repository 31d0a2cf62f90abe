package org.telltale.build;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.objectweb.asm.ClassReader;

/**
 * Finds what the app uses of Android and Java that its oldest phone lacks, or that Android hides: {@code CheckApi
 * MIN_SDK PLATFORM_JAR FOLDER_OF_CLASSES}. A newer member is allowed in a method (or a class) that has
 * {@code @TargetApi} of that level, and in one that itself compares SDK_INT with such a level.
 */
public final class CheckApi implements AutoCloseable {
    /** What comes with the app, not with the phone. */
    private static final List<String> OURS = List.of("org/telltale/", "kotlin/", "org/jetbrains/annotations/");

    private final PlatformApi api = PlatformApi.read();
    private final ZipFile platform;
    private final int minSdk;
    private final Map<String, List<String>> parents = new HashMap<>();
    private final TreeSet<String> complaints = new TreeSet<>();

    public static void main(String[] args) throws IOException {
        try (CheckApi check = new CheckApi(Integer.parseInt(args[0]), Path.of(args[1]))) {
            int classes = check.folder(Path.of(args[2]));
            check.complaints.forEach(System.err::println);
            if (!check.complaints.isEmpty()) System.exit(1);
            System.out.println(classes + " classes use nothing hidden and nothing newer than API " + args[0] + " unasked");
        }
    }

    CheckApi(int minSdk, Path platform) throws IOException {
        this.minSdk = minSdk;
        this.platform = new ZipFile(platform.toFile());
    }

    private int folder(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(file -> file.toString().endsWith(".class")).sorted().toList();
        }
        if (files.isEmpty()) throw new IOException(folder + " holds no classes");
        for (Path file : files) complaints.addAll(complaints(Files.readAllBytes(file)));
        return files.size();
    }

    /** What is wrong with a class, a line for each member and method that uses it. */
    List<String> complaints(byte[] classFile) {
        List<String> found = new ArrayList<>();
        for (Uses.Use use : Uses.of(classFile)) {
            if (use.name().startsWith("[") || OURS.stream().anyMatch(use.owner()::startsWith)) continue;
            int level = level(use);
            if (level == 0) found.add(use.by() + " uses " + use.name() + ", which Android hides or lacks");
            else if (level > Math.max(minSdk, use.asked())) {
                found.add(use.by() + " uses " + use.name() + ", which came with API " + level + ", without asking SDK_INT");
            }
        }
        return found;
    }

    /** The first level at which the member can be used through this owner. */
    private int level(Uses.Use use) {
        int owner = api.level(use.owner());
        if (owner == 0 || use.member().isEmpty()) return owner;
        int member = member(use.owner(), use.member());
        return member == 0 ? 0 : Math.max(owner, member);
    }

    /** A member may be declared by any class or interface above; what was moved up later has been there before. */
    private int member(String owner, String member) {
        int level = api.level(owner + "." + member);
        for (String parent : parents.computeIfAbsent(owner, this::parents)) {
            int above = member(parent, member);
            if (above != 0 && (level == 0 || above < level)) level = above;
        }
        return level;
    }

    private List<String> parents(String owner) {
        try (InputStream file = open(owner)) {
            if (file == null) return List.of();
            ClassReader reader = new ClassReader(file);
            List<String> parents = new ArrayList<>(List.of(reader.getInterfaces()));
            if (reader.getSuperName() != null) parents.add(reader.getSuperName());
            return parents;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private InputStream open(String owner) throws IOException {
        ZipEntry entry = platform.getEntry(owner + ".class");
        return entry == null ? ClassLoader.getSystemResourceAsStream(owner + ".class") : platform.getInputStream(entry);
    }

    @Override
    public void close() throws IOException {
        platform.close();
    }
}
