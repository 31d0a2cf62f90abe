package org.telltale.app.core;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Calls every function once and more; what it prints is compared by tests/jvm.rs. Arguments: configuration, descriptor. */
public class Main {
    static final CountDownLatch asked = new CountDownLatch(1);
    static final CountDownLatch changed = new CountDownLatch(1);
    static final CountDownLatch stopped = new CountDownLatch(1);

    static class Phone implements Host {
        public String ownerOf(int protocol, String source, int sourcePort, String destination, int destinationPort) {
            say("owner of " + protocol + " " + source + " " + sourcePort);
            asked.countDown();
            throw new IllegalStateException("the phone cannot say");
        }

        public void changed(long revision) {
            changed.countDown();
        }

        public void stopped(String reason) {
            say(reason);
            stopped.countDown();
        }
    }

    public static void main(String[] arguments) throws Exception {
        Core core = new Core();
        String network = "{\"transport\":\"wifi\",\"dns\":[\"192.0.2.53\"]}";
        say(core.version().contains("\"version\":\"0."));
        refused(() -> core.start(-1, arguments[0], null));
        refused(() -> core.start(-1, null, new Phone()));
        refused(() -> core.start(-1, "{}", new Phone()));
        refused(() -> core.start(1 << 20, arguments[0], new Phone()));
        long handle = core.start(-1, arguments[0], new Phone());
        say(core.replaceTun(handle, Integer.parseInt(arguments[1]), network) > 0);
        say("ready");
        say(asked.await(5, TimeUnit.SECONDS) && changed.await(5, TimeUnit.SECONDS));

        byte[] details = "imei 490154203237518\n".getBytes();
        say(core.setDetails(handle, details).contains("\"masked\":\"4901"));
        say(Arrays.equals(details, new byte[details.length]));
        refused(() -> core.setDetails(handle, null));

        say(core.query(handle, "{\"ask\":\"state\"}").contains("\"watching\":true"));
        refused(() -> core.query(handle, "{\"ask\":\"490154203237518\"}"));
        refused(() -> core.query(handle, "490154203237518"));
        core.networkChanged(handle, "{\"transport\":\"none\"}");
        refused(() -> core.networkChanged(handle, "{}"));
        say(core.replaceTun(handle, -1, network) == 0);
        say(core.query(handle, "{\"ask\":\"state\"}").contains("\"watching\":false"));
        core.stop(handle);
        say(stopped.await(5, TimeUnit.SECONDS));
        refused(() -> core.stop(handle));
        refused(() -> core.query(handle, "{\"ask\":\"state\"}"));
        byte[] late = "imei 490154203237518\n".getBytes();
        refused(() -> core.setDetails(handle, late));
        say(Arrays.equals(late, new byte[late.length]));
    }

    static void refused(Runnable call) {
        try {
            call.run();
            say("not refused");
        } catch (RuntimeException refusal) {
            say(refusal.getClass().getSimpleName() + ": " + refusal.getMessage());
        }
    }

    static synchronized void say(Object what) {
        System.out.println(what);
        System.out.flush();
    }
}
