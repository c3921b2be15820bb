//! The rates of every pair as a page and as CSV, and what futures cost for one address.

use domain::view::dashboard::{Paging, StatusPill};
use domain::view::developers::{FuturesTiers, RateItem, RatesView};
use rust_decimal::Decimal;
use time::Duration;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded::Serializer;

use super::ExportPage;
use super::rows::amount_text;
use crate::exchange::price_text;
use crate::rates::BoardRate;
use crate::{Error, Gateway, Result};

/// Pairs of a page.
const PAGE: usize = 50;

/// Column names of an export of rates.
pub const RATE_COLUMNS: [&str; 8] = [
    "from",
    "to",
    "rate",
    "mid",
    "change_percent_24h",
    "observed_at",
    "sources",
    "status",
];

impl Gateway {
    /// A page of the pairs that `currency` is part of, all of them when it is empty; pages count
    /// from 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` for a code that is not listed.
    pub async fn rates_view(&self, currency: &str, page: usize) -> Result<RatesView> {
        self.check_code(currency)?;
        let now = self.clock().now();
        let board = self.rate_board(now).await?;
        let mut currencies: Vec<String> = board
            .iter()
            .flat_map(|rate| [rate.from.code.to_string(), rate.to.code.to_string()])
            .collect();
        currencies.sort_unstable();
        currencies.dedup();
        let never_used = board.is_empty();
        let chosen: Vec<BoardRate> = board
            .into_iter()
            .filter(|rate| concerns(rate, currency))
            .collect();
        let pages = chosen.len().div_ceil(PAGE).max(1);
        let page = page.clamp(1, pages);
        let rows = chosen
            .into_iter()
            .skip((page - 1) * PAGE)
            .take(PAGE)
            .map(|rate| item(rate, now))
            .collect();
        Ok(RatesView {
            now,
            currencies,
            rows,
            paging: Paging {
                previous: (page > 1).then(|| link(currency, page - 1)),
                next: (page < pages).then(|| link(currency, page + 1)),
                export: if currency.is_empty() {
                    String::new()
                } else {
                    link(currency, 1)
                },
            },
            currency: currency.to_owned(),
            never_used,
            stale_after: age_text(self.settings().rate_stale_after),
            address: String::new(),
            futures: None,
            notice: None,
        })
    }

    /// What futures cost now for one of the merchant's addresses that converts.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `address`.
    pub async fn futures_tiers(&self, merchant_id: i64, address: &str) -> Result<FuturesTiers> {
        // No address holds one, and the database takes no NUL.
        if address.chars().any(char::is_control) {
            let message = "must be one of your deposit addresses";
            return Err(Error::invalid("address", message));
        }
        let rates = self.futures_rates(merchant_id, address).await?;
        let coin = rates.address.coin.code;
        let pair = match rates.address.convert_to {
            Some(target) => format!("{coin}/{}", target.code),
            None => coin.to_string(),
        };
        Ok(FuturesTiers {
            address: address.to_owned(),
            pair,
            release_at: rates.release_at,
            tiers: rates
                .tiers
                .into_iter()
                .map(|(size, price)| (amount_text(size), price.map(price_text)))
                .collect(),
        })
    }

    /// All pairs that `currency` is part of, as rows of a CSV file.
    ///
    /// # Errors
    /// As [`Self::rates_view`].
    pub async fn export_rates(&self, currency: &str) -> Result<ExportPage<i64>> {
        self.check_code(currency)?;
        let now = self.clock().now();
        let board = self.rate_board(now).await?;
        Ok(ExportPage {
            rows: board
                .into_iter()
                .filter(|rate| concerns(rate, currency))
                .map(cells)
                .collect(),
            next: None,
        })
    }

    fn check_code(&self, code: &str) -> Result<()> {
        if code.is_empty() || self.currencies().by_code(code).is_some() {
            return Ok(());
        }
        let message = "must be the code of a listed currency such as BTC";
        Err(Error::invalid("currency", message))
    }
}

fn concerns(rate: &BoardRate, code: &str) -> bool {
    code.is_empty() || rate.from.code.as_str() == code || rate.to.code.as_str() == code
}

fn link(currency: &str, page: usize) -> String {
    let mut query = Serializer::new(String::new());
    if !currency.is_empty() {
        query.append_pair("currency", currency);
    }
    // Never an empty query, which as a link would mean the page one is on.
    if page > 1 || currency.is_empty() {
        query.append_pair("page", &page.to_string());
    }
    format!("?{}", query.finish())
}

fn status(rate: &BoardRate) -> &'static str {
    if rate.is_stale { "stale" } else { "current" }
}

fn item(rate: BoardRate, now: time::OffsetDateTime) -> RateItem {
    RateItem {
        from: rate.from.code.to_string(),
        to: rate.to.code.to_string(),
        rate: price_text(rate.price),
        mid: rate.mid.normalize().to_string(),
        change: rate.change_percent.map(signed),
        age: if rate.ages {
            age_text(now - rate.observed_at)
        } else {
            "fixed".to_owned()
        },
        observed_at: rate.observed_at,
        status: StatusPill {
            word: status(&rate).to_owned(),
            flags: Vec::new(),
        },
        sources: rate.sources.join(", "),
    }
}

fn cells(rate: BoardRate) -> Vec<String> {
    let status = status(&rate).to_owned();
    vec![
        rate.from.code.to_string(),
        rate.to.code.to_string(),
        price_text(rate.price),
        rate.mid.normalize().to_string(),
        rate.change_percent
            .map_or_else(String::new, |change| change.to_string()),
        rate.observed_at.format(&Rfc3339).unwrap_or_default(),
        rate.sources.join(" "),
        status,
    ]
}

/// `+1.25 %`, with a real minus sign for people.
fn signed(percent: Decimal) -> String {
    let sign = if percent > Decimal::ZERO {
        "+"
    } else if percent < Decimal::ZERO {
        "\u{2212}"
    } else {
        ""
    };
    format!("{sign}{:.2} %", percent.abs())
}

/// How long ago, in the largest unit that fits.
fn age_text(age: Duration) -> String {
    let seconds = age.whole_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_its_sign() {
        assert_eq!(signed(Decimal::new(125, 2)), "+1.25 %");
        assert_eq!(signed(Decimal::new(-5, 1)), "\u{2212}0.50 %");
        assert_eq!(signed(Decimal::ZERO), "0.00 %");
    }

    #[test]
    fn an_age_is_told_in_the_unit_that_fits() {
        let of = |seconds| age_text(Duration::seconds(seconds));
        assert_eq!(
            [-3, 12, 119, 600, 7_200, 200_000].map(of),
            ["0 s", "12 s", "119 s", "10 min", "2 h", "2 days"]
        );
    }

    #[test]
    fn a_link_is_never_empty() {
        assert_eq!(link("", 1), "?page=1");
        assert_eq!(link("BTC", 1), "?currency=BTC");
        assert_eq!(link("BTC", 2), "?currency=BTC&page=2");
    }
}
