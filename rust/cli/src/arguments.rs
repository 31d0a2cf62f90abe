//! What was typed, as values: one struct of options for each subcommand.

mod identifiers;
mod mute;
mod values;

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::PathBuf;

use lexopt::{Arg, Parser};

use crate::help::Topic;
use crate::lookup::Place;
use crate::problem::Problem;
use crate::since::Since;

pub(crate) use identifiers::{Entry, IdentifiersRequest, Wanted};
pub(crate) use mute::{Change, MuteOptions};
use values::{app, database, file, maker, port, sink, text, unclear, unwatched, value};

/// What Telltale was asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `telltale run`
    Run(RunOptions),
    /// `telltale attach`
    Attach(AttachOptions),
    /// `telltale report`
    Report(ReportOptions),
    /// `telltale replay`
    Replay(ReplayOptions),
    /// `telltale lookup`
    Lookup(LookupOptions),
    /// `telltale identifiers`
    Identifiers(IdentifiersRequest),
    /// `telltale mute`, `telltale unmute`
    Mute(MuteOptions),
    /// `telltale about`
    About,
    /// `telltale help`, or `--help` anywhere before COMMAND
    Help(Topic),
    /// `telltale version`
    Version,
}

/// The options of `telltale run`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RunOptions {
    /// COMMAND and its arguments; never empty.
    pub(crate) command: Vec<OsString>,
    /// Where the flows are kept.
    pub(crate) database: Database,
    /// Where the report at the end goes.
    pub(crate) report: Sink,
    /// Whether the report is JSON instead of a table.
    pub(crate) json: bool,
    /// Whether the table shows each destination too.
    pub(crate) details: bool,
    /// Whether the table is shown while COMMAND runs.
    pub(crate) live: bool,
    /// Whether to go on until COMMAND's left-over children have ended too.
    pub(crate) wait: bool,
    /// Ports of the host's loopback that COMMAND may reach.
    pub(crate) loopback: Vec<u16>,
    /// Whether traffic is watched and kept at all; without it Telltale relays alone.
    pub(crate) watch: bool,
    /// Which details of a person are looked for.
    pub(crate) wanted: Wanted,
    /// Where COMMAND writes the secrets of its TLS connections.
    pub(crate) keys: Option<PathBuf>,
    /// Where is written what happens meanwhile.
    pub(crate) events: Option<PathBuf>,
    /// Who made the phone, by manufacturer or brand.
    pub(crate) maker: Option<String>,
}

/// The options of `telltale attach`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AttachOptions {
    /// Where the flows are kept.
    pub(crate) database: Database,
    /// Where the report at the end goes.
    pub(crate) report: Sink,
    /// Whether the report is JSON instead of a table.
    pub(crate) json: bool,
    /// Whether the table shows each destination too.
    pub(crate) details: bool,
    /// Whether traffic is watched and kept at all; without it Telltale relays alone.
    pub(crate) watch: bool,
    /// Which details of a person are looked for.
    pub(crate) wanted: Wanted,
}

/// The options of `telltale report`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReportOptions {
    /// Which database to read; never [`Database::Nothing`].
    pub(crate) database: Database,
    /// Only what was sent since then.
    pub(crate) since: Option<Since>,
    /// Only programs whose path or file name is this.
    pub(crate) app: Option<String>,
    /// JSON instead of a table.
    pub(crate) json: bool,
    /// Whether the table shows each destination too.
    pub(crate) details: bool,
}

/// The options of `telltale replay`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReplayOptions {
    /// The files to be read; `-` is stdin. Never empty.
    pub(crate) captures: Vec<PathBuf>,
    /// Where the flows are kept: in a file that was named, or nowhere.
    pub(crate) database: Database,
    /// One JSON object for each flow instead of a table.
    pub(crate) jsonl: bool,
    /// Whether the table shows each destination too.
    pub(crate) details: bool,
    /// Which details of a person are looked for.
    pub(crate) wanted: Wanted,
    /// What happened meanwhile.
    pub(crate) events: Option<PathBuf>,
    /// Who made the phone, by manufacturer or brand.
    pub(crate) maker: Option<String>,
    /// Secrets of the TLS connections in the files.
    pub(crate) keys: Option<PathBuf>,
}

/// The options of `telltale lookup`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LookupOptions {
    /// What to explain; never empty.
    pub(crate) places: Vec<Place>,
    /// JSON instead of text.
    pub(crate) json: bool,
}

