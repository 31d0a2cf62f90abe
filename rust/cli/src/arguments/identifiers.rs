//! What was typed after `telltale identifiers`, and after `--identifiers`. Nothing here repeats a value: what is on
//! the screen is soon in somebody's log.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};
use telltale_model::DetailKind;
use zeroize::Zeroizing;

use super::{Request, unclear};
use crate::help::Topic;
use crate::problem::Problem;

/// What is to be done with the details that are kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IdentifiersRequest {
    /// `add KIND [VALUE]`; without a value it is asked for.
    Add(Entry, Option<Typed>),
    /// `list`
    List {
        /// JSON instead of text.
        json: bool,
    },
    /// `remove KIND NUMBER`
    Remove(Entry, u16),
    /// `remove --all`
    RemoveAll,
    /// `import FILE...`; never empty.
    Import(Vec<PathBuf>),
}

/// What can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A detail.
    Detail(DetailKind),
    /// The country in which numbers without a code are dialled.
    Country,
    /// A file of contacts.
    Contacts,
}

/// What a person typed, overwritten when it is dropped.
#[derive(PartialEq, Eq)]
pub(crate) struct Typed(pub(crate) Zeroizing<String>);

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

/// Which details are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those that are kept, where there are any.
    #[default]
    Kept,
    /// Those of these files alone.
    Files(Vec<PathBuf>),
    /// None.
    Nothing,
}

impl Wanted {
    /// Takes `--identifiers FILE`, which may be given several times.
    pub(super) fn take(&mut self, file: OsString) -> Result<(), Problem> {
        if file.is_empty() {
            return Err(Problem::new("--identifiers needs the name of a file").advise(
                "It holds a kind and a value a line: email name@example.org. See telltale identifiers --help.",
            ));
        }
        match self {
            Self::Files(files) => files.push(file.into()),
            Self::Kept => *self = Self::Files(vec![file.into()]),
            Self::Nothing => return Err(both()),
        }
        Ok(())
    }

    /// Takes `--no-identifiers`.
    pub(super) fn take_nothing(&mut self) -> Result<(), Problem> {
        if let Self::Files(_) = self {
            return Err(both());
        }
        *self = Self::Nothing;
        Ok(())
    }

    /// The options by which it was said, and whether they were given.
    pub(super) fn options(&self) -> [(&'static str, bool); 2] {
        let (named, nothing) = (matches!(self, Self::Files(_)), *self == Self::Nothing);
        [("--identifiers", named), ("--no-identifiers", nothing)]
    }
}

/// Reads what follows `identifiers`.
pub(super) fn identifiers(mut parser: Parser) -> Result<Request, Problem> {
    let request = match next(&mut parser)? {
        Some(Arg::Value(word)) if word == "add" => add(parser)?,
        Some(Arg::Value(word)) if word == "list" => list(parser)?,
        Some(Arg::Value(word)) if word == "remove" => remove(parser)?,
        Some(Arg::Value(word)) if word == "import" => import(parser)?,
        Some(Arg::Short('h') | Arg::Long("help")) => None,
        None => return Err(no_verb("what to do with identifiers was not said")),
        Some(_) => {
            return Err(no_verb("identifiers can be added, listed, removed and imported, and nothing else"));
        }
    };
    Ok(request.map_or(Request::Help(Topic::Identifiers), Request::Identifiers))
}

fn add(mut parser: Parser) -> Result<Option<IdentifiersRequest>, Problem> {
    let Some(kind) = kind(&mut parser)? else { return Ok(None) };
    // All that follows is the value, also where it has spaces in it or begins with a minus.
    let mut words = parser.raw_args().map_err(|error| unclear(&error, Topic::Identifiers))?.peekable();
    if words.next_if(|word| word == "--help" || word == "-h").is_some() {
        return Ok(None);
    }
    let _marked = words.next_if(|word| word == "--");
    let mut value = Zeroizing::new(String::new());
    for word in words {
        let word =
            Zeroizing::new(word.into_string().map_err(|_| Problem::new("the value is not text in UTF-8"))?);
        let length = value.len() + word.len() + 1;
        // A string that grows leaves a copy behind.
        let mut longer = Zeroizing::new(String::with_capacity(length));
        longer.push_str(&value);
        longer.push_str(if value.is_empty() { "" } else { " " });
        longer.push_str(&word);
        value = longer;
    }
    let value = (!value.is_empty() && value.as_str() != "-").then_some(Typed(value));
    Ok(Some(IdentifiersRequest::Add(kind, value)))
}

fn list(mut parser: Parser) -> Result<Option<IdentifiersRequest>, Problem> {
    let mut json = false;
    while let Some(argument) = next(&mut parser)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("json") => json = true,
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(unexpected()),
        }
    }
    Ok(Some(IdentifiersRequest::List { json }))
}

