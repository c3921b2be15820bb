//! Instants as the APIs write them.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// RFC 3339 in UTC, whole seconds (cut): `2026-11-21T12:00:00Z`.
pub fn rfc3339(at: OffsetDateTime) -> String {
    let whole = at
        .to_offset(UtcOffset::UTC)
        .replace_nanosecond(0)
        .unwrap_or(at);
    // Only years beyond four digits cannot be written, and no clock of ours gets there.
    whole.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn instants_are_utc_and_whole_seconds() {
        assert_eq!(
            rfc3339(datetime!(2026-11-21 12:00:59.999 UTC)),
            "2026-11-21T12:00:59Z"
        );
        assert_eq!(
            rfc3339(datetime!(2026-11-21 01:30 +02:00)),
            "2026-11-20T23:30:00Z"
        );
    }
}
