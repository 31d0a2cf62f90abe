//! Text that is searched in one pass: the values of all fields of one depth, one after the other, each with where
//! it came from.

use telltale_model::Form;

/// Fields of one depth.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// `key=value` or the value alone, each followed by an end of line, which belongs to none.
    pub(super) text: Vec<u8>,
    pub(super) leaves: Vec<Leaf>,
    /// Where bytes stand that were percent-encoded: twice the place, and one more of those that were so twice.
    pub(super) percent: Vec<u32>,
    /// Names of the leaves.
    pub(super) paths: String,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Where it begins in the text.
    pub(super) start: u32,
    /// Where its value begins: behind the key and an equals sign, if it has one.
    pub(super) value: u32,
    /// In [`Sheet::paths`].
    pub(super) path: (u32, u32),
    /// What was undone to get it.
    pub(super) steps: Steps,
    /// What it was in, if that is no whole part.
    pub(super) parent: Option<Place>,
}

/// Steps from a value to bytes, in this order, and how many more there were around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    forms: [Option<Form>; MOST_STEPS],
    around: u8,
}

/// Encodings in encodings, besides what transports do.
pub(super) const MOST_STEPS: usize = 4;

impl Steps {
    /// `form` was done before all others.
    pub(super) fn after(self, form: Form) -> Self {
        let [a, b, c, _] = self.forms;
        Self { forms: [Some(form), a, b, c], ..self }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Form> {
        self.forms.into_iter().flatten()
    }

    /// How many they are, those around them with them.
    pub(super) fn len(self) -> usize {
        self.iter().count() + usize::from(self.around)
    }
}

impl Leaf {
    /// No steps yet, for what is inside of this leaf.
    pub(super) fn steps_within(&self) -> Steps {
        Steps { around: u8::try_from(self.steps.len()).unwrap_or(u8::MAX), ..Steps::default() }
    }
}

impl Place {
    pub(super) fn new(depth: usize, start: usize, end: usize) -> Self {
        Self { depth: u8::try_from(depth).unwrap_or(u8::MAX), start: place(start), end: place(end) }
    }
}

/// A range of bytes of one of the sheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How many sheets of the room lie below.
    pub(super) depth: u8,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// More fields are not told apart: the rest is one.
pub(super) const MOST_LEAVES: usize = 8_192;

impl Sheet {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.leaves.clear();
        self.percent.clear();
        self.paths.clear();
    }

    /// Bytes of memory behind it.
    pub(super) fn held(&self) -> usize {
        self.text.capacity()
            + self.paths.capacity()
            + self.leaves.capacity() * size_of::<Leaf>()
            + self.percent.capacity() * 4
    }

    /// The last leaf that begins at or before a byte.
    pub(super) fn leaf(&self, at: u32) -> Option<(usize, &Leaf)> {
        let after = self.leaves.partition_point(|leaf| leaf.start <= at);
        let place = after.checked_sub(1)?;
        self.leaves.get(place).map(|leaf| (place, leaf))
    }

    /// Where a leaf ends.
    pub(super) fn end(&self, leaf: usize) -> usize {
        match self.leaves.get(leaf + 1) {
            Some(next) => (next.start as usize).saturating_sub(1),
            None => self.text.len().saturating_sub(1),
        }
    }

    pub(super) fn path(&self, path: (u32, u32)) -> &str {
        self.paths.get(path.0 as usize..path.1 as usize).unwrap_or_default()
    }

    /// Begins a leaf; its text is to be pushed next, then [`Self::close`].
    pub(super) fn open(&mut self, path: (u32, u32), steps: Steps, parent: Option<Place>) {
        let start = place(self.text.len());
        self.leaves.push(Leaf { start, value: start, path, steps, parent });
    }

    /// What was pushed since the leaf began is its key.
    pub(super) fn open_value(&mut self) {
        self.text.push(b'=');
        let value = place(self.text.len());
        if let Some(leaf) = self.leaves.last_mut() {
            leaf.value = value;
        }
    }

    pub(super) fn close(&mut self) {
        self.text.push(b'\n');
    }

    pub(super) fn is_full(&self) -> bool {
        self.leaves.len() >= MOST_LEAVES
    }

    /// Keeps a path for the leaves that follow.
    pub(super) fn add_path(&mut self, path: &str) -> (u32, u32) {
        let start = place(self.paths.len());
        self.paths.push_str(path);
        (start, place(self.paths.len()))
    }

    /// How often any of these bytes was percent-encoded.
    pub(super) fn percent_in(&self, start: u32, end: u32) -> u8 {
        let first = self.percent.partition_point(|at| at / 2 < start);
        let inside = self.percent.iter().skip(first).take_while(|at| **at / 2 < end);
        inside.map(|at| if at % 2 == 1 { 2 } else { 1 }).max().unwrap_or(0)
    }

    /// Appends a byte that was percent-encoded once, or twice.
    pub(super) fn push_percent(&mut self, byte: u8, twice: bool) {
        self.percent.push(place(self.text.len()).saturating_mul(2) | u32::from(twice));
        self.text.push(byte);
    }
}

pub(super) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
