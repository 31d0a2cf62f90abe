//! Which step was refused, and what the person can do about it.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;

use super::privilege;
use crate::sys;

/// Exit codes as env(1), nice(1) and timeout(1) have them.
pub(super) const OWN_FAILURE: u8 = 125;
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Why COMMAND does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchError {
    /// What happened, as a sentence without a full stop.
    pub happened: String,
    /// What to do about it, in one sentence or more.
    pub advice: Option<String>,
    /// The code to exit with: 127 where COMMAND is not found, 126 where it cannot be run, else 125.
    pub exit_code: u8,
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.happened)
    }
}

impl std::error::Error for LaunchError {}

/// A step of the launch, as a number where it crosses from the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Child = 1,
    UserNamespace,
    Mapping,
    Namespaces,
    Network,
    Device,
    Tunnel,
    Mounts,
    Mask,
    Resolver,
    Owners,
    Port,
    Credentials,
    Exec,
}

const STAGES: [Stage; 14] = [
    Stage::Child,
    Stage::UserNamespace,
    Stage::Mapping,
    Stage::Namespaces,
    Stage::Network,
    Stage::Device,
    Stage::Tunnel,
    Stage::Mounts,
    Stage::Mask,
    Stage::Resolver,
    Stage::Owners,
    Stage::Port,
    Stage::Credentials,
    Stage::Exec,
];

impl From<Stage> for u8 {
    fn from(stage: Stage) -> Self {
        stage as Self
    }
}

impl TryFrom<u8> for Stage {
    type Error = ();

    fn try_from(number: u8) -> Result<Self, ()> {
        STAGES.into_iter().find(|stage| u8::from(*stage) == number).ok_or(())
    }
}

/// A step that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    pub(super) errno: i32,
    /// The file or port that it was about; empty where the stage says all.
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn new(stage: Stage, errno: i32) -> Self {
        Self { stage, errno, detail: String::new() }
    }

    /// For `map_err`.
    pub(super) fn of(stage: Stage) -> impl Fn(io::Error) -> Self {
        move |error| Self::new(stage, sys::errno(&error))
    }

    pub(super) fn with(self, detail: impl fmt::Display) -> Self {
        Self { detail: detail.to_string(), ..self }
    }
}

impl LaunchError {
    pub(super) fn new(failure: &Failure, command: &OsStr) -> Self {
        if failure.stage == Stage::Exec {
            return not_run(failure.errno, &command.to_string_lossy());
        }
        let reason = io::Error::from_raw_os_error(failure.errno);
        let happened = match failure.errno {
            0 => what(failure),
            _ => format!("{} ({})", what(failure), strip_number(&reason)),
        };
        let system = System { root: privilege::ids().0 == 0, setting: |name: &str| read_setting(name) };
        Self { happened, advice: system.advice(failure), exit_code: OWN_FAILURE }
    }
}

fn not_run(errno: i32, command: &str) -> LaunchError {
    let (happened, exit_code) = match errno {
        libc::ENOENT if command.contains('/') => {
            (format!("{command}: no such file, or its interpreter is missing"), NOT_FOUND)
        }
        libc::ENOENT => (format!("{command}: command not found"), NOT_FOUND),
        _ => {
            let reason = io::Error::from_raw_os_error(errno);
            (format!("{command}: cannot be run ({})", strip_number(&reason)), CANNOT_RUN)
        }
    };
    LaunchError { happened, advice: None, exit_code }
}

/// "Permission denied (os error 13)" without the number, which says nothing to a reader.
fn strip_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn what(failure: &Failure) -> String {
    let detail = &failure.detail;
    match failure.stage {
        Stage::Child => "the process for the command could not be started".into(),
        Stage::UserNamespace => "the system does not let you make a user namespace".into(),
        Stage::Mapping => "the system does not let you use a user namespace".into(),
        Stage::Namespaces => "the system does not let the command have a network of its own".into(),
        Stage::Network => "the command's network could not be set up".into(),
        Stage::Device => "/dev/net/tun cannot be opened".into(),
        Stage::Tunnel => {
            "the system does not let the command have a tun, which is how its traffic is seen".into()
        }
        Stage::Mounts => "the system does not let the command have mounts of its own".into(),
        Stage::Mask => {
            format!("{detail} cannot be covered, through which the command's look-ups would go unseen")
        }
        Stage::Resolver => format!("the command's own {detail} cannot be put in place"),
        Stage::Owners => "the kernel cannot be asked which program a connection belongs to".into(),
        Stage::Port => format!("port {detail} of the command's loopback cannot be listened at"),
        Stage::Credentials => "the rights for the command could not be set".into(),
        Stage::Exec => "the command cannot be run".into(),
    }
}

/// What advice depends on besides the failure.
struct System<F> {
    root: bool,
    /// Reads a sysctl.
    setting: F,
}

impl<F: Fn(&str) -> Option<String>> System<F> {
    fn advice(&self, failure: &Failure) -> Option<String> {
        match failure.stage {
            Stage::UserNamespace | Stage::Namespaces
                if matches!(failure.errno, libc::ENOSPC | libc::EUSERS) =>
            {
                Some(self.limit_advice())
            }
            Stage::UserNamespace if self.is("kernel.unprivileged_userns_clone", "0") => {
                Some(format!("Allow it: sudo sysctl kernel.unprivileged_userns_clone=1\n{OR_SUDO}"))
            }
            Stage::Device => self.device_advice(failure.errno),
            Stage::Resolver if failure.errno == libc::ENOENT => {
                Some(format!("Make the file {}; it may be empty.", failure.detail))
            }
            Stage::Child | Stage::Port | Stage::Credentials | Stage::Exec => None,
            Stage::UserNamespace
            | Stage::Mapping
            | Stage::Namespaces
            | Stage::Network
            | Stage::Tunnel
            | Stage::Mounts
            | Stage::Mask
            | Stage::Resolver
            | Stage::Owners => {
                matches!(failure.errno, libc::EPERM | libc::EACCES).then(|| self.rights_advice())
            }
        }
    }

