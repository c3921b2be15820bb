//! What the operator asks for each currency: minimums, fees, confirmations. Data, read when it is
//! needed and edited on a page.

mod coins;
mod fees;
pub(crate) mod store;

use domain::money::{Currency, Money};
use sqlx::PgConnection;

pub use coins::{COIN_COLUMNS, coin_cells};
pub use fees::FEE_COLUMNS;

use crate::{Error, Gateway, Result};

/// The terms of one currency. Amounts are of that currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub currency: Currency,
    pub name: String,
    pub network: Option<String>,
    pub enabled: bool,
    /// Smallest deposit to a reusable address that is credited.
    pub minimum_deposit: Money,
    /// The same where the deposit is exchanged on arrival.
    pub minimum_deposit_exchange: Money,
    pub minimum_exchange: Money,
    pub minimum_withdrawal: Money,
    pub deposit_fee_basis_points: u32,
    pub exchange_fee_basis_points: u32,
    pub withdrawal_fee_basis_points: u32,
    pub withdrawal_fee_fixed: Money,
    /// Blocks until a receipt is final, below `large_from_euros`.
    pub confirmations: u32,
    /// The same from there on.
    pub confirmations_large: u32,
    /// Whole euros.
    pub large_from_euros: i64,
    /// Counts changes.
    pub version: i64,
}

impl Gateway {
    /// The terms of every currency: coins first, then by code.
    pub async fn list_terms(&self) -> Result<Vec<Terms>> {
        store::list(self.pool(), self.currencies()).await
    }

    /// The terms of one currency, as they are in this transaction.
    pub(crate) async fn terms_of(
        &self,
        conn: &mut PgConnection,
        currency: Currency,
    ) -> Result<Terms> {
        store::find(conn, self.currencies(), currency.id)
            .await?
            .ok_or_else(|| Error::Internal(format!("{} has no terms", currency.code)))
    }

    /// The same of two currencies, which may be one, in one round trip.
    pub(crate) async fn terms_of_both(
        &self,
        conn: &mut PgConnection,
        one: Currency,
        other: Currency,
    ) -> Result<(Terms, Terms)> {
        let missing = |of: Currency| move || Error::Internal(format!("{} has no terms", of.code));
        let [of_one, of_other] =
            store::find_both(conn, self.currencies(), [one.id, other.id]).await?;
        Ok((
            of_one.ok_or_else(missing(one))?,
            of_other.ok_or_else(missing(other))?,
        ))
    }

    /// Blocks, the transaction's own included, after which no reorganisation is reckoned with on the
    /// coin's chain: those that make the largest deposit final. At least 1.
    pub(crate) async fn final_depth(
        &self,
        conn: &mut PgConnection,
        currency: Currency,
    ) -> Result<i64> {
        let terms = self.terms_of(conn, currency).await?;
        Ok(i64::from(terms.confirmations_large.max(1)))
    }
}
