//! multipart/form-data and its like: RFC 2046 5.1, RFC 7578.

/// One part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::search) struct Section<'a> {
    /// The name of its field.
    pub(in crate::search) name: &'a [u8],
    /// Its type.
    pub(in crate::search) media: Option<&'a [u8]>,
    pub(in crate::search) file_name: Option<&'a [u8]>,
    pub(in crate::search) body: &'a [u8],
    /// It was whole.
    pub(in crate::search) ends: bool,
}

/// The line that divides the parts, without its end: as its first line says, whatever the header did.
pub(in crate::search) fn boundary(body: &[u8]) -> Option<&[u8]> {
    let body = body.strip_prefix(b"\r\n").unwrap_or(body);
    let line = body.get(..memchr::memchr(b'\n', body)?)?.trim_ascii_end();
    // RFC 2046 5.1.1: two hyphens, and 1 to 70 letters.
    let after = body.get(memchr::memchr(b'\n', body)? + 1..)?;
    let has_header = || after.iter().take(64).any(|byte| *byte == b':');
    (line.starts_with(b"--") && (3..=72).contains(&line.len()) && has_header()).then_some(line)
}

/// The parts, in their order.
pub(in crate::search) fn sections<'a>(
    body: &'a [u8],
    boundary: &'a [u8],
) -> impl Iterator<Item = Section<'a>> {
    let finder = memchr::memmem::Finder::new(boundary).into_owned();
    let mut rest = finder.find(body).and_then(|at| body.get(at + boundary.len()..));
    std::iter::from_fn(move || {
        let from = rest?;
        // RFC 2046 5.1.1: the last one is followed by two hyphens.
        if from.starts_with(b"--") {
            return None;
        }
        let end = finder.find(from);
        rest = end.and_then(|at| from.get(at + boundary.len()..));
        let section = from.get(..end.unwrap_or(from.len()))?;
        Some(Section { ends: end.is_some(), ..read(section) })
    })
}

/// The head and the body of a part, the end of the boundary's line before and that before the next one with it.
fn read(section: &[u8]) -> Section<'_> {
    let section = section.get(memchr::memchr(b'\n', section).map_or(0, |at| at + 1)..).unwrap_or_default();
    let section = section.strip_suffix(b"\n").unwrap_or(section);
    let section = section.strip_suffix(b"\r").unwrap_or(section);
    let mut read = Section::default();
    let mut rest = section;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let line = line.trim_ascii();
        if line.is_empty() {
            read.body = rest;
            break;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-disposition") {
            read.name = parameter(value, b"name=").unwrap_or_default();
            read.file_name = parameter(value, b"filename=");
        } else if name.eq_ignore_ascii_case(b"content-type") {
            read.media = Some(value);
        }
    }
    read
}

fn parameter<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let parameters = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let found = parameters.filter(|parameter| parameter.len() > name.len());
    let mut found = found.filter(|parameter| {
        parameter.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    let value = found.next()?.get(name.len()..)?;
    Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
}
