//! What must hold for the rows; see CONTRIBUTING.md.

use std::collections::BTreeSet;

use telltale_model::{Country, How};
use telltale_watch::destinations::layout::MOST_LABELS;

use crate::third_party_web;

use super::{Company, Host, Rows, Switch};

/// Longer texts have no place on a screen.
const LONGEST_TEXT: usize = 400;

impl Rows {
    /// A sentence for each thing that is wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let hosts = self.hosts.iter().flat_map(|host| about(&host.suffix, "hosts.tsv", self.host(host)));
        let companies = self
            .companies
            .iter()
            .flat_map(|(id, company)| about(id, "companies.toml", self.company(id, company)));
        let switches =
            self.switches.iter().flat_map(|switch| about(&switch.path, "switches.toml", self.switch(switch)));
        let order = self.hosts.iter().map(|host| host.suffix.as_str());
        hosts
            .chain(companies)
            .chain(switches)
            .chain(ascending("hosts.tsv", order))
            .chain(ascending("suffixes.txt", self.suffixes.iter().map(String::as_str)))
            .chain(
                self.suffixes.iter().filter(|name| !is_host(name)).map(|name| {
                    format!("suffixes.txt: {name}: not a name with several labels in lower case")
                }),
            )
            .chain(self.brands_twice())
            .collect()
    }

    fn host(&self, host: &Host) -> Vec<&'static str> {
        let name_only = host.how == How::NameOnly;
        [
            (is_host(&host.suffix), "not a host name in lower case with at least two labels"),
            (self.suffixes.binary_search(&host.suffix).is_err(), "anybody may register a name below it"),
            (host.suffix.split('.').count() <= MOST_LABELS, "it has too many labels"),
            (self.companies.contains_key(&host.company), "its company is not in companies.toml"),
            (
                host.how != How::List,
                "\"list\" is for what third-party-web says; two lists are a list-crosscheck",
            ),
            (!name_only || host.role.is_none(), "a name alone tells no role"),
            (
                name_only == host.reference.is_empty(),
                "a reference is needed, but for name-only rows, which have none",
            ),
            (
                name_only || is_reference(&host.reference),
                "not an https URL, a doi:, an arxiv: or a short title",
            ),
            (is_date(&host.checked), "the date is not like 2026-11-25"),
        ]
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, why)| why)
        .collect()
    }

    fn company(&self, id: &str, company: &Company) -> Vec<&'static str> {
        let country = company.country.as_deref().is_none_or(|code| {
            <[u8; 2]>::try_from(code.as_bytes()).is_ok_and(|code| Country::new(code).is_some())
        });
        [
            (!id.starts_with(third_party_web::LISTED), "such an id is kept for third-party-web"),
            (is_id(id), "an id has a-z, 0-9 and single hyphens between them"),
            (is_text(&company.name), "it needs a name, of one line"),
            (country, "not a country of ISO 3166-1 alpha-2"),
            (
                company.parent.as_ref().is_none_or(|parent| self.companies.contains_key(parent)),
                "its parent is not there",
            ),
            (self.ends(id), "its parents go in a circle, or are too many"),
            (
                company.brands.iter().chain(&company.chips).all(|brand| is_text(brand)),
                "a brand is empty or odd",
            ),
            (company.also.iter().chain(&company.unlike).all(|id| is_id(id)), "an id of the list is odd"),
        ]
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, why)| why)
        .collect()
    }

    fn switch(&self, switch: &Switch) -> Vec<&'static str> {
        [
            (self.companies.contains_key(&switch.company), "its company is not in companies.toml"),
            (
                [&switch.path, &switch.versions, &switch.default].into_iter().all(|text| is_text(text)),
                "path, versions or default is empty or odd",
            ),
            (is_reference(&switch.reference), "not an https URL, a doi:, an arxiv: or a short title"),
            (is_how(&switch.how), "not known in such a way"),
            (is_date(&switch.checked), "the date is not like 2026-11-25"),
        ]
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, why)| why)
        .collect()
    }

    /// Whether a company's owners come to an end.
    fn ends(&self, id: &str) -> bool {
        let mut company = self.companies.get(id);
        for _ in 0..8 {
            match company.and_then(|company| company.parent.as_ref()) {
                Some(parent) => company = self.companies.get(parent),
                None => return true,
            }
        }
        false
    }

    fn brands_twice(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let all = self.companies.values();
        let brands = all.clone().flat_map(|company| &company.brands).map(|brand| ("brand", brand));
        let chips = all.clone().flat_map(|company| &company.chips).map(|chip| ("chip", chip));
        let also = all.flat_map(|company| &company.also).map(|also| ("\"also\"", also));
        brands
            .chain(chips)
            .chain(also)
            .filter(|(kind, name)| !seen.insert((*kind, name.to_lowercase())))
            .map(|(kind, name)| format!("companies.toml: {kind} {name} is there twice"))
            .collect()
    }
}

/// What is wrong with the order of the tables in `companies.toml`, which a parsed one has lost.
pub(super) fn order_of_companies(text: &str) -> Vec<String> {
    let ids = text.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
    ascending("companies.toml", ids)
}

fn about(name: &str, file: &str, wrong: Vec<&'static str>) -> Vec<String> {
    wrong.into_iter().map(|why| format!("{file}: {name}: {why}")).collect()
}

fn ascending<'a>(file: &str, names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let pairs = names.clone().zip(names.skip(1));
    pairs
        .filter(|(one, next)| one >= next)
        .map(|(one, next)| format!("{file}: {next} stands after {one}, or twice"))
        .collect()
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let inside = label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

