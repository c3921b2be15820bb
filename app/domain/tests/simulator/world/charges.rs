//! Orders: what the use cases around `Charge::apply` do, in the same order.

use std::rc::Rc;

use domain::charge::{
    Charge, Event, Flags, Quote, ReceiptState, Resolution, Status, Valuation, late_value,
};
use domain::ledger::template::{ChargeCredit, charge_paid, primary_wallet};
use domain::money::{Rounding, convert};
use domain::rate::amount_due;
use time::Duration;

use super::books::merchant_id;
use super::money::Coin;
use super::outbox::Object;
use super::rows::ChargeRow;
use super::{Refused, Unit, World};

/// How long a rate is fixed.
const RATE_FIXED: Duration = Duration::minutes(15);

impl ChargeRow {
    /// Sum of the receipts of a coin in these states.
    pub fn came(&self, coin: i16, which: impl Fn(ReceiptState) -> bool) -> i128 {
        self.facts
            .receipts
            .iter()
            .filter(|receipt| receipt.coin == coin && which(receipt.state))
            .map(|receipt| receipt.amount)
            .sum()
    }
}

impl Unit {
    pub fn charge(&self, index: usize) -> Result<ChargeRow, Refused> {
        let row = self.rows.charges.get(index).ok_or(Refused)?;
        Ok(ChargeRow::clone(row))
    }

    pub fn keep_charge(&mut self, index: usize, row: ChargeRow) {
        self.rows.charges[index] = Rc::new(row);
    }

    /// Lets the rule decide and stages what follows from it.
    pub fn transition(
        &mut self,
        index: usize,
        row: &mut ChargeRow,
        event: &Event,
        credit: Option<ChargeCredit>,
    ) -> Result<(), Refused> {
        let now = self.terms.now;
        let before = row.facts.status;
        let mut change = row.facts.apply(event, now)?;
        row.withheld = false;
        if change.pays {
            let is_due = credit.is_none();
            let credit = credit
                .or_else(|| quoted_credit(row, change.quote.as_ref()))
                .ok_or(Refused)?;
            if self.take_liquidity(Coin::Eur, credit.gross.units()) {
                if !credit.gross.is_positive() {
                    return Err(Refused);
                }
                let wallet = primary_wallet(merchant_id(row.merchant), Coin::Eur.currency().id);
                self.post(|ids| charge_paid(ids, wallet, number(index), &credit));
                row.credit = Some(credit);
                row.times_paid += 1;
            } else if is_due {
                change = change.withheld(row.facts.covered_at, now);
                row.withheld = true;
            } else {
                return Err(Refused);
            }
        }
        row.facts = Charge {
            status: change.status,
            flags: change.flags,
            resolution: change.resolution,
            covered_at: change.covered_at,
            quote: change.quote,
            consumed: change.consumed,
            ..row.facts.clone()
        };
        row.needs_attention = change.needs_attention;
        row.clock_ends_at = change.clock_ends_at;
        row.judged_at = now;
        if change.status != before {
            row.history.push(change.status);
            self.emit(Object::Charge(index), change.status.word());
        }
        Ok(())
    }

    /// Late money pays when the merchant takes it and it still covers the amount.
    pub fn accept_late(&mut self, index: usize, row: &mut ChargeRow) -> Result<(), Refused> {
        let over = matches!(row.facts.status, Status::Expired | Status::Underpaid);
        let Some(quote) = row.facts.quote.clone().filter(|_| row.accepts_late && over) else {
            return Ok(());
        };
        let of_coin = || {
            row.facts
                .receipts
                .iter()
                .filter(|r| r.coin == quote.coin && r.is_live())
        };
        let any_late = of_coin().any(|receipt| receipt.seen_at >= quote.release_at);
        let in_time: i128 = of_coin()
            .filter(|receipt| receipt.seen_at < quote.release_at)
            .map(|receipt| receipt.amount)
            .sum();
        let covered_in_time = in_time >= quote.due;
        let is_waiting = !of_coin().all(domain::charge::Receipt::is_final);
        if is_waiting
            || !(any_late || covered_in_time)
            || row.refund.is_some()
            || row.refunded(quote.coin) > 0
        {
            return Ok(());
        }
        let coin = Coin::of(quote.coin);
        let received = coin.units(row.came(quote.coin, |state| state == ReceiptState::Final));
        let amount = Coin::Eur.units(row.facts.amount);
        let valuation = if covered_in_time {
            Valuation::Quoted { due: quote.due }
        } else {
            let mid = self.terms.rates.euros(coin);
            let worth = late_value(received, mid, amount.currency());
            if worth.is_none_or(|worth| worth < row.facts.amount - row.facts.tolerance) {
                return Ok(());
            }
            Valuation::AtMid(mid)
        };
        let credit = valuation
            .credit(received, amount, row.fee_points)
            .filter(|credit| credit.gross.is_positive());
        let Some(credit) = credit else { return Ok(()) };
        let event = Event::LateAccepted {
            consumed: credit.consumed.units(),
        };
        // When we cannot deliver, it stays for a person.
        match self.transition(index, row, &event, Some(credit)) {
            Ok(()) | Err(Refused) => Ok(()),
        }
    }
}

