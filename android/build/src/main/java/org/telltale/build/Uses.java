package org.telltale.build;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.objectweb.asm.AnnotationVisitor;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** What a class uses of other classes. */
final class Uses extends ClassVisitor {
    /**
     * A class, or a member of it ({@code name(descriptor)}, of a field {@code name}), the method that uses it, and the API
     * level that this method makes sure of.
     */
    record Use(String by, String owner, String member, int asked) {
        String name() {
            return member.isEmpty() ? owner : owner + "." + member;
        }
    }

    private final List<Use> uses = new ArrayList<>();
    private String name;
    private int target;

    static List<Use> of(byte[] classFile) {
        Uses uses = new Uses();
        new ClassReader(classFile).accept(uses, ClassReader.SKIP_FRAMES);
        return uses.uses;
    }

    private Uses() {
        super(Opcodes.ASM9);
    }

    @Override
    public void visit(int version, int access, String name, String signature, String superName, String[] interfaces) {
        this.name = name;
        uses.add(new Use(name, superName, "", 0));
        for (String one : interfaces) uses.add(new Use(name, one, "", 0));
    }

    @Override
    public AnnotationVisitor visitAnnotation(String type, boolean visible) {
        return new TargetApi(type, level -> target = level);
    }

    @Override
    public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
        return new Body(name + "." + method);
    }

    /** The value of {@code @TargetApi}. */
    private static final class TargetApi extends AnnotationVisitor {
        private final String type;
        private final IntConsumer taken;

        TargetApi(String type, IntConsumer taken) {
            super(Opcodes.ASM9);
            this.type = type;
            this.taken = taken;
        }

        @Override
        public void visit(String name, Object value) {
            if (type.equals("Landroid/annotation/TargetApi;")) taken.accept((Integer) value);
        }
    }

    /** One method. What it asks of SDK_INT may stand before or after what it uses, so both are put together at its end. */
    private final class Body extends MethodVisitor {
        private final String method;
        private final List<Use> found = new ArrayList<>();
        private int asked = target;
        private boolean justAsked;

        Body(String method) {
            super(Opcodes.ASM9);
            this.method = method;
        }

        @Override
        public AnnotationVisitor visitAnnotation(String type, boolean visible) {
            return new TargetApi(type, level -> asked = Math.max(asked, level));
        }

        @Override
        public void visitFieldInsn(int opcode, String owner, String field, String type) {
            add(owner, field);
            justAsked = owner.equals("android/os/Build$VERSION") && field.equals("SDK_INT");
        }

        @Override
        public void visitMethodInsn(int opcode, String owner, String called, String descriptor, boolean isInterface) {
            justAsked = false;
            add(owner, called + descriptor);
        }

        /** A number right after SDK_INT is what it is compared with. */
        @Override
        public void visitIntInsn(int opcode, int operand) {
            if (opcode == Opcodes.BIPUSH && justAsked) asked = Math.max(asked, operand);
            justAsked = false;
        }

        @Override
        public void visitTypeInsn(int opcode, String type) {
            add(type, "");
        }

        @Override
        public void visitLdcInsn(Object value) {
            if (value instanceof Type type && type.getSort() == Type.OBJECT) add(type.getInternalName(), "");
        }

        /** R8 replaces the bootstrap method; what it is to call stays. */
        @Override
        public void visitInvokeDynamicInsn(String name, String descriptor, Handle bootstrap, Object... arguments) {
            for (Object argument : arguments) {
                if (argument instanceof Handle handle && handle.getTag() >= Opcodes.H_INVOKEVIRTUAL) {
                    add(handle.getOwner(), handle.getName() + handle.getDesc());
                }
            }
        }

        @Override
        public void visitTryCatchBlock(Label start, Label end,
                Label handler, String type) {
            if (type != null) add(type, "");
        }

        @Override
        public void visitEnd() {
            for (Use use : found) uses.add(new Use(use.by, use.owner, use.member, asked));
        }

        private void add(String owner, String member) {
            found.add(new Use(method, owner, member, 0));
        }
    }
}
