//! What is looked for, made once from the details: the values in all their forms, and the sets of their keys.

use std::ops::Range;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use telltale_model::{Detail, DetailKind, DetailName, Details, Form};
use zeroize::Zeroizing;

use super::coordinates;
use super::roll::windows;
use super::table::{Entries, Filter, Near, Table, mix, spread};
use crate::details;

/// What is looked for. It holds the values: they are overwritten when it is dropped.
#[derive(Default)]
pub struct Needles {
    pub(super) set: u64,
    pub(super) names: Vec<DetailName>,
    /// All that follows lies in here.
    arena: Zeroizing<Vec<u8>>,
    /// Values that are looked for as text, wherever they stand.
    pub(super) texts: Vec<Value>,
    /// Four letters of each, from its first four places; what stands for them is the value and the place.
    pub(super) text_keys: Table,
    /// The same keys: nearly all look-ups end here.
    pub(super) near_texts: Near,
    /// Values that count only where they are all of a field.
    pub(super) words: Vec<Value>,
    /// The first letters of each.
    pub(super) word_keys: Table,
    /// The letters that they begin with.
    word_begins: WordBegins,
    /// Those that are too short for a key: they are found nowhere, and yet not kept.
    pub(super) short_words: Vec<Value>,
    /// Numbers, by their digits.
    pub(super) numbers: Vec<Number>,
    pub(super) number_keys: Table,
    /// What goes into digests. What stands for a key is the place in here, and which digest.
    pub(super) digested: Vec<Value>,
    pub(super) digest_keys: Entries,
    /// Addresses and identifiers as bytes.
    pub(super) fixed: Vec<Value>,
    pub(super) fixed_keys: Entries,
    /// What digests and fixed values begin with, spread: the one filter before both.
    pub(super) raw_keys: Filter,
    /// Installed packages.
    pub(super) packages: Vec<Value>,
    pub(super) package_keys: Table,
    /// Latitude and longitude, in degrees.
    pub(super) places: Vec<(u16, f64, f64)>,
    /// What lies near any of them, in ten-millionths of a degree without a sign.
    pub(super) degrees: Range<u64>,
    /// What IMSIs begin with, country and network (3GPP TS 23.003 2.2): the code of the phone's own carrier, and five
    /// digits of those that were given.
    pub(super) networks: Vec<u32>,
    /// Whether there are so many contacts that a number alone may be one of them by chance.
    pub(super) crowded: bool,
}

/// One form of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// The place of its detail in [`Needles::names`].
    pub(super) detail: u16,
    start: u32,
    len: u16,
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub(super) digits: Value,
    /// How many of them tell it from others.
    pub(super) significant: u8,
    /// It has the code of its country, or needs none.
    pub(super) coded: bool,
}

/// Above, a contact's number without the code of a country is not enough: with 200 of them one in three million flows
/// holds one by chance every third time (docs/findings.md).
const CROWDED: usize = 20;

/// Texts need so many bytes: four of them begin at a multiple of four, wherever the text does.
pub(super) const SHORTEST_TEXT: usize = 7;

/// A value is not kept twice where it stands among so many bytes that were kept last.
const NEAR: usize = 128;

/// Words below this length are everywhere.
const SHORTEST_FREE_WORD: usize = 8;

/// So many letters of a word are its key.
pub(super) const WORD_KEY: usize = 3;

/// A number of fewer digits is nobody's.
pub(super) const FEWEST_DIGITS: usize = 7;
/// The most digits of a number: ITU-T E.118.
pub(super) const MOST_DIGITS: usize = 22;

/// The digests that are known, RFC 1321, RFC 3174, RFC 6234.
pub(super) const DIGESTS: [Form; 3] = [Form::Md5, Form::Sha1, Form::Sha256];

