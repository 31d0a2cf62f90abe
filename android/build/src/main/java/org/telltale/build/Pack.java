package org.telltale.build;

import com.android.apksig.ApkSigner;
import com.android.apksig.KeyConfig;
import com.android.zipflinger.BytesSource;
import com.android.zipflinger.Entry;
import com.android.zipflinger.ZipArchive;
import com.android.zipflinger.ZipSource;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;

/**
 * Makes an APK of what aapt2 linked and of other files, and signs it: {@code Pack RESOURCES_APK OUT MIN_SDK KEYSTORE ALIAS
 * ENTRY=FILE...}. The key's password is in {@code TELLTALE_KEY_PASSWORD}.
 */
public final class Pack {
    /** From Android 11 on the table of resources must be stored at a multiple of four. */
    private static final long STORED = 4;

    private Pack() {}

    public static void main(String[] args) throws Exception {
        Path out = Path.of(args[1]);
        Path unsigned = Path.of(args[1] + ".unsigned");
        Files.deleteIfExists(unsigned);
        pack(Path.of(args[0]), unsigned, Arrays.copyOfRange(args, 5, args.length));
        sign(unsigned.toFile(), out.toFile(), Integer.parseInt(args[2]), signer(Path.of(args[3]), args[4]));
        Files.delete(unsigned);
    }

    private static void pack(Path resources, Path out, String[] files) throws IOException {
        try (ZipArchive archive = new ZipArchive(out)) {
            ZipSource source = new ZipSource(resources);
            for (Map.Entry<String, Entry> one : source.entries().entrySet()) {
                long alignment = one.getValue().isCompressed() ? 1 : STORED;
                source.select(one.getKey(), one.getKey(), ZipSource.COMPRESSION_NO_CHANGE, alignment);
            }
            archive.add(source);
            for (String file : files) archive.add(source(file));
        }
    }

    /** What is packed already is stored. Libraries are not, so Android unpacks them (extractNativeLibs). */
    private static BytesSource source(String file) throws IOException {
        int equals = file.indexOf('=');
        String entry = file.substring(0, equals);
        String path = file.substring(equals + 1);
        boolean stored = path.endsWith(".zst");
        int compression = stored ? Deflater.NO_COMPRESSION : Deflater.BEST_COMPRESSION;
        BytesSource source = new BytesSource(Path.of(path), entry, compression);
        if (stored) source.align(STORED);
        return source;
    }

    private static ApkSigner.SignerConfig signer(Path keystore, String alias) throws IOException, GeneralSecurityException {
        String password = System.getenv("TELLTALE_KEY_PASSWORD");
        if (password == null) throw new IOException("TELLTALE_KEY_PASSWORD is not set");
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keystore)) {
            store.load(in, password.toCharArray());
        }
        PrivateKey key = (PrivateKey) store.getKey(alias, password.toCharArray());
        if (key == null) throw new IOException(keystore + " holds no key named " + alias);
        List<X509Certificate> chain = Arrays.stream(store.getCertificateChain(alias)).map(X509Certificate.class::cast).toList();
        return new ApkSigner.SignerConfig.Builder("CERT", new KeyConfig.Jca(key), chain).build();
    }

    /** Version 1, of single files, is for phones before Android 7. */
    private static void sign(File unsigned, File out, int minSdk, ApkSigner.SignerConfig signer) throws Exception {
        new ApkSigner.Builder(List.of(signer)).setInputApk(unsigned).setOutputApk(out).setMinSdkVersion(minSdk)
            .setV1SigningEnabled(false).setV2SigningEnabled(true).setV3SigningEnabled(true).build().sign();
    }
}
