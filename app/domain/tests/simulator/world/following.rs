//! What the follower of a chain does when it looks: new outputs become receipts and deposits, known
//! ones move to where their transactions are, and the rules decide what that means.

use std::rc::Rc;

use domain::charge::{Event, Receipt, ReceiptState, Status, confirmations_for};
use domain::ledger::template::{charge_paid, receipt_final, receipt_reversed};
use domain::money::{Rounding, convert};

use super::books::merchant_id;
use super::chain::{Chain, Owner, Place};
use super::charges::number;
use super::money::Coin;
use super::outbox::Object;
use super::rows::{ChargeRow, DepositRow, Disposition, ReceiptMeta};
use super::{Refused, Terms, Unit, World};
use crate::bugs::Bug;

/// From this many euro cents on a payment needs more blocks.
const LARGE_CENTS: u32 = 100_000;

fn required(terms: &Terms, coin: Coin, units: i128) -> u32 {
    let euro = Coin::Eur.currency();
    let worth = convert(
        coin.units(units),
        terms.rates.euros(coin),
        euro,
        Rounding::Up,
    );
    let (small, large) = coin.confirmations();
    let limit = Coin::Eur.payable(LARGE_CENTS).units();
    confirmations_for(worth.map(|worth| worth.units()), limit, small, large)
}

impl World {
    /// Looks at a chain. Not `at_tip` in the middle of a reorganisation: nothing is lost yet then.
    pub fn follow(&mut self, coin: Coin, at_tip: bool) {
        self.commit_always("the chain", |unit, chains| {
            unit.record_outputs(coin, &chains[coin.index()]);
            for index in 0..unit.rows.charges.len() {
                unit.follow_charge(index, coin, chains, at_tip)?;
            }
            for merchant in 0..super::books::MERCHANTS {
                unit.bind_promises(merchant);
            }
            for index in 0..unit.rows.deposits.len() {
                let row = &unit.rows.deposits[index];
                if row.coin() != coin {
                    continue;
                }
                let position = chains[coin.index()].position(row.tx, row.required, at_tip);
                let next = row.state.follow(position);
                if next != row.state {
                    unit.settle_deposit(index, next)?;
                }
            }
            for index in 0..unit.rows.withdrawals.len() {
                if unit.rows.withdrawals[index].coin() == coin {
                    unit.follow_withdrawal(index, chains, at_tip)?;
                }
            }
            Ok(())
        });
    }
}

impl Unit {
    fn record_outputs(&mut self, coin: Coin, chain: &Chain) {
        for (index, tx) in chain.txs.iter().enumerate() {
            if tx.place == Place::Gone || !self.is_new(coin, index, tx.owner) {
                continue;
            }
            let needs = required(&self.terms, coin, tx.units);
            match tx.owner {
                Owner::Charge(at) => self.record_receipt(at, coin, index, tx.units, needs),
                Owner::Address { merchant, converts } => {
                    let row = DepositRow {
                        merchant,
                        converts,
                        amount: coin.units(tx.units),
                        tx: index,
                        required: needs,
                        seen_at: self.terms.now,
                        state: ReceiptState::Seen,
                        bookings: 0,
                        disposition: Disposition::Open,
                        credited: None,
                    };
                    let at = self.rows.deposits.len();
                    self.rows.deposits.push(Rc::new(row));
                    self.emit(Object::Deposit(at), "seen");
                }
                Owner::Outgoing(_) | Owner::Nobody => {}
            }
        }
    }

    fn is_new(&self, coin: Coin, tx: usize, owner: Owner) -> bool {
        match owner {
            Owner::Charge(at) => !self.rows.charges[at]
                .receipts
                .iter()
                .any(|receipt| receipt.coin == coin && receipt.tx == tx),
            Owner::Address { .. } => !self
                .rows
                .deposits
                .iter()
                .any(|deposit| deposit.coin() == coin && deposit.tx == tx),
            Owner::Outgoing(_) | Owner::Nobody => false,
        }
    }

    fn record_receipt(&mut self, at: usize, coin: Coin, tx: usize, units: i128, needs: u32) {
        let over = !matches!(
            self.rows.charges[at].facts.status,
            Status::Created | Status::Pending | Status::Processing
        );
        if over && self.terms.bug == Some(Bug::LateMoneyIgnored) {
            return;
        }
        let now = self.terms.now;
        let row = Rc::make_mut(&mut self.rows.charges[at]);
        row.receipts.push(ReceiptMeta {
            coin,
            tx,
            required: needs,
            bookings: 0,
        });
        row.facts.receipts.push(Receipt {
            coin: coin.currency().id,
            amount: units,
            state: ReceiptState::Seen,
            seen_at: now,
        });
    }

    fn follow_charge(
        &mut self,
        index: usize,
        coin: Coin,
        chains: &[Chain; 3],
        at_tip: bool,
    ) -> Result<(), Refused> {
        let before = &self.rows.charges[index];
        if !before.receipts.iter().any(|receipt| receipt.coin == coin) {
            return Ok(());
        }
        let mut row = ChargeRow::clone(before);
        let mut moves = false;
        let mut became_final = false;
        let merchant = merchant_id(row.merchant);
        for (meta, receipt) in row.receipts.iter_mut().zip(&mut row.facts.receipts) {
            if meta.coin != coin {
                continue;
            }
            let position = chains[coin.index()].position(meta.tx, meta.required, at_tip);
            let next = receipt.state.follow(position);
            let unheard = self.terms.bug == Some(Bug::LossNotSeen);
            if next == receipt.state || (unheard && next == ReceiptState::Reversed) {
                continue;
            }
            moves = true;
            receipt.state = next;
            let amount = coin.units(receipt.amount);
            if next == ReceiptState::Final {
                became_final = true;
                meta.bookings += 1;
            }
            let fact = format!(
                "receipt:{}/{}/{}/{}",
                number(index),
                coin.index(),
                meta.tx,
                meta.bookings
            );
            match next {
                ReceiptState::Final => {
                    self.post(|ids| receipt_final(ids, merchant, number(index), fact, amount));
                }
                ReceiptState::Reversed => {
                    self.post(|ids| receipt_reversed(ids, merchant, number(index), fact, amount));
                }
                ReceiptState::Seen | ReceiptState::Dropped => {}
            }
        }
        if !moves && row.receipts.len() == row.judged_receipts {
            return Ok(());
        }
        row.judged_receipts = row.receipts.len();
        if became_final && self.terms.bug == Some(Bug::CreditedTwice) {
            self.credit_again(index, &row);
        }
        self.transition(index, &mut row, &Event::ReceiptsChanged, None)?;
        if became_final {
            self.accept_late(index, &mut row)?;
        }
        self.keep_charge(index, row);
        Ok(())
    }

    fn credit_again(&mut self, index: usize, row: &ChargeRow) {
        let moved_back = row.receipts.iter().any(|receipt| receipt.bookings > 1);
        if let (Some(credit), true) = (&row.credit, moved_back) {
            let id = Coin::Eur.currency().id;
            let wallet = domain::ledger::template::primary_wallet(merchant_id(row.merchant), id);
            // Its own fact, as careless code would name it: the journal alone does not refuse it.
            self.post(|ids| {
                let mut entry = charge_paid(ids, wallet, number(index), credit);
                entry.dedupe = format!("{}/again", entry.dedupe);
                entry
            });
        }
    }
}
