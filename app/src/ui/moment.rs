//! Dates and times. Always absolute, always with their zone.

use leptos::prelude::*;
use time::{OffsetDateTime, UtcOffset};

/// An instant as text, in UTC, with the ISO form for machines.
#[component]
pub fn Timestamp(at: OffsetDateTime) -> impl IntoView {
    view! { <time datetime=iso(at)>{moment_text(at)}</time> }
}

/// `2026-11-20T12:15:00Z`.
pub fn iso(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// `20 Nov 2026, 12:15 UTC`.
pub fn moment_text(at: OffsetDateTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let at = at.to_offset(UtcOffset::UTC);
    let month = MONTHS
        .get(usize::from(u8::from(at.month())) - 1)
        .copied()
        .unwrap_or("?");
    format!(
        "{} {month} {}, {:02}:{:02} UTC",
        at.day(),
        at.year(),
        at.hour(),
        at.minute()
    )
}

/// Time of day of an instant in unix seconds: `12:15 UTC`, or `14:15 UTC+2` when the reader's
/// offset from UTC, in minutes, is known.
pub fn minute_text(unix: i64, offset_minutes: Option<i32>) -> String {
    let offset = offset_minutes.unwrap_or(0);
    let minutes = (unix.div_euclid(60) + i64::from(offset)).rem_euclid(24 * 60);
    let clock = format!("{:02}:{:02} UTC", minutes / 60, minutes % 60);
    let (hours, rest) = (offset.abs() / 60, offset.abs() % 60);
    let sign = if offset < 0 { '\u{2212}' } else { '+' };
    match (offset, rest) {
        (0, _) => clock,
        (_, 0) => format!("{clock}{sign}{hours}"),
        _ => format!("{clock}{sign}{hours}:{rest:02}"),
    }
}

/// Seconds left as a clock shows them: `14:32`, from an hour on `23 h 14 min`, never below zero.
pub fn countdown_text(seconds_left: i64) -> String {
    let left = seconds_left.max(0);
    if left >= 3600 {
        format!("{} h {} min", left / 3600, left % 3600 / 60)
    } else {
        format!("{}:{:02}", left / 60, left % 60)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn instants_name_their_zone() {
        let at = OffsetDateTime::from_unix_timestamp(1_795_176_930).unwrap();
        assert_eq!(iso(at), "2026-11-20T12:15:30Z");
        assert_eq!(moment_text(at), "20 Nov 2026, 12:15 UTC");
        let east = at.to_offset(UtcOffset::from_hms(2, 0, 0).unwrap());
        assert_eq!(iso(east), iso(at));
    }

    #[test]
    fn minutes_in_the_readers_zone() {
        let noon = 1_795_176_900;
        assert_eq!(minute_text(noon, None), "12:15 UTC");
        assert_eq!(minute_text(noon, Some(0)), "12:15 UTC");
        assert_eq!(minute_text(noon, Some(120)), "14:15 UTC+2");
        assert_eq!(minute_text(noon, Some(330)), "17:45 UTC+5:30");
        assert_eq!(minute_text(noon, Some(-780)), "23:15 UTC\u{2212}13");
    }

    #[test]
    fn the_countdown_stops_at_zero() {
        assert_eq!(countdown_text(872), "14:32");
        assert_eq!(countdown_text(9), "0:09");
        assert_eq!(countdown_text(-5), "0:00");
        assert_eq!(countdown_text(83_640), "23 h 14 min");
    }
}
