//! What `--help` says: for the program and for each subcommand.

/// What help is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The program as a whole.
    Program,
    /// `telltale run`
    Run,
    /// `telltale attach`
    Attach,
    /// `telltale report`
    Report,
    /// `telltale replay`
    Replay,
    /// `telltale lookup`
    Lookup,
    /// `telltale identifiers`
    Identifiers,
    /// `telltale mute` and `telltale unmute`
    Mute,
}

impl Topic {
    /// What to type to read it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Program => "telltale --help",
            Self::Run => "telltale run --help",
            Self::Attach => "telltale attach --help",
            Self::Report => "telltale report --help",
            Self::Replay => "telltale replay --help",
            Self::Lookup => "telltale lookup --help",
            Self::Identifiers => "telltale identifiers --help",
            Self::Mute => "telltale mute --help",
        }
    }

    /// The text itself, at most 80 columns wide.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Program => PROGRAM,
            Self::Run => RUN,
            Self::Attach => ATTACH,
            Self::Report => REPORT,
            Self::Replay => REPLAY,
            Self::Lookup => LOOKUP,
            Self::Identifiers => IDENTIFIERS,
            Self::Mute => MUTE,
        }
    }
}

const PROGRAM: &str = "\
Telltale shows what a program sends out: to whom, and how much.

  telltale run -- COMMAND...   run COMMAND, then show what it sent and received
  telltale report              show what was seen before
  telltale replay CAPTURE...   show what is in capture files
  telltale attach              relay for a network device that is already open
  telltale lookup HOST         say whose a host or address is, and how we know
  telltale identifiers         say which details of yours are looked for
  telltale mute                say which findings are not told any more
  telltale help [SUBCOMMAND]   explain more; so does --help after any of these
  telltale version             print the version
  telltale about               licences of Telltale and all that is in it

Examples:
  telltale run -- curl -sO https://example.org/
  telltale run --live -- wget -q -i list.txt < /dev/null
  telltale report --since 1h

Telltale changes nothing that COMMAND sends or receives, and sends nothing of
its own. What it sees is kept in ~/.local/share/telltale/telltale.db, on this
machine alone; --db none keeps nothing.
";

const RUN: &str = "\
Run COMMAND, and show at the end what it sent and received.

  telltale run [OPTIONS] [--] COMMAND [ARGUMENT]...

COMMAND runs as it would without Telltale: same input and output, same terminal,
same signals, same exit code. Only its network goes through Telltale. When it
has ended, a table on stderr says how much went where.

Options:
  --report FILE    write the report to FILE instead of stderr
  --report FD      write it to a descriptor, as in: --report 3 ... 3> out.txt
  --report none    write no report
  --json           write the report as JSON instead of a table
  --details        show each destination too, with its network and how its name
                   is known
  --live           show the table while COMMAND runs, on stderr; COMMAND's input
                   must not be the terminal then (for example: < /dev/null)
  --wait           go on until processes that COMMAND left behind have ended
                   too; without this they end together with COMMAND
  --loopback PORT  let COMMAND reach this TCP port of the machine's own
                   127.0.0.1 and ::1; give it again for more ports
  --keys FILE      read encrypted connections of programs that write down their
                   keys: COMMAND gets FILE as SSLKEYLOGFILE, unless it has one
  --events FILE    what happens on a phone meanwhile: lines that are written
                   into FILE, as telltale help replay says, at their times
  --maker NAME     who made the phone, by manufacturer or brand
  --db FILE        keep what is seen in FILE
                   [$XDG_DATA_HOME/telltale/telltale.db, or
                   ~/.local/share/telltale/telltale.db]
  --db none        keep nothing
  --no-watch       only relay: no report, nothing kept; refused together with
                   options for what is seen
  --identifiers FILE
                   look for the details in FILE alone, as telltale help
                   identifiers says; give it again for more files
                   [those that are kept, where there are any]
  --no-identifiers look for no details

Examples:
  telltale run -- curl -sO https://example.org/
  telltale run --json --report out.json -- git fetch
  telltale run --loopback 5432 -- ./server --database localhost:5432

Exit code: that of COMMAND. 127: COMMAND was not found. 126: it cannot be run.
125: Telltale itself failed, and says why.

