//! In the child: our resolver in resolv.conf, and the doors to the host's own resolvers shut.
//!
//! These mounts are seen by COMMAND alone.

use std::ffi::{CStr, CString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::ptr;

use super::Launch;
use super::error::{Failure, Stage};
use crate::resolv::RESOLV_CONF;
use crate::sys::check;

/// systemd-resolved and nscd answer look-ups through sockets in here, past COMMAND's network. Without
/// the sockets glibc asks the servers in resolv.conf.
const MASKED: [&str; 2] = ["/run/systemd/resolve", "/run/nscd"];

/// Where a file system may be put for a moment; one of them is there on any Linux.
const STAGES: [&str; 4] = ["/run", "/tmp", "/var", "/mnt"];

/// Mounts what COMMAND is to see; `resolv_conf` is the text of that file.
pub(super) fn furnish(resolv_conf: &str) -> Result<(), Failure> {
    // Not private: a disk that is plugged in while COMMAND runs should appear for it as well.
    mount(None, Path::new("/"), None, libc::MS_REC | libc::MS_SLAVE).map_err(Failure::of(Stage::Mounts))?;
    let target = resolve_link(Path::new(RESOLV_CONF));
    for directory in MASKED.map(Path::new) {
        if directory.is_dir() {
            mask(directory).map_err(|error| Failure::of(Stage::Mask)(error).with(directory.display()))?;
        }
    }
    let shown = if MASKED.iter().any(|directory| target.starts_with(directory)) {
        write(&target, resolv_conf)
    } else {
        bind(resolv_conf, &target)
    };
    shown.map_err(|error| Failure::of(Stage::Resolver)(error).with(target.display()))
}

impl Launch {
    /// resolv.conf(5).
    pub(super) fn resolv_conf(&self) -> String {
        let mut text = String::from("# Written by telltale for this command alone.\n");
        for resolver in &self.resolvers {
            text += &format!("nameserver {resolver}\n");
        }
        for (keyword, words) in [("search", &self.search), ("options", &self.options)] {
            if !words.is_empty() {
                text += &format!("{keyword} {}\n", words.join(" "));
            }
        }
        text
    }
}

/// The file behind a symbolic link, also where that file does not exist.
pub(super) fn resolve_link(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_missing| match fs::read_link(path) {
        Ok(to) => lexical(&path.parent().unwrap_or(path).join(to)),
        Err(_no_link) => path.to_owned(),
    })
}

/// `/etc/../run/x` is `/run/x`: the directories that such links go through are real ones.
fn lexical(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        if part == std::path::Component::ParentDir {
            clean.pop();
        } else {
            clean.push(part);
        }
        clean
    })
}

fn mask(directory: &Path) -> io::Result<()> {
    let data = c"mode=0755,size=64k";
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    mount(Some(Path::new("tmpfs")), directory, Some((c"tmpfs", data)), flags)
}

/// Readable by all, whatever the umask: programs that root starts often drop to another user.
fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, Permissions::from_mode(0o644))
}

/// Shows `text` at `target`, from a file in a small file system that is in nobody's tree any more.
fn bind(text: &str, target: &Path) -> io::Result<()> {
    let free = |stage: &Path| stage.is_dir() && !target.starts_with(stage);
    let stage = STAGES.map(Path::new).into_iter().find(|stage| free(stage)).ok_or(io::ErrorKind::NotFound)?;
    mask(stage)?;
    let file = stage.join("resolv.conf");
    let shown = write(&file, text).and_then(|()| mount(Some(&file), target, None, libc::MS_BIND));
    // The bind keeps the file system alive; the stage shows again what it showed before.
    detach(stage).and(shown)
}

fn mount(
    source: Option<&Path>,
    target: &Path,
    kind: Option<(&CStr, &CStr)>,
    flags: libc::c_ulong,
) -> io::Result<()> {
    let source = source.map(c_path).transpose()?;
    let target = c_path(target)?;
    let source = source.as_ref().map_or(ptr::null(), |source| source.as_ptr());
    let (kind, data) = kind.map_or((ptr::null(), ptr::null()), |(kind, data)| (kind.as_ptr(), data.as_ptr()));
    // SAFETY: every string ends in a zero byte and lives until the call returns; null is allowed for
    // source, type and data.
    check(unsafe { libc::mount(source, target.as_ptr(), kind, flags, data.cast()) }).map(drop)
}

fn detach(target: &Path) -> io::Result<()> {
    let target = c_path(target)?;
    // SAFETY: the path ends in a zero byte and lives until the call returns.
    check(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) }).map(drop)
}

pub(super) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_zero_byte| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(search: &[&str], options: &[&str]) -> Launch {
        let owned = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
        Launch {
            command: Vec::new(),
            environment: Vec::new(),
            mtu: 1500,
            addresses: Vec::new(),
            resolvers: vec!["198.19.84.53".parse().unwrap(), "2001:db8::53".parse().unwrap()],
            search: owned(search),
            options: owned(options),
            loopback: Vec::new(),
            caller: None,
        }
    }

    #[test]
    fn resolv_conf_names_our_resolvers_and_keeps_the_rest() {
        assert_eq!(
            launch(&["corp.example", "example"], &["ndots:2", "rotate"]).resolv_conf(),
            "# Written by telltale for this command alone.\n\
             nameserver 198.19.84.53\nnameserver 2001:db8::53\n\
             search corp.example example\noptions ndots:2 rotate\n"
        );
        assert!(!launch(&[], &[]).resolv_conf().contains("search"));
    }

    #[test]
    fn a_link_is_followed_even_into_nothing() {
        assert_eq!(lexical(Path::new("/etc/../run/systemd/resolve/x")), Path::new("/run/systemd/resolve/x"));
        let missing = std::env::temp_dir().join(format!("telltale-no-link-{}", std::process::id()));
        std::os::unix::fs::symlink("/run/systemd/resolve/none-such.conf", &missing).unwrap();
        let target = resolve_link(&missing);
        fs::remove_file(&missing).unwrap();
        assert_eq!(target, Path::new("/run/systemd/resolve/none-such.conf"));
    }
}
