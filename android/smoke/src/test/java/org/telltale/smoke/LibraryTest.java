package org.telltale.smoke;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import com.github.unidbg.AndroidEmulator;
import com.github.unidbg.linux.LinuxModule;
import com.github.unidbg.linux.ModuleSymbol;
import com.github.unidbg.linux.android.AndroidEmulatorBuilder;
import com.github.unidbg.linux.android.AndroidResolver;
import com.github.unidbg.linux.android.dvm.DalvikModule;
import com.github.unidbg.linux.android.dvm.DvmObject;
import com.github.unidbg.linux.android.dvm.VM;
import java.io.File;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;

public final class LibraryTest {
    /** The C library that the emulator has is older than Android 10; this function came between. */
    private static final Set<String> NEWER = Set.of("getrandom");

    @Test
    public void androidLoadsTheLibraryAndKotlinsFunctionsAnswer() throws IOException {
        File library = new File(System.getProperty("telltale.library"));
        try (AndroidEmulator emulator = AndroidEmulatorBuilder.for64Bit().setProcessName("org.telltale.app").build()) {
            emulator.getMemory().setLibraryResolver(new AndroidResolver(23));
            VM vm = emulator.createDalvikVM();
            DalvikModule loaded = vm.loadLibrary(library, true);
            Set<String> missing = new TreeSet<>();
            for (ModuleSymbol symbol : ((LinuxModule) loaded.getModule()).getUnresolvedSymbol()) missing.add(symbol.getSymbol().getName());
            missing.removeAll(NEWER);
            assertEquals("symbols that Android lacks", Set.of(), missing);

            DvmObject<?> core = vm.resolveClass("org/telltale/app/core/Core").newObject(null);
            String version = core.callJniMethodObject(emulator, "version()Ljava/lang/String;").getValue().toString();
            assertTrue(version, version.startsWith("{\"") && version.contains("\"version\":\"0.1.0\""));
        }
    }
}
