package org.telltale.app.core;

public interface Host {
    String ownerOf(int protocol, String source, int sourcePort, String destination, int destinationPort);

    void changed(long revision);

    void stopped(String reason);
}
