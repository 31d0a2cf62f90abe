use serde::{Deserialize, Serialize};

use crate::{Class, Coverage, Facts};

/// What was sent as content, and how far it could be looked into, of one flow or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// [`Facts::content_sent`].
    pub sent: u64,
    /// Every sent byte by how far it could be looked into. Of a protocol that nobody knows, what looks encrypted is
    /// unknown here: what is packed tightly looks the same, and anyone may unpack it.
    pub coverage: Coverage,
    /// Bytes that anyone on the network could read though their class does not say so: questions to the DNS in
    /// clear, which are framing and no content, and what was not understood of a protocol that encrypts nothing.
    pub openly: u64,
    /// How much of [`Self::openly`] is framing. The database does not keep it: of what it sums, it is at least what
    /// cannot be anything else.
    #[serde(default)]
    pub framing: u64,
    /// [`Facts::read_with_keys`].
    #[serde(default)]
    pub read_with_keys: u64,
}

/// Whether others on the way could read what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// All of it was readable.
    None,
    /// All of it was encrypted. The receiver can read it.
    Protected,
    /// Some was encrypted, some was not or is not known to have been.
    Mixed,
    /// Nothing can be said.
    Unknown,
}

impl Protection {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Protected => "protected",
            Self::Mixed => "mixed",
            Self::Unknown => "unknown",
        }
    }
}

impl Content {
    /// Of one flow.
    pub fn of(facts: &Facts) -> Self {
        Self::summed(facts.content_sent, certain(facts), openly(facts), facts.read_with_keys)
    }

    /// Of flows of one kind: what could be read by anyone is what was not understood of them first.
    pub fn summed(sent: u64, coverage: Coverage, openly: u64, read_with_keys: u64) -> Self {
        Self { sent, coverage, openly, framing: openly.saturating_sub(coverage.opaque), read_with_keys }
    }

    /// Counts another's too.
    pub fn add(&mut self, other: &Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.coverage.add_all(&other.coverage);
        self.openly = self.openly.saturating_add(other.openly);
        self.framing = self.framing.saturating_add(other.framing);
        self.read_with_keys = self.read_with_keys.saturating_add(other.read_with_keys);
    }

    /// What was added since `before`; a count that went back adds nothing.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(before.sent),
            coverage: self.coverage.since(&before.coverage),
            openly: self.openly.saturating_sub(before.openly),
            framing: self.framing.saturating_sub(before.framing),
            read_with_keys: self.read_with_keys.saturating_sub(before.read_with_keys),
        }
    }

    /// Whether others on the way could read it. What was not understood may be protected inside, as a call is,
    /// unless its protocol is known to encrypt nothing; what nobody watched says nothing. What was read with keys was encrypted on the way all the same.
    pub fn protection(&self) -> Protection {
        let Coverage { searched, found, opaque, encrypted, unknown, not_watched, .. } = self.coverage;
        let any = |classes: &[u64]| classes.iter().any(|bytes| *bytes > 0);
        let opaque_inside = opaque.saturating_sub(self.openly.saturating_sub(self.framing));
        let (open, unsure) =
            (any(&[searched, found, self.openly]), any(&[opaque_inside, unknown, not_watched]));
        if self.read_with_keys > 0 {
            let read = [searched, found, opaque, unknown, not_watched, self.openly];
            let others =
                read.iter().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes)) > self.read_with_keys;
            return if others { Protection::Mixed } else { Protection::Protected };
        }
        match (open, encrypted > 0, unsure) {
            (true, false, false) => Protection::None,
            (false, true, false) => Protection::Protected,
            (false, false, _) => Protection::Unknown,
            (true, _, _) | (_, true, _) => Protection::Mixed,
        }
    }

    /// Whether all that was watched is protected, and the rest was not watched.
    pub fn is_protected_where_watched(&self) -> bool {
        let watched = Self { coverage: Coverage { not_watched: 0, ..self.coverage }, ..*self };
        self.coverage.not_watched > 0 && watched.protection() == Protection::Protected
    }
}

/// See [`Content::coverage`].
fn certain(facts: &Facts) -> Coverage {
    let mut coverage = facts.coverage;
    if facts.application.is_none() {
        let looks_so = std::mem::take(&mut coverage.encrypted);
        coverage.add(Class::Unknown, looks_so);
    }
    coverage
}

