//! Values as SQLite keeps them. It knows no unsigned 64-bit integers; past 2^63 - 1 bytes the
//! number stays there.

use telltale_model::{Content, Coverage, Flow, NameKnown, NameSource, Owner, Timestamp, Traffic};

pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Seconds since 1970 at which the hour of this moment began.
pub(crate) fn hour(at: Timestamp) -> i64 {
    at.seconds().div_euclid(3_600) * 3_600
}

/// What is summed of flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) traffic: Traffic,
    pub(crate) content: Content,
}

/// An amount as columns: those of [`Traffic`], then of [`Content`], in the order of their fields.
pub(crate) const COLUMNS: usize = 14;

impl Amount {
    pub(crate) fn of(flow: &Flow) -> Self {
        Self { traffic: flow.traffic, content: Content::of(&flow.facts) }
    }

    pub(crate) fn columns(&self) -> [i64; COLUMNS] {
        let Self { traffic, content } = self;
        let coverage = &content.coverage;
        [
            traffic.bytes_sent,
            traffic.bytes_received,
            traffic.packets_sent,
            traffic.packets_received,
            content.sent,
            coverage.handshake,
            coverage.searched,
            coverage.found,
            coverage.opaque,
            coverage.encrypted,
            coverage.unknown,
            coverage.not_watched,
            content.openly,
            content.read_with_keys,
        ]
        .map(signed)
    }

    /// From this column of a row on.
    pub(crate) fn read(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let number = |place: usize| row.get(column + place).map(unsigned);
        let traffic = Traffic {
            bytes_sent: number(0)?,
            bytes_received: number(1)?,
            packets_sent: number(2)?,
            packets_received: number(3)?,
        };
        Ok(Self { traffic, content: Self::read_content(row, column + 4)? })
    }

    /// The part of an amount that is content, from this column of a row on.
    pub(crate) fn read_content(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Content> {
        let number = |place: usize| row.get(column + place).map(unsigned);
        let coverage = Coverage {
            handshake: number(1)?,
            searched: number(2)?,
            found: number(3)?,
            opaque: number(4)?,
            encrypted: number(5)?,
            unknown: number(6)?,
            not_watched: number(7)?,
        };
        let (sent, openly, read_with_keys) = (number(0)?, number(8)?, number(9)?);
        Ok(Content::summed(sent, coverage, openly, read_with_keys))
    }

    /// What was added since `before`; a count that went back adds nothing.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let (now, then) = (self.traffic, before.traffic);
        let traffic = Traffic {
            bytes_sent: now.bytes_sent.saturating_sub(then.bytes_sent),
            bytes_received: now.bytes_received.saturating_sub(then.bytes_received),
            packets_sent: now.packets_sent.saturating_sub(then.packets_sent),
            packets_received: now.packets_received.saturating_sub(then.packets_received),
        };
        Self { traffic, content: self.content.since(&before.content) }
    }
}

/// What is known of a destination besides its name, as columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) name_known: i64,
    pub(crate) company: Option<String>,
    pub(crate) probable: bool,
    pub(crate) role: Option<String>,
}

impl About {
    pub(crate) fn of(flow: &Flow) -> Self {
        let destination = &flow.destination;
        Self {
            name_known: rank(destination.known),
            company: destination.company.clone(),
            probable: destination.probable,
            role: destination.role.map(|role| role.name().to_owned()),
        }
    }

    /// From this column of a row on, in the order of its fields.
    pub(crate) fn read(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            name_known: row.get(column)?,
            company: row.get(column + 1)?,
            probable: row.get(column + 2)?,
            role: row.get(column + 3)?,
        })
    }
}

/// 0 where it is not known, else from 1 on for the surest.
fn rank(known: Option<NameKnown>) -> i64 {
    (1..).zip(NameKnown::ALL).find(|(_, one)| Some(*one) == known).map_or(0, |(rank, _)| rank)
}

/// The opposite of [`rank`].
pub(crate) fn name_known(rank: i64) -> Option<NameKnown> {
    NameKnown::ALL.get(usize::try_from(rank.checked_sub(1)?).ok()?).copied()
}

/// So many names of a flow are kept: a proxy's connection may carry hundreds.
const NAMES: usize = 16;

/// Names that the flow itself carried, each on a line after its source; `None` where there are none. What was asked for
/// in the DNS is not kept: a phone's resolver asks for all apps, and with them for browsers.
pub(crate) fn names(flow: &Flow) -> Option<String> {
    let carried = flow.facts.names.iter().filter(|carried| carried.from != NameSource::Dns).take(NAMES);
    let lines: Vec<String> =
        carried.map(|carried| format!("{} {}", carried.from.name(), carried.name)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The hosts of [`names`]: what a flow asked the DNS for is none that it spoke with.
pub(crate) fn hosts(names: &str) -> impl Iterator<Item = &str> {
    let lines = names.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(from, _)| *from != NameSource::Dns.name()).map(|(_, name)| name)
}

/// The program as the totals name it: '' where unknown.
pub(crate) fn program(owner: &Owner) -> &str {
    owner.program.as_deref().unwrap_or("")
}

/// The uid as the totals name it: -1 where unknown.
pub(crate) fn uid(owner: &Owner) -> i64 {
    owner.uid.map_or(-1, i64::from)
}