/// Where flows are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// In the usual place, which depends on whose environment it is; see [`Database::path`].
    Usual,
    /// In this file.
    File(PathBuf),
    /// Nowhere.
    Nothing,
}

/// Where the report at the end goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// To stderr.
    Stderr,
    /// Into this file, which is made or emptied.
    File(PathBuf),
    /// To this descriptor, which Telltale was started with.
    Descriptor(RawFd),
    /// Nowhere.
    Nothing,
}

/// Reads the arguments that follow the program's own name.
///
/// # Errors
/// A sentence about the first argument that cannot be understood.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Problem> {
    let mut parser = Parser::from_args(arguments);
    let Some(first) = parser.next().map_err(|error| unclear(&error, Topic::Program))? else {
        return Ok(Request::Help(Topic::Program));
    };
    match first {
        Arg::Short('h') | Arg::Long("help") => Ok(Request::Help(Topic::Program)),
        Arg::Short('V') | Arg::Long("version") => alone(parser, Request::Version),
        Arg::Value(word) => subcommand(&word, parser),
        Arg::Short(_) | Arg::Long(_) => Err(unclear(&first.unexpected(), Topic::Program)),
    }
}

impl Database {
    /// The file's path: `$XDG_DATA_HOME/telltale/telltale.db`, else the same below
    /// `~/.local/share`, or what was given. `None` where nothing is kept.
    ///
    /// # Errors
    /// Where the usual place is asked for and the environment names no home.
    pub(crate) fn path(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<PathBuf>, Problem> {
        match self {
            Self::Usual => usual_path(variable).map(Some),
            Self::File(path) => Ok(Some(path.clone())),
            Self::Nothing => Ok(None),
        }
    }
}

fn usual_path(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Problem> {
    // XDG Base Directory Specification: a relative path is invalid and must be ignored.
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    let data = data.ok_or_else(|| {
        Problem::new("no place for the database is known, because HOME is not set")
            .advise("Say where with --db FILE, or keep nothing with --db none.")
    })?;
    Ok(data.join("telltale/telltale.db"))
}

fn subcommand(word: &OsString, parser: Parser) -> Result<Request, Problem> {
    match word.to_str() {
        Some("run") => run(parser),
        Some("attach") => attach(parser),
        Some("report") => report(parser),
        Some("replay") => replay(parser),
        Some("lookup") => lookup(parser),
        Some("identifiers") => identifiers::identifiers(parser),
        Some("mute") => mute::mute(parser),
        Some("unmute") => mute::unmute(parser),
        Some("about") => alone(parser, Request::About),
        Some("help") => help(parser),
        Some("version") => alone(parser, Request::Version),
        _ => {
            let word = word.to_string_lossy();
            Err(Problem::new(format!("there is no subcommand \"{word}\"")).advise(format!(
                "To see what a program sends: telltale run -- {word} ... ; all else: telltale --help."
            )))
        }
    }
}

fn run(mut parser: Parser) -> Result<Request, Problem> {
    let mut options = RunOptions {
        command: Vec::new(),
        database: Database::Usual,
        report: Sink::Stderr,
        json: false,
        details: false,
        live: false,
        wait: false,
        loopback: Vec::new(),
        watch: true,
        wanted: Wanted::Kept,
        keys: None,
        events: None,
        maker: None,
    };
    while let Some(argument) = parser.next().map_err(|error| unclear(&error, Topic::Run))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(Topic::Run)),
            Arg::Long("db") => options.database = database(value(&mut parser, Topic::Run)?)?,
            Arg::Long("report") => options.report = sink(value(&mut parser, Topic::Run)?)?,
            Arg::Long("json") => options.json = true,
            Arg::Long("details") => options.details = true,
            Arg::Long("live") => options.live = true,
            Arg::Long("wait") => options.wait = true,
            Arg::Long("loopback") => options.loopback.push(port(value(&mut parser, Topic::Run)?)?),
            Arg::Long("no-watch") => options.watch = false,
            Arg::Long("identifiers") => options.wanted.take(value(&mut parser, Topic::Run)?)?,
            Arg::Long("no-identifiers") => options.wanted.take_nothing()?,
            Arg::Long("keys") => options.keys = Some(file("--keys", value(&mut parser, Topic::Run)?)?),
            Arg::Long("events") => options.events = Some(file("--events", value(&mut parser, Topic::Run)?)?),
            Arg::Long("maker") => options.maker = Some(maker(text(&mut parser, Topic::Run)?)?),
            // COMMAND begins here, with or without "--" before it; all that follows is its own.
            Arg::Value(program) => {
                if !options.watch {
                    unwatched(&[
                        ("--db", !matches!(options.database, Database::Usual | Database::Nothing)),
                        ("--report", !matches!(options.report, Sink::Stderr | Sink::Nothing)),
                        ("--json", options.json),
                        ("--details", options.details),
                        ("--live", options.live),
                        ("--keys", options.keys.is_some()),
                        ("--events", options.events.is_some()),
                        ("--maker", options.maker.is_some()),
                    ])?;
                    unwatched(&options.wanted.options())?;
                }
                options.command.push(program);
                options.command.extend(parser.raw_args().map_err(|error| unclear(&error, Topic::Run))?);
                return Ok(Request::Run(options));
            }
            Arg::Short(_) | Arg::Long(_) => return Err(unclear(&argument.unexpected(), Topic::Run)),
        }
    }
    Err(Problem::new("no COMMAND was given").advise("For example: telltale run -- curl https://example.org"))
}

