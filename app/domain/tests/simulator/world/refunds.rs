//! The way back of what was paid: what of it nothing explains, and the withdrawal that takes it there.

use std::rc::Rc;

use domain::charge::{ReceiptState, Status};
use domain::ledger::template::{Fact, suspense, withdrawal_held};
use domain::money::Money;
use domain::withdrawal::{FeeTerms, WithdrawalState, plain};

use super::books::merchant_id;
use super::charges::number;
use super::money::Coin;
use super::outbox::Object;
use super::rows::{ChargeRow, RefundOf, WithdrawalRow};
use super::{Refused, Unit, World};

const NO_FEE: FeeTerms = FeeTerms {
    basis_points: 0,
    fixed: 0,
};

impl ChargeRow {
    pub fn refunded(&self, coin: i16) -> i128 {
        self.facts
            .refunded
            .iter()
            .filter(|(of, _)| *of == coin)
            .map(|(_, units)| units)
            .sum()
    }

    /// Coins that no credit explains.
    pub fn refundable(&self) -> Option<Money> {
        let is_final = |state| state == ReceiptState::Final;
        let asked = self.facts.quote.as_ref().map(|quote| quote.coin);
        let of_quote = asked.and_then(|coin| {
            let kept = match self.facts.status {
                Status::Paid => self.facts.consumed.unwrap_or(0),
                Status::Created | Status::Pending | Status::Processing => return None,
                Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => 0,
            };
            let rest = self.came(coin, is_final) - kept - self.refunded(coin);
            (rest > 0).then(|| Coin::of(coin).units(rest))
        });
        of_quote.or_else(|| {
            [Coin::Btc, Coin::Usdt].into_iter().find_map(|coin| {
                let id = coin.currency().id;
                let rest = self.came(id, is_final) - self.refunded(id);
                (Some(id) != asked && rest > 0).then(|| coin.units(rest))
            })
        })
    }
}

impl World {
    /// Queues the way back of what nothing explains.
    pub fn refund(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            if unit.is_answered() {
                return Ok(());
            }
            let mut row = unit.charge(index)?;
            let amount = row
                .refundable()
                .filter(|_| row.refund.is_none())
                .ok_or(Refused)?;
            let merchant = row.merchant;
            row.refund = Some(unit.rows.withdrawals.len());
            unit.send_from_suspense(merchant, amount, RefundOf::Charge(index))?;
            unit.keep_charge(index, row);
            Ok(())
        })
    }
}

impl Unit {
    pub fn send_from_suspense(
        &mut self,
        merchant: usize,
        amount: Money,
        refund_of: RefundOf,
    ) -> Result<(), Refused> {
        let amounts = plain(amount, NO_FEE).ok_or(Refused)?;
        let payer = suspense(merchant_id(merchant), amount.currency().id);
        let index = self.rows.withdrawals.len();
        let (entry, holds) =
            self.draw(|ids| withdrawal_held(ids, payer, number(index), Fact::Request, &amounts));
        self.stage(entry);
        let row = WithdrawalRow {
            merchant,
            key: self.key,
            refund_of: Some(refund_of),
            state: WithdrawalState::Queued,
            amounts,
            holds,
            bytes: None,
            told: false,
            fee_bookings: 0,
            fee_stands: false,
            was_approved: true,
        };
        self.rows.withdrawals.push(Rc::new(row));
        self.emit(Object::Withdrawal(index), WithdrawalState::Queued.word());
        Ok(())
    }
}
