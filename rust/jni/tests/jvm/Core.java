package org.telltale.app.core;

/** What the app's Kotlin `object` of this name is to the JVM. */
public class Core {
    static {
        System.load(System.getProperty("telltale.library"));
    }

    public native long start(int tunFd, String config, Host host);

    public native long replaceTun(long handle, int tunFd, String network);

    public native String setDetails(long handle, byte[] details);

    public native void networkChanged(long handle, String network);

    public native String query(long handle, String question);

    public native void stop(long handle);

    public native String version();
}
