use telltale_model::{Detail, DetailKind};

use super::value::only;

/// A detail as it may be shown to the person whose it is while others look on: enough to know it again.
pub fn masked(detail: &Detail) -> String {
    let value = detail.value.as_str();
    match detail.name.kind {
        DetailKind::Phone | DetailKind::Contact => ends(&only(value, |letter| letter != ' ')),
        DetailKind::Imei
        | DetailKind::ImeiSv
        | DetailKind::Imsi
        | DetailKind::Iccid
        | DetailKind::AdvertisingId
        | DetailKind::AndroidId
        | DetailKind::Serial
        | DetailKind::Mac
        | DetailKind::Bssid => ends(value),
        DetailKind::Email => email(value),
        DetailKind::Name => value.split(' ').map(|word| beginning(word, 1)).collect::<Vec<_>>().join(" "),
        DetailKind::Ssid | DetailKind::Word => beginning(value, 2),
        DetailKind::Place => value.split(',').map(degrees).collect::<Vec<_>>().join(","),
        // They are many people's, and a list of them would say nothing without.
        DetailKind::Carrier | DetailKind::Package => value.to_owned(),
    }
}

/// What stands for one character, or for several where their number is nobody's business.
const HIDDEN: char = '\u{2022}';

/// The first 4 letters and digits and the last 2 to 4, of short values fewer. What stands between them stays.
fn ends(value: &str) -> String {
    let length = value.chars().filter(|letter| letter.is_alphanumeric()).count();
    let first = 4.min(length / 3);
    let last = length - length.saturating_sub(11).clamp(2, 4).min(length / 3);
    let mut place = 0;
    let hide = |letter: char| {
        if !letter.is_alphanumeric() {
            return letter;
        }
        place += 1;
        if place <= first || place > last { letter } else { HIDDEN }
    };
    value.chars().map(hide).collect()
}

fn email(value: &str) -> String {
    let (name, domain) = value.rsplit_once('@').unwrap_or((value, ""));
    format!("{}@{domain}", beginning(name, 2))
}

/// So many characters at most, and at least one hidden.
fn beginning(word: &str, most: usize) -> String {
    let shown = most.min(word.chars().count().saturating_sub(1));
    word.chars().take(shown).chain([HIDDEN; 3]).collect()
}

fn degrees(number: &str) -> String {
    let (whole, _) = number.split_once('.').unwrap_or((number, ""));
    format!("{whole}.{HIDDEN}{HIDDEN}{HIDDEN}")
}

#[cfg(test)]
mod tests {
    use telltale_model::DetailName;
    use zeroize::Zeroizing;

    use super::*;

    fn shown(kind: DetailKind, value: &str) -> String {
        masked(&Detail { name: DetailName { kind, number: 1, id: 1 }, value: Zeroizing::new(value.into()) })
            .replace(HIDDEN, "*")
    }

    #[test]
    fn so_much_is_shown_that_its_owner_knows_it() {
        assert_eq!(shown(DetailKind::Imei, "490154203237518"), "4901*******7518");
        assert_eq!(shown(DetailKind::Phone, "+91 98765 43210"), "+9198******10");
        assert_eq!(shown(DetailKind::Email, "asha@example.in"), "as***@example.in");
        assert_eq!(shown(DetailKind::Email, "a@example.in"), "***@example.in");
        assert_eq!(shown(DetailKind::Mac, "aa:53:5e:00:53:01"), "aa:53:**:**:**:01");
        assert_eq!(shown(DetailKind::Serial, "AB12CD"), "AB**CD");
        assert_eq!(shown(DetailKind::Name, "Zephyr Quill"), "Z*** Q***");
        assert_eq!(shown(DetailKind::Word, "Ahorn"), "Ah***");
        assert_eq!(shown(DetailKind::Place, "-33.8568,151.2153"), "-33.***,151.***");
        assert_eq!(shown(DetailKind::Package, "org.example.app"), "org.example.app");
    }
}
