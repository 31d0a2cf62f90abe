//! Which name an address goes by: the one that was asked for last.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::answer;
use crate::limits;

/// Addresses and their names, the oldest forgotten first. How long an answer may be cached is not
/// looked at: apps keep using an address long after.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_address: HashMap<IpAddr, Entry>,
    by_age: BTreeMap<u64, IpAddr>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    name: String,
    age: u64,
}

impl Names {
    /// Learns from a DNS answer; anything else is passed over.
    pub(crate) fn learn(&mut self, message: &[u8]) {
        let Some((name, addresses)) = answer::addresses(message) else { return };
        for address in addresses {
            self.set(address, &name);
        }
    }

    /// The name that was last asked for and had this address.
    pub(crate) fn of(&self, address: IpAddr) -> Option<&str> {
        self.by_address.get(&address).map(|entry| entry.name.as_str())
    }

    fn set(&mut self, address: IpAddr, name: &str) {
        let age = self.next;
        self.next += 1;
        if let Some(old) = self.by_address.insert(address, Entry { name: name.to_owned(), age }) {
            self.by_age.remove(&old.age);
        }
        self.by_age.insert(age, address);
        if self.by_address.len() > limits::NAMES
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_address.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_question_wins_and_the_oldest_answer_is_forgotten() {
        let mut names = Names::default();
        let address = |number: usize| IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
        for number in 0..limits::NAMES {
            names.set(address(number), "first.example");
        }
        names.set(address(0), "second.example");
        names.set(address(limits::NAMES), "third.example");
        assert_eq!(names.of(address(0)), Some("second.example"), "asked again, it is young again");
        assert_eq!(names.of(address(1)), None);
        assert_eq!(names.of(address(2)), Some("first.example"));
        assert_eq!((names.by_address.len(), names.by_age.len()), (limits::NAMES, limits::NAMES));
    }

    #[test]
    fn noise_teaches_nothing() {
        let mut names = Names::default();
        for noise in [&b""[..], b"\0", &[0xff; 12], &[0xc0; 600]] {
            names.learn(noise);
        }
        assert!(names.by_address.is_empty());
    }
}
