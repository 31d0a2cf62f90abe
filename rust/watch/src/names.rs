//! Which name an address goes by: what was asked for before, by the same app where that is known.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use telltale_model::{FlowNumber, Owner, Timestamp};

use crate::dns::Answer;
use crate::limits;

/// Addresses and the names that they were said to have, the oldest forgotten first. How long an answer
/// may be cached is not looked at: apps keep using an address long after.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_address: HashMap<IpAddr, Vec<Entry>>,
    by_age: BTreeMap<Moment, IpAddr>,
    next: Moment,
    hiding: Hiding,
}

/// Names that can be hidden behind others, at most [`limits::HIDING`], the oldest forgotten first: of some no address is
/// known.
#[derive(Debug, Default)]
struct Hiding {
    told: HashMap<Arc<str>, Moment>,
    by_age: BTreeMap<Moment, Arc<str>>,
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
    /// When it was answered.
    pub(crate) at: Timestamp,
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
    /// The same, but another app asked for it, or that was long before.
    Doubtful(String),
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

/// Microseconds after which an answer is no more than a guess, a day: addresses change hands.
const LONG: i64 = 86_400_000_000;

/// Android's users that ask for others: `root` and `dns`, as which netd speaks, and `dns_tether`
/// (android_filesystem_config.h).
const RESOLVER_USERS: [u32; 3] = [0, 1_051, 1_052];

/// Programs that ask for others.
const RESOLVERS: [&str; 12] = [
    "systemd-resolved",
    "dnsmasq",
    "unbound",
    "nscd",
    "nsncd",
    "named",
    "kresd",
    "pdns_recursor",
    "stubby",
    "dnscrypt-proxy",
    "coredns",
    "netd",
];

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

    /// Whether it is certainly not this one that asked, nor one that asks for others: devices may.
    fn differs(&self, asker: &Self) -> bool {
        let known = self.uid.is_some() && asker.uid.is_some();
        let programs = self.program.as_deref().zip(asker.program.as_deref());
        let others = self.uid != asker.uid || programs.is_some_and(|(own, other)| own != other);
        known && others && !asker.is_resolver()
    }

