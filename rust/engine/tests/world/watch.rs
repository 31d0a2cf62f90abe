//! Watches every segment between apps and the engine for what must hold always.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use telltale_engine::Instant;

use crate::packets::{ACK, FIN, RST, SYN, Segment};

/// RFC 9293 3.8.6.3 allows 500 ms; the engine's own bound is 40.
const LATEST_ACK: Duration = Duration::from_millis(40);

/// What is known of each connection, by app and remote.
#[derive(Default)]
pub(crate) struct Watch {
    connections: BTreeMap<(SocketAddr, SocketAddr), Connection>,
    /// Those that wait for an acknowledgement.
    owed: BTreeSet<(SocketAddr, SocketAddr)>,
}

#[derive(Debug)]
struct Connection {
    scale: u8,
    /// The right edge that the app was told: the furthest.
    edge: u32,
    acknowledged: u32,
    /// The end of in-order bytes inside the window, and since when they wait.
    owed: Option<(u32, Instant)>,
    finished: bool,
}

impl Watch {
    pub(crate) fn app_said(&mut self, now: Instant, segment: &Segment) {
        let Some(connection) = self.connections.get_mut(&(segment.from, segment.to)) else { return };
        if segment.has(RST) || segment.has(SYN) {
            connection.owed = None;
            connection.finished |= segment.has(RST);
            return;
        }
        let len = u32::try_from(segment.payload.len()).unwrap();
        let end = segment.seq.wrapping_add(len);
        let known = connection.owed.map_or(connection.acknowledged, |(owed, _)| owed);
        let inside = !is_after(end, connection.edge);
        if segment.has(ACK) && !is_after(segment.seq, known) && is_after(end, known) && inside {
            let since = connection.owed.map_or(now, |(_, since)| since);
            connection.owed = Some((end, since));
            self.owed.insert((segment.from, segment.to));
        }
        connection.finished |= segment.has(FIN);
    }

    pub(crate) fn app_hears(&mut self, segment: &Segment) {
        let ends = (segment.to, segment.from);
        if segment.has(RST) {
            self.connections.remove(&ends);
        } else if segment.has(SYN) {
            assert!(segment.has(ACK), "the engine never opens a connection to an app");
            let edge = segment.ack.wrapping_add(u32::from(segment.window));
            let scale = segment.window_scale().unwrap_or(0);
            let connection =
                Connection { scale, edge, acknowledged: segment.ack, owed: None, finished: false };
            self.connections.insert(ends, connection);
        } else if let Some(connection) = self.connections.get_mut(&ends) {
            connection.acknowledge(segment);
        }
    }

    /// Nothing that had to be acknowledged may be left waiting.
    pub(crate) fn check(&mut self, now: Instant) {
        let connections = &self.connections;
        self.owed.retain(|ends| {
            let connection = connections.get(ends).filter(|connection| !connection.finished);
            let owed = connection.and_then(|connection| connection.owed);
            if let Some((end, since)) = owed {
                assert!(now - since <= LATEST_ACK, "{ends:?}: bytes up to {end} were not acknowledged");
            }
            owed.is_some()
        });
    }

    /// The flow is over: what comes for it now is answered with a reset.
    pub(crate) fn forget(&mut self, app: SocketAddr, remote: SocketAddr) {
        self.connections.remove(&(app, remote));
    }
}

impl Connection {
    fn acknowledge(&mut self, segment: &Segment) {
        let edge = segment.ack.wrapping_add(u32::from(segment.window) << self.scale);
        // RFC 7323 2.4: a window in steps of its scale cannot say every edge.
        let rounding = (1 << self.scale) - 1;
        let retracted = is_after(self.edge, edge.wrapping_add(rounding));
        assert!(!retracted || self.finished, "the right edge moved left: {} to {edge}", self.edge);
        assert!(!is_after(self.acknowledged, segment.ack), "an acknowledgement was taken back");
        self.acknowledged = segment.ack;
        self.edge = if is_after(edge, self.edge) { edge } else { self.edge };
        self.owed = self.owed.filter(|(end, _)| is_after(*end, segment.ack));
    }
}

pub(crate) fn is_after(later: u32, earlier: u32) -> bool {
    later != earlier && later.wrapping_sub(earlier) < 1 << 31
}
