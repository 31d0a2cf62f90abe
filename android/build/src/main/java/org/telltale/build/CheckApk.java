package org.telltale.build;

import com.android.apksig.ApkVerifier;
import com.android.zipflinger.Entry;
import com.android.zipflinger.ZipMap;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/** Checks a finished APK, and says what in it weighs what: {@code CheckApk APK MIN_SDK MOST_BYTES}. */
public final class CheckApk {
    private CheckApk() {}

    public static void main(String[] args) throws Exception {
        Path apk = Path.of(args[0]);
        ZipMap map = ZipMap.from(apk);
        List<String> complaints = new ArrayList<>(signature(apk, Integer.parseInt(args[1])));
        map.getEntries().values().forEach(entry -> place(entry, complaints));
        long bytes = apk.toFile().length();
        if (bytes > Long.parseLong(args[2])) complaints.add("it has " + bytes + " bytes, more than " + args[2]);
        complaints.forEach(complaint -> System.err.println(apk + ": " + complaint));
        if (!complaints.isEmpty()) System.exit(1);
        weigh(map, bytes);
    }

    /** Version 3 is what our phones check; version 2 is for whoever checks an APK with older tools. And whose key it is. */
    private static List<String> signature(Path apk, int minSdk) throws Exception {
        ApkVerifier.Result result =
            new ApkVerifier.Builder(apk.toFile()).setMinCheckedPlatformVersion(minSdk).build().verify();
        List<String> complaints = new ArrayList<>(result.getAllErrors().stream().map(Object::toString).toList());
        if (!result.isVerified()) complaints.add("its signature is not right");
        if (!result.isVerifiedUsingV3Scheme()) complaints.add("it has no signature of version 3");
        ApkVerifier older = new ApkVerifier.Builder(apk.toFile()).setMinCheckedPlatformVersion(24)
            .setMaxCheckedPlatformVersion(27).build();
        if (!older.verify().isVerifiedUsingV2Scheme()) complaints.add("it has no signature of version 2");
        for (X509Certificate certificate : result.getSignerCertificates()) System.out.println("Signed with " + digest(certificate));
        return complaints;
    }

    private static String digest(X509Certificate certificate) throws GeneralSecurityException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
        return HexFormat.ofDelimiter(":").withUpperCase().formatHex(digest);
    }

    /**
     * What Android reads in place must be stored: the table of resources at a multiple of four; a library that is not
     * compressed is mapped, in pages of up to 16 KiB.
     */
    private static void place(Entry entry, List<String> complaints) {
        String name = entry.getName();
        if (entry.isCompressed()) {
            if (name.equals("resources.arsc")) complaints.add(name + " is compressed");
            return;
        }
        int page = name.endsWith(".so") ? 16384 : name.equals("resources.arsc") ? 4 : 1;
        if (entry.getPayloadLocation().first % page != 0) complaints.add(name + " does not begin at a multiple of " + page);
    }

    private static void weigh(ZipMap map, long bytes) {
        map.getEntries().values().stream().sorted(Comparator.comparing(Entry::getCompressedSize).reversed()).limit(6)
            .forEach(entry -> System.out.printf("%,11d  %s%n", entry.getCompressedSize(), entry.getName()));
        System.out.printf("%,11d  all%n", bytes);
    }
}
