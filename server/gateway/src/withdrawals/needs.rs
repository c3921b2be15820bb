//! What decisions about a withdrawal lock.

use domain::ledger::template::{house, primary_wallet, suspense};
use domain::ledger::{AccountKey, AccountKind, HOUSE};
use domain::money::Currency;
use sqlx::PgConnection;

use super::{NewWithdrawal, WithdrawalRow, store};
use crate::addresses::DepositAddressView;
use crate::ledger::{Needs, Row, Unit};
use crate::operations::store as operations;
use crate::{Error, Gateway, Result, addresses, charges, payouts};

impl Gateway {
    /// For a request that turns out to be a transfer within the instance: its receiver's row, too.
    pub(super) async fn needs_of_transfer(&self, new: &NewWithdrawal) -> Result<Needs> {
        let (from, coin) = (new.amount.currency(), new.coin());
        let address = self.checked_destination(new, coin)?;
        let mut needs = Needs {
            owner: new.merchant_id,
            merchants: vec![new.merchant_id],
            rows: Vec::new(),
            accounts: sent(primary_wallet(new.merchant_id, from.id), coin),
        };
        let mut conn = self.pool().acquire().await?;
        self.add_receiver(&mut conn, &address, coin, &mut needs)
            .await?;
        Ok(needs)
    }

    /// For the decision about one that waits for it. What is not there needs nothing but its row, and is
    /// missed later.
    pub(super) async fn needs_of_decision(&self, merchant_id: i64, id: i64) -> Result<Needs> {
        let mut needs = Needs {
            owner: merchant_id,
            merchants: Vec::new(),
            rows: vec![Row::Operation(id)],
            accounts: Vec::new(),
        };
        let mut conn = self.pool().acquire().await?;
        let Some(operation) = operations::find(&mut conn, self.currencies(), id).await? else {
            return Ok(needs);
        };
        if operation.merchant_id != merchant_id {
            return Ok(needs);
        }
        let withdrawal = match store::find(&mut conn, self.currencies(), id).await {
            Ok(withdrawal) => withdrawal,
            Err(Error::NotFound) => return Ok(needs),
            Err(error) => return Err(error),
        };
        let coin = withdrawal.sent.currency();
        needs.accounts = sent(WithdrawalRow::payer(&operation), coin);
        if withdrawal.internal {
            self.add_receiver(&mut conn, &withdrawal.address, coin, &mut needs)
                .await?;
        }
        Ok(needs)
    }

    /// For the end of one that a person has looked for on the chain, or calls off: its charge when it is a
    /// refund, and all that rides with it. In the turn of the house, for it is the operator who decides.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(super) async fn needs_of_end(&self, id: i64) -> Result<Needs> {
        let mut conn = self.pool().acquire().await?;
        let operation = operations::find(&mut conn, self.currencies(), id)
            .await?
            .ok_or(Error::NotFound)?;
        let withdrawal = store::find(&mut conn, self.currencies(), id).await?;
        let mut rows = vec![Row::Operation(id)];
        if let Some(claim) = withdrawal.claim_id {
            let charge = charges::receiving::charge_of_claim(&mut conn, claim).await?;
            rows.extend(charge.map(Row::Charge));
        }
        if let Some(payout) = withdrawal.payout_id {
            rows.extend(payouts::rows(&mut conn, payout).await?);
        }
        let coin = withdrawal.sent.currency();
        let mut accounts = sent(WithdrawalRow::payer(&operation), coin);
        accounts.push(house(AccountKind::Rounding, coin.id));
        Ok(Needs {
            owner: HOUSE,
            merchants: Vec::new(),
            rows,
            accounts,
        })
    }

    async fn add_receiver(
        &self,
        conn: &mut PgConnection,
        address: &str,
        coin: Currency,
        needs: &mut Needs,
    ) -> Result<()> {
        let Some(watched) = addresses::store::watched_address(conn, address).await? else {
            return Ok(());
        };
        let deposit_address =
            addresses::store::find_by_chain_address(conn, self.currencies(), watched.id).await?;
        let (row, accounts) = match deposit_address {
            Some(address) => (Row::Address(address.id), deposited(&address, coin)),
            None => match charges::receiving::charge_at(self, conn, watched.id, coin).await? {
                Some((charge, accounts)) => (Row::Charge(charge), accounts),
                None => return Ok(()),
            },
        };
        needs.rows.push(row);
        needs.accounts.extend(accounts);
        needs.accounts.push(house(AccountKind::Rounding, coin.id));
        Ok(())
    }

    /// Asks whether the receiver's row may be locked in this unit.
    ///
    /// # Errors
    /// [`Error::StepsOut`] when it may not; nothing was locked or written then.
    pub(super) async fn require_receiver(
        &self,
        unit: &mut Unit,
        chain_address_id: i64,
    ) -> Result<()> {
        if !unit.is_of_group() {
            return Ok(());
        }
        let deposit_address = addresses::store::find_by_chain_address(
            unit.conn(),
            self.currencies(),
            chain_address_id,
        )
        .await?;
        if let Some(address) = deposit_address {
            return unit.require(Row::Address(address.id));
        }
        match charges::receiving::charge_id_at(unit.conn(), chain_address_id).await? {
            Some(charge) => unit.require(Row::Charge(charge)),
            None => Ok(()),
        }
    }
}

/// Accounts of who pays.
fn sent(payer: AccountKey, coin: Currency) -> Vec<AccountKey> {
    let mut accounts = vec![payer, house(AccountKind::ChainHoldings, coin.id)];
    if payer.currency != coin.id {
        accounts.extend([
            house(AccountKind::Liquidity, payer.currency),
            house(AccountKind::Liquidity, coin.id),
            house(AccountKind::Fees, coin.id),
        ]);
    }
    accounts.push(house(AccountKind::Fees, payer.currency));
    accounts
}

/// Accounts of whoever gets it as a deposit.
fn deposited(address: &DepositAddressView, coin: Currency) -> Vec<AccountKey> {
    let merchant = address.merchant_id;
    let gained = address
        .convert_to
        .filter(|_| coin.id == address.coin.id)
        .unwrap_or(coin);
    let mut accounts = vec![
        suspense(merchant, coin.id),
        primary_wallet(merchant, gained.id),
        house(AccountKind::Fees, gained.id),
    ];
    if gained.id != coin.id {
        accounts.extend([coin, gained].map(|each| house(AccountKind::Liquidity, each.id)));
    }
    accounts
}
