//! What a person reads: the verdicts on the terminal, and the page in docs.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::figures::Quantity;
use crate::plot;
use crate::results::Results;
use crate::table::{self, number};
use crate::targets::{self, Bound, Verdict};

/// The yardsticks and the targets: what holds, and by how much the others are missed.
pub(crate) fn verdicts(results: &Results) -> String {
    let yardsticks = targets::yardsticks(results);
    let mut text = validity(&yardsticks);
    text.push_str("\nTargets\n");
    let judged = targets::judge(results);
    for verdict in &judged {
        let _ = writeln!(text, "  {}", line(verdict));
    }
    let holds = |wanted| judged.iter().filter(|verdict| verdict.holds() == wanted).count();
    let (met, missed, open) = (holds(Some(true)), holds(Some(false)), holds(None));
    let _ = writeln!(text, "\n{met} met, {missed} missed, {open} not measured");
    text.push_str(&disturbed(results));
    text
}

fn validity(yardsticks: &[Verdict]) -> String {
    let mut text = String::new();
    if targets::is_valid(yardsticks) {
        text.push_str(
            "\nThe run is valid: ceiling and peers cost what they cost on the machine of the targets.\n",
        );
        return text;
    }
    text.push_str("\nTHE RUN IS VOID: these do not cost what they cost on the machine of the targets.\n");
    for verdict in yardsticks.iter().filter(|verdict| verdict.holds() != Some(true)) {
        let _ = writeln!(text, "  {}", line(verdict));
    }
    text
}

/// The rows whose figures something else may have made.
fn disturbed(results: &Results) -> String {
    let cells = results.cases.iter().flat_map(|case| {
        let noisy = |engine| results.cell(case, engine).filter(|cell| cell.noisy > 0);
        results.engines.iter().filter_map(move |engine| Some((engine.name, case, noisy(engine)?.noisy)))
    });
    let lines = cells.map(|(engine, case, runs)| format!("  {engine} {}: {runs}\n", case.name()));
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\nDisturbed runs among those that were judged:\n{lines}") }
}

fn line(verdict: &Verdict) -> String {
    let bound = match verdict.bound {
        Bound::AtMost(most) => format!("<= {}", number(most)),
        Bound::AtLeast(least) => format!(">= {}", number(least)),
        Bound::Within(least, most) => format!("{}..{}", number(least), number(most)),
    };
    let found = verdict.found.map_or_else(|| "-".into(), number);
    let by = match (verdict.holds(), verdict.distance()) {
        (Some(true), _) => "met".into(),
        (Some(false), Some(by)) if verdict.bound == Bound::AtMost(0.0) => format!("missed by {}", number(by)),
        (Some(false), Some(by)) => format!("missed by {} %", number(by.abs())),
        _ => "not measured".into(),
    };
    format!("{:74} {bound:>12} {found:>7}  {by}", verdict.what)
}

/// Writes the page, and its plot beside it.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(results: &Results, page: &Path) -> io::Result<()> {
    let plot = page.with_extension("svg");
    fs::write(&plot, plot::draw(results))?;
    fs::write(page, text(results, &plot.file_name().unwrap_or_default().to_string_lossy()))
}

fn text(results: &Results, plot: &str) -> String {
    let machine = &results.machine;
    let with_engine = results.table.iter().filter(|((_, engine), _)| *engine != "direct");
    let runs = with_engine.filter_map(|(_, cell)| Some(cell.values.get(&Quantity::Goodput)?.len())).max();
    format!(
        "# Performance\n\n{INTRODUCTION}\n\
         Measured on {}, {} cores, Linux {}, congestion control {}; up to {} runs a row.\n\n\
         ![Goodput and CPU of each engine, by the MTU of the tun]({plot})\n\n\
         ## Targets\n\n```text{}```\n\n## All rows\n\n{READING}\n```text{}```\n",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.congestion_control,
        runs.unwrap_or(0),
        verdicts(results),
        table::draw(results),
    )
}

const INTRODUCTION: &str = "\
This page is written by `scripts/bench --page docs/performance.md`; see `scripts/bench --help` to repeat it.

Three network namespaces in a row: app, engine, server. Between app and engine is a tun, between engine and
server a veth pair of MTU 1500, or a link with delay and loss. The tun is the same for all, but for its headers:

- **direct**: none. App and server share the veth pair.
- **telltale**: `telltale attach --no-watch`, on a tun with a header before each packet, as `telltale run` makes
  it: TCP passes it in pieces of up to 64 KiB, whatever the MTU is. The peers cannot read these headers.
  **telltale+watcher**: with watching and a database. **telltale-no-offload**: without watching, on a tun whose
  packets are no longer than its MTU either way, as Android's are: it stands where the peers do.
- **ipstack**, **netstack-smoltcp**: relays over the two crates, built as their documentation has it, with
  buffers of 64 KiB. **netstack-documented** has the small buffers of the documentation: it is the yardstick
  that tells whether this machine is like the one on which the targets were set.
- **ceiling**: a relay without any duty. It trusts everybody, keeps nothing, resends nothing, tells nobody; TCP
  over IPv4 alone.

The receiver compares every byte with what was sent; a sixty-fourth of each stream, spread over all of it, is
hashed with SHA-256 at both ends, and the number of bytes must agree. Hashing everything would cost more than
relaying it. Runs are shuffled over all rows and engines. A run during which anything else used more than a
tenth of a core is repeated, three times at most unless told otherwise; what stays disturbed is marked.

CPU is that of all threads of the engine (schedstat); it includes what the kernel does on their behalf, which is
the receiving side of the tun and of the veth pair.
";

const READING: &str = "\
`/dir` is the ratio to direct, `/peer` to the best peer. `all s/GB` is the CPU of the whole machine. `busy%` is
the engine's share of one core: below 95 the load was the bottleneck, not the engine. `sw/MB` counts how often
a thread of the engine went to sleep. `drops` are packets that the tun had no room for, `resent` TCP segments
that a kernel sent again; between the namespaces some are spurious, because two cores deliver at once.
`~` marks disturbed runs, `!` wrong or missing bytes.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::engine::Engine;
    use crate::load::Load;
    use crate::results::Machine;
    use crate::run::{Cell, key};

    #[test]
    fn disturbed_runs_are_told_beside_the_verdicts() {
        let (case, engine) = (Case::new(Load::Bulk { up: 1, down: 0 }, 1_500), Engine::none());
        let results = |noisy| Results {
            cases: vec![case],
            engines: vec![engine.clone()],
            table: [((key(case, &engine), engine.name), Cell { noisy, ..Cell::default() })].into(),
            machine: Machine::here().unwrap(),
        };
        assert!(verdicts(&results(2)).ends_with("judged:\n  direct tcp-up-1/1500/ipv4/pinned: 2\n"));
        assert!(!verdicts(&results(0)).contains("Disturbed"));
    }
}