impl Needles {
    /// Makes everything that the search needs of the details, as [`details::forms`] writes them.
    pub fn new(details: &Details) -> Self {
        let mut needles = Self {
            set: details.set,
            networks: details.carrier_code.into_iter().collect(),
            ..Self::default()
        };
        let mut keys = Keys::default();
        for detail in details.list.iter().take(usize::from(u16::MAX)) {
            needles.add(detail, &mut keys);
        }
        let contacts = needles.names.iter().filter(|name| name.kind == DetailKind::Contact).count();
        needles.crowded = contacts > CROWDED;
        needles.near_texts = Near::new(keys.texts.iter().map(|(key, _)| *key));
        needles.text_keys = Table::new(keys.texts);
        needles.word_keys = Table::new(keys.words);
        needles.number_keys = Table::new(keys.numbers);
        let raw =
            keys.digests.iter().map(|(key, _)| spread(*key)).chain(keys.fixed.iter().map(|(key, _)| *key));
        needles.raw_keys = Filter::new(raw.collect::<Vec<_>>().into_iter());
        needles.digest_keys = Entries::new(keys.digests);
        needles.fixed_keys = Entries::new(keys.fixed);
        needles.package_keys = Table::new(keys.packages);
        needles.degrees = coordinates::reach(&needles.places);
        needles.shrink();
        needles
    }

    /// Gives back what the lists grew beyond their contents.
    fn shrink(&mut self) {
        // A copy, so that what stood there is overwritten.
        self.arena = Zeroizing::new(self.arena.as_slice().to_vec());
        for values in
            [&mut self.texts, &mut self.words, &mut self.digested, &mut self.fixed, &mut self.packages]
        {
            values.shrink_to_fit();
        }
        self.numbers.shrink_to_fit();
        self.names.shrink_to_fit();
    }

    /// The id of the set of details: [`Details::set`].
    pub fn set(&self) -> u64 {
        self.set
    }

