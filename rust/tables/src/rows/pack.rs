//! The rows as sections of the packed file.

use std::collections::BTreeMap;

use telltale_model::Role;
use telltale_watch::destinations::layout::{Maker, NO_ROLE, NONE};

use super::Rows;
use crate::pack::{self, Texts};
use crate::third_party_web;

/// Packs the sections that come from the rows, in their order. `owners` are those of listed hosts: id
/// and name; they are taken for a company of the rows where both have one id or name, or the company
/// says so.
pub(crate) fn pack(rows: &Rows, owners: &[(String, String)]) -> Result<Vec<Vec<u8>>, String> {
    let mut packer = Packer { numbers: numbers(rows)?, texts: Texts::default() };
    let companies = packer.companies(rows);
    let brands = packer.brands(rows);
    let (entries, places) = packer.entries(rows)?;
    let switches = packer.switches(rows);
    let hosts: Vec<_> =
        rows.hosts.iter().zip(places).map(|(host, place)| (host.suffix.as_str(), place)).collect();
    let suffixes: Vec<_> = rows.suffixes.iter().map(|suffix| (suffix.as_str(), 0)).collect();
    Ok(vec![
        packer.texts.pack(),
        companies,
        brands,
        entries,
        pack::hosts(&hosts).map_err(|collision| collision.to_string())?,
        switches,
        pack::hosts(&suffixes).map_err(|collision| collision.to_string())?,
        packer.owner_companies(rows, owners),
    ])
}

struct Packer<'a> {
    numbers: BTreeMap<&'a str, u16>,
    texts: Texts,
}

fn numbers(rows: &Rows) -> Result<BTreeMap<&str, u16>, String> {
    if rows.companies.len() >= usize::from(NONE / 2) {
        return Err("there are more companies than fit".into());
    }
    Ok(rows.companies.keys().map(String::as_str).zip(0..).collect())
}

impl Packer<'_> {
    fn number(&self, company: &str) -> u16 {
        self.numbers.get(company).copied().unwrap_or(NONE)
    }

    fn text(&mut self, text: &str) -> [u8; 4] {
        self.texts.number(text).to_le_bytes()
    }

    fn companies(&mut self, rows: &Rows) -> Vec<u8> {
        let mut packed = Vec::new();
        for (id, company) in &rows.companies {
            packed.extend(self.text(id));
            packed.extend(self.text(&company.name));
            let parent = company.parent.as_ref().map_or(NONE, |parent| self.number(parent));
            packed.extend(parent.to_le_bytes());
            packed.extend(company.country.as_ref().map_or(&[0, 0][..], |country| country.as_bytes()));
        }
        packed
    }

    fn brands(&mut self, rows: &Rows) -> Vec<u8> {
        let mut packed = Vec::new();
        for (id, company) in &rows.companies {
            let phones = company.brands.iter().map(|brand| (Maker::Phone, brand));
            for (kind, brand) in phones.chain(company.chips.iter().map(|chip| (Maker::Chip, chip))) {
                packed.extend(self.number(id).to_le_bytes());
                packed.extend(kind.number().to_le_bytes());
                packed.extend(self.text(&brand.to_lowercase()));
            }
        }
        packed
    }

    /// Entries, each once, and the place of each host's.
    fn entries(&mut self, rows: &Rows) -> Result<(Vec<u8>, Vec<u16>), String> {
        let mut known = BTreeMap::new();
        let mut packed = Vec::new();
        let mut places = Vec::new();
        for host in &rows.hosts {
            let mut entry = self.number(&host.company).to_le_bytes().to_vec();
            entry.extend([role(host.role), host.how as u8]);
            entry.extend(self.text(&host.reference));
            entry.extend(self.text(&host.checked));
            let next = known.len();
            let place = *known.entry(entry.clone()).or_insert(next);
            if place == next {
                packed.extend(entry);
            }
            places.push(u16::try_from(place).map_err(|_| "there are more kinds of rows than fit")?);
        }
        Ok((packed, places))
    }

    fn switches(&mut self, rows: &Rows) -> Vec<u8> {
        let mut packed = Vec::new();
        for switch in &rows.switches {
            packed.extend(self.number(&switch.company).to_le_bytes());
            packed.extend(u16::from(role(Some(switch.role))).to_le_bytes());
            for text in [
                &switch.versions,
                &switch.path,
                &switch.default,
                &switch.how,
                &switch.reference,
                &switch.checked,
            ] {
                packed.extend(self.text(text));
            }
        }
        packed
    }

    fn owner_companies(&self, rows: &Rows, owners: &[(String, String)]) -> Vec<u8> {
        let companies = rows.companies.iter();
        let names = companies.clone().map(|(id, company)| (third_party_web::id(&company.name), id));
        let ids = companies.clone().map(|(id, _)| (id.clone(), id));
        let also =
            companies.flat_map(|(id, company)| company.also.iter().map(move |also| (also.clone(), id)));
        // What comes later counts.
        let mut known: BTreeMap<String, u16> =
            names.chain(ids).chain(also).map(|(name, id)| (name, self.number(id))).collect();
        for id in rows.companies.values().flat_map(|company| &company.unlike) {
            known.remove(id);
        }
        let company = |id: &str| known.get(third_party_web::plain(id)).copied().unwrap_or(NONE);
        owners.iter().flat_map(|(id, _)| company(id).to_le_bytes()).collect()
    }
}

fn role(role: Option<Role>) -> u8 {
    role.map_or(NO_ROLE, |role| role as u8)
}