fn attach(mut parser: Parser) -> Result<Request, Problem> {
    let mut options = AttachOptions {
        database: Database::Usual,
        report: Sink::Stderr,
        json: false,
        details: false,
        watch: true,
        wanted: Wanted::Kept,
    };
    while let Some(argument) = parser.next().map_err(|error| unclear(&error, Topic::Attach))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(Topic::Attach)),
            Arg::Long("db") => options.database = database(value(&mut parser, Topic::Attach)?)?,
            Arg::Long("report") => options.report = sink(value(&mut parser, Topic::Attach)?)?,
            Arg::Long("json") => options.json = true,
            Arg::Long("details") => options.details = true,
            Arg::Long("no-watch") => options.watch = false,
            Arg::Long("identifiers") => options.wanted.take(value(&mut parser, Topic::Attach)?)?,
            Arg::Long("no-identifiers") => options.wanted.take_nothing()?,
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(unclear(&argument.unexpected(), Topic::Attach));
            }
        }
    }
    if !options.watch {
        unwatched(&[
            ("--db", !matches!(options.database, Database::Usual | Database::Nothing)),
            ("--report", !matches!(options.report, Sink::Stderr | Sink::Nothing)),
            ("--json", options.json),
            ("--details", options.details),
        ])?;
        unwatched(&options.wanted.options())?;
    }
    Ok(Request::Attach(options))
}

fn report(mut parser: Parser) -> Result<Request, Problem> {
    let mut options =
        ReportOptions { database: Database::Usual, since: None, app: None, json: false, details: false };
    while let Some(argument) = parser.next().map_err(|error| unclear(&error, Topic::Report))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(Topic::Report)),
            Arg::Long("db") => options.database = database(value(&mut parser, Topic::Report)?)?,
            Arg::Long("since") => options.since = Some(Since::parse(&text(&mut parser, Topic::Report)?)?),
            Arg::Long("app") => options.app = Some(app(text(&mut parser, Topic::Report)?)?),
            Arg::Long("json") => options.json = true,
            Arg::Long("details") => options.details = true,
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(unclear(&argument.unexpected(), Topic::Report));
            }
        }
    }
    if options.database == Database::Nothing {
        return Err(
            Problem::new("\"--db none\" leaves nothing to report").advise("Name a file, or leave --db out.")
        );
    }
    Ok(Request::Report(options))
}