    /// Whether every detail of another set is looked for.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        let ids: std::collections::BTreeSet<u64> = self.names.iter().map(|name| name.id).collect();
        other.names.iter().all(|name| ids.contains(&name.id))
    }

    /// Whether no details were given. Then pieces are still read, and shapes found.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Bytes of memory behind it.
    pub fn held(&self) -> usize {
        let tables = [&self.text_keys, &self.word_keys, &self.number_keys, &self.package_keys];
        let raw = self.raw_keys.held() + self.digest_keys.held() + self.fixed_keys.held();
        let values = [&self.texts, &self.words, &self.digested, &self.fixed, &self.packages];
        tables.map(Table::held).iter().sum::<usize>()
            + values.map(|values| values.capacity() * size_of::<Value>()).iter().sum::<usize>()
            + self.numbers.capacity() * size_of::<Number>()
            + self.names.capacity() * size_of::<DetailName>()
            + self.arena.capacity()
            + raw
    }

    pub(super) fn bytes(&self, value: Value) -> &[u8] {
        let start = value.start as usize;
        self.arena.get(start..start + usize::from(value.len)).unwrap_or_default()
    }

    pub(super) fn name(&self, detail: u16) -> Option<DetailName> {
        self.names.get(usize::from(detail)).copied()
    }

    /// Whether a word may begin with this letter: most letters end a look-up here.
    #[inline]
    pub(super) fn may_begin_word(&self, letter: Option<&u8>) -> bool {
        letter.is_some_and(|letter| self.word_begins.0.get(usize::from(*letter)).copied().unwrap_or(false))
    }

    /// What a digest that begins so may be; to be compared.
    #[inline]
    pub(super) fn digests(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let known = self.raw_keys.may_have(spread(key));
        known.then(|| self.digest_keys.get(key)).into_iter().flatten()
    }

    /// The digest that a key of [`Self::digest_keys`] stands for: of which detail, which, and its bytes.
    pub(super) fn digest(&self, reference: u32) -> Option<(u16, Form, Digested)> {
        let value = *self.digested.get((reference / 4) as usize)?;
        let form = *DIGESTS.get((reference % 4) as usize)?;
        Some((value.detail, form, Digested::of(form, self.bytes(value))))
    }

    fn add(&mut self, detail: &Detail, keys: &mut Keys) {
        let Ok(place) = u16::try_from(self.names.len()) else { return };
        self.names.push(detail.name);
        match detail.name.kind {
            DetailKind::Package => self.add_package(place, &detail.value, keys),
            DetailKind::Place => {
                self.places
                    .extend(details::place(detail).map(|(latitude, longitude)| (place, latitude, longitude)));
            }
            DetailKind::Imei
            | DetailKind::ImeiSv
            | DetailKind::Imsi
            | DetailKind::Iccid
            | DetailKind::Phone
            | DetailKind::Contact
            | DetailKind::Email
            | DetailKind::AdvertisingId
            | DetailKind::AndroidId
            | DetailKind::Serial
            | DetailKind::Mac
            | DetailKind::Ssid
            | DetailKind::Bssid
            | DetailKind::Name
            | DetailKind::Carrier
            | DetailKind::Word => self.add_value(place, detail, keys),
        }
    }

    fn add_value(&mut self, place: u16, detail: &Detail, keys: &mut Keys) {
        let kind = detail.name.kind;
        let forms = details::forms(detail);
        for form in &forms {
            let value = self.keep(place, form.text.as_bytes());
            self.add_digests(value, keys);
            if !is_number(kind) {
                self.add_text(kind, value, keys);
            }
        }
        if is_number(kind) {
            self.add_numbers(place, kind, &forms, keys);
        } else {
            self.add_fixed(place, detail, keys);
        }
    }

    fn keep(&mut self, detail: u16, bytes: &[u8]) -> Value {
        let bytes = bytes.get(..usize::from(u16::MAX)).unwrap_or(bytes);
        // Most forms of a number are in a longer one, which stands before them.
        let near = self.arena.len().saturating_sub(NEAR);
        let known = self.arena.get(near..).and_then(|own| memchr::memmem::find(own, bytes));
        let start = known.map_or(self.arena.len(), |at| near + at);
        if known.is_none() {
            self.arena.extend_from_slice(bytes);
        }
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        Value { detail, start, len: u16::try_from(bytes.len()).unwrap_or(0) }
    }

    fn add_digests(&mut self, value: Value, keys: &mut Keys) {
        let place = number(self.digested.len());
        self.digested.push(value);
        for (which, form) in (0..).zip(DIGESTS) {
            let digest = Digested::of(form, self.bytes(value));
            keys.digests.extend(first_four(digest.bytes()).map(|key| (key, place * 4 + which)));
        }
    }

    fn add_text(&mut self, kind: DetailKind, value: Value, keys: &mut Keys) {
        let bytes = self.bytes(value);
        let known = if is_whole_only(kind, bytes) { &self.words } else { &self.texts };
        let same = |other: &&Value| self.bytes(**other).eq_ignore_ascii_case(bytes);
        if known.iter().rev().take_while(|other| other.detail == value.detail).any(|other| same(&other)) {
            return;
        }
        let mut begins = None;
        if is_whole_only(kind, bytes) {
            match word_key(bytes) {
                Some(key) => {
                    begins = bytes.first().copied();
                    keys.words.push((key, number(self.words.len())));
                }
                None => self.short_words.push(value),
            }
            self.words.push(value);
        } else {
            let place = number(self.texts.len());
            for (at, four) in (0..4).zip(windows(bytes)) {
                keys.texts.push((text_key(*four), place * 4 + at));
                // In forms a + is a space.
                let in_forms = four.map(|byte| if byte == b' ' { b'+' } else { byte });
                keys.texts.push((text_key(in_forms), place * 4 + at));
            }
            self.texts.push(value);
        }
        self.word_begins.add(begins);
    }

    fn add_numbers(&mut self, place: u16, kind: DetailKind, forms: &[details::Written], keys: &mut Keys) {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
        let national = forms.iter().filter(|form| form.national).map(|form| digits(&form.text));
        let shortest = Zeroizing::new(national.clone().min_by_key(Vec::len).unwrap_or_default());
        let longest = Zeroizing::new(national.max_by_key(Vec::len).unwrap_or_default());
        for form in forms {
            let bytes = Zeroizing::new(digits(&form.text));
            let significant = if form.national { shortest.len() } else { bytes.len() };
            self.add_number(place, &bytes, significant, !form.national, keys);
        }
        // +49 (0)176 1234567: the trunk prefix where it does not belong.
        let usual = forms.iter().find(|form| form.text.starts_with('+')).map(|form| digits(&form.text));
        if let Some(code) = usual.as_deref().and_then(|usual| usual.strip_suffix(shortest.as_slice()))
            && longest.len() > shortest.len()
        {
            let bytes = Zeroizing::new([code, &longest].concat());
            self.add_number(place, &bytes, bytes.len() - 1, true, keys);
        }
        if kind == DetailKind::Imsi {
            self.networks.extend(forms.first().and_then(|form| form.text.get(..5)?.parse::<u32>().ok()));
        }
    }

    fn add_number(&mut self, place: u16, digits: &[u8], significant: usize, coded: bool, keys: &mut Keys) {
        let same = |other: &&Number| self.bytes(other.digits) == digits;
        let mut own = self.numbers.iter().rev().take_while(|other| other.digits.detail == place);
        if !(FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len()) || own.any(|other| same(&other)) {
            return;
        }
        let value = digits.iter().fold(0u64, |value, digit| push_digit(value, *digit));
        keys.numbers.push((mix(value), number(self.numbers.len())));
        let significant = u8::try_from(significant).unwrap_or(u8::MAX);
        let digits = self.keep(place, digits);
        self.numbers.push(Number { digits, significant, coded });
    }

    fn add_fixed(&mut self, place: u16, detail: &Detail, keys: &mut Keys) {
        for bytes in details::bytes(detail) {
            keys.fixed.extend(first_four(&bytes).map(|key| (spread(key), number(self.fixed.len()))));
            let value = self.keep(place, &bytes);
            self.fixed.push(value);
        }
    }

    fn add_package(&mut self, place: u16, name: &str, keys: &mut Keys) {
        keys.packages.push((package_key(name.as_bytes()), number(self.packages.len())));
        let value = self.keep(place, name.as_bytes());
        self.packages.push(value);
    }
}

