//! Where names stand in a sentence.

/// Ranges of the first occurrence of each name, in UTF-16 units as Java counts, in the order of the sentence.
pub(crate) fn ranges(sentence: &str, names: &[&str]) -> Vec<[usize; 2]> {
    let found = names.iter().filter(|name| !name.is_empty()).filter_map(|name| {
        let from = units(sentence.get(..sentence.find(name)?)?);
        Some([from, from + units(name)])
    });
    let mut ranges: Vec<[usize; 2]> = found.collect();
    ranges.sort_unstable();
    ranges.dedup_by(|next, before| next.first() < before.last());
    ranges
}

pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_the_units_of_java() {
        assert_eq!(ranges("📱 Shop sent your IMEI.", &["your IMEI", "Shop"]), [[3, 7], [13, 22]]);
        assert_eq!(ranges("A to A", &["A", "A"]), [[0, 1]]);
        assert_eq!(ranges("nobody", &["", "x"]), Vec::<[usize; 2]>::new());
    }
}
