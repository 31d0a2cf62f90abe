//! Replays the committed fuzz corpora of HTTP, with the toolchain that everything else is built with.

#[cfg(test)]
#[path = "../../fuzz/src/http.rs"]
pub mod http;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::http;

    #[test]
    fn connections_of_http_1() {
        replay("http1", http::http1);
    }

    #[test]
    fn connections_of_http_2() {
        replay("http2", http::http2);
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