/// Names no value.
impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Needles({} details)", self.names.len())
    }
}

/// For each letter whether a word begins with it.
struct WordBegins([bool; 256]);

impl WordBegins {
    fn add(&mut self, letter: Option<u8>) {
        let cases = letter.map(|letter| [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()]);
        for letter in cases.into_iter().flatten() {
            self.0.get_mut(usize::from(letter)).into_iter().for_each(|begins| *begins = true);
        }
    }
}

impl Default for WordBegins {
    fn default() -> Self {
        Self([false; 256])
    }
}

#[derive(Default)]
struct Keys {
    texts: Vec<(u32, u32)>,
    words: Vec<(u32, u32)>,
    numbers: Vec<(u32, u32)>,
    digests: Vec<(u32, u32)>,
    fixed: Vec<(u32, u32)>,
    packages: Vec<(u32, u32)>,
}

/// A digest, of any length.
pub(super) struct Digested {
    bytes: [u8; 32],
    len: usize,
}

impl Digested {
    fn of(form: Form, value: &[u8]) -> Self {
        if form == Form::Md5 {
            Self::from(&Md5::digest(value))
        } else if form == Form::Sha1 {
            Self::from(&Sha1::digest(value))
        } else {
            Self::from(&Sha256::digest(value))
        }
    }

    fn from(digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Self { bytes, len: digest.len() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Kinds that are decimal digits.
fn is_number(kind: DetailKind) -> bool {
    matches!(
        kind,
        DetailKind::Imei
            | DetailKind::ImeiSv
            | DetailKind::Imsi
            | DetailKind::Iccid
            | DetailKind::Phone
            | DetailKind::Contact
    )
}

/// Kinds and values that stand in prose, names of hosts and models by chance.
fn is_whole_only(kind: DetailKind, value: &[u8]) -> bool {
    matches!(kind, DetailKind::Name | DetailKind::Carrier | DetailKind::Ssid)
        || value.len() < SHORTEST_FREE_WORD
}

#[inline]
pub(super) fn push_digit(value: u64, digit: u8) -> u64 {
    value.wrapping_mul(10).wrapping_add(u64::from(digit & 0x0f))
}

/// Letters in either case have the same key.
#[inline]
pub(super) fn text_key(four: [u8; 4]) -> u32 {
    spread(u32::from_le_bytes(four) | 0x2020_2020)
}

/// The key of a word, or of the field that may be one. In forms a + is a space.
#[inline]
pub(super) fn word_key(bytes: &[u8]) -> Option<u32> {
    let first: &[u8; WORD_KEY] = bytes.first_chunk()?;
    let [a, b, c] = first.map(|byte| if byte == b'+' { b' ' } else { byte | 0x20 });
    Some(spread(u32::from_le_bytes([a, b, c, 0])))
}

pub(super) fn package_key(name: &[u8]) -> u32 {
    let (words, rest) = name.as_chunks::<8>();
    let mut key = name.len() as u64;
    for word in words {
        key = (key.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    for byte in rest {
        key = (key.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    mix(key)
}

#[inline]
pub(super) fn first_four(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
