//! What a company is to the phone and the app at hand.

use telltale_model::Relation;

use super::{CompanyNumber, Destinations};

/// The companies around one flow, as far as known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Whose app it is.
    pub app: Option<CompanyNumber>,
    /// Who made the phone.
    pub phone: Option<CompanyNumber>,
    /// Who made its chip.
    pub chip: Option<CompanyNumber>,
    /// Whose SIM is in it.
    pub carrier: Option<CompanyNumber>,
}

impl Destinations {
    /// What a destination's company is. Companies of one owner are one: what Instagram sends to
    /// Facebook goes to its own company. The first that fits counts: on a Pixel, Google is the maker.
    pub fn relation(&self, company: Option<CompanyNumber>, around: &Around) -> Relation {
        let Some(company) = company.map(|company| self.root(company)) else { return Relation::Unknown };
        let google = self.company_with_id("google").map(|google| google.number);
        let order = [
            (around.app, Relation::OwnCompany),
            (around.phone, Relation::PhoneMaker),
            (google, Relation::AndroidAndGoogle),
            (around.chip, Relation::ChipMaker),
            (around.carrier, Relation::Carrier),
        ];
        let fits = |other: Option<CompanyNumber>| other.is_some_and(|other| self.root(other) == company);
        order
            .into_iter()
            .find(|(other, _)| fits(*other))
            .map_or(Relation::AnotherCompany, |(_, relation)| relation)
    }
}