What other processes do for COMMAND through local sockets (a package service, a
container daemon, a running browser) is not seen.
";

const ATTACH: &str = "\
Relay for a network device that is already open, until SIGTERM or Ctrl-C.

  TUN_FD=3 telltale attach [OPTIONS]

The device is a tun (IFF_TUN|IFF_NO_PI, and faster with IFF_VNET_HDR), or any
socket that keeps packets apart, and each packet is an IPv4 or IPv6 packet. The
environment says the rest:
  TUN_FD         the descriptor's number (needed)
  TUN_MTU        its MTU in bytes [asked from the device, or 1500]
  TUN_ADDRESSES  the addresses of the programs' side, with commas between
                 [198.19.84.1,2001:db8:7e11:7a1e::1]
  TUN_RESOLVERS  the addresses at which Telltale answers DNS
                 [198.19.84.53,2001:db8:7e11:7a1e::53]

Options:
  --report FILE    write the report at the end to FILE instead of stderr
  --report FD      write it to a descriptor
  --report none    write no report
  --json           write the report as JSON instead of a table
  --details        show each destination too, with its network and how its name
                   is known
  --db FILE        keep what is seen in FILE [as for telltale run; under sudo
                   it is in root's own home]
  --db none        keep nothing
  --no-watch       only relay: no report, nothing kept; refused together with
                   options for what is seen
  --identifiers FILE
                   look for the details in FILE alone [those that are kept]
  --no-identifiers look for no details

Exit code: 0 when it was told to end; 125 when Telltale failed, and it says why.
";

const REPORT: &str = "\
Show what was seen before, most content first.

  telltale report [OPTIONS]

Options:
  --since AGE   only the last 90s, 30m, 1h, 7d, 2w
  --since TIME  only since a date (2026-11-24, from midnight UTC) or a time in
                RFC 3339 (2026-11-24T15:00:00Z, 2026-11-24T15:00:00+01:00);
                totals are kept by the hour, so it begins with that whole hour
  --app NAME    only one program: its path (/usr/bin/curl) or file name (curl)
  --json        JSON instead of a table
  --details     show each destination too, with its network and how its name is
                known
  --db FILE     read this database [as for telltale run; under sudo too it is
                that of the user who called sudo]

Examples:
  telltale report --since 7d
  telltale report --app curl --since 2026-11-24
  telltale report --json > report.json

The database is only read: neither it nor its directory is changed.

Exit code: 0, also where nothing is known; 125 when Telltale failed.
";

const REPLAY: &str = "\
Show what is in capture files, as if it were seen now.

  telltale replay [OPTIONS] CAPTURE...

CAPTURE is a file in the format pcap or pcapng, compressed with gzip or not; -
is stdin. Nothing is sent, and names are not looked up: what is shown is in the
file.

Options:
  --format table  a table of who was spoken to, for each file [this]
  --format jsonl  one JSON object for each flow, on a line of its own, as
                  docs/replay-format.md says
  --details       show each destination too, with its network and how its name
                  is known
  --keys FILE     read encrypted connections with the keys in FILE, which a
                  program wrote for SSLKEYLOGFILE; those in a pcapng file are
                  used as well
  --db FILE       keep the flows in FILE, for telltale report [keeps nothing]
  --identifiers FILE
                  look for the details in FILE alone [those that are kept]
  --no-identifiers
                  look for no details
  --events FILE   what happened meanwhile, one \"TIME EVENT\" a line: boot,
                  screen_on, screen_off, network, app_installed, sim,
                  contact_added, message_sent, message_received, call_made,
                  call_received, quiet
  --maker NAME    who made the phone, by manufacturer or brand

Examples:
  telltale replay phone.pcap
  telltale replay --format jsonl *.pcapng | grep api.example
  tcpdump -w - | telltale replay -

Exit code: 0 when all of every file was read; 1 when some of a file could not be
read, and stderr says where it was damaged; 125 when Telltale failed.
";

const LOOKUP: &str = "\
Say whose a host or an address is, what it is for, and how we know.

  telltale lookup [OPTIONS] HOST|ADDRESS...

A host is looked up by its own name and by the names above it; the longest one
that the tables have counts. An address belongs to a network, which is
registered in a country: that is not where the server stands.

Options:
  --json        JSON instead of text

Examples:
  telltale lookup settings.crashlytics.com
  telltale lookup --json 2001:4860:4860::8888

Nobody is asked: all that is said stands in Telltale's own tables. README.md
says how to dispute a row of them.

Exit code: 0, also where nothing is known; 125 when Telltale failed.
";

const IDENTIFIERS: &str = "\
Say which details of yours are looked for in what programs send.

  telltale identifiers add KIND [VALUE]
  telltale identifiers list [--json]
  telltale identifiers remove KIND NUMBER
  telltale identifiers remove --all
  telltale identifiers import FILE...

Without a VALUE, or with -, add reads it from stdin; at a terminal it asks for
it, and shows nothing of it. So it does not stand in your shell's history.

Kinds: imei, imei_sv, imsi, iccid (the number of a SIM), phone, email,
advertising_id, android_id, serial, mac, ssid (name of a wireless network),
bssid (its address), name, carrier, place (latitude,longitude), word (anything
else), package (an installed app). Besides: country, two letters, for phone
numbers without the code of a country.

FILE has a kind and a value a line; a line that begins with # is a comment. A
kind may come again: a phone with two SIMs has two. Or it is an address book
(vCard): its numbers are contacts. Contacts are other people's: they are never
kept, only the place of their file, which is read anew each time.

list shows what is kept, with most of each value hidden.

Details are kept sealed in ~/.local/share/telltale/details.sealed, and the key
in ~/.config/telltale/details.key. A copy of the first alone reveals nothing;
whoever can read your files can read both. No value is ever in the database.

Examples:
  telltale identifiers add imei
  telltale identifiers import contacts.vcf
  telltale run --identifiers test.txt -- ./program

Exit code: 0; 125 when something was refused, or Telltale failed.
";

const MUTE: &str = "\
Say which findings are not told any more.

  telltale mute [--db FILE] [KEY]...
  telltale unmute [--db FILE] KEY...
  telltale unmute [--db FILE] --all

KEY is that of a finding, as telltale report --details and --json show it. What
is muted is its rule for its program, or for all programs where KEY is only the
name of a rule. Without a KEY, mute lists what is muted.

What is muted is still seen, kept and counted; one line of the report says how
many findings were left out.

Options:
  --db FILE  change this database [as for telltale report]
  --all      end every silence

Examples:
  telltale mute 'first-contact|/usr/bin/curl|example|'
  telltale mute maker-contacted
  telltale unmute --all

Exit code: 0; 125 when something was refused, or Telltale failed.
";

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Topic; 8] = [
        Topic::Program,
        Topic::Run,
        Topic::Attach,
        Topic::Report,
        Topic::Replay,
        Topic::Lookup,
        Topic::Identifiers,
        Topic::Mute,
    ];

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for line in ALL.iter().flat_map(|topic| topic.text().lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn every_option_is_explained() {
        for (topic, options) in [
            (
                Topic::Run,
                &[
                    "--report",
                    "--json",
                    "--details",
                    "--live",
                    "--wait",
                    "--loopback",
                    "--db",
                    "--keys",
                    "--events",
                    "--maker",
                    "--no-watch",
                    "--identifiers",
                    "--no-identifiers",
                ][..],
            ),
            (
                Topic::Attach,
                &[
                    "--report",
                    "--json",
                    "--details",
                    "--db",
                    "--no-watch",
                    "--identifiers",
                    "--no-identifiers",
                ],
            ),
            (Topic::Report, &["--since", "--app", "--json", "--details", "--db"]),
            (
                Topic::Replay,
                &[
                    "--format",
                    "--details",
                    "--keys",
                    "--db",
                    "--identifiers",
                    "--no-identifiers",
                    "--events",
                    "--maker",
                ],
            ),
            (Topic::Lookup, &["--json"]),
            (Topic::Mute, &["--db", "--all"]),
        ] {
            for option in options {
                let said = [format!("\n  {option} "), format!("\n  {option}\n")];
                assert!(said.iter().any(|said| topic.text().contains(said)), "{topic:?} {option}");
            }
        }
    }
}
