//! What the screens of the app say besides findings.

use telltale_model::{AppGroup, Bounded, DetailKind, Envelope, Finding, GapReason, What, is_disguised};

use crate::finding::Parties;
use crate::say::Value;
use crate::{Level, Words};

/// A count in a place of its own.
fn n(count: u64) -> (&'static str, Value<'static>) {
    ("n", Value::Number(count))
}

impl Words {
    /// Whoever Android could not name.
    pub fn unknown_sender(&self) -> String {
        self.say("sender.unknown", &[])
    }

    /// Two apps that share a line: nobody can tell which of them it was.
    pub fn either_app(&self, one: &str, other: &str) -> String {
        self.say("sender.either", &[("app", Value::Name(one)), ("other", Value::Name(other))])
    }

    /// The same of more.
    pub fn app_and_others(&self, one: &str, others: u64) -> String {
        self.say("sender.others", &[("app", Value::Name(one)), n(others)])
    }

    /// A group of apps.
    pub fn app_group(&self, group: AppGroup) -> String {
        self.say(&format!("group.{}", group.name()), &[])
    }

    /// Of one app, whose it is.
    pub fn about_group(&self, group: AppGroup) -> String {
        self.say(&format!("about.{}", group.name()), &[])
    }

    /// How much was sent, and what the part that could not be read tells.
    pub fn coverage(&self, size: &str, encrypted: bool) -> String {
        let key = if encrypted { "coverage.encrypted" } else { "coverage" };
        self.say(key, &[("size", Value::Name(size))])
    }

    /// The bar of a screen, for who cannot see it.
    pub fn coverage_spoken(&self, read: u64, unread: u64, details: u64) -> String {
        let (read, unread) = (("read", Value::Number(read)), ("unread", Value::Number(unread)));
        let key = if details == 0 { "coverage.spoken.none" } else { "coverage.spoken" };
        self.say(key, &[read, unread, n(details)])
    }

    /// Nothing was given to look for.
    pub fn no_details(&self) -> String {
        self.say("opening.no-details", &[])
    }

    /// Nothing was given to look for when this was sent.
    pub fn given_later(&self) -> String {
        self.say("opening.given-later", &[])
    }

    /// Nothing was sent.
    pub fn nothing_sent_yet(&self) -> String {
        self.say("opening.empty", &[])
    }

    /// Nothing could be read.
    pub fn nothing_readable(&self) -> String {
        self.say("opening.nothing-readable", &[])
    }

    /// None of the details was seen, in what could be read.
    pub fn none_seen(&self, bounded: &Bounded) -> String {
        self.say(if bounded.unsearched() == 0 { "opening.none.all" } else { "opening.none" }, &[])
    }

    /// What an app sent.
    pub fn app_sent(&self, size: &str) -> String {
        self.say("app.sent", &[("size", Value::Name(size))])
    }

    /// None of the details was seen in a part.
    pub fn none_in_part(&self, bounded: &Bounded, percent: u64) -> String {
        match bounded.unsearched() {
            0 => self.say("app.none.all", &[]),
            _ => self.say("app.none", &[("percent", Value::Number(percent))]),
        }
    }

    /// None of what an app sent could be read.
    pub fn none_readable(&self) -> String {
        self.say("app.none-readable", &[])
    }

    /// To one company.
    pub fn to_company(&self, company: &str) -> String {
        self.say("to.company", &[("company", Value::Name(company))])
    }

    /// To several, or to none that is known.
    pub fn to_companies(&self, companies: u64, advertising: u64) -> String {
        match (companies, advertising) {
            (0, _) => self.say("to.unknown", &[]),
            (_, 0) => self.say("to.companies", &[n(companies)]),
            (_, ads) => self.say("to.companies.ads", &[n(companies), ("ads", Value::Number(ads))]),
        }
    }

    /// Details of the person were in it.
    pub fn details_in_it(&self, details: u64) -> String {
        self.say("row.details", &[n(details)])
    }

    /// It could not be read.
    pub fn could_not_be_read(&self) -> String {
        self.say("row.unread", &[])
    }

    /// The permanent notice.
    pub fn notification(&self, size: &str, apps: u64, percent: u64) -> String {
        self.say("notification", &[("size", Value::Name(size)), n(apps), ("percent", Value::Number(percent))])
    }

    /// A time that was not watched; the moments as the caller writes them.
    pub fn gap(&self, why: GapReason, from: &str, to: &str) -> String {
        let key = format!("gap.{}", why.name());
        self.say(&key, &[("from", Value::Name(from)), ("to", Value::Name(to))])
    }

    /// The hour in which most was sent.
    pub fn most_between(&self, from: &str, to: &str) -> String {
        self.say("timeline.most", &[("from", Value::Name(from)), ("to", Value::Name(to))])
    }

    /// A company's name, or that it is only probable.
    pub fn receiver_named(&self, company: &str, probable: bool) -> String {
        self.receiver_of(&Parties { company: Some(company), probable, ..Parties::default() })
    }

    /// Where a network is registered; not where data goes.
    pub fn network_in(&self, country: &str) -> String {
        self.say("network.in", &[("country", Value::Name(country))])
    }

    /// A detail stood in it for everybody to read.
    pub fn open_with(&self, detail: &str, details: u64) -> String {
        self.verdict("verdict.open", detail, details)
    }

    /// A detail stood in it in disguise.
    pub fn disguised_with(&self, detail: &str, details: u64) -> String {
        self.verdict("verdict.disguised", detail, details)
    }

