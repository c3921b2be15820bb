//! Numbered pages and their six headers (`25-wallets-api.md`).

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{Problems, Query};

/// Rows of one page at most.
pub const LIMIT_MAX: u32 = 10_000;

const LIMIT_DEFAULT: u32 = 50;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// Rows a page, 1 to [`LIMIT_MAX`].
    pub limit: u32,
}

impl Page {
    /// Reads `page` (1) and `limit` (50); a refused one leaves its default and a problem.
    pub fn read(query: &Query, problems: &mut Problems) -> Self {
        let number = match query.one("page", problems) {
            None => 1,
            Some(text) => within(text, u32::MAX).unwrap_or_else(|| {
                problems.add("page", "must be a whole number from 1");
                1
            }),
        };
        let limit = match query.one("limit", problems) {
            None => LIMIT_DEFAULT,
            Some(text) => within(text, LIMIT_MAX).unwrap_or_else(|| {
                problems.add("limit", "must be a whole number from 1 to 10000");
                LIMIT_DEFAULT
            }),
        };
        Self { number, limit }
    }

    /// The headers of this page, which holds `rows` of `total` rows.
    pub fn headers(self, total: i64, rows: usize) -> HeaderMap {
        let total = u64::try_from(total).unwrap_or_default();
        let (number, limit) = (u64::from(self.number), u64::from(self.limit));
        let pages = total.div_ceil(limit.max(1));
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: HeaderValue| {
            headers.insert(HeaderName::from_static(name), value);
        };
        set("x-page", number.into());
        set("x-per-page", limit.into());
        set("x-total-count", total.into());
        set("x-total-pages", pages.into());
        set("x-page-size", rows.into());
        set(
            "x-has-more",
            HeaderValue::from_static(if number < pages { "true" } else { "false" }),
        );
        headers
    }
}

fn within(text: &str, max: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = digits.then(|| text.parse().ok()).flatten()?;
    (1..=max).contains(&number).then_some(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::Uri;

    use super::*;

    fn read(query: &str) -> (Page, Vec<String>) {
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        let mut problems = Problems::default();
        let page = Page::read(&Query::of(&uri), &mut problems);
        (
            page,
            problems
                .iter()
                .map(|problem| problem.field.clone())
                .collect(),
        )
    }

    #[track_caller]
    fn check(query: &str, number: u32, limit: u32) {
        assert_eq!(read(query), (Page { number, limit }, vec![]), "{query}");
    }

    #[test]
    fn pages_are_bounded() {
        check("", 1, 50);
        check("page=3&limit=10000", 3, 10_000);
        check("page=4294967295&limit=1", u32::MAX, 1);
        for (query, field) in [
            ("page=0", "page"),
            ("page=-1", "page"),
            ("page=+1", "page"),
            ("page=1.0", "page"),
            ("page=4294967296", "page"),
            ("page=", "page"),
            ("page=1&page=2", "page"),
            ("limit=0", "limit"),
            ("limit=10001", "limit"),
            ("limit=ten", "limit"),
        ] {
            assert_eq!(read(query).1, [field], "{query}");
        }
    }

    #[track_caller]
    fn check_headers(page: (u32, u32), total: i64, rows: usize, expected: [&str; 6]) {
        let headers = Page {
            number: page.0,
            limit: page.1,
        }
        .headers(total, rows);
        let names = [
            "x-page",
            "x-per-page",
            "x-total-count",
            "x-total-pages",
            "x-page-size",
            "x-has-more",
        ];
        for (name, value) in names.into_iter().zip(expected) {
            assert_eq!(headers[name], value, "{name}");
        }
    }

    #[test]
    fn headers_count_rows_and_pages() {
        check_headers((1, 50), 5, 5, ["1", "50", "5", "1", "5", "false"]);
        check_headers((1, 2), 5, 2, ["1", "2", "5", "3", "2", "true"]);
        check_headers((3, 2), 5, 1, ["3", "2", "5", "3", "1", "false"]);
        check_headers((9, 2), 5, 0, ["9", "2", "5", "3", "0", "false"]);
        check_headers((1, 50), 0, 0, ["1", "50", "0", "0", "0", "false"]);
    }
}
