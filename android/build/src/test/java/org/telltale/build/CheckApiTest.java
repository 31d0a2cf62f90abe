package org.telltale.build;

import static org.junit.Assert.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.ZipOutputStream;
import org.junit.Test;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

public final class CheckApiTest {
    private static final String HIDDEN = "android/app/ActivityThread.currentActivityThread()Landroid/app/ActivityThread;";

    @Test
    public void whatAndroid10HasIsFine() throws IOException {
        assertEquals(List.of(), complaints(body -> {
            call(body, "android/net/VpnService$Builder.setMetered(Z)Landroid/net/VpnService$Builder;");
            call(body, "java/util/ArrayList.toString()Ljava/lang/String;");
        }));
    }

    @Test
    public void hiddenIsHidden() throws IOException {
        assertEquals(List.of("org/telltale/app/Made.body uses " + HIDDEN + ", which Android hides or lacks"),
            complaints(body -> call(body, HIDDEN)));
    }

    @Test
    public void aHiddenMemberOfAPublicClassIsHidden() throws IOException {
        assertEquals(1, complaints(body -> call(body, "android/net/VpnService.isAlwaysOn2()Z")).size());
    }

    @Test
    public void newerMembersOfAndroidAndOfJavaNeedAQuestion() throws IOException {
        assertEquals(1, complaints(body -> call(body, "java/util/List.of()Ljava/util/List;")).size());
        assertEquals(1, complaints(body -> call(body, EXCLUDE)).size());
        assertEquals(List.of(), complaints(body -> {
            ask(body, 33);
            call(body, EXCLUDE);
        }));
        assertEquals("33 is needed", 1, complaints(body -> {
            ask(body, 30);
            call(body, EXCLUDE);
        }).size());
        assertEquals(List.of(), complaints(body -> {
            body.visitAnnotation("Landroid/annotation/TargetApi;", false).visit("value", 33);
            call(body, EXCLUDE);
        }));
    }

    private static final String EXCLUDE =
        "android/net/VpnService$Builder.excludeRoute(Landroid/net/IpPrefix;)Landroid/net/VpnService$Builder;";

    private static void call(MethodVisitor body, String member) {
        int dot = member.indexOf('.');
        int open = member.indexOf('(');
        body.visitMethodInsn(Opcodes.INVOKEVIRTUAL, member.substring(0, dot), member.substring(dot + 1, open),
            member.substring(open), false);
    }

    private static void ask(MethodVisitor body, int level) {
        body.visitFieldInsn(Opcodes.GETSTATIC, "android/os/Build$VERSION", "SDK_INT", "I");
        body.visitIntInsn(Opcodes.BIPUSH, level);
        Label end = new Label();
        body.visitJumpInsn(Opcodes.IF_ICMPLT, end);
        body.visitLabel(end);
    }

    private static List<String> complaints(Consumer<MethodVisitor> write) throws IOException {
        ClassWriter made = new ClassWriter(0);
        made.visit(Opcodes.V11, 0, "org/telltale/app/Made", null, "java/lang/Object", null);
        MethodVisitor body = made.visitMethod(0, "body", "()V", null, null);
        write.accept(body);
        body.visitEnd();
        made.visitEnd();
        Path platform = Files.createTempFile("platform", ".jar");
        new ZipOutputStream(Files.newOutputStream(platform)).close();
        try (CheckApi check = new CheckApi(29, platform)) {
            return check.complaints(made.toByteArray());
        } finally {
            Files.delete(platform);
        }
    }
}