    fn verdict(&self, key: &str, detail: &str, details: u64) -> String {
        let detail = ("detail", Value::Said(detail.to_owned()));
        match details {
            0 | 1 => self.say(key, &[detail]),
            _ => self.say(&format!("{key}.more"), &[detail, n(details - 1)]),
        }
    }

    /// Anyone could read it, and none of the details was seen in it.
    pub fn open_without(&self, bounded: &Bounded) -> String {
        self.say(if bounded.unsearched() == 0 { "verdict.without" } else { "verdict.without.part" }, &[])
    }

    /// Anyone could read it.
    pub fn not_encrypted(&self) -> String {
        self.say("verdict.not-encrypted", &[])
    }

    /// Nobody on the way could read it, nor could we.
    pub fn encrypted_unread(&self) -> String {
        self.say("verdict.encrypted", &[])
    }

    /// Part of it was encrypted.
    pub fn protected_in_part(&self) -> String {
        self.say("verdict.part", &[])
    }

    /// All that was watched was encrypted.
    pub fn encrypted_where_watched(&self) -> String {
        self.say("verdict.watched", &[])
    }

    /// Anyone could read part of it, and of the rest nobody knows.
    pub fn open_in_part(&self) -> String {
        self.say("verdict.open.part", &[])
    }

    /// Nobody knows.
    pub fn protection_unknown(&self) -> String {
        self.say("verdict.unknown", &[])
    }

    /// The heading of a version.
    pub fn fact_version(&self) -> String {
        self.say("fact.version", &[])
    }

    /// The heading of those that share a line.
    pub fn fact_shares(&self) -> String {
        self.say("fact.shares", &[])
    }

    /// Those that share a line.
    pub fn shares_with(&self, apps: &str) -> String {
        self.say("fact.shares.with", &[("apps", Value::Name(apps))])
    }

    /// How often, in a word where there is one.
    pub fn times(&self, times: u64) -> String {
        match times {
            0 | 1 => self.say("times.once", &[]),
            2 => self.say("times.twice", &[]),
            _ => self.say("times", &[n(times)]),
        }
    }

    /// What kept others from reading a finding's bytes.
    pub fn protection(&self, finding: &Finding) -> String {
        let disguised = matches!(&finding.what, What::IdentifierSent { form, .. } if is_disguised(form));
        let key = match finding.envelope {
            Envelope::None if disguised => "protection.disguised",
            Envelope::None => "protection.none",
            Envelope::Tls | Envelope::Dtls | Envelope::Quic => "protection.protected",
            Envelope::Unknown => "protection.unknown",
        };
        self.say(key, &[])
    }

    /// The title of a notice that interrupts.
    pub fn notice_title(&self, finding: &Finding, parties: &Parties<'_>) -> String {
        self.notice(finding, parties).unwrap_or_else(|| self.level(Level::of(finding)))
    }

    /// Above the list of details.
    pub fn details_lead(&self) -> String {
        self.say("details.lead", &[])
    }

    /// A detail without its possessive; the number tells several of a kind apart.
    pub fn detail_name(&self, kind: DetailKind, number: u16) -> String {
        let key = format!("detail-name.{}", kind.name());
        if number == 1 { self.say(&key, &[]) } else { self.say(&format!("{key}.more"), &[n(number.into())]) }
    }

    /// Where a person finds it.
    pub fn detail_hint(&self, kind: DetailKind) -> String {
        self.say(&format!("detail-hint.{}", kind.name()), &[])
    }

    /// By how many apps a detail was sent.
    pub fn sent_by(&self, apps: u64, disguised: bool) -> String {
        self.say(if disguised { "detail-sent.disguised" } else { "detail-sent" }, &[n(apps)])
    }

    /// A detail was not seen in what could be read.
    pub fn not_seen(&self, _bounded: &Bounded) -> String {
        self.say("detail-sent.none", &[])
    }

    /// Nothing could be read.
    pub fn nothing_looked_into(&self) -> String {
        self.say("detail-sent.unread", &[])
    }

    /// The first minute.
    pub fn minute(&self, apps: u64, companies: u64, size: &str, maker: u64) -> String {
        let values = [
            ("apps", Value::Said(self.say("minute.apps", &[n(apps)]))),
            ("companies", Value::Said(self.say("minute.companies", &[n(companies)]))),
            ("size", Value::Name(size)),
        ];
        match maker {
            0 => self.say("minute", &values),
            _ => self.say("minute.maker", &[&values[..], &[n(maker)]].concat()),
        }
    }

    /// An app that nobody answers, in the last hour.
    pub fn failing(&self, app: &str, host: &str, tries: u64) -> String {
        self.say("failing", &[("app", Value::Name(app)), ("receiver", Value::Name(host)), n(tries)])
    }

    /// What a report is of; the days as the caller writes them.
    pub fn report_title(&self, from: &str, to: &str) -> String {
        self.say("report.title", &[("from", Value::Name(from)), ("to", Value::Name(to))])
    }

    /// Whose clock a report goes by: a zone's name and how far it is from UTC.
    pub fn report_zone(&self, zone: &str, offset: &str) -> String {
        self.say("report.zone", &[("zone", Value::Name(zone)), ("offset", Value::Name(offset))])
    }

    /// What no report covers.
    pub fn report_outside(&self) -> String {
        self.say("report.outside", &[])
    }
}
