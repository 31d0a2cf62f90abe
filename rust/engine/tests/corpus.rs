//! Replays the committed fuzz corpora, with the toolchain that everything else is built with.

#[cfg(test)]
#[path = "../../fuzz/src/relay.rs"]
pub mod relay;

#[cfg(test)]
#[path = "../../fuzz/src/replay.rs"]
pub mod replay;

#[cfg(test)]
mod tests {
    use crate::relay;
    use crate::replay::replay;

    #[test]
    fn arbitrary_packets() {
        replay("ip_input", relay::ip_input);
    }

    #[test]
    fn odd_segments() {
        replay("tcp_segments", relay::tcp_segments);
    }
}
