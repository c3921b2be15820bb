//! Exchange between a merchant's wallets, at a stored quote or at the current rate
//! (`30-processing-api.md`, Exchange arithmetic).
//!
//! Invariant: every exchange refers to one quote, a quote is used at most once, and only by the
//! merchant it was given to while it stands. Whether it stands is judged by the database's clock, as it was
//! fixed, whatever the clocks of two processes say.

mod execute;
mod pricing;
pub(crate) mod quote_store;

use domain::exchange::Deal;
use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub(crate) use execute::taken_reference;
pub use pricing::price_text;
pub(crate) use pricing::{Priced, Purpose, exchange_fee, shortage};

use crate::{Error, Gateway, Result, instance};

/// How long a quote stands (`30`, Lock times).
pub const FIX_PERIOD: Duration = Duration::seconds(60);

/// Which side of an exchange is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    Sender(Money),
    Receiver(Money),
}

/// What somebody would like to exchange.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeRequest {
    pub merchant_id: i64,
    pub sender: Currency,
    pub receiver: Currency,
    pub given: Given,
}

/// An offer that stands until `release_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeQuote {
    pub id: Uuid,
    pub sender_amount: Money,
    /// Before the fee.
    pub receiver_amount: Money,
    /// Its currency says where it is taken.
    pub fee: Money,
    /// Receiver units for one sender unit, after spread.
    pub price: Decimal,
    pub mid: Decimal,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
}

impl ExchangeQuote {
    pub(crate) fn deal(&self) -> Deal {
        Deal {
            sender: self.sender_amount,
            gross: self.receiver_amount,
            fee: self.fee,
        }
    }
}

/// At which price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pricing {
    /// Whatever the rate is now.
    Now,
    /// Only at this price, which a standing quote must have given.
    Fixed { price: Decimal },
    /// At this quote.
    Quote { id: Uuid },
}

/// An exchange to be made.
#[derive(Debug, Clone)]
pub struct NewExchange {
    pub merchant_id: i64,
    pub sender_amount: Money,
    pub receiver: Currency,
    pub pricing: Pricing,
    /// Names it once and for ever among the merchant's exchanges.
    pub foreign_id: Option<String>,
    pub requested_by: String,
}

/// A pair that can be exchanged now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairView {
    pub from: Currency,
    pub to: Currency,
    /// Smallest amount given, of `from`.
    pub min_exchange: Money,
    /// Smallest deposit that is exchanged on arrival; coins only.
    pub min_deposit_exchange: Option<Money>,
    /// Units of `to` for one of `from`, after spread.
    pub price: Decimal,
}

impl Gateway {
    /// Works out an exchange and keeps the offer for 60 s.
    ///
    /// # Errors
    /// [`Error::Invalid`] on the currencies or the amount given.
    pub async fn calculate_exchange(&self, request: ExchangeRequest) -> Result<ExchangeQuote> {
        let mut conn = self.pool().acquire().await?;
        let now = instance::store::now(&mut conn).await?;
        let priced = self.price_exchange(&mut conn, &request, now).await?;
        let quote = ExchangeQuote {
            id: priced.id,
            sender_amount: priced.deal.sender,
            receiver_amount: priced.deal.gross,
            fee: priced.deal.fee,
            price: priced.price,
            mid: priced.mid,
            fixed_at: now,
            release_at: now + FIX_PERIOD,
        };
        let purpose = Purpose::Exchange;
        quote_store::insert(
            &mut conn,
            request.merchant_id,
            purpose,
            &priced,
            now,
            quote.release_at,
        )
        .await?;
        Ok(quote)
    }

    /// An offer made to this merchant, standing or not.
    pub async fn find_exchange_quote(&self, merchant_id: i64, id: Uuid) -> Result<ExchangeQuote> {
        let mut conn = self.pool().acquire().await?;
        quote_store::find(&mut conn, self.currencies(), merchant_id, id)
            .await?
            .ok_or(Error::NotFound)
    }

    /// Pairs with a rate, optionally of these exact codes; empty when there is none.
    pub async fn exchange_pairs(
        &self,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Vec<PairView>> {
        let now = self.clock().now();
        let terms = self.list_terms().await?;
        let mut pairs = Vec::new();
        for (from_code, to_code, mid) in self.mid_table(now).await? {
            let wanted = |code: &str, wish: Option<&str>| wish.is_none_or(|wish| wish == code);
            if !wanted(&from_code, from) || !wanted(&to_code, to) {
                continue;
            }
            let known = |code: &str| self.currencies().enabled_by_code(code);
            let (Some(from), Some(to)) = (known(&from_code), known(&to_code)) else {
                continue;
            };
            let Some(price) = domain::rate::price(mid, self.settings().spread_basis_points) else {
                continue;
            };
            let Some(of) = terms.iter().find(|terms| terms.currency.id == from.id) else {
                continue;
            };
            let is_coin = from.kind == domain::money::CurrencyKind::Crypto;
            pairs.push(PairView {
                from,
                to,
                min_exchange: of.minimum_exchange,
                min_deposit_exchange: is_coin.then_some(of.minimum_deposit_exchange),
                price,
            });
        }
        Ok(pairs)
    }
}
