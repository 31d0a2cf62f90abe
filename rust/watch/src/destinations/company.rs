//! Companies: those of the rows, and after them the owners that only a public list names.

use std::cmp::Ordering;

use telltale_model::Country;

use super::fields::{place_at, record, u16_at};
use super::layout::{BRAND, COMPANY, Maker, NONE};
use super::{Destinations, Texts};

/// A company's place in one file of tables. Another file numbers them anew; the id stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompanyNumber(pub u16);

/// Who runs a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Company<'a> {
    /// Its place in this file.
    pub number: CompanyNumber,
    /// A short name that stays, such as `xiaomi`: lower-case letters, digits and hyphens.
    pub id: &'a str,
    /// Its name as people know it.
    pub name: &'a str,
    /// Where it is registered, as far as known.
    pub country: Option<Country>,
    /// Who owns it.
    pub parent: Option<CompanyNumber>,
}

impl Destinations {
    /// The company with this number.
    pub fn company(&self, number: CompanyNumber) -> Option<Company<'_>> {
        let place = usize::from(number.0);
        match place.checked_sub(self.own_companies()) {
            None => own(&self.texts, &self.companies, number),
            Some(owner) if owner < self.owners.count() / 2 => Some(Company {
                number,
                id: self.owners.get(owner * 2),
                name: self.owners.get(owner * 2 + 1),
                country: None,
                parent: None,
            }),
            Some(_) => None,
        }
    }

    /// The company of the rows with this id.
    pub fn company_with_id(&self, id: &str) -> Option<Company<'_>> {
        let (mut low, mut high) = (0, self.own_companies());
        while low < high {
            let middle = low.midpoint(high);
            let company = self.company(CompanyNumber(u16::try_from(middle).ok()?))?;
            match company.id.cmp(id) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(company),
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Every company: those of the rows, sorted by id, then those that only a list names.
    pub fn all_companies(&self) -> impl Iterator<Item = Company<'_>> {
        (0..NONE).map_while(|number| self.company(CompanyNumber(number)))
    }

    /// Who made a phone, by what Android calls its manufacturer and its brand. The brand counts
    /// first: a POCO is made by Xiaomi, whatever factory stands behind it.
    pub fn phone_maker(&self, manufacturer: &str, brand: &str) -> Option<Company<'_>> {
        self.maker(Maker::Phone, brand).or_else(|| self.maker(Maker::Phone, manufacturer))
    }

    /// Who made a phone's chip, by what Android calls its manufacturer.
    pub fn chip_maker(&self, manufacturer: &str) -> Option<Company<'_>> {
        self.maker(Maker::Chip, manufacturer)
    }

    fn maker(&self, kind: Maker, brand: &str) -> Option<Company<'_>> {
        let (brands, _) = self.brands.as_chunks::<BRAND>();
        let same = |record: &[u8; BRAND]| {
            u16_at(record, 2) == Some(kind.number())
                && place_at(record, 4).is_some_and(|text| self.texts.get(text).eq_ignore_ascii_case(brand))
        };
        let record = brands.iter().find(|record| same(record))?;
        self.company(CompanyNumber(u16_at(record, 0)?))
    }

    /// The company that owns this one and is owned by none; the company itself where none owns it.
    pub fn root(&self, number: CompanyNumber) -> CompanyNumber {
        let mut root = number;
        // The build tool refuses circles; a bound costs nothing.
        for _ in 0..8 {
            match self.company(root).and_then(|company| company.parent) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        root
    }

    /// The owners of listed hosts: id and name. For the build tool.
    pub fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.owners.count()).step_by(2).map(|owner| (self.owners.get(owner), self.owners.get(owner + 1)))
    }

    pub(super) fn own_companies(&self) -> usize {
        self.companies.len() / COMPANY
    }

    /// The company of an owner of listed hosts.
    pub(super) fn company_of_owner(&self, owner: u16) -> Option<CompanyNumber> {
        match u16_at(&self.owner_companies, usize::from(owner) * 2)? {
            NONE => u16::try_from(self.own_companies()).ok()?.checked_add(owner).map(CompanyNumber),
            own => Some(CompanyNumber(own)),
        }
    }
}

fn own<'a>(texts: &'a Texts, companies: &[u8], number: CompanyNumber) -> Option<Company<'a>> {
    let record = record::<COMPANY>(companies, usize::from(number.0))?;
    let [.., first, second] = *record;
    Some(Company {
        number,
        id: texts.get(place_at(record, 0)?),
        name: texts.get(place_at(record, 4)?),
        country: Country::new([first, second]),
        parent: u16_at(record, 8).filter(|parent| *parent != NONE).map(CompanyNumber),
    })
}