fn is_id(id: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
    id.split('-').all(word)
}

fn is_text(text: &str) -> bool {
    !text.trim().is_empty()
        && text.trim() == text
        && text.len() <= LONGEST_TEXT
        && !text.contains(char::is_control)
}

/// An `https` URL with a host and no spaces, a DOI (10.x/y), an arXiv number, or words.
fn is_reference(reference: &str) -> bool {
    if !is_text(reference) {
        return false;
    }
    match reference.split_once(':') {
        Some(("https", rest)) => {
            let rest = rest.strip_prefix("//").unwrap_or_default();
            is_host(&rest.split('/').next().unwrap_or_default().to_ascii_lowercase()) && !rest.contains(' ')
        }
        Some(("http", _)) => false,
        Some(("doi", doi)) => doi.starts_with("10.") && doi.contains('/'),
        Some(("arxiv", number)) => {
            number.bytes().all(|byte| byte.is_ascii_digit() || b".v".contains(&byte)) && number.contains('.')
        }
        _ => reference.len() >= 8 && reference.contains(' '),
    }
}

/// A setting may also stand there unchecked: it does no wrong to anybody.
fn is_how(how: &str) -> bool {
    how == "unchecked" || How::ALL.iter().any(|known| known.name() == how)
}

fn is_date(date: &str) -> bool {
    let parts: Vec<Option<u32>> = date.split('-').map(|part| part.parse().ok()).collect();
    date.len() == 10 && matches!(parts.as_slice(), [Some(2020..=2099), Some(1..=12), Some(1..=31)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPANIES: &str =
        "[acme]\nname = \"Acme\"\ncountry = \"DE\"\n\n[bolt]\nname = \"Bolt\"\nparent = \"acme\"\n";

    fn wrong(hosts: &str) -> String {
        Rows::parse(COMPANIES, hosts, "", "co.uk\n").err().unwrap_or_default().join("\n")
    }

    #[test]
    fn good_rows_are_taken() {
        let good = "a.example\tacme\tpush\tvendor-doc\thttps://a.example/doc\t2026-11-25\n\
                    b.example\tbolt\t\tname-only\t\t2026-11-25\n";
        assert_eq!(wrong(good), "");
    }

    #[test]
    fn every_mistake_in_a_row_is_named() {
        for (row, why) in [
            ("a.example\tacme", "with a tab between"),
            ("A.example\tacme\tpush\tcode\thttps://a.example/\t2026-11-25", "not a host name"),
            ("co.uk\tacme\tpush\tcode\thttps://a.example/\t2026-11-25", "anybody may register"),
            ("com\tacme\tpush\tcode\thttps://a.example/\t2026-11-25", "not a host name"),
            ("a.example\tnobody\tpush\tcode\thttps://a.example/\t2026-11-25", "its company is not"),
            ("a.example\tacme\tspying\tcode\thttps://a.example/\t2026-11-25", "no such role"),
            ("a.example\tacme\tpush\thearsay\thttps://a.example/\t2026-11-25", "not known in such a way"),
            (
                "a.example\tacme\tpush\tlist\thttps://a.example/\t2026-11-25",
                "is for what third-party-web says",
            ),
            ("a.example\tacme\tpush\tname-only\t\t2026-11-25", "a name alone tells no role"),
            ("a.example\tacme\t\tname-only\thttps://a.example/\t2026-11-25", "a reference is needed, but"),
            ("a.example\tacme\tpush\tcode\t\t2026-11-25", "a reference is needed"),
            ("a.example\tacme\tpush\tcode\thttp://a.example/\t2026-11-25", "not an https URL"),
            ("a.example\tacme\tpush\tcode\tdoi:1/2\t2026-11-25", "not an https URL"),
            ("a.example\tacme\tpush\tcode\thttps://a.example/\t2026-13-25", "the date is not"),
            (
                "b.example\tacme\t\tname-only\t\t2026-11-25\na.example\tacme\t\tname-only\t\t2026-11-25",
                "stands after",
            ),
            (
                "b.example\tacme\t\tname-only\t\t2026-11-25\nb.example\tacme\t\tname-only\t\t2026-11-25",
                "or twice",
            ),
        ] {
            assert!(wrong(row).contains(why), "{row}: {}", wrong(row));
        }
    }

    #[test]
    fn every_mistake_in_a_company_is_named() {
        for (companies, why) in [
            ("[b]\nname = \"B\"\n[a]\nname = \"A\"\n", "stands after"),
            ("[\"a b\"]\nname = \"A\"\n", "an id has"),
            ("[a]\nname = \" \"\n", "it needs a name"),
            ("[a]\nname = \"A\"\ncountry = \"EU\"\n", "not a country"),
            ("[a]\nname = \"A\"\nparent = \"z\"\n", "its parent is not there"),
            ("[a]\nname = \"A\"\nparent = \"b\"\n[b]\nname = \"B\"\nparent = \"a\"\n", "in a circle"),
            ("[a]\nname = \"A\"\nbrands = [\"X\"]\n[b]\nname = \"B\"\nbrands = [\"x\"]\n", "is there twice"),
            ("[a]\nname = \"A\"\ncolour = \"red\"\n", "unknown field"),
        ] {
            let wrong = Rows::parse(companies, "", "", "").err().unwrap_or_default().join("\n");
            assert!(wrong.contains(why), "{companies}: {wrong}");
        }
    }
}