fn replay(mut parser: Parser) -> Result<Request, Problem> {
    let mut options = ReplayOptions {
        captures: Vec::new(),
        database: Database::Nothing,
        jsonl: false,
        details: false,
        wanted: Wanted::Kept,
        events: None,
        maker: None,
        keys: None,
    };
    while let Some(argument) = parser.next().map_err(|error| unclear(&error, Topic::Replay))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(Topic::Replay)),
            Arg::Long("db") => options.database = database(value(&mut parser, Topic::Replay)?)?,
            Arg::Long("details") => options.details = true,
            Arg::Long("events") => {
                options.events = Some(file("--events", value(&mut parser, Topic::Replay)?)?);
            }
            Arg::Long("maker") => options.maker = Some(maker(text(&mut parser, Topic::Replay)?)?),
            Arg::Long("keys") => options.keys = Some(file("--keys", value(&mut parser, Topic::Replay)?)?),
            Arg::Long("format") => options.jsonl = is_jsonl(&text(&mut parser, Topic::Replay)?)?,
            Arg::Long("identifiers") => options.wanted.take(value(&mut parser, Topic::Replay)?)?,
            Arg::Long("no-identifiers") => options.wanted.take_nothing()?,
            Arg::Value(capture) => options.captures.push(capture.into()),
            Arg::Short(_) | Arg::Long(_) => return Err(unclear(&argument.unexpected(), Topic::Replay)),
        }
    }
    if options.captures.is_empty() {
        return Err(Problem::new("no CAPTURE was given").advise("For example: telltale replay phone.pcap"));
    }
    Ok(Request::Replay(options))
}

fn is_jsonl(format: &str) -> Result<bool, Problem> {
    match format {
        "jsonl" => Ok(true),
        "table" => Ok(false),
        _ => Err(Problem::new(format!("there is no format \"{format}\""))
            .advise("--format takes table, or jsonl.")),
    }
}

fn lookup(mut parser: Parser) -> Result<Request, Problem> {
    let mut options = LookupOptions { places: Vec::new(), json: false };
    while let Some(argument) = parser.next().map_err(|error| unclear(&error, Topic::Lookup))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help(Topic::Lookup)),
            Arg::Long("json") => options.json = true,
            Arg::Value(word) => options.places.push(Place::parse(&word.to_string_lossy())?),
            Arg::Short(_) | Arg::Long(_) => return Err(unclear(&argument.unexpected(), Topic::Lookup)),
        }
    }
    if options.places.is_empty() {
        return Err(
            Problem::new("no host or address was given").advise("For example: telltale lookup example.org")
        );
    }
    Ok(Request::Lookup(options))
}

fn help(mut parser: Parser) -> Result<Request, Problem> {
    let Some(word) = parser.next().map_err(|error| unclear(&error, Topic::Program))? else {
        return Ok(Request::Help(Topic::Program));
    };
    let topic = match &word {
        Arg::Value(word) => topic(&word.to_string_lossy())?,
        Arg::Short('h') | Arg::Long("help") => Topic::Program,
        Arg::Short(_) | Arg::Long(_) => return Err(unclear(&word.unexpected(), Topic::Program)),
    };
    alone(parser, Request::Help(topic))
}

fn topic(word: &str) -> Result<Topic, Problem> {
    match word {
        "run" => Ok(Topic::Run),
        "attach" => Ok(Topic::Attach),
        "report" => Ok(Topic::Report),
        "replay" => Ok(Topic::Replay),
        "lookup" => Ok(Topic::Lookup),
        "identifiers" => Ok(Topic::Identifiers),
        "mute" | "unmute" => Ok(Topic::Mute),
        "about" | "help" | "version" => Ok(Topic::Program),
        _ => Err(Problem::new(format!("there is no subcommand \"{word}\""))
            .advise("All of them: telltale --help.")),
    }
}

/// What takes no more words.
fn alone(mut parser: Parser, request: Request) -> Result<Request, Problem> {
    match parser.next().map_err(|error| unclear(&error, Topic::Program))? {
        None => Ok(request),
        Some(Arg::Short('h') | Arg::Long("help")) => Ok(Request::Help(Topic::Program)),
        Some(more) => Err(unclear(&more.unexpected(), Topic::Program)),
    }
}

#[cfg(test)]
mod tests {
    use telltale_model::DetailKind;

    use super::*;

