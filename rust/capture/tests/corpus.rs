//! Replays the committed fuzz corpus, with the toolchain that everything else is built with.

#[cfg(test)]
#[path = "../../fuzz/src/capture.rs"]
pub mod capture;

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn arbitrary_captures() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/capture");
        let entries = corpus.read_dir().expect("a committed corpus");
        let mut count = 0;
        for entry in entries {
            let path = entry.expect("an entry").path();
            println!("{}", path.display());
            crate::capture::capture(&std::fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count > 20, "{count} files in the corpus");
    }
}
