//! What one can do about a service: the settings that turn it off.

use telltale_model::Role;

use super::fields::{place_at, record, u16_at};
use super::layout::SWITCH;
use super::{CompanyNumber, Destinations};

/// A setting of a phone or an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch<'a> {
    /// On which systems and versions it is found there.
    pub versions: &'a str,
    /// Where it is, as a person finds it: `Settings > Privacy > ...`.
    pub path: &'a str,
    /// How it stands on a new phone.
    pub default: &'a str,
    /// How all this is known: the name of a [`How`](telltale_model::How), or `unchecked`.
    pub how: &'a str,
    /// Where that can be looked up.
    pub reference: &'a str,
    /// When that was last looked at.
    pub checked: &'a str,
}

impl Destinations {
    /// The settings that have to do with what a company does in one role.
    pub fn switches(&self, company: CompanyNumber, role: Role) -> impl Iterator<Item = Switch<'_>> {
        let wanted =
            Role::ALL.iter().position(|known| *known == role).and_then(|place| u16::try_from(place).ok());
        (0..self.switches.len() / SWITCH).filter_map(move |number| {
            let record = record::<SWITCH>(&self.switches, number)?;
            let fits = u16_at(record, 0) == Some(company.0) && u16_at(record, 2) == wanted;
            let text = |field: usize| place_at(record, 4 + 4 * field).map_or("", |text| self.texts.get(text));
            fits.then(|| Switch {
                versions: text(0),
                path: text(1),
                default: text(2),
                how: text(3),
                reference: text(4),
                checked: text(5),
            })
        })
    }
}
