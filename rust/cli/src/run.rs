//! `telltale run`: COMMAND alone in a network of its own, relayed and watched until it has ended.

mod host;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use telltale_driver::launch::{
    Caller, Exit, Launch, LaunchError, Leftover, MAX_LOOPBACK_PORTS, Prepared, Running,
};
use telltale_driver::resolv::RESOLV_CONF;
use telltale_driver::{Drained, NameServers, Relay, Setup, Stopped, by_socket};
use telltale_model::Owner;

use crate::arguments::RunOptions;
use crate::keys;
use crate::live;
use crate::problem::{self, OWN_FAILURE, Problem, reason};
use crate::session::{Plan, Session};
use host::Host;

/// How long the last flows may take to reach the disk, with COMMAND's user waiting for the prompt.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long what COMMAND has sent may take to be on its way after it.
const DRAIN: Duration = Duration::from_secs(60);

/// The same where a signal has ended COMMAND, or asked for the end: `timeout` and service managers kill
/// who does not end soon.
const DRAIN_INTERRUPTED: Duration = Duration::from_millis(500);

/// A person who waits for the prompt is told why.
const WORTH_A_WORD: Duration = Duration::from_secs(2);

/// So many processes that COMMAND left behind are named; the others are counted.
const NAMED: usize = 8;

/// Runs COMMAND and ends as it ended: with its code, or by its signal and then not returning at all.
pub(crate) fn run(options: RunOptions) -> ExitCode {
    attempt(&options).unwrap_or_else(|refusal| {
        problem::say(&refusal.problem.to_string());
        refusal.exit_code.into()
    })
}

/// Why COMMAND did not run.
struct Refusal {
    problem: Problem,
    exit_code: u8,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, exit_code: OWN_FAILURE }
    }
}

impl From<LaunchError> for Refusal {
    fn from(LaunchError { happened, advice, exit_code }: LaunchError) -> Self {
        let problem = Problem::new(happened);
        // Below each other, as a problem's advice stands.
        let advice = advice.map(|lines| lines.replace('\n', "\n          "));
        Self { problem: advice.into_iter().fold(problem, Problem::advise), exit_code }
    }
}

fn attempt(options: &RunOptions) -> Result<ExitCode, Refusal> {
    if options.live {
        live::permit()?;
    }
    let host = Host::look();
    // First of all: it forks, so no thread may run yet, and under sudo it makes this process the
    // caller's, whose database and report these are then.
    let mut prepared = launch(options, &host)?.prepare()?;
    let session = begin(options, &host)?;
    let mut relay = relay(&mut prepared, host, &session)?;
    let mut running = match prepared.go() {
        Ok(running) => running,
        Err(error) => {
            relay.stop();
            return Err(error.into());
        }
    };
    let exit = running.wait();
    let left = end_leftovers(&mut running, options.wait);
    let drained = drain(&mut relay, &mut running, exit);
    session.finish(problems(relay.stop(), drained, &left), PATIENCE);
    // Who cuts it short means the whole, such as the loop of a shell.
    let cut = running.cut_short().filter(|_| drained == Drained::Cut);
    Ok(cut.unwrap_or(exit).follow().into())
}

fn launch(options: &RunOptions, host: &Host) -> Result<Launch, Problem> {
    let mut loopback = options.loopback.clone();
    loopback.sort_unstable();
    loopback.dedup();
    if loopback.len() > MAX_LOOPBACK_PORTS {
        return Err(Problem::new(format!("--loopback takes at most {MAX_LOOPBACK_PORTS} ports")));
    }
    let whole = |address: &std::net::IpAddr| (*address, if address.is_ipv6() { 128 } else { 32 });
    Ok(Launch {
        command: options.command.clone(),
        environment: options.keys.iter().map(|path| keys::variable(path)).collect::<Result<_, _>>()?,
        mtu: host.mtu.into(),
        addresses: host.addresses.iter().map(whole).collect(),
        resolvers: host.resolvers.clone(),
        search: host.system.search.clone(),
        options: host.system.options.clone(),
        loopback,
        caller: Caller::of_sudo(),
    })
}

fn begin(options: &RunOptions, host: &Host) -> Result<Session, Problem> {
    let program = options.command.first().and_then(|name| locate(name, env::var_os("PATH").as_deref()));
    let program = program.map(|path| path.to_string_lossy().into_owned());
    Session::begin(Plan {
        command: &options.command,
        database: &options.database,
        report: &options.report,
        json: options.json,
        details: options.details,
        live: options.live,
        watch: options.watch,
        wanted: &options.wanted,
        echo_owner: Owner { program, ..Owner::default() },
        resolvers: &host.resolvers,
        keys: options.keys.as_deref().map(keys::follow).transpose()?,
        events: options.events.as_deref(),
        maker: options.maker.as_deref(),
    })
}

