//! Containers: how the parts of structured content are told apart and called.

pub(super) mod json;
mod marks;
pub(super) mod multipart;
pub(super) mod pairs;
pub(super) mod protobuf;
pub(super) mod xml;

/// Longer names of fields are cut.
const LONGEST_NAME: usize = 48;

/// Deeper structures are read, but their fields called by the first names alone.
const DEEPEST: usize = 24;

/// Adds `.name` to a path. What is no printable text becomes a question mark.
pub(super) fn add_name(path: &mut String, name: &[u8]) {
    path.push('.');
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    let printable = |letter: char| if letter.is_control() || letter == ' ' { '?' } else { letter };
    path.extend(String::from_utf8_lossy(name).chars().map(printable));
}

#[cfg(test)]
mod tests;
