//! Deposits and promises: what the use cases do with the rules and templates about them.

use std::rc::Rc;

use domain::charge::{ReceiptState, fee};
use domain::exchange::Deal;
use domain::futures::FuturesState;
use domain::ledger::template::{
    Converted, deposit_converted, deposit_final, deposit_released, deposit_restored,
    deposit_reversed, deposit_suspended, futures_void,
};
use domain::money::Money;

use super::books::merchant_id;
use super::charges::number;
use super::money::Coin;
use super::outbox::Object;
use super::rows::{DepositRow, Disposition, PromiseRow, RefundOf};
use super::{Refused, Unit, World};
use crate::bugs::Bug;

/// The coin deposit addresses of the model are for.
pub const ADDRESS_COIN: Coin = Coin::Btc;
/// Smallest deposit, in parts of about a cent.
const MINIMUM_PARTS: u32 = 100;

impl Unit {
    pub fn deposit(&self, index: usize) -> Result<DepositRow, Refused> {
        let row = self.rows.deposits.get(index).ok_or(Refused)?;
        Ok(DepositRow::clone(row))
    }

    pub fn keep_deposit(&mut self, index: usize, row: DepositRow) {
        self.rows.deposits[index] = Rc::new(row);
    }

    fn keep_promise_row(&mut self, index: usize, row: PromiseRow) {
        self.rows.promises[index] = Rc::new(row);
    }

    /// Gives each promise of an address to the first deposit that meets it, or to none.
    pub fn bind_promises(&mut self, merchant: usize) {
        let running = self.running(merchant);
        let Some(newest) = running.last().copied() else {
            return;
        };
        let mut taken = Vec::new();
        for index in running {
            let mut row = PromiseRow::clone(&self.rows.promises[index]);
            let endless = self.terms.bug == Some(Bug::PromiseWithoutEnd);
            let keeps = (0..self.rows.deposits.len()).find(|at| {
                let deposit = &self.rows.deposits[*at];
                let coin = deposit.amount.currency();
                let seen_at = if endless {
                    row.promise.fixed_at
                } else {
                    deposit.seen_at
                };
                deposit.merchant == merchant
                    && deposit.converts
                    && deposit.disposition == Disposition::Open
                    && deposit.state == ReceiptState::Seen
                    && !taken.contains(at)
                    && row.promise.is_met_by(deposit.amount, coin, seen_at)
            });
            taken.extend(keeps);
            if keeps.is_none() && index != newest {
                self.void_promise(index);
            } else if keeps != row.deposit {
                row.deposit = keeps;
                row.state = match keeps {
                    Some(_) => FuturesState::Matched,
                    None => FuturesState::Open,
                };
                self.keep_promise_row(index, row);
            }
        }
    }

    pub fn running(&self, merchant: usize) -> Vec<usize> {
        let runs = |row: &PromiseRow| {
            row.merchant == merchant
                && matches!(row.state, FuturesState::Open | FuturesState::Matched)
        };
        (0..self.rows.promises.len())
            .filter(|index| runs(&self.rows.promises[*index]))
            .collect()
    }

    pub fn void_promise(&mut self, index: usize) {
        let mut row = PromiseRow::clone(&self.rows.promises[index]);
        row.state = FuturesState::Void;
        row.deposit = None;
        let (merchant, hold, promised) = (merchant_id(row.merchant), row.hold, row.deal.gross);
        self.post(|ids| futures_void(ids, merchant, number(index), hold, promised));
        self.keep_promise_row(index, row);
    }

    /// Moves a deposit to where its transaction is, and books what that means.
    pub fn settle_deposit(&mut self, index: usize, next: ReceiptState) -> Result<(), Refused> {
        let mut row = self.deposit(index)?;
        row.state = next;
        let (merchant, operation, amount) = (merchant_id(row.merchant), number(index), row.amount);
        match next {
            ReceiptState::Final => {
                row.bookings += 1;
                let fact = fact(index, &row);
                match row.disposition {
                    Disposition::Open => self.credit_or_suspend(index, &mut row)?,
                    Disposition::Credited => {
                        self.post(|ids| deposit_restored(ids, merchant, operation, fact, amount))
                    }
                    Disposition::Suspended | Disposition::SentBack => {
                        self.post(|ids| deposit_suspended(ids, merchant, operation, fact, amount))
                    }
                }
                self.emit(Object::Deposit(index), "final");
            }
            ReceiptState::Reversed => {
                let fact = fact(index, &row);
                self.post(|ids| deposit_reversed(ids, merchant, operation, fact, amount));
            }
            ReceiptState::Dropped => self.emit(Object::Deposit(index), "dropped"),
            ReceiptState::Seen => self.emit(Object::Deposit(index), "seen"),
        }
        let of = row.merchant;
        self.keep_deposit(index, row);
        if matches!(next, ReceiptState::Dropped | ReceiptState::Seen) {
            self.bind_promises(of);
        }
        Ok(())
    }