/// See [`Content::openly`].
fn openly(facts: &Facts) -> u64 {
    let Coverage { handshake, opaque, .. } = facts.coverage;
    match facts.application {
        Some(application) if application.asks_openly() => handshake.saturating_add(opaque),
        Some(application) if application.is_open() => opaque,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Application;

    fn content(bytes: &[(Class, u64)]) -> Content {
        let mut content = Content::default();
        bytes.iter().for_each(|(class, bytes)| content.coverage.add(*class, *bytes));
        content
    }

    #[test]
    fn protection_is_never_claimed_for_more_than_was_encrypted() {
        use Class::{Encrypted, Handshake, NotWatched, Opaque, Searched, Unknown};
        for (bytes, protection) in [
            (&[(Handshake, 500), (Encrypted, 9)][..], Protection::Protected),
            (&[(Encrypted, 9), (Searched, 1)], Protection::Mixed),
            (&[(Encrypted, 9), (Unknown, 1)], Protection::Mixed),
            (&[(Encrypted, 9), (NotWatched, 1)], Protection::Mixed),
            (&[(Searched, 9)], Protection::None),
            (&[(Searched, 9), (Opaque, 1)], Protection::Mixed),
            (&[(Opaque, 1), (Unknown, 9)], Protection::Unknown),
            (&[(Handshake, 500)], Protection::Unknown),
            (&[(NotWatched, 7)], Protection::Unknown),
            (&[], Protection::Unknown),
        ] {
            assert_eq!(content(bytes).protection(), protection, "{bytes:?}");
        }
    }

    #[test]
    fn what_was_read_with_keys_was_protected() {
        use Class::{Encrypted, Found, Handshake, Opaque, Searched};
        let keys = |bytes, read_with_keys| Content { read_with_keys, ..content(bytes) }.protection();
        assert_eq!(keys(&[(Handshake, 9), (Searched, 5), (Found, 2)], 7), Protection::Protected);
        assert_eq!(keys(&[(Searched, 5), (Opaque, 2), (Encrypted, 30)], 7), Protection::Protected);
        assert_eq!(keys(&[(Searched, 6), (Found, 2)], 7), Protection::Mixed, "a byte in clear");
    }

    #[test]
    fn what_only_looks_encrypted_is_not_said_to_be_protected() {
        for (application, protection, class) in [
            (None, Protection::Unknown, Class::Unknown),
            (Some(Application::WireGuard), Protection::Protected, Class::Encrypted),
        ] {
            let mut facts = Facts { application, ..Facts::default() };
            facts.count_content(Class::Encrypted, 9_000);
            let content = Content::of(&facts);
            assert_eq!((content.protection(), content.coverage.of(class)), (protection, 9_000));
            assert_eq!(content.coverage.total(), content.sent);
        }
    }

    #[test]
    fn a_question_to_the_dns_is_no_content_and_not_protected() {
        let mut facts = Facts { application: Some(Application::Dns), ..Facts::default() };
        facts.count_handshake(30);
        let content = Content::of(&facts);
        assert_eq!((content.sent, content.protection()), (0, Protection::None));
    }

    #[test]
    fn what_was_not_understood_is_open_where_the_protocol_encrypts_nothing() {
        use Application::{MySql, Rtp, Sip};
        for (application, protection) in [
            (Some(MySql), Protection::None),
            (Some(Sip), Protection::None),
            (Some(Rtp), Protection::Unknown),
            (None, Protection::Unknown),
        ] {
            let mut facts = Facts { application, ..Facts::default() };
            facts.count_content(Class::Opaque, 260);
            assert_eq!(Content::of(&facts).protection(), protection, "{application:?}");
        }
        let mut both = Content { openly: 260, ..content(&[(Class::Opaque, 260)]) };
        both.add(&content(&[(Class::Opaque, 9)]));
        assert_eq!(both.protection(), Protection::Mixed, "a call to the same server");
    }

    #[test]
    fn questions_to_the_dns_do_not_open_what_was_not_understood_of_others() {
        let mut questions = Facts { application: Some(Application::Dns), ..Facts::default() };
        questions.count_handshake(300);
        let mut call = Facts { application: Some(Application::Rtp), ..Facts::default() };
        call.count_content(Class::Opaque, 260);
        let mut both = Content::of(&questions);
        both.add(&Content::of(&call));
        assert_eq!(both.protection(), Protection::Mixed);
        assert_eq!(both.since(&Content::of(&call)).protection(), Protection::None);
        questions.count_content(Class::Opaque, 50);
        assert_eq!(Content::of(&questions).protection(), Protection::None, "no message, and in clear");
    }

    #[test]
    fn what_was_not_watched_is_told_from_what_was_not_protected() {
        use Class::{Encrypted, Handshake, NotWatched, Opaque, Searched, Unknown};
        for (bytes, expected) in [
            (&[(Handshake, 500), (Encrypted, 9), (NotWatched, 1)][..], true),
            (&[(Encrypted, 9)], false),
            (&[(Encrypted, 9), (NotWatched, 1), (Unknown, 1)], false),
            (&[(Encrypted, 9), (NotWatched, 1), (Opaque, 1)], false),
            (&[(Encrypted, 9), (NotWatched, 1), (Searched, 1)], false),
            (&[(NotWatched, 1)], false),
        ] {
            assert_eq!(content(bytes).is_protected_where_watched(), expected, "{bytes:?}");
        }
        let with_keys = Content { read_with_keys: 9, ..content(&[(Searched, 9), (NotWatched, 1)]) };
        assert!(with_keys.is_protected_where_watched());
    }

    #[test]
    fn a_difference_and_what_was_before_make_the_whole() {
        let (before, after) =
            (content(&[(Class::Encrypted, 5)]), content(&[(Class::Encrypted, 7), (Class::Found, 1)]));
        let mut sum = before;
        sum.add(&after.since(&before));
        assert_eq!(sum, after);
    }
}
