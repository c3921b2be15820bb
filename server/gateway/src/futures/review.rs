//! Looking at a promise before it is made: what it would cost, while nothing is held.

use domain::exchange::Deal;
use domain::futures::{LIMIT_EUROS, WINDOW};
use domain::money::{AmountError, Currency, Money};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{FuturesView, review_store};
use crate::addresses::{self, DepositAddressView};
use crate::exchange::Priced;
use crate::ledger::store::liquidity_left;
use crate::ledger::units;
use crate::{Error, Gateway, Result};

/// The part of a promise that moves with the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromiseTerms {
    /// Exactly this has to come.
    pub sender_amount: Money,
    /// In the currency that is received.
    pub fee: Money,
    /// Receiver units for one sender unit, after spread.
    pub price: Decimal,
}

impl PromiseTerms {
    /// Those of a promise that was made.
    pub fn of(view: &FuturesView) -> Self {
        Self {
            sender_amount: view.sender_amount,
            fee: view.fee,
            price: view.price,
        }
    }

    /// Reads back what [`Money::exact`] and [`crate::exchange::price_text`] wrote; `None` for
    /// texts that they cannot have written.
    pub fn read(
        sender_amount: &str,
        fee: &str,
        price: &str,
        sender: Currency,
        receiver: Currency,
    ) -> Option<Self> {
        Some(Self {
            sender_amount: exact(sender_amount, sender)?,
            fee: exact(fee, receiver)?,
            price: price.parse().ok()?,
        })
    }
}

fn exact(text: &str, currency: Currency) -> Option<Money> {
    // Exact text has the ledger's digits, which may be more than anybody may enter.
    let ledger = Currency {
        precision: currency.scale,
        ..currency
    };
    match Money::parse(text, ledger) {
        Ok(money) => Some(Money::from_units(money.units(), currency)),
        // A fee may be nothing.
        Err(AmountError::NotPositive) => Some(Money::zero(currency)),
        Err(_) => None,
    }
}

/// What a promise would be if it were made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuturesReview {
    pub address: DepositAddressView,
    /// Before the fee.
    pub receiver_amount: Money,
    pub terms: PromiseTerms,
    /// Confirmed now, it would stand until then.
    pub release_at: OffsetDateTime,
    /// The promise that it would take the place of.
    pub replaces: Option<i64>,
}

impl Gateway {
    /// One of the merchant's deposit addresses, by its number, and what it converts into.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of others; [`Error::Invalid`] on `address` when it
    /// converts into nothing.
    pub async fn futures_address(
        &self,
        merchant_id: i64,
        id: i64,
    ) -> Result<(DepositAddressView, Currency)> {
        let mut conn = self.pool().acquire().await?;
        let found = addresses::store::find(&mut conn, self.currencies(), id).await?;
        if found.merchant_id != merchant_id {
            return Err(Error::NotFound);
        }
        let target = found.convert_to.ok_or_else(|| {
            Error::invalid(
                "address",
                "must be one that exchanges what it receives; this one keeps the coin",
            )
        })?;
        Ok((found, target))
    }

    /// Works out a promise of `wanted` without making it: nothing is written, nothing held.
    ///
    /// # Errors
    /// Those of [`Self::confirm_futures`].
    pub async fn review_futures(
        &self,
        address: DepositAddressView,
        wanted: Money,
    ) -> Result<FuturesReview> {
        let now = self.clock().now();
        let receiver = wanted.currency();
        if address.convert_to.map(|target| target.id) != Some(receiver.id) {
            let message = "must be what the address converts to";
            return Err(Error::invalid("receiver_currency", message));
        }
        let mut conn = self.pool().acquire().await?;
        let running = review_store::open(&mut conn, address.id).await?;
        let priced = self.price_promise(&mut conn, &address, wanted, now).await?;
        // What the promise before holds is free for the one that replaces it.
        let freed = running
            .as_ref()
            .map_or(0, |before| units(before.receiver_amount));
        if let Some(left) = liquidity_left(&mut conn, receiver).await?
            && wanted.units() > left + freed
        {
            let code = receiver.code;
            let message = format!("is more {code} than can be promised right now");
            return Err(Error::invalid("receiver_amount", message));
        }
        Ok(FuturesReview {
            address,
            receiver_amount: wanted,
            terms: PromiseTerms {
                sender_amount: priced.deal.sender,
                fee: priced.deal.fee,
                price: priced.price,
            },
            release_at: now + WINDOW,
            replaces: running.map(|before| before.id),
        })
    }

    /// What `wanted` costs now, within what may be promised.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `receiver_currency` without a rate, on `receiver_amount` above the
    /// limit (seed 002: 10 000 EUR) or below the smallest deposit that is exchanged.
    pub(super) async fn price_promise(
        &self,
        conn: &mut PgConnection,
        address: &DepositAddressView,
        wanted: Money,
        now: OffsetDateTime,
    ) -> Result<Priced> {
        let (coin, receiver) = (address.coin, wanted.currency());
        let no_rate = || Error::invalid("receiver_currency", "has no rate right now");
        let limit = self
            .euros_in(conn, LIMIT_EUROS, receiver, now)
            .await?
            .ok_or_else(no_rate)?;
        if wanted > limit {
            let message = format!("must be worth at most {LIMIT_EUROS} EUR");
            return Err(Error::invalid("receiver_amount", message));
        }
        let rate = self
            .pair_rate(conn, coin, receiver, now)
            .await?
            .ok_or_else(no_rate)?;
        let fee = self.exchange_fee(conn, coin, receiver).await?;
        let deal = Deal::buy(wanted, rate.price, coin, fee).ok_or_else(|| {
            Error::invalid(
                "receiver_amount",
                "is too small or too large to be exchanged",
            )
        })?;
        let minimum = self.terms_of(conn, coin).await?.minimum_deposit_exchange;
        if deal.sender < minimum {
            let message = format!(
                "must be worth at least {} {}, the smallest deposit that is exchanged",
                minimum.shown(),
                coin.code
            );
            return Err(Error::invalid("receiver_amount", message));
        }
        Ok(rate.priced(deal, self.settings().spread_basis_points))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;

    use super::*;
    use crate::exchange::price_text;

    fn currency(id: i16, code: &str, kind: CurrencyKind, precision: u8) -> Currency {
        Currency {
            id,
            code: code.parse().unwrap(),
            kind,
            precision,
            scale: 8,
        }
    }

    #[test]
    fn terms_are_read_back_as_they_were_written() {
        let coin = currency(1, "BTC", CurrencyKind::Crypto, 8);
        let euro = currency(2, "EUR", CurrencyKind::Fiat, 2);
        for fee in [0, 30_000_000, 30_000_001] {
            let terms = PromiseTerms {
                sender_amount: Money::from_units(291_264, coin),
                fee: Money::from_units(fee, euro),
                price: "10299.94946".parse().unwrap(),
            };
            let read = PromiseTerms::read(
                &terms.sender_amount.exact(),
                &terms.fee.exact(),
                &price_text(terms.price),
                coin,
                euro,
            );
            assert_eq!(read, Some(terms));
        }
        for (sender, fee, price) in [("", "1", "1"), ("1", "-1", "1"), ("1", "1", "<b>")] {
            assert_eq!(PromiseTerms::read(sender, fee, price, coin, euro), None);
        }
    }
}
