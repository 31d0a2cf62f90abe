//! How large the database may grow, and how long it remembers.

use std::time::Duration;

/// Single flows are kept for 7 days. They say who spoke with whom at which second, which is the most revealing that
/// there is on a phone; the hourly totals remain.
pub const FLOW_DAYS: i64 = 7;

/// As long the totals say which hosts they are of; then only the company, the role and how much.
pub const HOST_DAYS: i64 = FLOW_DAYS;

/// Rows of the totals of which one commit forgets the hosts at most: some 10 ms.
pub const HOSTS_AT_ONCE: usize = 64;

/// Rows that one commit reads at most on the way to those: some 5 ms.
pub const OLD_READ: u32 = 1_000;

/// Findings, and the flows that they were seen in, are kept for 90 days: what matters is looked up longer.
pub const FINDING_DAYS: i64 = 90;

/// Statements that findings make and that one question looks at, the latest ones: each is under 1 kB.
pub const FINDINGS_READ: u64 = 20_000;

/// Lines of the history that one question answers.
pub const CONTACTS_READ: u32 = 16_384;

/// Days of which one question answers whether they were watched, the latest ones.
pub const DAYS_READ: i64 = 400;

/// Gaps that one question answers, the latest ones.
pub const GAPS_READ: i64 = 1_000;

/// Flows that one question looks at to tell which apps get no answers, the latest ones: it takes some 15 ms.
pub const TRIED_READ: i64 = 10_000;

/// An app that tried so often, for so long (in microseconds), is failing. A connection that an app gives up, or a server
/// that is started again, is neither.
pub const TRIES: i64 = 4;

/// See [`TRIES`].
pub const TRIED_FOR: i64 = 60_000_000;

/// Receivers from which apps get no answers that one question answers.
pub const FAILING_READ: i64 = 16;

/// The file's own size. 64 MiB hold about 400,000 flows with their totals: weeks of a busy phone,
/// and less than one photo album. Past it the oldest flows go, then the oldest totals.
pub const FILE_BYTES: i64 = 64 * 1024 * 1024;

/// How many rows one transaction deletes at most: as many as a commit brings, some 10 ms, so that no commit waits long.
pub const SLICE: u32 = 256;

/// What is left of the write-ahead log file after a checkpoint. SQLite would keep it at its
/// largest size for ever.
pub const LOG_BYTES: i64 = 4 * 1024 * 1024;

/// How long a commit waits for another Telltale that writes the same file. Commits take a few
/// milliseconds; who waits longer has a stuck neighbour and is told so.
pub const BUSY: Duration = Duration::from_secs(2);

/// How often a reader looks again at a file that somebody begins or ends to write just then, and how
/// long it waits between. Either takes a few milliseconds.
pub const LOOKS: u32 = 50;

/// See [`LOOKS`].
pub const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// How many corrupt files are kept aside, the last in the newest one's place. They are as large as
/// the database, and nobody repairs more than the last few.
pub const SET_ASIDE: usize = 3;

/// Other hosts that a total names: a proxy's connections may carry hundreds.
pub const OTHER_NAMES: usize = 64;
