//! Replays the committed fuzz corpora, with the toolchain that everything else is built with.

#[cfg(test)]
#[path = "../../fuzz/src/relay.rs"]
pub mod relay;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::relay;

    #[test]
    fn arbitrary_packets() {
        replay("ip_input", relay::ip_input);
    }

    #[test]
    fn odd_segments() {
        replay("tcp_segments", relay::tcp_segments);
    }

    fn replay(target: &str, run: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        let entries = corpus.read_dir().expect("a committed corpus");
        let mut count = 0;
        for entry in entries {
            let path = entry.expect("an entry").path();
            println!("{}", path.display());
            run(&std::fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count > 20, "{count} files in the corpus of {target}");
    }
}
