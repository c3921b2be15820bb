//! What decisions about a charge lock.

use domain::ledger::template::{house, suspense};
use domain::ledger::{AccountKey, AccountKind};
use domain::money::Currency;

use super::row::ChargeRow;
use super::store;
use crate::ledger::{Needs, Row};
use crate::{Gateway, Result};

/// What a decision may book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Books {
    Nothing,
    /// The merchant's credit for what came.
    Credit,
    /// The way back of what came.
    Refund,
}

impl Gateway {
    /// For a decision about a charge, in the turn of `owner`.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`].
    pub(super) async fn charge_needs(
        &self,
        owner: i64,
        public_id: &str,
        books: Books,
    ) -> Result<Needs> {
        let mut conn = self.pool().acquire().await?;
        let row = store::find(&mut conn, self.currencies(), public_id).await?;
        let coin = row.terms.as_ref().map(|terms| terms.coin);
        let accounts = match (books, coin) {
            (Books::Nothing, _) | (_, None) => Vec::new(),
            (Books::Credit, Some(coin)) => credited(&row, coin),
            (Books::Refund, Some(coin)) => vec![
                suspense(row.merchant_id, coin.id),
                house(AccountKind::ChainHoldings, coin.id),
            ],
        };
        Ok(Needs {
            owner,
            merchants: Vec::new(),
            rows: vec![Row::Charge(row.id)],
            accounts,
        })
    }
}

/// Accounts that a credit for coins which came is booked on.
pub(super) fn credited(row: &ChargeRow, coin: Currency) -> Vec<AccountKey> {
    let to = row.amount.currency();
    let wallet = AccountKey {
        merchant: row.merchant_id,
        currency: to.id,
        kind: AccountKind::Wallet,
        user_id: row.wallet_user_id,
    };
    let mut accounts = vec![
        suspense(row.merchant_id, coin.id),
        wallet,
        house(AccountKind::Fees, to.id),
    ];
    if coin.id != to.id {
        accounts.extend([coin, to].map(|each| house(AccountKind::Liquidity, each.id)));
    }
    accounts
}
