//! Moments for people to read, in UTC: a machine of today may show what was captured elsewhere.

use telltale_model::Timestamp;

/// `2026-11-24 15:00:00 UTC`.
pub(crate) fn written(at: Timestamp) -> String {
    let (year, month, day) = civil_from_days(at.day());
    let second = at.seconds().rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The same without the day, where that is the day of an earlier moment.
pub(crate) fn written_after(earlier: Timestamp, at: Timestamp) -> String {
    let whole = written(at);
    match whole.split_once(' ') {
        Some((_, time)) if earlier.day() == at.day() => time.to_owned(),
        _ => whole,
    }
}

/// The opposite of days since 1970-01-01, in the calendar of Gregory. Years begin in March here, so that the leap day is
/// a year's last; 400 years have 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_what_date_says() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_795_532_400, "2026-11-24 15:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(written(Timestamp(seconds * 1_000_000)), text);
        }
    }

    #[test]
    fn a_day_is_said_once() {
        let [evening, night] = [86_399, 86_400].map(|seconds| Timestamp(seconds * 1_000_000));
        assert_eq!(written_after(Timestamp(0), evening), "23:59:59 UTC");
        assert_eq!(written_after(evening, night), "1970-01-02 00:00:00 UTC");
    }
}
