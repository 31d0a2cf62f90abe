use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};
use telltale_model::{Detail, DetailKind, DetailName, Details};
use zeroize::Zeroizing;

use super::countries::Country;
use super::{phone, refusals, value};

/// Details as a person gives them: checked, numbered within their kind, none twice, within the limits.
#[derive(Clone)]
pub struct Given {
    random: Random,
    set: u64,
    list: BTreeMap<(DetailKind, u16), Detail>,
    /// How many there are of each kind.
    counts: BTreeMap<DetailKind, u16>,
    /// Which of them has this value, by a keyed digest: no value is held twice.
    known: BTreeMap<u128, DetailName>,
    country: Option<Country>,
    carrier_code: Option<u32>,
}

/// What became of a value that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is looked for from now on.
    New(DetailName),
    /// It was there already.
    Known(DetailName),
}

impl Given {
    /// None yet. Their ids follow from the seed, which must be random and never used again.
    pub fn new(seed: [u8; 16]) -> Self {
        let mut random = Random { key: seed, drawn: 0 };
        let set = random.draw();
        let (list, counts, known) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { random, set, list, counts, known, country: None, carrier_code: None }
    }

    /// The country in which phone numbers without a code are dialled, by its two letters. Where nobody says it, the
    /// IMSI does, else the person's own number.
    ///
    /// # Errors
    /// A sentence where there is no such country.
    pub fn live_in(&mut self, letters: &str) -> Result<(), &'static str> {
        self.country = Some(Country::of_letters(letters).ok_or(refusals::COUNTRY)?);
        self.set = self.random.draw();
        Ok(())
    }

    /// The two letters that [`Self::live_in`] was told.
    pub fn country(&self) -> Option<String> {
        self.country.map(|country| country.iso.map(char::from).iter().collect())
    }

    /// Forgets them.
    pub fn live_anywhere(&mut self) {
        self.country = None;
        self.set = self.random.draw();
    }

    /// Takes a value; `number` is the lowest that its kind has free.
    ///
    /// # Errors
    /// A sentence, without anything of the value, where it cannot be looked for or is one too many.
    pub fn add(&mut self, kind: DetailKind, text: &str) -> Result<Added, &'static str> {
        self.add_as(kind, text, None)
    }

    /// The same with the id that the value had before, where it had one.
    pub(super) fn add_as(
        &mut self,
        kind: DetailKind,
        text: &str,
        id: Option<u64>,
    ) -> Result<Added, &'static str> {
        let value = self.read(kind, text)?;
        let digest = self.digest(kind, &value);
        if let Some(known) = self.known.get(&digest) {
            return Ok(Added::Known(*known));
        }
        self.is_room(kind)?;
        // Contacts and packages are many, and are not kept: their ids last as long as they are given.
        let id = id.filter(|_| !matches!(kind, DetailKind::Contact | DetailKind::Package));
        if id.is_some_and(|id| self.list.values().any(|detail| detail.name.id == id)) {
            return Err(refusals::ID_TWICE);
        }
        let id = id.unwrap_or_else(|| self.random.draw());
        let name = DetailName { kind, number: self.free(kind), id };
        self.put(digest, Detail { name, value });
        Ok(Added::New(name))
    }

    /// Forgets one. The others keep their numbers.
    pub fn remove(&mut self, kind: DetailKind, number: u16) -> Option<DetailName> {
        let detail = self.list.remove(&(kind, number))?;
        self.known.retain(|_, name| *name != detail.name);
        self.counts.entry(kind).and_modify(|count| *count = count.saturating_sub(1));
        self.set = self.random.draw();
        Some(detail.name)
    }

    /// Keeps the ids of values that were in `before` too, and the id of the set where nothing else is in it.
    pub fn named_as(&mut self, before: &Self) {
        let ids: BTreeMap<(DetailKind, &str), u64> =
            before.iter().map(|detail| ((detail.name.kind, detail.value.as_str()), detail.name.id)).collect();
        self.name(|detail| ids.get(&(detail.name.kind, detail.value.as_str())).copied());
        let same_phone = self.country == before.country && self.carrier_code == before.carrier_code;
        if same_phone && self.list == before.list {
            self.set = before.set;
        }
    }

    /// Names each by its place: for what is kept nowhere and read anew in each run, so that the same list has the same
    /// names in every run.
    pub fn named_by_place(&mut self) {
        self.name(|Detail { name: DetailName { kind, number, .. }, .. }| {
            let place = DetailKind::ALL.iter().position(|known| known == kind)?;
            Some(u64::try_from(place + 1).ok()? << u16::BITS | u64::from(*number))
        });
    }

    fn name(&mut self, id: impl Fn(&Detail) -> Option<u64>) {
        for detail in self.list.values_mut() {
            detail.name.id = id(detail).unwrap_or(detail.name.id);
        }
        for name in self.known.values_mut() {
            name.id = self.list.get(&(name.kind, name.number)).map_or(name.id, |detail| detail.name.id);
        }
    }

    /// The code of the phone's own carrier, MCC and MNC (ITU-T E.212): a number of 15 digits that begins so looks like
    /// an IMSI. What is no such code changes nothing.
    pub fn served_by(&mut self, code: &str) {
        let digits = matches!(code.len(), 5 | 6) && code.bytes().all(|byte| byte.is_ascii_digit());
        self.carrier_code = code.parse().ok().filter(|code| digits && *code >= 10_000);
    }

    /// All of them as they were given, by kind and number.
    pub fn iter(&self) -> impl Iterator<Item = &Detail> {
        self.list.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What is to be looked for: with the codes of countries, and nothing twice. Without any the set is the empty one.
    pub fn details(&self) -> Details {
        let mut seen = BTreeSet::new();
        let complete = |detail: &Detail| Detail { name: detail.name, value: self.complete(detail) };
        // A person's own number comes before contacts: it stays theirs where it stands among them too.
        let list: Vec<Detail> = self.list.values().map(complete).collect();
        let list: Vec<Detail> = list
            .into_iter()
            .filter(|detail| seen.insert(self.digest(detail.name.kind, &detail.value)))
            .collect();
        Details { set: if list.is_empty() { 0 } else { self.set }, list, carrier_code: self.carrier_code }
    }

    /// As [`Self::add`], with the name that it had: for what was kept.
    pub(super) fn again(&mut self, name: DetailName, text: &str) -> Result<(), &'static str> {
        let value = value::read(name.kind, text)?;
        self.put(self.digest(name.kind, &value), Detail { name, value });
        Ok(())
    }

    /// Gives the set the id that it had.
    pub(super) fn call(&mut self, set: u64) {
        self.set = set;
    }

    pub(super) fn set(&self) -> u64 {
        self.set
    }

    /// Whether there is no room for another contact.
    pub(super) fn is_full(&self) -> bool {
        self.is_room(DetailKind::Contact).is_err()
    }

    fn read(&self, kind: DetailKind, text: &str) -> Result<Zeroizing<String>, &'static str> {
        match self.home().filter(|_| is_number(kind)) {
            Some(home) => phone::read(text, Some(home)),
            None => value::read(kind, text),
        }
    }

    /// A number that was given before its country was known is read again.
    fn complete(&self, detail: &Detail) -> Zeroizing<String> {
        let national = is_number(detail.name.kind) && phone::is_national(&detail.value);
        let home = if national { self.home() } else { None };
        home.and_then(|home| phone::read(&detail.value, Some(home)).ok())
            .unwrap_or_else(|| detail.value.clone())
    }

    fn home(&self) -> Option<Country> {
        let of_kind =
            |kind| self.list.range((kind, 0)..=(kind, u16::MAX)).map(|(_, detail)| detail.value.as_str());
        let of_number = |number: &str| Country::of_number(number.strip_prefix('+')?);
        self.country
            .or_else(|| of_kind(DetailKind::Imsi).find_map(Country::of_imsi))
            .or_else(|| of_kind(DetailKind::Phone).find_map(of_number))
    }

    fn put(&mut self, digest: u128, detail: Detail) {
        let DetailName { kind, number, .. } = detail.name;
        self.known.insert(digest, detail.name);
        if self.list.insert((kind, number), detail).is_none() {
            *self.counts.entry(kind).or_default() += 1;
        }
        self.set = self.random.draw();
    }

    fn free(&self, kind: DetailKind) -> u16 {
        let count = self.counts.get(&kind).copied().unwrap_or_default();
        // Without a gap, which only removing makes, there is no need to look for one.
        let mut last =
            self.list.range((kind, 0)..=(kind, u16::MAX)).map(|((_, number), _)| *number).next_back();
        if last.take().unwrap_or_default() == count {
            return count + 1;
        }
        (1..=count).find(|number| !self.list.contains_key(&(kind, *number))).unwrap_or(count + 1)
    }

    fn is_room(&self, kind: DetailKind) -> Result<(), &'static str> {
        let count = |kind| usize::from(self.counts.get(&kind).copied().unwrap_or_default());
        let (contacts, packages) = (count(DetailKind::Contact), count(DetailKind::Package));
        let (full, refusal) = if kind == DetailKind::Contact {
            (contacts >= Details::CONTACTS, refusals::CONTACTS)
        } else if kind == DetailKind::Package {
            (packages >= Details::PACKAGES, refusals::PACKAGES)
        } else {
            let own = self.list.len() - contacts - packages;
            (own >= Details::OWN, refusals::OWN)
        };
        if full { Err(refusal) } else { Ok(()) }
    }

    /// Tells two values apart. Own numbers and those of contacts are of one kind here, and numbers in different
    /// groups the same.
    fn digest(&self, kind: DetailKind, value: &str) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.random.key);
        let kind = if kind == DetailKind::Contact { DetailKind::Phone } else { kind };
        hasher.write(kind.name().as_bytes());
        for letter in value.bytes().filter(|letter| *letter != b' ' || !is_number(kind)) {
            // Domains of e-mail, and what else differs in the size of its letters alone, is found in either.
            hasher.write_u8(letter.to_ascii_lowercase());
        }
        hasher.finish128().as_u128()
    }
}

