//! Stored rates and quotes. Nothing here calls out: sources write observations on a schedule.

mod board;
mod history_store;
pub(crate) mod store;

use std::collections::{BTreeSet, HashMap};

use domain::money::{Currency, CurrencyId, Money};
use domain::rate::{MidRate, Observation, amount_due, inverse, mid_rate, price};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub(crate) use board::BoardRate;

use crate::{Error, Gateway, Result};

/// Source name of rates that were set by hand or ship with test mode.
pub const FIXED_SOURCE: &str = "fixed";

/// A price promised until `release_at`; everything priced by it refers to its id.
#[derive(Debug, Clone)]
pub struct Quote {
    pub id: Uuid,
    pub coin: Currency,
    pub coin_amount: Money,
    pub amount: Money,
    pub mid: Decimal,
    pub spread_basis_points: u32,
    pub price: Decimal,
    pub sources: Vec<String>,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
}

impl Gateway {
    /// Mid rate in units of `to` for one `from`; `None` when there is no fresh one.
    pub(crate) async fn mid(
        &self,
        conn: &mut PgConnection,
        from: Currency,
        to: Currency,
        now: OffsetDateTime,
    ) -> Result<Option<MidRate>> {
        if from.id == to.id {
            return Ok(Some(MidRate {
                rate: Decimal::ONE,
                sources: vec!["identity".to_owned()],
            }));
        }
        let (direct, reverse) = store::observations(conn, from.id, to.id, now).await?;
        Ok(self.mid_of(&direct, &reverse, now))
    }

    /// Mid rates of many pairs, read at once; pairs without a fresh one are left out.
    pub(crate) async fn mids(
        &self,
        conn: &mut PgConnection,
        pairs: &BTreeSet<(CurrencyId, CurrencyId)>,
        now: OffsetDateTime,
    ) -> Result<HashMap<(CurrencyId, CurrencyId), Decimal>> {
        let asked: BTreeSet<(CurrencyId, CurrencyId)> = pairs
            .iter()
            .filter(|(from, to)| from != to)
            .flat_map(|&(from, to)| [(from, to), (to, from)])
            .collect();
        let seen = store::observations_of(conn, &asked, now).await?;
        let of = |from: CurrencyId, to: CurrencyId| -> Vec<Observation> {
            let own = seen.iter().filter(|(a, b, _)| (*a, *b) == (from, to));
            own.map(|(_, _, seen)| seen.clone()).collect()
        };
        let rate = |from: CurrencyId, to: CurrencyId| {
            if from == to {
                return Some(Decimal::ONE);
            }
            let mid = self.mid_of(&of(from, to), &of(to, from), now)?;
            Some(mid.rate)
        };
        Ok(pairs
            .iter()
            .filter_map(|&(from, to)| Some(((from, to), rate(from, to)?)))
            .collect())
    }

    /// The pair's own observations win over those of the opposite pair.
    fn mid_of(
        &self,
        direct: &[Observation],
        reverse: &[Observation],
        now: OffsetDateTime,
    ) -> Option<MidRate> {
        let stale_after = self.settings().rate_stale_after;
        mid_rate(direct, now, stale_after).or_else(|| {
            let mid = mid_rate(reverse, now, stale_after)?;
            Some(MidRate {
                rate: inverse(mid.rate)?,
                sources: mid.sources,
            })
        })
    }

    /// What the amount would cost now in each coin; `None` where no quote can be given. One query,
    /// however many coins there are: every view of an unpaid checkout asks for this.
    pub(crate) async fn approximate(
        &self,
        conn: &mut PgConnection,
        amount: Money,
        coins: &[Currency],
        now: OffsetDateTime,
    ) -> Result<Vec<Option<Money>>> {
        let to = amount.currency();
        let pairs = store::observations_around(conn, to.id, now).await?;
        let of = |from: CurrencyId, to: CurrencyId| -> Vec<Observation> {
            let own = pairs.iter().filter(|(a, b, _)| (*a, *b) == (from, to));
            own.map(|(_, _, seen)| seen.clone()).collect()
        };
        Ok(coins
            .iter()
            .map(|coin| {
                if coin.id == to.id {
                    return amount_due(amount, Decimal::ONE, *coin);
                }
                let mid = self.mid_of(&of(coin.id, to.id), &of(to.id, coin.id), now)?;
                let price = price(mid.rate, self.settings().spread_basis_points)?;
                amount_due(amount, price, *coin)
            })
            .collect())
    }