    fn words(line: &str) -> Result<Request, Problem> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn run_of(line: &str) -> RunOptions {
        match words(line) {
            Ok(Request::Run(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn run_takes_its_options_before_command_and_leaves_command_alone() {
        let options = run_of(
            "run --db /tmp/x.db --report 3 --json --live --wait --loopback 80 --loopback=5432 -- curl -s --json -- x",
        );
        assert_eq!(options.command, ["curl", "-s", "--json", "--", "x"]);
        assert_eq!(options.database, Database::File("/tmp/x.db".into()));
        assert_eq!(options.report, Sink::Descriptor(3));
        assert!(options.json && options.live && options.wait && options.watch);
        assert_eq!(options.loopback, [80, 5432]);
    }

    #[test]
    fn run_without_dashes_begins_command_at_the_first_word() {
        let options = run_of("run --no-watch env -i -- --live");
        assert_eq!(options.command, ["env", "-i", "--", "--live"]);
        assert!(!options.watch && !options.live);
        assert_eq!(run_of("run -- --odd-name").command, ["--odd-name"]);
    }

    #[cfg(unix)]
    #[test]
    fn command_may_hold_any_bytes() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![0xff, b'-']);
        let Ok(Request::Run(options)) = parse(["run".into(), "--".into(), odd.clone()]) else { panic!() };
        assert_eq!(options.command, [odd]);
    }

    #[test]
    fn sinks_and_databases_know_their_words() {
        assert_eq!(run_of("run --report none x").report, Sink::Nothing);
        assert_eq!(run_of("run --report ./3 x").report, Sink::File("./3".into()));
        assert_eq!(run_of("run --report 99999999999 x").report, Sink::File("99999999999".into()));
        assert_eq!(run_of("run x").report, Sink::Stderr);
        assert_eq!(run_of("run --db none x").database, Database::Nothing);
        assert_eq!(run_of("run --db ./none x").database, Database::File("./none".into()));
    }

    #[test]
    fn report_and_attach_take_theirs() {
        let report = words("report --db f --since 1h --app curl --json");
        let expected = ReportOptions {
            database: Database::File("f".into()),
            since: Some(Since::Ago(3_600)),
            app: Some("curl".into()),
            json: true,
            details: false,
        };
        assert_eq!(report, Ok(Request::Report(expected)));
        let expected = AttachOptions {
            database: Database::Nothing,
            report: Sink::Nothing,
            json: false,
            details: false,
            watch: false,
            wanted: Wanted::Kept,
        };
        assert_eq!(words("attach --db none --report none --no-watch"), Ok(Request::Attach(expected)));
    }

    #[test]
    fn replay_takes_captures_between_its_options() {
        let expected = ReplayOptions {
            captures: vec!["a.pcap".into(), "-".into()],
            database: Database::File("f".into()),
            jsonl: true,
            keys: None,
            details: false,
            wanted: Wanted::Kept,
            events: Some("e.txt".into()),
            maker: Some("POCO".into()),
        };
        assert_eq!(
            words("replay --events e.txt --maker POCO --db f a.pcap --format jsonl -"),
            Ok(Request::Replay(expected))
        );
        let Ok(Request::Replay(options)) = words("replay --format=table a") else { panic!() };
        assert!(!options.jsonl && options.database == Database::Nothing);
    }

    fn identifiers_of(line: &str) -> IdentifiersRequest {
        match words(line) {
            Ok(Request::Identifiers(request)) => request,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn identifiers_take_values_as_they_are_and_never_print_them() {
        let added = |line: &str| {
            let IdentifiersRequest::Add(entry, value) = identifiers_of(line) else { panic!("{line}") };
            (entry, value.map(|typed| typed.0.to_string()))
        };
        let kind = Entry::Detail;
        let name = added("identifiers add NAME Zephyr Quill");
        assert_eq!(name, (kind(DetailKind::Name), Some("Zephyr Quill".into())));
        let place = added("identifiers add place -33.8568,151.2153");
        assert_eq!(place, (kind(DetailKind::Place), Some("-33.8568,151.2153".into())));
        assert_eq!(added("identifiers add word -- --json"), (kind(DetailKind::Word), Some("--json".into())));
        assert_eq!(added("identifiers add advertising-id"), (kind(DetailKind::AdvertisingId), None));
        assert_eq!(added("identifiers add imei -"), (kind(DetailKind::Imei), None));
        assert_eq!(added("identifiers add country DE"), (Entry::Country, Some("DE".into())));
        assert!(!format!("{:?}", words("identifiers add word Ahorn")).contains("Ahorn"));
        assert_eq!(
            identifiers_of("identifiers remove imei 2"),
            IdentifiersRequest::Remove(kind(DetailKind::Imei), 2)
        );
        assert_eq!(identifiers_of("identifiers remove --all"), IdentifiersRequest::RemoveAll);
        assert_eq!(
            identifiers_of("identifiers remove country"),
            IdentifiersRequest::Remove(Entry::Country, 1)
        );
        assert_eq!(identifiers_of("identifiers list --json"), IdentifiersRequest::List { json: true });
        let files = vec!["a.txt".into(), "b.vcf".into()];
        assert_eq!(identifiers_of("identifiers import a.txt b.vcf"), IdentifiersRequest::Import(files));
    }

    #[test]
    fn mistakes_about_identifiers_are_answered_without_what_was_typed() {
        for (line, happened) in [
            ("identifiers", "was not said"),
            ("identifiers secret", "can be added, listed, removed"),
            ("identifiers add", "the kind was not said"),
            ("identifiers add secret", "there is no such kind"),
            ("identifiers add --secret", "not expected"),
            ("identifiers list secret", "not expected"),
            ("identifiers remove imei", "one kind and its number"),
            ("identifiers remove imei secret", "must be its number"),
            ("identifiers remove --all secret", "one kind and its number"),
            ("identifiers import", "no FILE was given"),
            ("identifiers import --secret=1", "not expected"),
        ] {
            let problem = words(line).unwrap_err().to_string();
            assert!(problem.contains(happened) && !problem.contains("secret"), "{line}: {problem}");
        }
    }

    #[test]
    fn a_run_looks_for_what_is_kept_or_named_or_nothing() {
        assert_eq!(run_of("run x").wanted, Wanted::Kept);
        assert_eq!(run_of("run --no-identifiers x").wanted, Wanted::Nothing);
        let both = Wanted::Files(vec!["a".into(), "b".into()]);
        assert_eq!(run_of("run --identifiers a --identifiers b x").wanted, both);
        assert!(words("run --identifiers= x").unwrap_err().to_string().contains("name of a file"));
        let Ok(Request::Replay(replay)) = words("replay --identifiers a x") else { panic!() };
        assert_eq!(replay.wanted, Wanted::Files(vec!["a".into()]));
    }

    #[test]
    fn mute_takes_keys_or_lists() {
        let muted = |line: &str| match words(line) {
            Ok(Request::Mute(options)) => (options.database, options.change),
            other => panic!("{line}: {other:?}"),
        };
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(muted("mute"), (Database::Usual, Change::List));
        let both = Change::Mute(keys(&["first-contact|/a|b|", "own-dns"]));
        assert_eq!(muted("mute --db f first-contact|/a|b| own-dns"), (Database::File("f".into()), both));
        assert_eq!(muted("unmute own-dns"), (Database::Usual, Change::Unmute(keys(&["own-dns"]))));
        assert_eq!(muted("unmute --all"), (Database::Usual, Change::UnmuteAll));
        for line in ["help mute", "help unmute", "mute -h", "unmute --all --help"] {
            assert_eq!(words(line), Ok(Request::Help(Topic::Mute)), "{line}");
        }
    }

    #[test]
    fn help_and_version_are_found_where_people_look() {
        for line in ["", "--help", "-h", "help", "help help", "help version", "version --help", "about -h"] {
            assert_eq!(words(line), Ok(Request::Help(Topic::Program)), "{line}");
        }
        assert_eq!(words("run --help"), Ok(Request::Help(Topic::Run)));
        assert_eq!(words("help attach"), Ok(Request::Help(Topic::Attach)));
        assert_eq!(words("report -h"), Ok(Request::Help(Topic::Report)));
        assert_eq!(words("--version"), Ok(Request::Version));
        assert_eq!(words("version"), Ok(Request::Version));
        assert_eq!(words("about"), Ok(Request::About));
        assert_eq!(words("help lookup"), Ok(Request::Help(Topic::Lookup)));
        for line in
            ["help identifiers", "identifiers -h", "identifiers add imei --help", "identifiers list -h"]
        {
            assert_eq!(words(line), Ok(Request::Help(Topic::Identifiers)), "{line}");
        }
        assert_eq!(run_of("run curl --help").command, ["curl", "--help"]);
    }

    #[test]
    fn mistakes_are_answered_with_what_to_do() {
        for (line, happened, advice) in [
            ("run --foo x", "unknown option \"--foo\"", "telltale run --help"),
            ("-x", "unknown option \"-x\"", "telltale --help"),
            ("run", "no COMMAND was given", "telltale run -- curl"),
            ("run --db", "\"--db\" needs a value", "telltale run --help"),
            ("run --json=yes x", "\"--json\" takes no value", "telltale run --help"),
            ("run --loopback 0 x", "\"0\" is not a port", "1 to 65535"),
            ("run --loopback 65536 x", "\"65536\" is not a port", "1 to 65535"),
            ("curl", "no subcommand \"curl\"", "telltale run -- curl"),
            ("attach x", "\"x\" was not expected", "telltale attach --help"),
            ("run --db= x", "--db needs the name of a file", "--db ./telltale.db"),
            ("run --report= x", "--report needs the name", "--report none"),
            ("report --app=", "--app needs the name of a program", "--app curl"),
            ("report --since soon", "\"soon\" is not a time", "30m, 1h, 7d"),
            ("replay", "no CAPTURE was given", "telltale replay phone.pcap"),
            ("replay --format xml x", "there is no format \"xml\"", "jsonl"),
            ("lookup", "no host or address was given", "telltale lookup example.org"),
            ("lookup https://a.example/", "neither a host name nor an address", "a.example"),
            ("lookup --db x", "unknown option", "telltale lookup --help"),
            ("about --x", "unknown option \"--x\"", "telltale --help"),
            ("version x", "\"x\" was not expected", "telltale --help"),
            ("--version x", "\"x\" was not expected", "telltale --help"),
            ("help run x", "\"x\" was not expected", "telltale --help"),
            ("help --x", "unknown option \"--x\"", "telltale --help"),
            ("help me", "no subcommand \"me\"", "telltale --help"),
            ("run --no-watch --json x", "\"--json\" and \"--no-watch\" exclude", "nothing is seen"),
            ("run --details --no-watch x", "\"--details\" and \"--no-watch\" exclude", "nothing is seen"),
            ("run --no-watch --db f x", "\"--db\" and \"--no-watch\" exclude", "nothing is seen"),
            ("run --no-watch --live x", "\"--live\" and \"--no-watch\" exclude", "nothing is seen"),
            ("attach --report f --no-watch", "\"--report\" and \"--no-watch\" exclude", "nothing is seen"),
            ("run --no-watch --identifiers f x", "\"--identifiers\" and \"--no-watch\"", "nothing is seen"),
            (
                "run --no-identifiers --no-watch x",
                "\"--no-identifiers\" and \"--no-watch\"",
                "nothing is seen",
            ),
            ("run --no-watch --keys f x", "\"--keys\" and \"--no-watch\" exclude", "nothing is seen"),
            ("run --no-watch --events f x", "\"--events\" and \"--no-watch\" exclude", "nothing is seen"),
            ("run --no-watch --maker f x", "\"--maker\" and \"--no-watch\" exclude", "nothing is seen"),
            ("attach --no-watch --identifiers f", "\"--identifiers\" and \"--no-watch\"", "nothing is seen"),
            ("run --no-identifiers --identifiers f x", "\"--no-identifiers\" exclude", "Say either"),
            ("replay --identifiers f --no-identifiers x", "\"--no-identifiers\" exclude", "Say either"),
            ("run --keys= x", "--keys needs the name of a file", "--keys ./keys.txt"),
            ("run --events= x", "--events needs the name of a file", "--events ./events.txt"),
            ("replay --maker= x", "--maker needs the name", "--maker Xiaomi"),
            ("mute --all", "unknown option \"--all\"", "telltale mute --help"),
            ("mute --db none x", "leaves nothing to mute", "Name a file"),
            ("unmute", "or --all", "telltale mute"),
            ("unmute --all x", "or --all", "telltale mute"),
            ("report --db none", "leaves nothing to report", "Name a file"),
        ] {
            let problem = words(line).unwrap_err().to_string();
            assert!(problem.contains(happened) && problem.contains(advice), "{line}: {problem}");
        }
    }

    #[test]
    fn the_usual_database_follows_xdg_then_home() {
        let place = |xdg: Option<&str>, home: Option<&str>| {
            Database::Usual.path(|name| {
                let value = if name == "HOME" { home } else { xdg };
                value.map(OsString::from)
            })
        };
        let data = Ok(Some(PathBuf::from("/data/telltale/telltale.db")));
        let home = Ok(Some(PathBuf::from("/home/a/.local/share/telltale/telltale.db")));
        assert_eq!(place(Some("/data"), Some("/home/a")), data);
        assert_eq!(place(None, Some("/home/a")), home);
        assert_eq!(place(Some(""), Some("/home/a")), home);
        assert_eq!(place(Some("relative"), Some("/home/a")), home);
        assert!(place(None, None).unwrap_err().to_string().contains("--db none"));
    }
}
