//! What the list of invoices is limited to: the filters of a URL, judged.

use domain::charge::Status;
use domain::view::invoices::InvoiceFilter;
use time::{Date, OffsetDateTime, Time};

use super::selection::{REFUNDED, parse_day};
use crate::{Error, FieldError, Result};

/// Longest search text, characters; longer ones are cut.
const SEARCH_CHARS_MAX: usize = 255;
/// Word of the filter, and of the flag, for what is not paid by its due day.
pub(super) const OVERDUE: &str = "overdue";

/// A checked filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvoiceSelection {
    pub(super) status: Option<StatusPick>,
    pub(super) created_from: Option<OffsetDateTime>,
    /// Exclusive.
    pub(super) created_until: Option<OffsetDateTime>,
    pub(super) search: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusPick {
    Charge(Status),
    Refunded,
    Overdue,
}

impl InvoiceSelection {
    /// # Errors
    /// [`Error::Invalid`] naming each part of the filter that means nothing.
    pub(super) fn parse(filter: &InvoiceFilter) -> Result<Self> {
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            wrong.push(FieldError {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        };
        let status = match filter.status.as_str() {
            "" => None,
            REFUNDED => Some(StatusPick::Refunded),
            OVERDUE => Some(StatusPick::Overdue),
            word => {
                let known = Status::from_word(word).map(StatusPick::Charge);
                if known.is_none() {
                    refuse("status", "is no status of an invoice");
                }
                known
            }
        };
        let mut day = |field: &str, text: &str| match text.trim() {
            "" => None,
            text => {
                let day = parse_day(text);
                if day.is_none() {
                    refuse(field, "must be a date such as 2026-11-21");
                }
                day
            }
        };
        let (from, to) = (day("from", &filter.from), day("to", &filter.to));
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let midnight = |day: Date| day.with_time(Time::MIDNIGHT).assume_utc();
        // The database cannot hold NUL, so nothing can contain it.
        let search = filter.q.trim().chars().filter(|letter| *letter != '\0');
        Ok(Self {
            status,
            created_from: from.map(midnight),
            created_until: to.and_then(Date::next_day).map(midnight),
            search: search.take(SEARCH_CHARS_MAX).collect(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn parse(status: &str, from: &str, to: &str) -> Result<InvoiceSelection> {
        InvoiceSelection::parse(&InvoiceFilter {
            q: " 2026\0-17 ".to_owned(),
            status: status.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }

    #[test]
    fn a_filter_is_read_and_its_last_day_is_included() {
        let read = parse("overdue", "2026-11-01", "2026-11-30").unwrap();
        assert_eq!(read.status, Some(StatusPick::Overdue));
        assert_eq!(read.created_from, Some(datetime!(2026-11-01 0:00 UTC)));
        assert_eq!(read.created_until, Some(datetime!(2026-12-01 0:00 UTC)));
        assert_eq!(read.search, "2026-17");
        let paid = parse("paid", "", "").unwrap().status;
        assert_eq!(paid, Some(StatusPick::Charge(Status::Paid)));
    }

    #[test]
    fn every_wrong_part_is_named() {
        let Err(Error::Invalid(wrong)) = parse("late", "today", "2026-13-01") else {
            panic!("read")
        };
        let fields: Vec<&str> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["status", "from", "to"]);
    }
}
