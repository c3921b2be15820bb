use domain::exchange::Deal;
use domain::futures::{TIERS_EUROS, WINDOW};
use domain::money::{Currency, Money, Rounding, convert, round_units};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::addresses::DepositAddressView;
use crate::ledger::store::liquidity_left;
use crate::{Error, Gateway, Result};

/// What promises cost now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuturesRates {
    pub address: DepositAddressView,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
    /// A step in the receiver currency and its price; `None` where it cannot be served.
    pub tiers: Vec<(Money, Option<Decimal>)>,
}

impl Gateway {
    /// Prices for each step up to the limit, for a deposit address that converts.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `address`.
    pub async fn futures_rates(&self, merchant_id: i64, address: &str) -> Result<FuturesRates> {
        let (address, receiver) = self.converting_address(merchant_id, address).await?;
        let mut conn = self.pool().acquire().await?;
        let now = self.clock().now();
        let rate = self
            .pair_rate(&mut conn, address.coin, receiver, now)
            .await?;
        let fee = self.exchange_fee(&mut conn, address.coin, receiver).await?;
        let terms = self.terms_of(&mut conn, address.coin).await?;
        let left = liquidity_left(&mut conn, receiver).await?;
        // What a promise of this step would be refused for (`review.rs`).
        let can_be_promised = |step: Money, price: Decimal| {
            left.is_none_or(|left| step.units() <= left)
                && Deal::buy(step, price, address.coin, fee)
                    .is_some_and(|deal| deal.sender >= terms.minimum_deposit_exchange)
        };
        let mut tiers = Vec::with_capacity(TIERS_EUROS.len());
        for euros in TIERS_EUROS {
            let Some(step) = self.euros_in(&mut conn, euros, receiver, now).await? else {
                // What it would be is not known: the bare figure stands for it.
                let step = Money::parse(&euros.to_string(), receiver).map_err(Error::internal)?;
                tiers.push((step, None));
                continue;
            };
            let price = rate
                .as_ref()
                .map(|rate| rate.price)
                .filter(|price| can_be_promised(step, *price));
            tiers.push((step, price));
        }
        Ok(FuturesRates {
            address,
            fixed_at: now,
            release_at: now + WINDOW,
            tiers,
        })
    }

    /// The merchant's address with this text, and what it converts into.
    pub(super) async fn converting_address(
        &self,
        merchant_id: i64,
        address: &str,
    ) -> Result<(DepositAddressView, Currency)> {
        let found = match self.find_deposit_address(merchant_id, address).await {
            Ok(found) => found,
            Err(Error::NotFound) => {
                return Err(Error::invalid(
                    "address",
                    "must be one of your deposit addresses",
                ));
            }
            Err(error) => return Err(error),
        };
        let target = found.convert_to.ok_or_else(|| {
            Error::invalid("address", "must be an address that converts (convert_to)")
        })?;
        Ok((found, target))
    }

    /// Whole euros in another currency at the mid rate, rounded up to a payable amount; `None`
    /// without a rate.
    pub(super) async fn euros_in(
        &self,
        conn: &mut PgConnection,
        euros: u32,
        currency: Currency,
        now: OffsetDateTime,
    ) -> Result<Option<Money>> {
        let euro = self.euro()?;
        let amount = Money::parse(&euros.to_string(), euro).map_err(Error::internal)?;
        if euro.id == currency.id {
            return Ok(Some(amount));
        }
        let Some(mid) = self.mid(conn, euro, currency, now).await? else {
            return Ok(None);
        };
        let converted = convert(amount, mid.rate, currency, Rounding::Down)
            .and_then(|money| round_units(money.units(), currency, Rounding::Up));
        Ok(converted.map(|units| Money::from_units(units, currency)))
    }

    pub(crate) fn euro(&self) -> Result<Currency> {
        self.currencies()
            .by_code("EUR")
            .ok_or_else(|| Error::Internal("EUR is not listed".to_owned()))
    }
}
