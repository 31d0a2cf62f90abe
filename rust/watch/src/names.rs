//! Which name an address goes by: what was asked for before, by the same app where that is known.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use telltale_model::{FlowNumber, Owner};

use crate::dns::Answer;
use crate::limits;

/// Addresses and the names that they were said to have, the oldest forgotten first. How long an answer
/// may be cached is not looked at: apps keep using an address long after.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_address: HashMap<IpAddr, Vec<Entry>>,
    by_age: BTreeMap<Moment, IpAddr>,
    next: Moment,
    /// Names that can be hidden behind others, at most [`limits::HIDING`].
    hiding: BTreeSet<Arc<str>>,
}

/// A place in the order of all answers.
pub(crate) type Moment = u64;

/// Who asked, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asker {
    /// The flow of the question; the relay's own resolver does not tell it.
    pub(crate) flow: Option<FlowNumber>,
    /// Its owner.
    pub(crate) app: Option<App>,
}

/// What makes two processes the same app: user and program; where neither can be known, the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct App {
    uid: Option<u32>,
    program: Option<Arc<str>>,
    device: Option<IpAddr>,
}

/// The names that may be meant by an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fit {
    /// None is known.
    #[default]
    Nothing,
    /// Only this one.
    One(String),
    /// More than one, most recently asked for first; at most [`limits::CANDIDATES`].
    Several(Vec<String>),
}

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    asker: Asker,
    /// When it was answered first and last.
    first: Moment,
    last: Moment,
}

impl App {
    /// `None` where nothing is known of the owner.
    pub(crate) fn of(owner: &Owner) -> Option<Self> {
        let known = owner.uid.is_some() || owner.program.is_some();
        let program = || owner.program.as_deref().map(Arc::from);
        known.then(|| Self { uid: owner.uid, program: program(), device: None })
    }

    /// Whatever runs on the device with this address.
    pub(crate) fn at(device: IpAddr) -> Self {
        Self { uid: None, program: None, device: Some(device) }
    }
}

impl Names {
    /// Learns that somebody was told the addresses of a name.
    pub(crate) fn learn(&mut self, answer: &Answer, asker: &Asker) {
        let name: Arc<str> = Arc::from(answer.name.as_str());
        for address in &answer.addresses {
            self.set(*address, &name, asker);
        }
        if answer.hides {
            self.hiding.insert(name);
            if self.hiding.len() > limits::HIDING {
                self.hiding.pop_first();
            }
        }
    }

    /// Whether a hello for this name may show another one in its place (RFC 9849 6.1).
    pub(crate) fn may_hide(&self, name: &str) -> bool {
        self.hiding.contains(name)
    }

    /// The owner of a flow of questions was found out; these are addresses that were answered there.
    pub(crate) fn claim(&mut self, flow: FlowNumber, app: &App, addresses: impl Iterator<Item = IpAddr>) {
        for address in addresses {
            let entries = self.by_address.get_mut(&address).into_iter().flatten();
            for entry in entries.filter(|entry| entry.asker.flow == Some(flow)) {
                entry.asker.app = Some(app.clone());
            }
        }
    }

    /// Now, for [`Self::of`].
    pub(crate) fn moment(&self) -> Moment {
        self.next
    }

    /// The names that an app may mean by an address, of those that were known at that moment: those that it
    /// asked for itself; where there are none, those of all others, since many apps let others ask.
    pub(crate) fn of(&self, address: IpAddr, app: Option<&App>, moment: Moment) -> Fit {
        let Some(entries) = self.by_address.get(&address) else { return Fit::Nothing };
        let known = || entries.iter().filter(|entry| entry.first < moment);
        let own = known().filter(|entry| app.is_some() && entry.asker.app.as_ref() == app);
        let own = fit(own);
        if own == Fit::Nothing { fit(known()) } else { own }
    }

    fn set(&mut self, address: IpAddr, name: &Arc<str>, asker: &Asker) {
        let now = self.next;
        self.next += 1;
        self.by_age.insert(now, address);
        let entries = self.by_address.entry(address).or_default();
        let same = |entry: &&mut Entry| entry.name == *name && entry.asker.app == asker.app;
        if let Some(entry) = entries.iter_mut().find(same) {
            self.by_age.remove(&entry.last);
            (entry.last, entry.asker.flow) = (now, asker.flow);
            return;
        }
        entries.push(Entry { name: Arc::clone(name), asker: asker.clone(), first: now, last: now });
        let crowded = entries.len() > limits::NAMES_OF_ADDRESS;
        let oldest = if crowded {
            entries.iter().map(|entry| entry.last).min()
        } else if self.by_age.len() > limits::NAMES {
            self.by_age.first_key_value().map(|(oldest, _)| *oldest)
        } else {
            None
        };
        oldest.into_iter().for_each(|oldest| self.forget(oldest));
    }

    fn forget(&mut self, moment: Moment) {
        let Some(address) = self.by_age.remove(&moment) else { return };
        let Some(entries) = self.by_address.get_mut(&address) else { return };
        entries.retain(|entry| entry.last != moment);
        if entries.is_empty() {
            self.by_address.remove(&address);
        }
    }
}

