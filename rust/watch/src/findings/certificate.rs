//! The server showed a certificate that is not for the name that was asked for. Up to TLS 1.2 it can be seen;
//! whether the app accepted it cannot.

use std::net::IpAddr;

use telltale_model::{Certificate, Confidence, Finding, NameSource, Severity, What};

use super::Seen;

/// Names that are told.
const TOLD: usize = 4;

pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let asked = seen.facts.names.iter().find(|name| name.from == NameSource::Tls && !name.outer);
    let (Some(asked), Some(certificate)) = (asked, &seen.facts.certificate) else { return Vec::new() };
    // Without names it may be for an address, or a device's own; of a part nothing can be said, nor of an address that
    // was asked for (RFC 6066 3 forbids it): those that a certificate is for are not among its names.
    let may_be_for = !certificate.whole || asked.name.parse::<IpAddr>().is_ok();
    if certificate.names.is_empty() || may_be_for || is_for(certificate, &asked.name) {
        return Vec::new();
    }
    let names = certificate.names.iter().take(TOLD).cloned().collect();
    let what = What::OtherCertificate { name: asked.name.clone(), names };
    vec![seen.finding(what, Severity::Info, Confidence::Certain)]
}

/// Without regard to case; a star stands for exactly one label, the first (RFC 9525 6.3).
fn is_for(certificate: &Certificate, host: &str) -> bool {
    let parent = host.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent);
    certificate.names.iter().any(|name| match name.strip_prefix("*.") {
        Some(domain) => parent.is_some_and(|parent| parent.eq_ignore_ascii_case(domain)),
        None => name.eq_ignore_ascii_case(host),
    })
}

#[cfg(test)]
mod tests {
    use telltale_model::{Application, Name, Protocol};

    use super::*;
    use crate::findings::testing::Case;

    fn found(host: &str, names: &[&str], whole: bool) -> usize {
        let mut case = Case::new(Application::Tls, Protocol::Tcp);
        case.facts.add_name(Name { name: host.into(), from: NameSource::Tls, outer: false });
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        case.facts.certificate = Some(Certificate { names, whole });
        find(&case.seen()).len()
    }

    #[test]
    fn a_certificate_is_for_its_names_and_for_one_label_before_them() {
        assert_eq!(found("a.example", &["other.example", "*.example"], true), 0);
        assert_eq!(found("a.example", &["a.example"], true), 0);
        assert_eq!(found("b.a.example", &["*.example"], true), 1);
        assert_eq!(found("example", &["*.example"], true), 1);
        assert_eq!(found(".example", &["*.example"], true), 1);
        assert_eq!(found("a.example", &["A.Example"], true) + found("a.example", &["*.EXAMPLE"], true), 0);
        assert_eq!(found("foo.example", &["f*.example", "*"], true), 1, "part of a label");
    }

    #[test]
    fn of_a_part_and_of_none_nothing_is_said() {
        assert_eq!(found("a.example", &["b.example"], false), 0);
        assert_eq!(found("a.example", &[], true), 0);
        assert_eq!(found("192.168.1.70", &["printer.example"], true), 0, "its addresses are not read");
    }
}