/// How many there are: a list of them is nobody's business.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Given({})", self.list.len())
    }
}

fn is_number(kind: DetailKind) -> bool {
    matches!(kind, DetailKind::Phone | DetailKind::Contact)
}

/// Ids: SipHash as a generator, counting under a random key.
#[derive(Clone)]
struct Random {
    key: [u8; 16],
    drawn: u64,
}

impl Random {
    /// Never 0, which names the empty set.
    fn draw(&mut self) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        self.drawn += 1;
        hasher.write_u64(self.drawn);
        hasher.finish128().h1.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(values: &[(DetailKind, &str)]) -> Given {
        let mut given = Given::new([7; 16]);
        for (kind, value) in values {
            given.add(*kind, value).unwrap();
        }
        given
    }

    fn values(given: &Given) -> Vec<(String, String)> {
        let details = given.details().list;
        details.iter().map(|detail| (detail.name.to_string(), detail.value.to_string())).collect()
    }

    #[test]
    fn numbers_stay_when_one_is_removed_and_the_gap_is_filled_first() {
        let mut given = given(&[
            (DetailKind::Imei, "490154203237518"),
            (DetailKind::Imei, "356938035643809"),
            (DetailKind::Name, "Zephyr Quill"),
        ]);
        let (set, second) = (given.details().set, given.details().list[1].name);
        assert!(given.remove(DetailKind::Imei, 1).is_some() && given.remove(DetailKind::Imei, 1).is_none());
        assert_eq!(given.details().list[0].name, second);
        assert_ne!(given.details().set, set, "another set");
        let Ok(Added::New(again)) = given.add(DetailKind::Imei, "490154203237518") else { panic!() };
        assert_eq!(again.number, 1);
        assert_ne!(again.id, 0);
        let Ok(Added::New(third)) = given.add(DetailKind::Imei, "352099001761481") else { panic!() };
        assert_eq!(third.number, 3);
    }