/// At the quote that stands after the change.
fn quoted_credit(row: &ChargeRow, quote: Option<&Quote>) -> Option<ChargeCredit> {
    let quote = quote?;
    let received = row.came(quote.coin, |state| state == ReceiptState::Final);
    let received = Coin::of(quote.coin).units(received);
    Valuation::Quoted { due: quote.due }.credit(
        received,
        Coin::Eur.units(row.facts.amount),
        row.fee_points,
    )
}

/// Row numbers start at 1.
pub fn number(index: usize) -> i64 {
    i64::try_from(index).unwrap() + 1
}

impl World {
    pub fn order(
        &mut self,
        merchant: usize,
        cents: u32,
        late: bool,
        tolerant: bool,
    ) -> Result<(), Refused> {
        self.commit(|unit, _| {
            if unit.is_answered() {
                return Ok(());
            }
            let amount = Coin::Eur.payable(cents).units();
            let expires_at = unit.terms.now + Duration::days(30);
            let row = ChargeRow {
                merchant,
                key: unit.key,
                facts: Charge {
                    status: Status::Created,
                    flags: Flags::default(),
                    resolution: Resolution::None,
                    amount,
                    tolerance: if tolerant { amount / 50 } else { 0 },
                    expires_at,
                    covered_at: None,
                    quote: None,
                    consumed: None,
                    refunded: Vec::new(),
                    receipts: Vec::new(),
                },
                receipts: Vec::new(),
                fee_points: unit.terms.fee_points,
                accepts_late: late,
                credit: None,
                times_paid: 0,
                needs_attention: false,
                clock_ends_at: Some(expires_at),
                judged_at: unit.terms.now,
                judged_receipts: 0,
                withheld: false,
                refund: None,
                history: vec![Status::Created],
            };
            let index = unit.rows.charges.len();
            unit.rows.charges.push(Rc::new(row));
            unit.emit(Object::Charge(index), Status::Created.word());
            Ok(())
        })
    }

    pub fn pick(&mut self, index: usize, coin: Coin) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.charge(index)?;
            let price = unit.terms.rates.price(coin, Coin::Eur).ok_or(Refused)?;
            let amount = Coin::Eur.units(row.facts.amount);
            let due = amount_due(amount, price, coin.currency()).ok_or(Refused)?;
            let event = Event::MethodFixed(Quote {
                coin: coin.currency().id,
                due: due.units(),
                release_at: unit.terms.now + RATE_FIXED,
            });
            unit.transition(index, &mut row, &event, None)?;
            unit.keep_charge(index, row);
            Ok(())
        })
    }

    /// What came already counts, at the rate of now.
    pub fn requote(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.charge(index)?;
            let coin = row
                .facts
                .quote
                .as_ref()
                .map(|quote| quote.coin)
                .ok_or(Refused)?;
            if row.refund.is_some() || row.refunded(coin) > 0 {
                return Err(Refused);
            }
            let coin = Coin::of(coin);
            let price = unit.terms.rates.price(coin, Coin::Eur).ok_or(Refused)?;
            let kept = coin.units(row.came(coin.currency().id, ReceiptState::is_live));
            let worth =
                convert(kept, price, Coin::Eur.currency(), Rounding::Down).ok_or(Refused)?;
            let rest = Coin::Eur.units((row.facts.amount - worth.units()).max(0));
            let due = amount_due(rest, price, coin.currency()).ok_or(Refused)?;
            let event = Event::Requoted(Quote {
                coin: coin.currency().id,
                due: (kept.units() + due.units()).max(1),
                release_at: unit.terms.now + RATE_FIXED,
            });
            unit.transition(index, &mut row, &event, None)?;
            unit.keep_charge(index, row);
            Ok(())
        })
    }

    pub fn cancel(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.charge(index)?;
            unit.transition(index, &mut row, &Event::Cancelled, None)?;
            unit.keep_charge(index, row);
            Ok(())
        })
    }

    pub fn accept(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let mut row = unit.charge(index)?;
            let quote = row.facts.quote.clone().ok_or(Refused)?;
            if row.refund.is_some() || row.refunded(quote.coin) > 0 {
                return Err(Refused);
            }
            let coin = Coin::of(quote.coin);
            let is_final = |state| state == ReceiptState::Final;
            let received = coin.units(row.came(quote.coin, is_final));
            let is_late = row
                .facts
                .receipts
                .iter()
                .any(|receipt| receipt.is_final() && receipt.seen_at >= quote.release_at);
            let valuation = if is_late {
                Valuation::AtMid(unit.terms.rates.euros(coin))
            } else {
                Valuation::Quoted { due: quote.due }
            };
            let amount = Coin::Eur.units(row.facts.amount);
            let credit = valuation
                .credit(received, amount, row.fee_points)
                .ok_or(Refused)?;
            let event = Event::AcceptedByHand {
                consumed: credit.consumed.units(),
            };
            unit.transition(index, &mut row, &event, Some(credit))?;
            unit.keep_charge(index, row);
            Ok(())
        })
    }

    /// Tells every charge whose clock has ended that time passed.
    pub fn expire_charges(&mut self) {
        for index in 0..self.rows.charges.len() {
            let now = self.terms.now;
            let is_due = self.rows.charges[index]
                .clock_ends_at
                .is_some_and(|at| at <= now);
            if is_due {
                self.commit_always("the clock", |unit, _| {
                    let mut row = unit.charge(index)?;
                    unit.transition(index, &mut row, &Event::ClockAdvanced, None)?;
                    unit.keep_charge(index, row);
                    Ok(())
                });
            }
        }
    }
}
