//! Withdrawals and refunds: request, decision, sending, and what the chain does with them.

use std::rc::Rc;

use domain::charge::Event;
use domain::ledger::template::{
    Fact, network_fee, network_fee_reversed, primary_wallet, withdrawal_held, withdrawal_settled,
    withdrawal_void,
};
use domain::money::{Money, Rounding, convert};
use domain::withdrawal::{Amounts, FeeTerms, WithdrawalEvent, WithdrawalState, exchanged, plain};

use super::books::merchant_id;
use super::chain::{Chain, Place};
use super::charges::number;
use super::money::Coin;
use super::outbox::Object;
use super::rows::{RefundOf, WithdrawalRow};
use super::{Refused, Terms, Unit, World};
use crate::bugs::Bug;
use crate::script::Reply;

/// What the miner of each of our transactions gets, ledger units.
pub const NETWORK_FEE: i128 = 1_410;

fn price(terms: &Terms, amount: Money, from: Coin, to: Coin) -> Option<Amounts> {
    let cost = FeeTerms {
        basis_points: terms.fee_points / 2,
        fixed: 700,
    };
    if from == to {
        return plain(amount, cost);
    }
    let price = terms.rates.price(from, to)?;
    exchanged(amount, price, to.currency(), terms.fee_points, cost)
}

impl Unit {
    pub fn withdrawal(&self, index: usize) -> Result<WithdrawalRow, Refused> {
        let row = self.rows.withdrawals.get(index).ok_or(Refused)?;
        Ok(WithdrawalRow::clone(row))
    }

    fn keep_withdrawal(&mut self, index: usize, row: WithdrawalRow) {
        self.emit(Object::Withdrawal(index), row.state.word());
        self.rows.withdrawals[index] = Rc::new(row);
    }

    fn void(&mut self, index: usize, row: &WithdrawalRow) {
        let (payer, fact, holds) = (row.payer(), Fact::Request, row.holds);
        self.post(|ids| withdrawal_void(ids, payer, number(index), fact, &holds));
    }

    fn settle(&mut self, index: usize, row: &WithdrawalRow) {
        let payer = row.payer();
        self.post(|ids| withdrawal_settled(ids, payer, number(index), &row.amounts, &row.holds));
    }

    /// The charge of a refund hears that the network has its money.
    fn tell_charge(&mut self, row: &mut WithdrawalRow) -> Result<(), Refused> {
        let Some(RefundOf::Charge(index)) = row.refund_of.filter(|_| !row.told) else {
            return Ok(());
        };
        row.told = true;
        let mut charge = self.charge(index)?;
        let sent = row.amounts.sent;
        charge
            .facts
            .refunded
            .push((sent.currency().id, sent.units()));
        self.transition(index, &mut charge, &Event::Refunded, None)?;
        self.keep_charge(index, charge);
        Ok(())
    }

    /// The charge of a refund is done with it, or waits for another decision.
    fn end_refund(&mut self, row: &WithdrawalRow, failed: bool) -> Result<(), Refused> {
        let Some(RefundOf::Charge(index)) = row.refund_of else {
            return Ok(());
        };
        let mut charge = self.charge(index)?;
        charge.refund = None;
        if failed && row.told {
            let sent = (row.amounts.sent.currency().id, row.amounts.sent.units());
            if let Some(at) = charge.facts.refunded.iter().rposition(|one| *one == sent) {
                charge.facts.refunded.remove(at);
            }
            self.transition(index, &mut charge, &Event::ReceiptsChanged, None)?;
        }
        self.keep_charge(index, charge);
        Ok(())
    }

    /// Settles what is deep enough; books the miner's fee while one of our transactions is in a block.
    pub fn follow_withdrawal(
        &mut self,
        index: usize,
        chains: &[Chain; 3],
        at_tip: bool,
    ) -> Result<(), Refused> {
        let row = &self.rows.withdrawals[index];
        if row.bytes.is_none() {
            return Ok(());
        }
        let chain = &chains[row.coin().index()];
        let in_block = chain
            .outgoing(index)
            .any(|(_, tx)| matches!(tx.place, Place::Block(_)));
        let again = self.terms.bug == Some(Bug::SettledAgain);
        let settles = in_block && (row.state.is_open() || again);
        let loses = row.fee_stands && !in_block && at_tip;
        let gains = in_block && !row.fee_stands;
        if !(settles || loses || gains) {
            return Ok(());
        }
        let mut row = self.withdrawal(index)?;
        let fee = row.coin().units(NETWORK_FEE);
        if gains {
            row.fee_bookings += 1;
        }
        let booking = row.fee_bookings;
        if gains || loses {
            let entry = self.draw(|ids| {
                if gains {
                    network_fee(ids, number(index), booking, fee)
                } else {
                    network_fee_reversed(ids, number(index), booking, fee)
                }
            });
            self.stage(entry.ok_or(Refused)?);
            row.fee_stands = gains;
        }
        if settles {
            if let Ok(next) = row.state.apply(WithdrawalEvent::Confirmed) {
                row.state = next;
            }
            self.settle(index, &row);
            self.tell_charge(&mut row)?;
            self.end_refund(&row, false)?;
        }
        self.keep_withdrawal(index, row);
        Ok(())
    }
}