    fn is_resolver(&self) -> bool {
        let file = self.program.as_deref().and_then(|path| path.rsplit('/').next());
        match file {
            Some(file) => RESOLVERS.contains(&file),
            None => self.uid.is_some_and(|uid| RESOLVER_USERS.contains(&uid)),
        }
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
            self.hiding.insert(name, self.next);
            self.next += 1;
        }
    }

    /// Whether a hello for this name may show another one in its place (RFC 9849 6.1).
    pub(crate) fn may_hide(&self, name: &str) -> bool {
        self.hiding.told.contains_key(name)
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
    pub(crate) fn of(&self, address: IpAddr, app: Option<&App>, moment: Moment, at: Timestamp) -> Fit {
        let Some(entries) = self.by_address.get(&address) else { return Fit::Nothing };
        let known = || entries.iter().filter(|entry| entry.first < moment);
        let own = || known().filter(|entry| app.is_some() && entry.asker.app.as_ref() == app);
        let is_sure = |entry: &Entry| {
            let another = app.zip(entry.asker.app.as_ref()).is_some_and(|(app, asker)| app.differs(asker));
            !another && at.0.saturating_sub(entry.asker.at.0) <= LONG
        };
        let fits = fit(own());
        let (fits, is_sure) = if fits == Fit::Nothing {
            (fit(known()), known().any(is_sure))
        } else {
            (fits, own().any(is_sure))
        };
        if is_sure { fits } else { fits.doubted() }
    }

    fn set(&mut self, address: IpAddr, name: &Arc<str>, asker: &Asker) {
        let now = self.next;
        self.next += 1;
        self.by_age.insert(now, address);
        let entries = self.by_address.entry(address).or_default();
        let same = |entry: &&mut Entry| entry.name == *name && entry.asker.app == asker.app;
        if let Some(entry) = entries.iter_mut().find(same) {
            self.by_age.remove(&entry.last);
            (entry.last, entry.asker.flow, entry.asker.at) = (now, asker.flow, asker.at);
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

impl Hiding {
    /// Told again, a name is young again.
    fn insert(&mut self, name: Arc<str>, now: Moment) {
        if let Some(before) = self.told.insert(Arc::clone(&name), now) {
            self.by_age.remove(&before);
        }
        self.by_age.insert(now, name);
        if self.by_age.len() > limits::HIDING
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.told.remove(&oldest);
        }
    }
}

impl Fit {
    /// Several are a guess already.
    fn doubted(self) -> Self {
        match self {
            Self::One(name) => Self::Doubtful(name),
            Self::Nothing | Self::Doubtful(_) | Self::Several(_) => self,
        }
    }

    /// The name most recently asked for, and the others that fit as well.
    pub(crate) fn into_parts(self) -> (Option<String>, Vec<String>) {
        match self {
            Self::Nothing => (None, Vec::new()),
            Self::One(name) | Self::Doubtful(name) => (Some(name), Vec::new()),
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
        Asker { app: Some(app(program)), ..Asker::default() }
    }

    fn several(names: &[&str]) -> Fit {
        Fit::Several(names.iter().map(|name| (*name).to_owned()).collect())
    }

    impl Names {
        fn now(&self, number: usize, app: Option<&App>) -> Fit {
            self.of(address(number), app, self.moment(), Timestamp(0))
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
        names.learn(&told("a.example", 1), &Asker { flow: Some(flow), ..Asker::default() });
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
            names.of(address(1), None, then, Timestamp(0)),
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
        let hides = |name: &str| Answer { name: name.into(), addresses: Vec::new(), hides: true };
        for number in 0..limits::HIDING {
            names.learn(&hides(&format!("b{number:05}.example")), &Asker::default());
        }
        for name in ["b00000.example", "0.example"] {
            names.learn(&hides(name), &Asker::default());
        }
        assert!(names.may_hide("0.example"), "the first by its letters, and the last that was told");
        assert!(names.may_hide("b00000.example"), "told again, it is young again");
        assert!(!names.may_hide("b00001.example"));
        assert_eq!((names.hiding.told.len(), names.hiding.by_age.len()), (limits::HIDING, limits::HIDING));
    }

    #[test]
    fn what_only_another_app_asked_for_is_a_guess() {
        let of = |asker: Option<App>, app: &App| {
            let mut names = Names::default();
            names.learn(&told("a.example", 1), &Asker { app: asker, ..Asker::default() });
            names.now(1, Some(app))
        };
        let (certain, doubtful) = (Fit::One("a.example".into()), Fit::Doubtful("a.example".into()));
        let user = |uid| App { uid: Some(uid), program: None, device: None };
        let echo = App { uid: None, program: Some("/bin/sh".into()), device: None };
        assert_eq!(of(Some(app("/bin/a")), &app("/bin/b")), doubtful);
        assert_eq!(of(Some(user(10_100)), &user(10_101)), doubtful);
        assert_eq!(of(Some(app("/bin/a")), &app("/bin/a")), certain);
        assert_eq!(of(None, &app("/bin/b")), certain, "perhaps its own question");
        assert_eq!(of(Some(app("/bin/ping")), &echo), certain, "whose echo it is nobody knows");
        for resolver in [user(1_051), user(0), app("/usr/lib/systemd/systemd-resolved")] {
            assert_eq!(of(Some(resolver), &user(10_101)), certain);
        }
        assert_eq!(of(Some(App { uid: Some(0), ..app("/bin/a") }), &app("/bin/b")), doubtful);
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        assert_eq!(of(Some(App::at(one)), &App::at(other)), certain, "the first may ask for the second");
        let mut names = Names::default();
        names.learn(&told("a.example", 1), &by("/bin/a"));
        names.learn(&told("a.example", 1), &Asker::default());
        assert_eq!(names.now(1, Some(&app("/bin/b"))), certain, "somebody unknown asked too");
    }

    #[test]
    fn what_was_asked_for_long_before_is_a_guess() {
        let mut names = Names::default();
        names.learn(&told("a.example", 1), &by("/bin/a"));
        let after = |names: &Names, app| names.of(address(1), app, names.moment(), Timestamp(LONG + 1));
        let own = app("/bin/a");
        for app in [None, Some(&own)] {
            assert_eq!(names.now(1, app), Fit::One("a.example".into()));
            assert_eq!(after(&names, app), Fit::Doubtful("a.example".into()));
        }
        names.learn(&told("a.example", 1), &Asker { at: Timestamp(LONG), ..by("/bin/a") });
        assert_eq!(after(&names, None), Fit::One("a.example".into()), "asked again");
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