    #[test]
    fn a_list_that_is_kept_nowhere_has_the_same_names_in_every_run() {
        let lists = [[7; 16], [8; 16]].map(|seed| {
            let mut given = Given::new(seed);
            given.add(DetailKind::Imei, "490154203237518").unwrap();
            given.add(DetailKind::Imei, "356938035643809").unwrap();
            given.add(DetailKind::Ssid, "Home").unwrap();
            given.named_by_place();
            assert!(matches!(given.add(DetailKind::Ssid, "Home"), Ok(Added::Known(name)) if name.id == given.details().list[2].name.id));
            given.details().list
        });
        assert_eq!(lists[0], lists[1]);
        let ids: BTreeSet<u64> = lists[0].iter().map(|detail| detail.name.id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn a_value_is_there_once_however_it_was_written() {
        let mut given =
            given(&[(DetailKind::Imei, "490154203237518"), (DetailKind::Email, "Ada@Example.org")]);
        let known = |added: Result<Added, _>| matches!(added, Ok(Added::Known(name)) if name.number == 1);
        assert!(known(given.add(DetailKind::Imei, "49-015420-323751-8")));
        assert!(known(given.add(DetailKind::Email, "ada@example.org")));
        given.add(DetailKind::Phone, "+49 176 1234567").unwrap();
        assert!(known(given.add(DetailKind::Phone, "0176/12345-67")));
        assert!(known(given.add(DetailKind::Contact, "0049 (0)176 1234567")), "oneself among the contacts");
        assert_eq!(given.len(), 3);
    }

    #[test]
    fn a_number_is_completed_when_its_country_becomes_known() {
        let mut given =
            given(&[(DetailKind::Phone, "09876543210"), (DetailKind::Contact, "+91 98765 43210")]);
        assert_eq!(values(&given)[0], ("<phone 1>".into(), "09876543210".into()));
        given.add(DetailKind::Imsi, "404685505601234").unwrap();
        let completed = ("<phone 1>".to_owned(), "+91 9876543210".to_owned());
        assert_eq!(values(&given)[1..], [completed], "and is no contact any more");
        given.live_in("de").unwrap();
        assert_eq!((given.country().as_deref(), &*values(&given)[1].1), (Some("DE"), "+49 9876543210"));
        given.live_anywhere();
        assert_eq!(values(&given)[1].1, "+91 9876543210");
        assert!(given.live_in("XX").is_err());
    }

    #[test]
    fn there_are_no_more_than_can_be_looked_for() {
        let mut given = Given::new([7; 16]);
        for number in 0..Details::OWN {
            given.add(DetailKind::Word, &format!("word {number}")).unwrap();
        }
        assert!(
            given.add(DetailKind::Imei, "490154203237518").unwrap_err().contains(&Details::OWN.to_string())
        );
        assert!(
            matches!(given.add(DetailKind::Word, "word 1"), Ok(Added::Known(_))),
            "what is there takes no room"
        );
        for number in 0..Details::CONTACTS {
            given.add(DetailKind::Contact, &format!("+49 176 {number:07}")).unwrap();
        }
        assert!(
            given.is_full()
                && given.add(DetailKind::Contact, "+49 177 1234567").unwrap_err().contains("5,000")
        );
        for number in 0..Details::PACKAGES {
            given.add(DetailKind::Package, &format!("org.example.app{number}")).unwrap();
        }
        assert!(given.add(DetailKind::Package, "org.example.more").unwrap_err().contains("2,000"));
        assert_eq!((Details::CONTACTS, Details::PACKAGES), (5_000, 2_000));
    }

    #[test]
    fn no_details_are_the_empty_set() {
        let mut given = Given::new([7; 16]);
        assert_eq!(given.details(), Details::default());
        given.add(DetailKind::Word, "Ahorn").unwrap();
        assert_ne!(given.details().set, 0);
        assert!(!format!("{given:?} {:?}", given.details()).contains("Ahorn"));
    }
}