impl World {
    pub fn withdraw(
        &mut self,
        merchant: usize,
        from: Coin,
        to: Coin,
        parts: u32,
    ) -> Result<(), Refused> {
        self.commit(|unit, _| {
            if unit.is_answered() {
                return Ok(());
            }
            let amount = from.payable(parts);
            let amounts = price(&unit.terms, amount, from, to).ok_or(Refused)?;
            let payer = primary_wallet(merchant_id(merchant), from.currency().id);
            let index = unit.rows.withdrawals.len();
            let (entry, holds) = unit
                .draw(|ids| withdrawal_held(ids, payer, number(index), Fact::Request, &amounts));
            unit.stage(entry);
            let euro = Coin::Eur.currency();
            let worth = convert(amount, unit.terms.rates.euros(from), euro, Rounding::Up);
            let limit = Coin::Eur.payable(unit.terms.limit_cents[merchant]);
            let state = if worth.is_some_and(|worth| worth <= limit) {
                WithdrawalState::Queued
            } else {
                WithdrawalState::Pending
            };
            unit.rows.withdrawals.push(Rc::new(WithdrawalRow {
                merchant,
                key: unit.key,
                refund_of: None,
                state,
                amounts,
                holds,
                bytes: None,
                told: false,
                fee_bookings: 0,
                fee_stands: false,
                was_approved: state == WithdrawalState::Queued,
            }));
            unit.emit(Object::Withdrawal(index), state.word());
            Ok(())
        })
    }

    /// Above a limit: a person says yes, at the rate of that moment.
    pub fn approve(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.withdrawal(index)?;
            row.state = row.state.apply(WithdrawalEvent::Approved)?;
            row.was_approved = true;
            if row.holds.liquidity.is_some() {
                let requested = row.amounts.requested;
                let from = Coin::of(requested.currency().id);
                let amounts = price(&unit.terms, requested, from, row.coin()).ok_or(Refused)?;
                let (payer, before, fact) = (row.payer(), row.holds, Fact::Repriced);
                unit.post(|ids| withdrawal_void(ids, payer, number(index), fact, &before));
                let (entry, holds) =
                    unit.draw(|ids| withdrawal_held(ids, payer, number(index), fact, &amounts));
                unit.stage(entry);
                row.amounts = amounts;
                row.holds = holds;
            }
            unit.keep_withdrawal(index, row);
            Ok(())
        })
    }

    pub fn decline(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.withdrawal(index)?;
            let next = row.state.apply(WithdrawalEvent::Declined)?;
            if unit.terms.bug != Some(Bug::HoldForgotten) {
                unit.void(index, &row);
            }
            row.state = next;
            if unit.terms.bug == Some(Bug::DeclineIgnored) {
                row.state = WithdrawalState::Queued;
            }
            unit.keep_withdrawal(index, row);
            Ok(())
        })
    }

    /// Bytes are stored, then given to the network, then its answer is written down: three steps, a
    /// crash or silence between any of them.
    pub fn send(&mut self, index: usize, reply: Reply) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.withdrawal(index)?;
            let builds_again = unit.terms.bug == Some(Bug::BuiltAgain);
            if row.state == WithdrawalState::Queued {
                row.state = row.state.apply(WithdrawalEvent::Built)?;
                row.bytes = Some(0);
                unit.keep_withdrawal(index, row);
            } else if row.state == WithdrawalState::Built && builds_again {
                row.bytes = row.bytes.map(|bytes| bytes + 1);
                unit.keep_withdrawal(index, row);
            }
            Ok(())
        })?;
        let row = self.rows.withdrawals[index].clone();
        let Some(bytes) = row.bytes.filter(|_| row.state.is_open()) else {
            return Err(Refused);
        };
        if reply != Reply::Unreachable {
            let chain = &mut self.chains[row.coin().index()];
            chain.broadcast(index, bytes, row.amounts.sent.units());
        }
        if reply != Reply::Accepted {
            return Err(Refused);
        }
        self.commit(|unit, _| {
            let mut row = unit.withdrawal(index)?;
            let next = row.state.apply(WithdrawalEvent::Accepted)?;
            if row.state == next && row.told {
                return Ok(());
            }
            row.state = next;
            unit.tell_charge(&mut row)?;
            unit.keep_withdrawal(index, row);
            Ok(())
        })
    }

    /// Another transaction took the coins; a person looked whether it paid.
    pub fn end_replaced(&mut self, index: usize, paid: bool) -> Result<(), Refused> {
        self.commit(|unit, chains| {
            let mut row = unit.withdrawal(index)?;
            let chain = &chains[row.coin().index()];
            let mut ours = chain.outgoing(index).peekable();
            if ours.peek().is_none() || ours.any(|(_, tx)| tx.place != Place::Gone) {
                return Err(Refused);
            }
            let event = if paid {
                WithdrawalEvent::ReplacedAndPaid
            } else {
                WithdrawalEvent::ReplacedUnpaid
            };
            row.state = row.state.apply(event)?;
            if paid {
                unit.settle(index, &row);
                unit.tell_charge(&mut row)?;
            } else {
                unit.void(index, &row);
            }
            unit.end_refund(&row, !paid)?;
            unit.keep_withdrawal(index, row);
            Ok(())
        })
    }
}
