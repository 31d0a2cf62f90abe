//! An app asks for names past the system's resolver: then some of its receivers have no name here.

use telltale_model::{Application, Confidence, Finding, Severity, What};

use super::{Resolvers, Seen};

/// Where nobody knows the system's resolvers, as in a capture, a question in clear says nothing; an encrypted
/// one may be the system's own.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    use Application::{Dns, Doh, Doq, Dot};
    let Some(how @ (Dns | Doh | Doq | Dot)) = seen.facts.application else { return Vec::new() };
    let confidence = match (seen.resolvers, how) {
        (Resolvers::This, _) | (Resolvers::Unknown, Dns) => return Vec::new(),
        (Resolvers::Unknown, _) => Confidence::Possible,
        (Resolvers::Others, Dns) => Confidence::Certain,
        // Known by its port, or by the name of a public resolver.
        (Resolvers::Others, _) => Confidence::VeryLikely,
    };
    vec![seen.finding(What::OwnDns { how }, Severity::Info, confidence)]
}

#[cfg(test)]
mod tests {
    use telltale_model::Protocol;

    use super::*;
    use crate::findings::testing::Case;

    #[test]
    fn only_what_goes_past_the_system_is_told() {
        use Application::{Dns, Doh, Dot, Mdns, Tls};
        for (application, resolvers, expected) in [
            (Dns, Resolvers::Others, Some(Confidence::Certain)),
            (Doh, Resolvers::Others, Some(Confidence::VeryLikely)),
            (Dot, Resolvers::Unknown, Some(Confidence::Possible)),
            (Dns, Resolvers::This, None),
            (Dns, Resolvers::Unknown, None),
            (Mdns, Resolvers::Others, None),
            (Tls, Resolvers::Others, None),
        ] {
            let case = Case { resolvers, ..Case::new(application, Protocol::Udp) };
            let found = find(&case.seen()).pop().map(|finding| finding.confidence);
            assert_eq!(found, expected, "{application:?} {resolvers:?}");
        }
    }
}
