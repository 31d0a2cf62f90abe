//! Replays committed corpora: for the tests of the crates beside, which take this file in.

use std::path::Path;

/// Runs a target with every file of its corpus.
///
/// # Panics
/// Where there is no corpus, or hardly one; and where the target does.
pub fn replay(target: &str, run: fn(&[u8])) {
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
