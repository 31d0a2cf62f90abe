//! `telltale mute` and `telltale unmute`: what is not told any more.

use std::path::Path;
use std::process::ExitCode;

use telltale_model::{Finding, Rule};
use telltale_store::{Error, Filter, Mute, Reader, Run, Store};

use crate::arguments::{Change, Database, MuteOptions};
use crate::output;
use crate::problem::Problem;
use crate::report::{advise, variable};
use crate::since;

/// Does what was asked for, and says on stdout what holds then.
pub(crate) fn mute(options: &MuteOptions) -> ExitCode {
    match answer(options) {
        Ok(text) => output::print(&text),
        Err(problem) => problem.tell(),
    }
}

fn answer(options: &MuteOptions) -> Result<String, Problem> {
    let path = options.database.path(variable(&options.database)?);
    let path = path.map_err(|no_home| no_home.advise("Say where with --db FILE."))?.unwrap_or_default();
    let desk = Desk { path: &path, database: &options.database };
    match &options.change {
        Change::List => Ok(list(&desk.muted()?)),
        Change::Mute(keys) => desk.mute(keys),
        Change::Unmute(keys) => desk.unmute(keys),
        Change::UnmuteAll => {
            desk.change(&desk.muted()?, false)?;
            Ok("All findings are told.\n".into())
        }
    }
}

/// The database.
struct Desk<'a> {
    path: &'a Path,
    database: &'a Database,
}

impl Desk<'_> {
    fn mute(&self, keys: &[String]) -> Result<String, Problem> {
        let mutes = self.named(keys)?;
        self.change(&mutes, true)?;
        Ok(mutes.iter().map(|mute| format!("Muted: {}.\n", said(mute))).collect())
    }

    fn unmute(&self, keys: &[String]) -> Result<String, Problem> {
        let (mutes, muted) = (self.named(keys)?, self.muted()?);
        if let Some(told) = mutes.iter().find(|mute| !muted.contains(mute)) {
            let told = said(told);
            return Err(Problem::new(format!("{told} is not muted")).advise("What is muted: telltale mute."));
        }
        self.change(&mutes, false)?;
        Ok(mutes.iter().map(|mute| format!("Told again: {}.\n", said(mute))).collect())
    }

    fn named(&self, keys: &[String]) -> Result<Vec<Mute>, Problem> {
        let told = self.ask(|reader| reader.findings(&Filter::default()))?.told;
        let known: Vec<Finding> = told.into_iter().map(|told| told.finding).collect();
        keys.iter().map(|key| named(key, &known)).collect()
    }

    fn muted(&self) -> Result<Vec<Mute>, Problem> {
        self.ask(Reader::muted)
    }

    fn ask<T: Default>(&self, question: impl Fn(&Reader) -> Result<T, Error>) -> Result<T, Problem> {
        let answer = Reader::open(self.path).and_then(|reader| reader.as_ref().map(question).transpose());
        answer.map(Option::unwrap_or_default).map_err(|error| advise(&error, self.database))
    }

    fn change(&self, mutes: &[Mute], on: bool) -> Result<(), Problem> {
        // Of a run nothing is written before its first flow.
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let store =
            Store::later(self.path, Run { started: since::now(), command: "telltale mute".into(), version });
        let changed = mutes.iter().try_for_each(|mute| store.mute(mute, on));
        changed.map_err(|error| advise(&error, self.database))
    }
}

/// What a key means: a finding that is known, else a rule, or a rule and a program.
fn named(key: &str, known: &[Finding]) -> Result<Mute, Problem> {
    if let Some(finding) = known.iter().find(|finding| finding.key() == key) {
        let rule = finding.what.rule();
        let program = finding.program.clone().ok_or_else(|| nobodys(rule))?;
        return Ok(Mute { program: Some(program), rule });
    }
    let (name, program) = key.split_once('|').map_or((key, None), |(rule, program)| (rule, Some(program)));
    let rule = Rule::ALL.into_iter().find(|rule| rule.name() == name);
    match (rule, program) {
        (Some(rule), None) => Ok(Mute { program: None, rule }),
        (Some(rule), Some(program)) if is_program(program) => {
            Ok(Mute { program: Some(program.to_owned()), rule })
        }
        (Some(_) | None, _) => {
            Err(Problem::new(format!("no finding has the key \"{key}\", and no rule is called so"))
                .advise("Keys: telltale report --details."))
        }
    }
}

/// Other parts of a key do not begin like a path.
fn is_program(text: &str) -> bool {
    text.starts_with('/') && !text.contains('|')
}

fn nobodys(rule: Rule) -> Problem {
    Problem::new("nobody knows which program this finding is about")
        .advise(format!("To mute its rule for all programs: telltale mute {}", rule.name()))
}

fn list(muted: &[Mute]) -> String {
    if muted.is_empty() {
        return "Nothing is muted. To mute a finding: telltale mute KEY\n".into();
    }
    muted.iter().map(|mute| format!("{}\n", key(mute))).collect()
}

/// What unmutes it.
fn key(Mute { program, rule }: &Mute) -> String {
    let rule = rule.name();
    program.as_ref().map_or_else(|| rule.to_owned(), |program| format!("{rule}|{program}"))
}

fn said(Mute { program, rule }: &Mute) -> String {
    let whose =
        program.as_ref().map_or_else(|| "all programs".to_owned(), |path| path.escape_debug().to_string());
    format!("{} of {whose}", rule.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::tests::found;

    #[test]
    fn a_key_is_that_of_a_finding_or_the_name_of_a_rule() {
        let known: Vec<Finding> = found().into_iter().map(|told| told.finding).collect();
        let curls = Mute { program: Some("/usr/bin/curl".into()), rule: Rule::IdentifierSent };
        for key in [known[0].key(), known[1].key(), "identifier-sent|/usr/bin/curl".into()] {
            assert_eq!(named(&key, &known), Ok(curls.clone()), "{key}");
        }
        assert_eq!(named("own-dns", &[]), Ok(Mute { program: None, rule: Rule::OwnDns }));
        for key in
            ["", "identifier", "identifier-sent|", "identifier-sent|/usr/bin/curl|shop|imei 9 open", "|/x"]
        {
            assert!(named(key, &known).unwrap_err().to_string().contains("no finding has the key"), "{key}");
        }
        let nobody = Finding { program: None, ..known[2].clone() };
        let told = named(&nobody.key(), std::slice::from_ref(&nobody)).unwrap_err().to_string();
        assert!(told.contains("telltale mute maker-contacted"), "{told}");
    }

    #[test]
    fn what_is_listed_can_be_given_back() {
        let mutes = [
            Mute { program: None, rule: Rule::OwnDns },
            Mute { program: Some("/usr/bin/curl".into()), rule: Rule::FirstContact },
        ];
        assert_eq!(list(&mutes), "own-dns\nfirst-contact|/usr/bin/curl\n");
        let back: Vec<Mute> = list(&mutes).lines().map(|line| named(line, &[]).unwrap()).collect();
        assert_eq!(back, mutes);
        assert!(list(&[]).starts_with("Nothing is muted."));
    }
}