    /// Quotes what a payer owes in `coin` for `amount`; not stored yet.
    pub(crate) async fn quote(
        &self,
        conn: &mut PgConnection,
        amount: Money,
        coin: Currency,
        minutes: i64,
        now: OffsetDateTime,
    ) -> Result<Quote> {
        let unavailable = || Error::QuoteUnavailable {
            coin: coin.code.to_string(),
            currency: amount.currency().code.to_string(),
        };
        let mid = self
            .mid(conn, coin, amount.currency(), now)
            .await?
            .ok_or_else(unavailable)?;
        let same = coin.id == amount.currency().id;
        let spread = if same {
            0
        } else {
            self.settings().spread_basis_points
        };
        let price = price(mid.rate, spread).ok_or_else(unavailable)?;
        let coin_amount = amount_due(amount, price, coin).ok_or_else(unavailable)?;
        Ok(Quote {
            id: Uuid::now_v7(),
            coin,
            coin_amount,
            amount,
            mid: mid.rate,
            spread_basis_points: spread,
            price,
            sources: mid.sources,
            fixed_at: now,
            release_at: now + Duration::minutes(minutes),
        })
    }

    /// Sets a fixed rate that never goes stale, and its inverse; no crosses (`80`, Test mode).
    pub async fn set_rate(&self, from: &str, to: &str, rate: &str) -> Result<Decimal> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        let currency = |field: &str, code: &str| {
            self.currencies()
                .by_code(code)
                .ok_or_else(|| Error::invalid(field, "must be the code of a known currency"))
        };
        let (from, to) = (currency("from", from)?, currency("to", to)?);
        if from.id == to.id {
            return Err(Error::invalid("to", "must differ from the other currency"));
        }
        let plain = rate
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let rate = rate
            .parse::<Decimal>()
            .ok()
            .filter(|rate| {
                plain && *rate > Decimal::ZERO && *rate < Decimal::from(10_000_000_000u64)
            })
            .map(|rate| rate.round_dp(18))
            .filter(|rate| *rate > Decimal::ZERO)
            .ok_or_else(|| Error::invalid("rate", "must be a decimal number above zero"))?;
        let back = inverse(rate)
            .filter(|back| *back < Decimal::from(10_000_000_000u64))
            .ok_or_else(|| Error::invalid("rate", "is too small or too large to be inverted"))?;
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        store::set_fixed(&mut tx, from.id, to.id, rate, now).await?;
        store::set_fixed(&mut tx, to.id, from.id, back, now).await?;
        tx.commit().await?;
        Ok(rate)
    }

    /// Every pair that has a rate: codes and mid rate.
    pub(crate) async fn mid_table(
        &self,
        now: OffsetDateTime,
    ) -> Result<Vec<(String, String, Decimal)>> {
        let stale_after = self.settings().rate_stale_after;
        let pairs = store::all(self.pool(), now).await?;
        Ok(pairs
            .into_iter()
            .filter_map(|(from, to, observations)| {
                let mid = mid_rate(&observations, now, stale_after)?;
                Some((from, to, mid.rate))
            })
            .collect())
    }

    /// Every pair that has a rate, as `("BTC/EUR", "52002.33")`, sorted.
    pub async fn rate_table(&self) -> Result<Vec<(String, String)>> {
        let table = self.mid_table(self.clock().now()).await?;
        Ok(table
            .into_iter()
            .map(|(from, to, mid)| (format!("{from}/{to}"), mid.normalize().to_string()))
            .collect())
    }

    /// The rates test mode starts with; pairs that have a rate keep it.
    pub(crate) async fn ensure_starting_rates(&self) -> Result<()> {
        // Euro for one unit; every pair of these follows, so that any two can be exchanged.
        const EUROS: [(&str, &str); 12] = [
            ("BTC", "60000"),
            ("tBTC", "60000"),
            ("LTC", "80"),
            ("BCH", "400"),
            ("ETH", "2500"),
            ("USDT", "0.92"),
            ("EUR", "1"),
            ("USD", "0.92"),
            ("GBP", "1.17"),
            ("INR", "0.011"),
            ("JPY", "0.0061"),
            ("CHF", "1.04"),
        ];
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        for (from, from_euros) in EUROS {
            for (to, to_euros) in EUROS {
                let (Some(from), Some(to)) = (
                    self.currencies().by_code(from),
                    self.currencies().by_code(to),
                ) else {
                    continue;
                };
                let euros = |text: &str| text.parse::<Decimal>().map_err(Error::internal);
                let rate = euros(from_euros)?
                    .checked_div(euros(to_euros)?)
                    .and_then(|r| price(r, 0));
                if let (true, Some(rate)) = (from.id != to.id, rate) {
                    store::insert_fixed(&mut tx, from.id, to.id, rate, now).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