    fn credit_or_suspend(&mut self, index: usize, row: &mut DepositRow) -> Result<(), Refused> {
        let (merchant, operation, amount) = (merchant_id(row.merchant), number(index), row.amount);
        let fact = fact(index, row);
        let promises = if row.converts {
            self.running(row.merchant)
        } else {
            Vec::new()
        };
        let kept = promises
            .iter()
            .copied()
            .find(|at| self.rows.promises[*at].deposit == Some(index));
        if let Some(at) = kept {
            let mut promise = PromiseRow::clone(&self.rows.promises[at]);
            promise.state = FuturesState::Settled;
            let (deal, hold) = (promise.deal, promise.hold);
            self.keep_promise_row(at, promise);
            self.convert(index, row, &deal, Some((hold, deal.gross.units())));
            return Ok(());
        }
        let is_enough = amount.units() >= row.coin().payable(MINIMUM_PARTS).units();
        let is_right = row.coin() == ADDRESS_COIN;
        if is_right && is_enough && !row.converts {
            let fee = fee(amount, self.terms.fee_points).ok_or(Refused)?;
            self.post(|ids| deposit_final(ids, merchant, operation, fact, amount, fee));
            row.disposition = Disposition::Credited;
            row.credited = Some((amount, fee));
            return Ok(());
        }
        let deal = self
            .terms
            .rates
            .price(row.coin(), Coin::Eur)
            .filter(|_| is_right && is_enough)
            .and_then(|price| {
                Deal::sell(amount, price, Coin::Eur.currency(), self.terms.fee_points)
            });
        let deal = deal.filter(|deal| self.take_liquidity(Coin::Eur, deal.gross.units()));
        let Some(deal) = deal else {
            row.disposition = Disposition::Suspended;
            self.post(|ids| deposit_suspended(ids, merchant, operation, fact, amount));
            return Ok(());
        };
        let ended = promises.iter().copied().find(|at| {
            let promise = &self.rows.promises[*at];
            promise.state == FuturesState::Open && promise.promise.fixed_at <= row.seen_at
        });
        if let Some(at) = ended {
            self.void_promise(at);
        }
        self.convert(index, row, &deal, None);
        Ok(())
    }

    fn convert(
        &mut self,
        index: usize,
        row: &mut DepositRow,
        deal: &Deal,
        promise: Option<(uuid::Uuid, i128)>,
    ) {
        let converted = Converted {
            coins: deal.sender,
            gross: deal.gross,
            fee: deal.fee,
            promise,
        };
        let (merchant, fact) = (merchant_id(row.merchant), fact(index, row));
        self.post(|ids| deposit_converted(ids, merchant, number(index), fact, converted));
        row.disposition = Disposition::Credited;
        row.credited = Some((deal.gross, deal.fee));
    }
}

fn fact(index: usize, row: &DepositRow) -> String {
    format!("deposit:{}/{}", number(index), row.bookings)
}

/// Whether a person may decide about a deposit.
fn waits(row: &DepositRow) -> bool {
    row.disposition == Disposition::Suspended && row.state == ReceiptState::Final
}

impl World {
    /// Credits a suspended deposit after all.
    pub fn release(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.deposit(index)?;
            if !waits(&row) {
                return Err(Refused);
            }
            let (merchant, amount) = (merchant_id(row.merchant), row.amount);
            let fee: Money = fee(amount, unit.terms.fee_points).ok_or(Refused)?;
            let fact = fact(index, &row);
            unit.post(|ids| deposit_released(ids, merchant, number(index), fact, amount, fee));
            row.disposition = Disposition::Credited;
            row.credited = Some((amount, fee));
            unit.keep_deposit(index, row);
            unit.emit(Object::Deposit(index), "released");
            Ok(())
        })
    }

    pub fn send_back(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.deposit(index)?;
            if !waits(&row) {
                return Err(Refused);
            }
            unit.send_from_suspense(row.merchant, row.amount, RefundOf::Deposit)?;
            row.disposition = Disposition::SentBack;
            unit.keep_deposit(index, row);
            unit.emit(Object::Deposit(index), "sent back");
            Ok(())
        })
    }

    /// Ends promises nothing can meet any more.
    pub fn expire_promises(&mut self) {
        if self.terms.bug == Some(Bug::PromiseWithoutEnd) {
            return;
        }
        let now = self.terms.now;
        for index in 0..self.rows.promises.len() {
            let row = &self.rows.promises[index];
            if row.state == FuturesState::Open && row.promise.is_over(now) {
                self.commit_always("the end of a promise", |unit, _| {
                    unit.void_promise(index);
                    Ok(())
                });
            }
        }
    }
}