    fn is(&self, name: &str, value: &str) -> bool {
        (self.setting)(name).is_some_and(|found| found.trim() == value)
    }

    fn rights_advice(&self) -> String {
        if self.root {
            CONTAINER.into()
        } else if self.is("kernel.apparmor_restrict_unprivileged_userns", "1") {
            format!("{APPARMOR}\n{OR_SUDO}")
        } else {
            format!("{SUDO}\n{CONTAINER}")
        }
    }

    fn limit_advice(&self) -> String {
        let limits = ["user.max_user_namespaces", "user.max_net_namespaces", "user.max_mnt_namespaces"];
        let closed =
            limits.into_iter().find(|limit| self.is(limit, "0")).unwrap_or("user.max_user_namespaces");
        format!("A limit is reached. Raise it: sudo sysctl {closed}=10000\n{OR_SUDO}")
    }

    fn device_advice(&self, errno: i32) -> Option<String> {
        match errno {
            libc::ENOENT | libc::ENODEV | libc::ENXIO => Some(format!("{MODPROBE}\n{CONTAINER_DEVICE}")),
            libc::EACCES | libc::EPERM if self.root => Some(CONTAINER_DEVICE.into()),
            libc::EACCES | libc::EPERM => Some(format!("{CHMOD}\n{OR_SUDO}")),
            _ => None,
        }
    }
}

const APPARMOR: &str = "Ubuntu's AppArmor forbids it to programs without a profile. Install the one for telltale: \
                        scripts/run offers to do so.";
const SUDO: &str = "Put sudo before telltale: the command itself still runs as you.";
const OR_SUDO: &str = "Or put sudo before telltale: the command itself still runs as you.";
const CONTAINER: &str = "In a container, the container must be allowed to make namespaces \
                         (Docker: --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined \
                         --security-opt apparmor=unconfined --device /dev/net/tun).";
const MODPROBE: &str = "Load the kernel's tun module: sudo modprobe tun";
const CHMOD: &str = "Most systems let everybody open it. Here too: sudo chmod 0666 /dev/net/tun";
const CONTAINER_DEVICE: &str = "In a container, pass the device in (Docker: --device /dev/net/tun).";

/// A sysctl's value, by its dotted name.
fn read_setting(name: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(root: bool, settings: &[(&str, &str)], stage: Stage, errno: i32) -> String {
        let setting = |name: &str| {
            settings.iter().find(|(known, _)| *known == name).map(|(_, value)| format!("{value}\n"))
        };
        System { root, setting }
            .advice(&Failure::new(stage, errno).with("/etc/resolv.conf"))
            .unwrap_or_default()
    }

    #[test]
    fn ubuntu_is_told_by_where_it_fails_and_sent_to_the_profile() {
        let ubuntu = [("kernel.apparmor_restrict_unprivileged_userns", "1")];
        for (stage, errno) in [
            (Stage::UserNamespace, libc::EPERM),
            (Stage::Mapping, libc::EACCES),
            (Stage::Tunnel, libc::EPERM),
            (Stage::Mounts, libc::EACCES),
        ] {
            let text = advice(false, &ubuntu, stage, errno);
            assert!(
                text.contains("AppArmor") && text.contains("scripts/run") && text.contains("sudo"),
                "{text}"
            );
        }
        assert!(!advice(false, &[], Stage::Tunnel, libc::EPERM).contains("scripts/run"));
    }

    #[test]
    fn closed_settings_are_named() {
        let debian = [("kernel.unprivileged_userns_clone", "0")];
        assert!(advice(false, &debian, Stage::UserNamespace, libc::EPERM).contains("userns_clone=1"));
        let closed = [("user.max_net_namespaces", "0"), ("user.max_user_namespaces", "100")];
        assert!(
            advice(false, &closed, Stage::Namespaces, libc::ENOSPC).contains("user.max_net_namespaces=10000")
        );
    }

    #[test]
    fn a_tun_device_that_is_missing_or_shut_has_its_own_advice() {
        assert!(advice(false, &[], Stage::Device, libc::ENOENT).contains("modprobe tun"));
        assert!(advice(false, &[], Stage::Device, libc::EACCES).contains("chmod 0666"));
        assert!(!advice(true, &[], Stage::Device, libc::EPERM).contains("sudo"));
        assert!(advice(false, &[], Stage::Resolver, libc::ENOENT).contains("/etc/resolv.conf"));
    }

    #[test]
    fn a_command_that_does_not_run_is_told_as_shells_tell_it() {
        let error = |errno, command| LaunchError::new(&Failure::new(Stage::Exec, errno), OsStr::new(command));
        let missing = error(libc::ENOENT, "curl");
        assert_eq!((missing.happened.as_str(), missing.exit_code), ("curl: command not found", 127));
        let shut = error(libc::EACCES, "./x");
        assert_eq!((shut.happened.as_str(), shut.exit_code), ("./x: cannot be run (Permission denied)", 126));
    }

    #[test]
    fn every_stage_crosses_as_a_number_of_its_own() {
        for stage in STAGES {
            assert_eq!(Stage::try_from(u8::from(stage)), Ok(stage));
        }
        assert_eq!(Stage::try_from(0), Err(()));
    }
}
