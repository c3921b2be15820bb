use domain::ledger::template::{Fact, withdrawal_held, withdrawal_void};
use domain::withdrawal::Amounts;
use time::Duration;

use super::{WithdrawalRow, store};
use crate::exchange::{Purpose, quote_store};
use crate::ledger::{Unit, with_ids};
use crate::operations::{FeeKind, OperationRow, store as operations};
use crate::{Gateway, Result};

impl Gateway {
    /// Gives a withdrawal with an exchange the rate of the moment it is approved. The one of its request
    /// would be a price that somebody holds for as long as it suits.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when there is no rate, or it is worth too little by now.
    pub(super) async fn price_again(
        &self,
        unit: &mut Unit,
        operation: &mut OperationRow,
        withdrawal: &mut WithdrawalRow,
    ) -> Result<()> {
        if withdrawal.liquidity_hold.is_none() {
            return Ok(());
        }
        let (id, now) = (operation.id, unit.now());
        let coin = withdrawal.sent.currency();
        let (amounts, priced) = self
            .price_withdrawal(unit.conn(), operation.requested, coin, now)
            .await?;
        let Some(priced) = priced else { return Ok(()) };
        let until = now + Duration::seconds(1);
        let (merchant, purpose) = (operation.merchant_id, Purpose::Withdrawal);
        quote_store::insert(unit.conn(), merchant, purpose, &priced, now, until).await?;
        let payer = WithdrawalRow::payer(operation);
        let before = withdrawal.holds(operation);
        unit.post(with_ids(|ids| {
            withdrawal_void(ids, payer, id, Fact::Repriced, &before)
        }));
        let (entry, holds) =
            with_ids(|ids| withdrawal_held(ids, payer, id, Fact::Repriced, &amounts));
        unit.post(entry);
        operation.sent = amounts.held;
        operation.received = Some(amounts.sent);
        operation.received_net = Some(amounts.sent);
        operation.price = Some(priced.price);
        operations::set_price(unit.conn(), operation, priced.id).await?;
        let Amounts {
            exchange_fee,
            withdrawal_fee,
            ..
        } = amounts;
        for (kind, fee) in [
            (FeeKind::Exchange, exchange_fee),
            (FeeKind::Withdrawal, withdrawal_fee),
        ] {
            operations::replace_fee(unit.conn(), id, kind, fee).await?;
        }
        store::set_holds(unit.conn(), id, amounts.sent, &holds).await?;
        withdrawal.sent = amounts.sent;
        withdrawal.payer_hold = holds.payer.id;
        withdrawal.liquidity_hold = holds.liquidity;
        withdrawal.exchange_fee = Some(exchange_fee);
        withdrawal.withdrawal_fee = Some(withdrawal_fee);
        Ok(())
    }
}