fn relay(prepared: &mut Prepared, host: Host, session: &Session) -> Result<Relay, Problem> {
    let failed = |error| Problem::new(format!("the relay could not be started: {}", reason(&error)));
    let setup = Setup {
        tun: prepared.tun.try_clone().map_err(failed)?,
        mtu: host.mtu.into(),
        addresses: host.addresses,
        resolvers: host.resolvers,
        name_servers: NameServers::Listed { conf: host.system, file: Some(RESOLV_CONF.into()) },
        owners: Some(by_socket(prepared.owners.try_clone().map_err(failed)?)),
        loopback: std::mem::take(&mut prepared.loopback),
        watch: session.sender(),
        at_end: None,
    };
    Relay::start(setup).map_err(failed)
}

/// Where the shell would find a program: what its links lead to, which is also how the kernel names it.
fn locate(name: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return fs::canonicalize(name).ok();
    }
    let found =
        env::split_paths(path?).map(|directory| directory.join(name)).find(|file| is_program(file))?;
    fs::canonicalize(found).ok()
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn end_leftovers(running: &mut Running, wait: bool) -> Vec<Leftover> {
    if wait {
        running.wait_for_leftovers();
    }
    running.end_leftovers()
}

/// What the command has sent is sent on after it, as its system would: not for long where somebody has
/// asked for the end.
fn drain(relay: &mut Relay, running: &mut Running, exit: Exit) -> Drained {
    let told = io::stderr().is_terminal();
    let interrupted = exit.is_asked_for() || running.is_asked_to_end();
    let most = if interrupted { DRAIN_INTERRUPTED } else { DRAIN };
    let mut said = false;
    relay.drain(most, |waited| {
        if told && waited >= WORTH_A_WORD && !said {
            said = true;
            problem::say("the command has ended; what it sent is still on its way (Ctrl-C: cut it off)");
        }
        !interrupted && running.is_asked_to_end()
    })
}

fn problems(stopped: Stopped, drained: Drained, left: &[Leftover]) -> Vec<String> {
    let ended = stopped.ended.map(|error| {
        let reason = reason(&error);
        format!("the relay ended before the command did, which had no network from then on: {reason}")
    });
    // With the relay gone, all of them were.
    let unfinished = if ended.is_none() { unfinished_told(stopped.unfinished, drained) } else { None };
    leftovers_told(left).into_iter().chain(ended).chain(unfinished).chain(stopped.problems).collect()
}

/// Connections that had not sent everything when the relay ended.
fn unfinished_told(flows: usize, drained: Drained) -> Option<String> {
    let what = match flows {
        0 => return None,
        1 => "1 connection was".to_owned(),
        _ => format!("{flows} connections were"),
    };
    let why = match drained {
        Drained::Stalled => ": the network carried nothing more of what the command had sent",
        Drained::Whole | Drained::Cut => " before all that the command had sent was on its way",
    };
    Some(format!("{what} cut off{why}"))
}

fn leftovers_told(left: &[Leftover]) -> Option<String> {
    if left.is_empty() {
        return None;
    }
    let mut names: Vec<String> = left.iter().take(NAMED).map(named).collect();
    if let Some(more) = left.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    let what = if left.len() == 1 { "a process" } else { "processes" };
    let names = names.join(", ");
    Some(format!("ended {what} that the command left behind: {names}; --wait lets them go on to their end"))
}

/// A process chooses its own name, which may hold anything.
fn named(Leftover { pid, name }: &Leftover) -> String {
    format!("{} ({pid})", name.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leftovers(names: &[&str]) -> Vec<Leftover> {
        names.iter().zip(40..).map(|(name, pid)| Leftover { pid, name: (*name).into() }).collect()
    }

    #[test]
    fn leftovers_are_named_in_one_line() {
        assert_eq!(leftovers_told(&[]), None);
        let told = leftovers_told(&leftovers(&["ssh-agent"])).unwrap();
        assert!(told.starts_with("ended a process that the command left behind: ssh-agent (40); "), "{told}");
        let told = leftovers_told(&leftovers(&["\u{1b}[2J\n"; 10])).unwrap();
        assert!(told.contains("\\u{1b}[2J\\n (47), 2 more; ") && !told.contains('\n'), "{told}");
    }

    #[test]
    fn a_program_is_found_as_the_shell_finds_it() {
        let path = OsStr::new("/no/such:/etc:/usr/bin:/bin");
        let found = locate(OsStr::new("sh"), Some(path)).unwrap();
        assert_eq!(found, fs::canonicalize("/bin/sh").unwrap());
        assert_eq!(locate(OsStr::new("/bin/sh"), None), Some(found));
        assert_eq!(locate(OsStr::new("telltale-no-such"), Some(path)), None);
        assert_eq!(locate(OsStr::new("passwd"), Some(OsStr::new("/etc"))), None, "not executable");
    }
}
