//! Days and times as a report writes them (ISO 8601), which no clock and no language reads otherwise.

use telltale_model::Timestamp;

/// Such as `2026-11-24`, this many seconds east of UTC.
pub(crate) fn date(at: Timestamp, zone_offset: i64) -> String {
    let (year, month, day) = civil(at.seconds().saturating_add(zone_offset).div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Such as `UTC+05:30`.
pub(crate) fn offset(seconds: i64) -> String {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Year, month and day of a day since 1970, in eras of 400 years that begin on 1 March (Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_zone() {
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        assert_eq!(date(at(0), 0), "1970-01-01");
        assert_eq!(date(at(-1), 0), "1969-12-31");
        assert_eq!(date(at(951_782_400), 0), "2000-02-29");
        assert_eq!(date(at(1_795_458_599), 0), "2026-11-23");
        assert_eq!(date(at(1_795_458_600), 19_800), "2026-11-24");
        assert_eq!([offset(19_800), offset(-12_600), offset(0)], ["UTC+05:30", "UTC-03:30", "UTC+00:00"]);
    }
}
