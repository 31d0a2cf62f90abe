//! The moment that `--since` means: an age such as `1h`, a date, or a date with a time.

use telltale_model::Timestamp;

use crate::problem::Problem;

/// A moment, said from now or by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// So many seconds ago.
    Ago(i64),
    /// At this moment.
    At(Timestamp),
}

impl Since {
    /// `90s`, `30m`, `1h`, `7d`, `2w`; `2026-11-24` (its midnight in UTC); RFC 3339 such as
    /// `2026-11-24T15:00:00Z` or `2026-11-24 15:00:00+01:00`.
    ///
    /// # Errors
    /// A sentence for anything else.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        age(text)
            .map(Self::Ago)
            .or_else(|| moment(text).map(|seconds| Self::At(Timestamp(seconds.saturating_mul(1_000_000)))))
            .ok_or_else(|| {
                Problem::new(format!("\"{text}\" is not a time")).advise(
                    "--since takes an age (30m, 1h, 7d), a date (2026-11-24) or a time in RFC 3339 \
                     (2026-11-24T15:00:00Z).",
                )
            })
    }

    /// The moment itself, `now` being the present.
    pub(crate) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(seconds) => Timestamp(now.0.saturating_sub(seconds.saturating_mul(1_000_000))),
            Self::At(moment) => moment,
        }
    }
}

/// The present.
#[expect(clippy::disallowed_methods, reason = "a question about the last hour needs to know what hour it is")]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn age(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number = digits(text.get(..text.len() - 1)?)?;
    number.checked_mul(unit)
}

/// Seconds since 1970 of a date or of a time in RFC 3339.
fn moment(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = midnight(date)?;
    if rest.is_empty() {
        return Some(midnight);
    }
    // RFC 3339 5.6: "T", or a space for the reader's sake; both letters in either case.
    let (time, offset) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let offset = offset_seconds(without_fraction(offset)?)?;
    Some(midnight + time_of_day(time)? - offset)
}

fn midnight(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = number_of(parts.next()?, 4)?;
    let month = number_of(parts.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = number_of(parts.next()?, 2).filter(|day| (1..=days_in(year, month)).contains(day))?;
    parts.next().is_none().then(|| days_from_civil(year, month, day) * 86_400)
}

/// RFC 3339 allows second 60, a leap second: it counts as the next one.
fn time_of_day(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let hour = number_of(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number_of(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let second = number_of(parts.next()?, 2).filter(|second| *second <= 60)?;
    parts.next().is_none().then_some(hour * 3_600 + minute * 60 + second)
}

fn without_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix('.') else { return Some(text) };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < fraction.len()).then_some(rest)
}

fn offset_seconds(offset: &str) -> Option<i64> {
    if offset == "Z" || offset == "z" {
        return Some(0);
    }
    let sign = if offset.starts_with('+') { 1 } else { -1 };
    let (hours, minutes) = offset.strip_prefix(['+', '-'])?.split_once(':')?;
    let hours = number_of(hours, 2).filter(|hours| *hours < 24)?;
    let minutes = number_of(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

fn number_of(text: &str, length: usize) -> Option<i64> {
    (text.len() == length).then(|| digits(text))?
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March here, so that the leap day is a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year;
    days - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_count_back_from_now() {
        let now = Timestamp(1_000_000_000_000_000);
        for (text, seconds) in
            [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("7d", 604_800), ("2w", 1_209_600)]
        {
            assert_eq!(Since::parse(text).unwrap().moment(now).0, now.0 - seconds * 1_000_000, "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_what_date_says() {
        // Each number is what GNU `date -u -d TEXT +%s` prints.
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2026-11-24", 1_795_478_400),
            ("2026-11-24T15:00:00Z", 1_795_532_400),
            ("2026-11-24 15:00:00+01:00", 1_795_528_800),
            ("2026-11-24t15:00:00.25-05:30", 1_795_552_200),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(Since::parse(text).unwrap(), Since::At(Timestamp(seconds * 1_000_000)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_answered_with_what_is() {
        for text in [
            "",
            "h",
            "1y",
            "-1h",
            "1.5h",
            "yesterday",
            "2026-13-01",
            "2026-02-29",
            "2026-11-24T15:00:00",
            "2026-11-24T25:00:00Z",
            "2026-11-24T15:00:00.Z",
            "2026-1-024",
            "9999999999999999999d",
            "9223372036854775807w",
            "2026-11-2é",
        ] {
            let problem = Since::parse(text).unwrap_err().to_string();
            assert!(problem.contains("30m, 1h, 7d"), "{text}: {problem}");
        }
    }
}
