use serde::{Deserialize, Serialize};

/// What a server is for, as far as its name tells. Unknown is no role: `Option<Role>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs you in.
    Account,
    /// Registers phone, SIM or number.
    Activation,
    /// Keeps a copy of your data.
    Sync,
    /// Carries messages and calls.
    Messaging,
    /// Wakes apps, delivers notices.
    Push,
    /// Fetches new versions.
    Update,
    /// Offers and installs apps.
    Store,
    /// Tells an app how to behave.
    Config,
    /// Tells the maker how phone or system is used.
    Telemetry,
    /// Records what you do in an app.
    Analytics,
    /// Reports failures.
    Crash,
    /// Chooses, shows, counts ads.
    Advertising,
    /// Finds which ad brought you.
    Attribution,
    /// Links or trades data about people.
    Profiling,
    /// Works out where the phone is.
    Location,
    /// Maps, routes, weather.
    Maps,
    /// Checks for fraud, malware, certificates.
    Security,
    /// Tests the network, sets the clock.
    Connectivity,
    /// Turns names into addresses.
    Dns,
    /// Delivers for many, the owner unseen.
    Hosting,
    /// Pages, media, games you asked for.
    Content,
    /// Social networks and their buttons.
    Social,
    /// Takes payments.
    Payment,
    /// Search, voice, keyboard, AI.
    Assistant,
}

impl Role {
    /// Every role. The packed tables know a role by its place here: new ones come at the end.
    pub const ALL: [Self; 24] = [
        Self::Account,
        Self::Activation,
        Self::Sync,
        Self::Messaging,
        Self::Push,
        Self::Update,
        Self::Store,
        Self::Config,
        Self::Telemetry,
        Self::Analytics,
        Self::Crash,
        Self::Advertising,
        Self::Attribution,
        Self::Profiling,
        Self::Location,
        Self::Maps,
        Self::Security,
        Self::Connectivity,
        Self::Dns,
        Self::Hosting,
        Self::Content,
        Self::Social,
        Self::Payment,
        Self::Assistant,
    ];

    /// The name used in the rows, in JSON and in the database.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// What such a server does, in words for everybody: the rest of a sentence that begins with it.
    pub fn lay_words(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Account => ("account", "signs you in"),
            Self::Activation => ("activation", "registers phone, SIM or number"),
            Self::Sync => ("sync", "keeps a copy of your data"),
            Self::Messaging => ("messaging", "carries messages and calls"),
            Self::Push => ("push", "wakes apps, delivers notices"),
            Self::Update => ("update", "fetches new versions"),
            Self::Store => ("store", "offers and installs apps"),
            Self::Config => ("config", "tells an app how to behave"),
            Self::Telemetry => ("telemetry", "tells the maker how phone or system is used"),
            Self::Analytics => ("analytics", "records what you do in an app"),
            Self::Crash => ("crash", "reports failures"),
            Self::Advertising => ("advertising", "chooses, shows, counts ads"),
            Self::Attribution => ("attribution", "finds which ad brought you"),
            Self::Profiling => ("profiling", "links or trades data about people"),
            Self::Location => ("location", "works out where the phone is"),
            Self::Maps => ("maps", "maps, routes, weather"),
            Self::Security => ("security", "checks for fraud, malware, certificates"),
            Self::Connectivity => ("connectivity", "tests the network, sets the clock"),
            Self::Dns => ("dns", "turns names into addresses"),
            Self::Hosting => ("hosting", "delivers for many, the owner unseen"),
            Self::Content => ("content", "pages, media, games you asked for"),
            Self::Social => ("social", "social networks and their buttons"),
            Self::Payment => ("payment", "takes payments"),
            Self::Assistant => ("assistant", "search, voice, keyboard, AI"),
        }
    }
}

/// How a row of the tables is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The company's own documentation names the host.
    VendorDoc,
    /// Public source code of the company's system or SDK names it.
    Code,
    /// A published capture shows it.
    Capture,
    /// A research paper or press report names it.
    Paper,
    /// Two or more public lists or sources agree.
    ListCrosscheck,
    /// Only the name itself tells. Such a row has a company and never a role.
    NameOnly,
    /// One public list says whose it is. Such a row has a company and never a role.
    List,
}

impl How {
    /// Every way. The packed tables know a way by its place here: new ones come at the end.
    pub const ALL: [Self; 7] = [
        Self::VendorDoc,
        Self::Code,
        Self::Capture,
        Self::Paper,
        Self::ListCrosscheck,
        Self::NameOnly,
        Self::List,
    ];

    /// The name used in the rows and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::VendorDoc => "vendor-doc",
            Self::Code => "code",
            Self::Capture => "capture",
            Self::Paper => "paper",
            Self::ListCrosscheck => "list-crosscheck",
            Self::NameOnly => "name-only",
            Self::List => "list",
        }
    }

    /// The same in words.
    pub fn lay_words(self) -> &'static str {
        match self {
            Self::VendorDoc => "the company's own documentation names it",
            Self::Code => "public source code names it",
            Self::Capture => "a published capture shows it",
            Self::Paper => "a paper or press report names it",
            Self::ListCrosscheck => "several public sources agree",
            Self::NameOnly => "the name itself, nothing else",
            Self::List => "one public list says so",
        }
    }

    /// Whether the company must be called probable.
    pub fn is_probable(self) -> bool {
        match self {
            Self::NameOnly | Self::List => true,
            Self::VendorDoc | Self::Code | Self::Capture | Self::Paper | Self::ListCrosscheck => false,
        }
    }
}

/// What a company is to this phone, and to the app that spoke with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The company of the app itself.
    OwnCompany,
    /// The company that made this phone.
    PhoneMaker,
    /// Google, whose Android this is.
    AndroidAndGoogle,
    /// The maker of the phone's chip.
    ChipMaker,
    /// The operator of the SIM.
    Carrier,
    /// A company, and none of these.
    AnotherCompany,
    /// Nobody knows whose server it is.
    Unknown,
}

impl Relation {
    /// The name used in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnCompany => "own_company",
            Self::PhoneMaker => "phone_maker",
            Self::AndroidAndGoogle => "android_and_google",
            Self::ChipMaker => "chip_maker",
            Self::Carrier => "carrier",
            Self::AnotherCompany => "another_company",
            Self::Unknown => "unknown",
        }
    }

    /// The same in words for everybody.
    pub fn lay_words(self) -> &'static str {
        match self {
            Self::OwnCompany => "the app's own company",
            Self::PhoneMaker => "this phone's maker",
            Self::AndroidAndGoogle => "Android and Google",
            Self::ChipMaker => "chip maker",
            Self::Carrier => "your carrier",
            Self::AnotherCompany => "another company",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_json_as_in_the_rows() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{}\"", role.name()));
        }
        for how in How::ALL {
            assert_eq!(serde_json::to_string(&how).unwrap(), format!("\"{}\"", how.name()));
        }
        let relation = Relation::AndroidAndGoogle;
        assert_eq!(serde_json::to_string(&relation).unwrap(), format!("\"{}\"", relation.name()));
    }
}
