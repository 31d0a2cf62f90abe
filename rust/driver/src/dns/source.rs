//! The file that names the system's servers: networks come and go, and each rewrites it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use telltale_engine::Instant;

use crate::resolv::ResolvConf;

/// How often the file is looked at, at most, and only while apps ask.
const LOOK: Duration = Duration::from_secs(1);

/// A resolv.conf that may change.
pub(super) struct Source {
    path: PathBuf,
    looked: Option<Instant>,
    read: Option<Version>,
}

/// What tells one content of a file from another, as glibc does it since 2.26: device, inode, size,
/// and when it was last written and last changed.
#[derive(PartialEq, Eq)]
struct Version([i128; 7]);

impl Source {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, looked: None, read: None }
    }

    /// What the file says, where that is news. A file that is gone says nothing: whoever replaces it
    /// may need a moment.
    pub(super) fn news(&mut self, now: Instant) -> Option<ResolvConf> {
        if self.looked.is_some_and(|looked| now < looked + LOOK) {
            return None;
        }
        self.looked = Some(now);
        let version = Version::of(&fs::metadata(&self.path).ok()?);
        if self.read.as_ref() == Some(&version) {
            return None;
        }
        // If it changes between the two calls, the next look sees another version than this.
        let conf = ResolvConf::read(&self.path).ok()?;
        self.read = Some(version);
        Some(conf)
    }
}

impl Version {
    fn of(file: &Metadata) -> Self {
        let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()].map(i128::from);
        let [written, written_nanos, changed, changed_nanos] = times;
        let [device, inode, size] = [file.dev(), file.ino(), file.size()].map(i128::from);
        Self([device, inode, size, written, written_nanos, changed, changed_nanos])
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    struct File(PathBuf);

    impl File {
        fn new(test: &str) -> Self {
            Self(std::env::temp_dir().join(format!("telltale-source-{test}-{}", std::process::id())))
        }

        fn write(&self, server: &str) {
            fs::write(&self.0, format!("nameserver {server}\n")).unwrap();
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _gone = fs::remove_file(&self.0);
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::default() + Duration::from_millis(millis)
    }

    fn servers(news: Option<ResolvConf>) -> Option<Vec<SocketAddr>> {
        news.map(|conf| conf.nameservers)
    }

    fn server(address: &str) -> Option<Vec<SocketAddr>> {
        Some(vec![SocketAddr::new(address.parse().unwrap(), 53)])
    }

    #[test]
    fn a_file_is_read_again_when_it_has_changed_and_not_more_often_than_that() {
        let file = File::new("changed");
        file.write("192.0.2.1");
        let mut source = Source::new(file.0.clone());
        assert_eq!(servers(source.news(at(0))), server("192.0.2.1"));
        assert_eq!(source.news(at(1_000)), None, "nothing has changed");
        file.write("192.0.2.22");
        assert_eq!(source.news(at(1_999)), None, "it was looked at within the second");
        assert_eq!(servers(source.news(at(2_000))), server("192.0.2.22"));
    }

    #[test]
    fn a_file_that_is_replaced_by_another_of_the_same_size_is_seen() {
        let (file, other) = (File::new("old"), File::new("new"));
        file.write("192.0.2.1");
        other.write("192.0.2.2");
        let mut source = Source::new(file.0.clone());
        source.news(at(0));
        fs::rename(&other.0, &file.0).unwrap();
        assert_eq!(servers(source.news(at(1_000))), server("192.0.2.2"));
    }

    #[test]
    fn a_file_that_is_gone_for_a_moment_is_no_news() {
        let file = File::new("gone");
        let mut source = Source::new(file.0.clone());
        assert_eq!(source.news(at(0)), None);
        file.write("192.0.2.1");
        assert_eq!(servers(source.news(at(1_000))), server("192.0.2.1"));
    }
}
