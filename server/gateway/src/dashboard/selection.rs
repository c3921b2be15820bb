//! What a list of charges is limited to: the filters of a URL, judged.

use domain::charge::Status;
use domain::view::dashboard::ChargeFilter;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time};

use crate::currencies::Currencies;
use crate::{Error, FieldError, Result};

/// Status word of the pill that stands for the resolution `refunded` (`80`, Status words).
pub(super) const REFUNDED: &str = "refunded";

/// Longest search text, characters; longer ones are cut.
const SEARCH_CHARS_MAX: usize = 255;

/// Shortest text that is taken for a transaction id or an address; no name is that long in one
/// word.
const HASH_CHARS_MIN: usize = 26;

/// Where in a list a page begins. The ids are public ones, so that a URL tells nothing about how
/// many charges an instance has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    Newest,
    /// Older than this one.
    Before(String),
    /// Newer than this one.
    After(String),
}

impl Cursor {
    /// From the parameters `before` and `after`; both empty is the newest page.
    /// What cannot be a public id is left out of it.
    pub fn from_query(before: &str, after: &str) -> Self {
        match (id_of(before), id_of(after)) {
            (Some(before), _) => Self::Before(before),
            (None, Some(after)) => Self::After(after),
            (None, None) => Self::Newest,
        }
    }
}

fn id_of(text: &str) -> Option<String> {
    let shaped = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (shaped && !text.is_empty()).then(|| text.to_owned())
}

/// A checked filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) status: Option<&'static str>,
    pub(super) currency_id: Option<i16>,
    pub(super) created_from: Option<OffsetDateTime>,
    /// Exclusive.
    pub(super) created_until: Option<OffsetDateTime>,
    pub(super) only_attention: bool,
    pub(super) search: Option<Search>,
}

/// What a search text is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Search {
    /// Beginning of an order id, upper case.
    PublicId(String),
    /// A transaction id or an address, in every spelling it may be stored in.
    OnChain(Vec<String>),
    /// Part of a name, an e-mail address or an order id.
    Text(String),
}

impl Selection {
    /// # Errors
    ///
    /// [`Error::Invalid`] naming each part of the filter that means nothing.
    pub(super) fn parse(filter: &ChargeFilter, currencies: &Currencies) -> Result<Self> {
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, message: &str| {
            wrong.push(FieldError {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        };
        let status = match filter.status.as_str() {
            "" => None,
            REFUNDED => Some(REFUNDED),
            word => Status::from_word(word).map(Status::word).or_else(|| {
                refuse("status", "is no status of a charge");
                None
            }),
        };
        let currency_id = match filter.currency.as_str() {
            "" => None,
            code => currencies
                .by_code(code)
                .map(|currency| currency.id)
                .or_else(|| {
                    refuse("currency", "is not a currency of this instance");
                    None
                }),
        };
        let mut day = |field: &str, text: &str| match text.trim() {
            "" => None,
            text => parse_day(text).or_else(|| {
                refuse(field, "must be a date such as 2026-11-21");
                None
            }),
        };
        let (from, to) = (day("from", &filter.from), day("to", &filter.to));
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        Ok(Self {
            status,
            currency_id,
            created_from: from.map(start_of),
            created_until: to.and_then(Date::next_day).map(start_of),
            only_attention: filter.attention,
            search: Search::parse(&filter.q),
        })
    }
}

impl Search {
    fn parse(text: &str) -> Option<Self> {
        // The database cannot hold NUL, so nothing can contain it.
        let text = text.trim().chars().filter(|letter| *letter != '\0');
        let text: String = text.take(SEARCH_CHARS_MAX).collect();
        if text.is_empty() {
            return None;
        }
        let upper = text.to_ascii_uppercase();
        if upper.starts_with("EX-") {
            return Some(Self::PublicId(upper));
        }
        let one_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == ':');
        if one_word && text.len() >= HASH_CHARS_MIN {
            return Some(Self::OnChain(spellings(&text)));
        }
        Some(Self::Text(text))
    }
}

/// Bech32 and hashes are kept in lower case but may be pasted in upper case from a QR code; a
/// CashAddr may come with or without its prefix.
fn spellings(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let bare = lower
        .split_once(':')
        .map_or(lower.as_str(), |(_, bare)| bare)
        .to_owned();
    let mut all = vec![text.to_owned(), format!("bitcoincash:{bare}"), lower, bare];
    all.dedup();
    all
}

pub(super) fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

fn start_of(day: Date) -> OffsetDateTime {
    day.with_time(Time::MIDNIGHT).assume_utc()
}

/// Rows of a page: one of the three sizes that are offered.
pub(super) fn page_size(asked: u32) -> i64 {
    match asked {
        50 => 50,
        100 => 100,
        _ => 25,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Search>) {
        assert_eq!(Search::parse(text), expected);
    }

    #[test]
    fn a_search_text_is_taken_for_what_it_looks_like() {
        check("  ", None);
        check("ex-svugy4", Some(Search::PublicId("EX-SVUGY4".to_owned())));
        check(
            "anna@example.com",
            Some(Search::Text("anna@example.com".to_owned())),
        );
        check(
            "Anna Bērziņa",
            Some(Search::Text("Anna Bērziņa".to_owned())),
        );
        let long_mail = "somebody.with.a.very.long.name@example.com";
        check(long_mail, Some(Search::Text(long_mail.to_owned())));
    }

    #[test]
    fn an_address_is_found_however_it_was_pasted() {
        let address = "BC1QUFGY354J3KMVUCH987XE4S40836X3H0LG8F5NQ";
        let Some(Search::OnChain(spellings)) = Search::parse(address) else {
            panic!("not taken for an address");
        };
        assert!(
            spellings.contains(&address.to_ascii_lowercase()),
            "{spellings:?}"
        );
        let Some(Search::OnChain(spellings)) =
            Search::parse("qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a")
        else {
            panic!("not taken for an address");
        };
        let with_prefix = "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a".to_owned();
        assert!(spellings.contains(&with_prefix), "{spellings:?}");
    }

    #[test]
    fn a_cursor_is_a_public_id_or_nothing() {
        assert_eq!(Cursor::from_query("", ""), Cursor::Newest);
        assert_eq!(Cursor::from_query("\0", "EX-A'"), Cursor::Newest);
        assert_eq!(
            Cursor::from_query("EX-A", ""),
            Cursor::Before("EX-A".to_owned())
        );
        assert_eq!(
            Cursor::from_query("", "EX-A"),
            Cursor::After("EX-A".to_owned())
        );
    }

    #[test]
    fn dates_are_iso_dates() {
        assert!(parse_day("2026-11-21").is_some());
        for wrong in ["21.11.2026", "2026-13-01", "2026-11-21T00:00", "today"] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_day_is_included() {
        let until = parse_day("2026-12-31")
            .and_then(Date::next_day)
            .map(start_of);
        assert_eq!(until, Some(time::macros::datetime!(2027-01-01 0:00 UTC)));
    }

    #[test]
    fn pages_have_one_of_three_sizes() {
        assert_eq!(
            [0, 25, 50, 100, 1_000_000].map(page_size),
            [25, 25, 50, 100, 25]
        );
    }
}
