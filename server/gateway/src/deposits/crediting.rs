use domain::charge::fee;
use domain::exchange::Deal;
use domain::futures::FuturesState;
use domain::ledger::template::{Converted, deposit_converted, deposit_final, deposit_suspended};
use domain::money::Money;
use rust_decimal::Decimal;
use time::Duration;

use super::{DepositRow, Disposition};
use crate::addresses::DepositAddressView;
use crate::exchange::{Purpose, quote_store};
use crate::futures::store::FuturesRow;
use crate::ledger::{Unit, with_ids};
use crate::operations::{FeeKind, OperationRow, OperationStatus, store as operations};
use crate::terms::Terms;
use crate::{Error, Gateway, Result, addresses, futures};

/// What a final deposit becomes.
enum Outcome {
    Credited {
        net: Money,
    },
    /// Why nobody may have it yet, one sentence.
    Suspended(String),
}

impl Gateway {
    /// Books a deposit that became final for the first time.
    pub(super) async fn credit_or_suspend(
        &self,
        unit: &mut Unit,
        operation: &mut OperationRow,
        deposit: &mut DepositRow,
    ) -> Result<()> {
        let address =
            addresses::store::find(unit.conn(), self.currencies(), deposit.deposit_address_id)
                .await?;
        let promises =
            futures::store::lock_running(unit.conn(), self.currencies(), address.id).await?;
        let terms = self
            .terms_of(unit.conn(), deposit.amount.currency())
            .await?;
        let outcome = self
            .decide(unit, operation, deposit, &address, &terms, &promises)
            .await?;
        let now = unit.now();
        match outcome {
            Outcome::Credited { net } => {
                deposit.disposition = Disposition::Credited;
                operation.received_net = Some(net);
                operation.become_status(OperationStatus::Confirmed, now);
            }
            Outcome::Suspended(reason) => {
                deposit.disposition = Disposition::Suspended;
                operation.error = Some(reason);
                operation.needs_attention = true;
                operation.become_status(OperationStatus::NotConfirmed, now);
                let (merchant, id, fact) = (operation.merchant_id, operation.id, deposit.fact());
                unit.post(with_ids(|ids| {
                    deposit_suspended(ids, merchant, id, fact, deposit.amount)
                }));
            }
        }
        Ok(())
    }

    async fn decide(
        &self,
        unit: &mut Unit,
        operation: &mut OperationRow,
        deposit: &DepositRow,
        address: &DepositAddressView,
        terms: &Terms,
        promises: &[FuturesRow],
    ) -> Result<Outcome> {
        let (coin, amount) = (deposit.amount.currency(), deposit.amount);
        if coin.id != address.coin.id {
            return Ok(Outcome::Suspended(format!(
                "{} came to an address for {}",
                coin.code, address.coin.code
            )));
        }
        let kept = promises
            .iter()
            .find(|row| row.operation_id == Some(operation.id));
        if let Some(row) = kept {
            return self.keep_promise(unit, operation, deposit, row).await;
        }
        let minimum = match address.convert_to {
            Some(_) => terms.minimum_deposit_exchange,
            None => terms.minimum_deposit,
        };
        if amount < minimum {
            return Ok(Outcome::Suspended(format!(
                "less than the smallest deposit, {} {}",
                minimum.shown(),
                coin.code
            )));
        }
        let Some(target) = address.convert_to else {
            return self.credit(unit, operation, deposit, terms).await;
        };
        let now = unit.now();
        let Some(rate) = self.pair_rate(unit.conn(), coin, target, now).await? else {
            return Ok(Outcome::Suspended(format!(
                "there was no rate from {} to {}",
                coin.code, target.code
            )));
        };
        let points = self.exchange_fee(unit.conn(), coin, target).await?;
        let Some(deal) = Deal::sell(amount, rate.price, target, points) else {
            return Ok(Outcome::Suspended(format!(
                "worth too little to be exchanged into {}",
                target.code
            )));
        };
        if !unit.take_liquidity(deal.gross).await? {
            return Ok(Outcome::Suspended(format!(
                "we could not deliver {} for it",
                target.code
            )));
        }
        // Another deposit ends a promise that waits (docs/decisions/026): one that was on its way before
        // the promise was made, or that nobody exchanges, does not.
        let ends = |row: &&FuturesRow| {
            row.state == FuturesState::Open && row.fixed_at <= deposit.first_seen_at
        };
        if let Some(row) = promises.iter().find(ends) {
            futures::void(unit, row, "another amount came").await?;
        }
        let price = rate.price;
        let priced = rate.priced(deal, self.settings().spread_basis_points);
        let (merchant, purpose) = (operation.merchant_id, Purpose::Deposit);
        let until = now + Duration::seconds(1);
        quote_store::insert(unit.conn(), merchant, purpose, &priced, now, until).await?;
        self.convert(unit, operation, deposit, deal, price, None)
            .await
    }

    async fn credit(
        &self,
        unit: &mut Unit,
        operation: &mut OperationRow,
        deposit: &DepositRow,
        terms: &Terms,
    ) -> Result<Outcome> {
        let amount = deposit.amount;
        let fee = fee(amount, terms.deposit_fee_basis_points)
            .ok_or_else(|| Error::Internal(format!("no fee for {amount}")))?;
        let (merchant, id, fact) = (operation.merchant_id, operation.id, deposit.fact());
        unit.post(with_ids(|ids| {
            deposit_final(ids, merchant, id, fact, amount, fee)
        }));
        operation.received = Some(amount);
        operations::insert_fee(unit.conn(), id, FeeKind::Deposit, fee).await?;
        let net = Money::from_units(amount.units() - fee.units(), amount.currency());
        Ok(Outcome::Credited { net })
    }

    async fn keep_promise(
        &self,
        unit: &mut Unit,
        operation: &mut OperationRow,
        deposit: &DepositRow,
        row: &FuturesRow,
    ) -> Result<Outcome> {
        let deal = Deal {
            sender: row.sender_amount,
            gross: row.receiver_amount,
            fee: row.fee,
        };
        let now = unit.now();
        futures::store::end(unit.conn(), row.id, FuturesState::Settled, None, now).await?;
        operation.futures_id = Some(row.id);
        self.convert(unit, operation, deposit, deal, row.price, Some(row))
            .await
    }

    async fn convert(
        &self,
        unit: &mut Unit,
        operation: &mut OperationRow,
        deposit: &DepositRow,
        deal: Deal,
        price: Decimal,
        promise: Option<&FuturesRow>,
    ) -> Result<Outcome> {
        let converted = Converted {
            coins: deal.sender,
            gross: deal.gross,
            fee: deal.fee,
            promise: promise.map(|row| (row.hold_id, row.receiver_amount.units())),
        };
        let (merchant, id, fact) = (operation.merchant_id, operation.id, deposit.fact());
        unit.post(with_ids(|ids| {
            deposit_converted(ids, merchant, id, fact, converted)
        }));
        operation.received = Some(deal.gross);
        operation.price = Some(price);
        operations::insert_fee(unit.conn(), id, FeeKind::Exchange, deal.fee).await?;
        Ok(Outcome::Credited { net: deal.net() })
    }
}
