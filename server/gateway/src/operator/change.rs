//! What every change of the operator has in common: a reason, and a page of a list.

use domain::text::one_line;
use domain::view::dashboard::Paging;
use url::form_urlencoded::Serializer;

use crate::{Error, Result};

/// Characters of a reason at most.
pub const REASON_CHARS_MAX: usize = 500;

/// Somebody else changed the same thing since it was looked at.
pub(super) const CHANGED_MEANWHILE: Error =
    Error::Conflict("somebody else changed this in the meantime; nothing was saved");

/// Why something is changed, as it is recorded.
///
/// # Errors
/// [`Error::Invalid`] on `reason` when there is none or it has more than [`REASON_CHARS_MAX`]
/// characters.
pub(crate) fn reason(text: &str) -> Result<String> {
    let reason = one_line(text);
    if reason.is_empty() {
        return Err(Error::invalid(
            "reason",
            "is needed: it is kept in the audit log",
        ));
    }
    if reason.chars().count() > REASON_CHARS_MAX {
        let message = format!("must have at most {REASON_CHARS_MAX} characters");
        return Err(Error::invalid("reason", message));
    }
    Ok(reason)
}

/// Where page `asked` of so many rows begins, with the links around it. Pages count from 1; one
/// beyond the last is the last.
pub(super) fn paged(
    filters: &[(&str, &str)],
    asked: usize,
    rows: usize,
    size: usize,
) -> (usize, Paging) {
    let pages = rows.div_ceil(size).max(1);
    let page = asked.clamp(1, pages);
    let paging = Paging {
        previous: (page > 1).then(|| link(filters, Some(page - 1))),
        next: (page < pages).then(|| link(filters, Some(page + 1))),
        export: link(filters, None),
    };
    ((page - 1) * size, paging)
}

/// The query of a link that keeps the filters; empty when nothing is asked for.
fn link(filters: &[(&str, &str)], page: Option<usize>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in filters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    if let Some(page) = page {
        query.append_pair("page", &page.to_string());
    }
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_there() {
        assert_eq!(reason("  new\n bank ").unwrap(), "new bank");
        for wrong in ["", " \t", &"x".repeat(501)] {
            assert!(reason(wrong).is_err());
        }
    }

    #[test]
    fn a_page_beyond_the_last_is_the_last() {
        let filters = [("currency", "BTC"), ("q", "")];
        let (from, paging) = paged(&filters, 9, 101, 50);
        assert_eq!(from, 100);
        assert_eq!(paging.previous.as_deref(), Some("?currency=BTC&page=2"));
        assert_eq!(paging.next, None);
        assert_eq!(paging.export, "?currency=BTC");
        let (from, paging) = paged(&[], 0, 0, 50);
        assert_eq!((from, paging.export.as_str()), (0, ""));
        assert_eq!((paging.previous, paging.next), (None, None));
    }
}
