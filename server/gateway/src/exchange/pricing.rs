use domain::exchange::Deal;
use domain::money::Currency;
use domain::rate::price;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ExchangeRequest, Given};
use crate::terms::Terms;
use crate::{Error, Gateway, Result};

/// Digits after the point of every price, at least.
const PRICE_DIGITS: u32 = 8;

/// What a stored quote prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Exchange,
    Withdrawal,
    Deposit,
    Futures,
}

impl Purpose {
    /// Stored word; part of the schema.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Withdrawal => "withdrawal",
            Self::Deposit => "deposit",
            Self::Futures => "futures",
        }
    }
}

/// A deal with the rate behind it, not stored yet.
#[derive(Debug, Clone)]
pub(crate) struct Priced {
    pub(crate) id: Uuid,
    pub(crate) deal: Deal,
    pub(crate) price: Decimal,
    pub(crate) mid: Decimal,
    pub(crate) spread_basis_points: u32,
    pub(crate) sources: Vec<String>,
}

/// The rate of a pair right now.
#[derive(Debug, Clone)]
pub(crate) struct PairRate {
    pub(crate) price: Decimal,
    pub(crate) mid: Decimal,
    pub(crate) sources: Vec<String>,
}

impl PairRate {
    pub(crate) fn priced(self, deal: Deal, spread_basis_points: u32) -> Priced {
        Priced {
            id: Uuid::now_v7(),
            deal,
            price: self.price,
            mid: self.mid,
            spread_basis_points,
            sources: self.sources,
        }
    }
}

impl Gateway {
    /// Mid rate and price of a pair; `None` while there is no fresh rate.
    pub(crate) async fn pair_rate(
        &self,
        conn: &mut PgConnection,
        from: Currency,
        to: Currency,
        now: OffsetDateTime,
    ) -> Result<Option<PairRate>> {
        let Some(mid) = self.mid(conn, from, to, now).await? else {
            return Ok(None);
        };
        let spread = self.settings().spread_basis_points;
        Ok(price(mid.rate, spread).map(|price| PairRate {
            price,
            mid: mid.rate,
            sources: mid.sources,
        }))
    }

    pub(super) async fn price_exchange(
        &self,
        conn: &mut PgConnection,
        request: &ExchangeRequest,
        now: OffsetDateTime,
    ) -> Result<Priced> {
        let ExchangeRequest {
            sender, receiver, ..
        } = *request;
        if sender.id == receiver.id {
            let message = "must differ from the currency that is given";
            return Err(Error::invalid("receiver_currency", message));
        }
        let rate = self
            .pair_rate(conn, sender, receiver, now)
            .await?
            .ok_or_else(|| {
                Error::invalid(
                    "receiver_currency",
                    format!("cannot be bought for {} right now", sender.code),
                )
            })?;
        // The fee follows the fiat side; both currencies' terms are the operator's.
        let (of_sender, of_receiver) = self.terms_of_both(conn, sender, receiver).await?;
        let fee_points = exchange_fee(&of_sender, &of_receiver);
        let (field, deal) = match request.given {
            Given::Sender(amount) => (
                "sender_amount",
                Deal::sell(amount, rate.price, receiver, fee_points),
            ),
            Given::Receiver(amount) => (
                "receiver_amount",
                Deal::buy(amount, rate.price, sender, fee_points),
            ),
        };
        let deal =
            deal.ok_or_else(|| Error::invalid(field, "is too small or too large to be exchanged"))?;
        let minimum = of_sender.minimum_exchange;
        if deal.sender < minimum {
            let message = format!("must be worth at least {} {}", minimum.shown(), sender.code);
            return Err(Error::invalid(field, message));
        }
        Ok(rate.priced(deal, self.settings().spread_basis_points))
    }

    /// The fee of the side it is taken on.
    pub(crate) async fn exchange_fee(
        &self,
        conn: &mut PgConnection,
        sender: Currency,
        receiver: Currency,
    ) -> Result<u32> {
        let side = match domain::exchange::FeeSide::of(sender, receiver) {
            domain::exchange::FeeSide::Sender => sender,
            domain::exchange::FeeSide::Receiver => receiver,
        };
        Ok(self.terms_of(conn, side).await?.exchange_fee_basis_points)
    }
}

/// The same where the terms of both are known.
pub(crate) fn exchange_fee(sender: &Terms, receiver: &Terms) -> u32 {
    match domain::exchange::FeeSide::of(sender.currency, receiver.currency) {
        domain::exchange::FeeSide::Sender => sender.exchange_fee_basis_points,
        domain::exchange::FeeSide::Receiver => receiver.exchange_fee_basis_points,
    }
}

/// A price as shown: 8 decimals or 8 significant digits, whichever is more (`80`, Processing).
pub fn price_text(price: Decimal) -> String {
    let price = price.normalize();
    let digits = price.scale().max(PRICE_DIGITS);
    format!(
        "{price:.precision$}",
        precision = usize::try_from(digits).unwrap_or(8)
    )
}

/// What a wallet would need and does not have, or we do not: in words, on the right field.
pub(crate) fn shortage(code: &str, of_house: bool, field: &str) -> Error {
    if of_house {
        let message = format!("is more {code} than can be delivered right now; nothing was taken");
        return Error::invalid(field, message);
    }
    Error::invalid(
        field,
        format!("is more than your {code} wallet has available"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_shown_with_eight_decimals_at_least() {
        let check = |price: &str, expected: &str| {
            assert_eq!(price_text(price.parse().unwrap()), expected);
        };
        check("60000", "60000.00000000");
        check("6352.0690152", "6352.06901520");
        check("0.000016666666", "0.000016666666");
        check("0.00001666", "0.00001666");
    }
}