impl Fit {
    /// The name most recently asked for, and the others that fit as well.
    pub(crate) fn into_parts(self) -> (Option<String>, Vec<String>) {
        match self {
            Self::Nothing => (None, Vec::new()),
            Self::One(name) => (Some(name), Vec::new()),
            Self::Several(mut names) => {
                let others = names.split_off(names.len().min(1));
                (names.pop(), others)
            }
        }
    }
}

fn fit<'a>(entries: impl Iterator<Item = &'a Entry>) -> Fit {
    let mut entries: Vec<&Entry> = entries.collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.last));
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        if names.len() < limits::CANDIDATES && !names.iter().any(|name| **name == *entry.name) {
            names.push(entry.name.to_string());
        }
    }
    match names.len() {
        0 => Fit::Nothing,
        1 => names.pop().map_or(Fit::Nothing, Fit::One),
        _ => Fit::Several(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> IpAddr {
        IpAddr::from(u32::try_from(number).unwrap().to_be_bytes())
    }

    fn told(name: &str, number: usize) -> Answer {
        Answer { name: name.into(), addresses: vec![address(number)], hides: false }
    }

    fn app(program: &str) -> App {
        App { uid: Some(1000), program: Some(program.into()), device: None }
    }

    fn by(program: &str) -> Asker {
        Asker { flow: None, app: Some(app(program)) }
    }

    fn several(names: &[&str]) -> Fit {
        Fit::Several(names.iter().map(|name| (*name).to_owned()).collect())
    }

    impl Names {
        fn now(&self, number: usize, app: Option<&App>) -> Fit {
            self.of(address(number), app, self.moment())
        }
    }

    #[test]
    fn several_names_of_one_address_are_all_told_the_last_question_first() {
        let mut names = Names::default();
        for name in ["a.example", "b.example", "a.example"] {
            names.learn(&told(name, 1), &Asker::default());
        }
        assert_eq!(names.now(1, None), several(&["a.example", "b.example"]));
        assert_eq!(names.now(2, None), Fit::Nothing);
        assert_eq!(names.now(1, None).into_parts(), (Some("a.example".into()), vec!["b.example".into()]));
    }

    #[test]
    fn an_app_means_what_it_asked_for_itself() {
        let mut names = Names::default();
        names.learn(&told("a.example", 1), &by("/bin/a"));
        names.learn(&told("b.example", 1), &by("/bin/b"));
        names.learn(&told("c.example", 1), &Asker::default());
        assert_eq!(names.now(1, Some(&app("/bin/a"))), Fit::One("a.example".into()));
        assert_eq!(names.now(1, Some(&app("/bin/other"))), several(&["c.example", "b.example", "a.example"]));
        assert_eq!(names.now(1, None), several(&["c.example", "b.example", "a.example"]));
    }

    #[test]
    fn an_owner_that_comes_late_claims_its_questions() {
        let mut names = Names::default();
        let flow = FlowNumber(7);
        names.learn(&told("a.example", 1), &Asker { flow: Some(flow), app: None });
        names.learn(&told("b.example", 1), &by("/bin/b"));
        names.claim(flow, &app("/bin/a"), [address(1)].into_iter());
        assert_eq!(names.now(1, Some(&app("/bin/a"))), Fit::One("a.example".into()));
    }

    #[test]
    fn a_later_question_says_nothing_about_an_earlier_moment() {
        let mut names = Names::default();
        names.learn(&told("a.example", 1), &Asker::default());
        let then = names.moment();
        names.learn(&told("b.example", 1), &Asker::default());
        names.learn(&told("a.example", 1), &Asker::default());
        assert_eq!(
            names.of(address(1), None, then),
            Fit::One("a.example".into()),
            "asked again, not only later"
        );
    }

    #[test]
    fn the_oldest_answer_is_forgotten() {
        let mut names = Names::default();
        for number in 0..limits::NAMES {
            names.learn(&told("first.example", number), &Asker::default());
        }
        names.learn(&told("first.example", 0), &Asker::default());
        names.learn(&told("third.example", limits::NAMES), &Asker::default());
        assert_eq!(names.now(0, None), Fit::One("first.example".into()), "asked again, it is young again");
        assert_eq!(names.now(1, None), Fit::Nothing);
        assert_eq!((names.by_address.len(), names.by_age.len()), (limits::NAMES, limits::NAMES));
    }

    #[test]
    fn names_that_may_be_hidden_are_bounded() {
        let mut names = Names::default();
        for number in 0..=limits::HIDING {
            let answer = Answer { name: format!("{number:05}"), addresses: Vec::new(), hides: true };
            names.learn(&answer, &Asker::default());
        }
        assert!(names.may_hide(&format!("{:05}", limits::HIDING)) && !names.may_hide("00000"));
        assert_eq!(names.hiding.len(), limits::HIDING);
    }

    #[test]
    fn an_address_of_a_thousand_names_keeps_the_last_ones() {
        let mut names = Names::default();
        for number in 0..1_000 {
            names.learn(&told(&format!("{number}.example"), 1), &Asker::default());
        }
        assert_eq!(names.by_age.len(), limits::NAMES_OF_ADDRESS);
        let Fit::Several(last) = names.now(1, None) else { panic!("several") };
        assert_eq!((last.len(), last[0].as_str()), (limits::CANDIDATES, "999.example"));
    }
}