fn remove(mut parser: Parser) -> Result<Option<IdentifiersRequest>, Problem> {
    let mut all = false;
    let mut words = Vec::new();
    while let Some(argument) = next(&mut parser)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("all") => all = true,
            Arg::Value(word) => words.push(word),
            Arg::Short(_) | Arg::Long(_) => return Err(unexpected()),
        }
    }
    let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match (all, words.as_slice()) {
        (true, []) => Ok(Some(IdentifiersRequest::RemoveAll)),
        (false, [kind]) if entry(kind)? == Entry::Country => {
            Ok(Some(IdentifiersRequest::Remove(Entry::Country, 1)))
        }
        (false, [kind, number]) => Ok(Some(IdentifiersRequest::Remove(entry(kind)?, self::number(number)?))),
        _ => Err(Problem::new("one kind and its number are needed, or --all")
            .advise("For example: telltale identifiers remove imei 2")),
    }
}

fn import(mut parser: Parser) -> Result<Option<IdentifiersRequest>, Problem> {
    let mut files = Vec::new();
    while let Some(argument) = next(&mut parser)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Value(file) => files.push(file.into()),
            Arg::Short(_) | Arg::Long(_) => return Err(unexpected()),
        }
    }
    if files.is_empty() {
        return Err(
            Problem::new("no FILE was given").advise("For example: telltale identifiers import contacts.vcf")
        );
    }
    Ok(Some(IdentifiersRequest::Import(files)))
}

fn next(parser: &mut Parser) -> Result<Option<Arg<'_>>, Problem> {
    parser.next().map_err(|_its_words| unexpected())
}

/// None where help was asked for.
fn kind(parser: &mut Parser) -> Result<Option<Entry>, Problem> {
    match next(parser)? {
        Some(Arg::Value(word)) => entry(&word.string().unwrap_or_default()).map(Some),
        Some(Arg::Short('h') | Arg::Long("help")) => Ok(None),
        Some(Arg::Short(_) | Arg::Long(_)) => Err(unexpected()),
        None => {
            Err(Problem::new("the kind was not said").advise("For example: telltale identifiers add imei"))
        }
    }
}

fn entry(word: &str) -> Result<Entry, Problem> {
    let word = Zeroizing::new(word.to_ascii_lowercase().replace('-', "_"));
    match word.as_str() {
        "country" => Ok(Entry::Country),
        "contact" | "contacts" => Ok(Entry::Contacts),
        kind => kind.parse().map(Entry::Detail).map_err(|_repeats_it| {
            let kinds: Vec<&str> = DetailKind::ALL.iter().map(|kind| kind.name()).collect();
            Problem::new("there is no such kind").advise(format!("Kinds: country, {}.", kinds.join(", ")))
        }),
    }
}

fn number(word: &str) -> Result<u16, Problem> {
    word.parse().map_err(|_not_one| {
        Problem::new("what follows the kind must be its number").advise("Numbers: telltale identifiers list.")
    })
}

fn both() -> Problem {
    Problem::new("\"--identifiers\" and \"--no-identifiers\" exclude each other")
        .advise("Say either what to look for, or that nothing is.")
}

fn unexpected() -> Problem {
    Problem::new("something was not expected here").advise("All options: telltale identifiers --help.")
}

fn no_verb(happened: &str) -> Problem {
    Problem::new(happened)
        .advise("For example: telltale identifiers add imei. More: telltale identifiers --help.")
}
