//! Replays the committed fuzz corpus, with the toolchain that everything else is built with.

#[cfg(test)]
#[path = "../../fuzz/src/capture.rs"]
pub mod capture;

#[cfg(test)]
#[path = "../../fuzz/src/replay.rs"]
pub mod replay;

#[cfg(test)]
mod tests {
    use crate::{capture, replay};

    #[test]
    fn arbitrary_captures() {
        replay::replay("capture", capture::capture);
    }
}
