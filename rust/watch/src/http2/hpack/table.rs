//! The tables of HPACK: what an index stands for (RFC 7541 2.3).

use std::collections::VecDeque;

/// The static table, and after it the dynamic one, whose newest entries are kept.
#[derive(Debug)]
pub(super) struct Table {
    /// Newest first.
    entries: VecDeque<Entry>,
    /// The sizes of `entries`, as the standard counts them.
    size: u64,
    /// What that may be (RFC 7541 4.2).
    limit: u64,
    /// The memory of `entries`.
    cost: usize,
    /// What that may be: less than `limit` where the peers agreed on a larger table than is kept here.
    kept: usize,
    /// Whether there may be entries past `entries`, which were not kept.
    forgotten: bool,
}

#[derive(Debug)]
struct Entry {
    /// Name and value.
    text: Box<[u8]>,
    /// Where the value begins.
    value: usize,
    /// The length of the name, which may be cut.
    name_len: u64,
    /// RFC 7541 4.1.
    size: u64,
}

/// What an index stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indexed<'a> {
    /// A field; name and value may be cut.
    Field { name: &'a [u8], value: &'a [u8], name_len: u64 },
    /// One that is not kept.
    Forgotten,
    /// Nothing: the sender is in error.
    Nothing,
}

impl Table {
    /// An empty one; `kept` bytes of memory are its bound.
    pub(super) fn new(kept: usize) -> Self {
        let entries = VecDeque::new();
        Self { entries, size: 0, limit: INITIAL_LIMIT, cost: 0, kept, forgotten: false }
    }

    /// RFC 7541 2.3.3.
    pub(super) fn get(&self, index: u32) -> Indexed<'_> {
        let Some(at) = usize::try_from(index).ok().and_then(|index| index.checked_sub(1)) else {
            return Indexed::Nothing;
        };
        if let Some((name, value)) = STATIC.get(at) {
            let name_len = name.len() as u64;
            return Indexed::Field { name: name.as_bytes(), value: value.as_bytes(), name_len };
        }
        match self.entries.get(at - STATIC.len()) {
            Some(entry) => {
                let (name, value) = entry.text.split_at_checked(entry.value).unwrap_or_default();
                Indexed::Field { name, value, name_len: entry.name_len }
            }
            None if self.forgotten => Indexed::Forgotten,
            None => Indexed::Nothing,
        }
    }

    /// Adds a field. The lengths are those before it was cut.
    pub(super) fn insert(&mut self, (name, name_len): (&[u8], u64), (value, value_len): (&[u8], u64)) {
        let size = name_len + value_len + OVERHEAD;
        // RFC 7541 4.4: an entry that is larger than the table empties it, and is no error.
        self.evict(self.limit.saturating_sub(size));
        if size > self.limit {
            return;
        }
        let mut text = Vec::with_capacity(name.len() + value.len());
        text.extend_from_slice(name);
        text.extend_from_slice(value);
        let entry = Entry { text: text.into(), value: name.len(), name_len, size };
        self.size += size;
        self.cost += entry.cost();
        self.entries.push_front(entry);
        while self.cost > self.kept && self.pop() {
            self.forgotten = true;
        }
    }

    /// RFC 7541 4.3.
    pub(super) fn resize(&mut self, limit: u32) {
        self.limit = u64::from(limit);
        self.evict(self.limit);
    }

    /// Lets the oldest go until the rest is of this size.
    fn evict(&mut self, size: u64) {
        // Those that were not kept were older: they are gone first.
        while self.size > size && self.pop() {
            self.forgotten = false;
        }
        if self.entries.is_empty() && size == 0 {
            self.forgotten = false;
        }
    }

    fn pop(&mut self) -> bool {
        let Some(entry) = self.entries.pop_back() else { return false };
        self.size -= entry.size;
        self.cost -= entry.cost();
        true
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.cost + (self.entries.capacity() - self.entries.len()) * size_of::<Entry>()
    }
}

impl Entry {
    fn cost(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

/// RFC 9113 6.5.2. An encoder that wants more says so in the block (RFC 7541 6.3), so that nobody has to
/// look at the SETTINGS of the other direction, which may not have been seen.
const INITIAL_LIMIT: u64 = 4_096;

/// RFC 7541 4.1.
const OVERHEAD: u64 = 32;

/// RFC 7541 appendix A.
static STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(table: &mut Table, name: &str, value: &str) {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        table.insert((name, name.len() as u64), (value, value.len() as u64));
    }

    fn value(table: &Table, index: u32) -> Option<String> {
        let Indexed::Field { value, .. } = table.get(index) else { return None };
        Some(String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn the_newest_entry_follows_the_static_table() {
        let mut table = Table::new(4_096);
        assert_eq!(table.get(0), Indexed::Nothing);
        assert_eq!(value(&table, 8).as_deref(), Some("200"));
        assert_eq!(table.get(62), Indexed::Nothing);
        insert(&mut table, "a", "1");
        insert(&mut table, "a", "2");
        assert_eq!((value(&table, 62).as_deref(), value(&table, 63).as_deref()), (Some("2"), Some("1")));
    }

    #[test]
    fn entries_leave_by_the_size_that_the_standard_counts() {
        let mut table = Table::new(4_096);
        table.resize(100);
        for text in ["1", "2", "3", "4"] {
            insert(&mut table, "x", text);
        }
        assert_eq!(value(&table, 63).as_deref(), Some("3"));
        assert_eq!(table.get(64), Indexed::Nothing, "34 bytes each, two fit");
        insert(&mut table, "x", &"y".repeat(100));
        assert_eq!((table.get(62), table.size), (Indexed::Nothing, 0), "too large empties it");
    }

    #[test]
    fn a_table_larger_than_is_kept_forgets_its_oldest_and_stays_in_step() {
        let mut table = Table::new(4_096);
        table.resize(1 << 20);
        for number in 0..1_000 {
            insert(&mut table, "name", &number.to_string());
        }
        assert!(table.held() <= 2 * 4_096, "{}", table.held());
        assert_eq!(value(&table, 62).as_deref(), Some("999"));
        assert_eq!(value(&table, 90).as_deref(), Some("971"));
        assert_eq!(table.get(61 + 1_000), Indexed::Forgotten);
        table.resize(100);
        assert_eq!(table.get(64), Indexed::Nothing, "evicted, and known to be");
    }
}
