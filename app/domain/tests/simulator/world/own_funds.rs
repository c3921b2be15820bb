//! Coins of the house's own, put in or taken out: booked once, booked back when they are gone, and booked anew when
//! they are there again.

use std::rc::Rc;

use domain::ledger::JournalEntry;
use domain::ledger::template::{
    Ids, own_funds, own_funds_out, own_funds_out_reversed, own_funds_reversed,
};

use super::money::Coin;
use super::rows::OwnFundsRow;
use super::{Refused, World};

fn place(key: usize) -> String {
    format!("coin:{key}:0")
}

impl OwnFundsRow {
    /// What the books are told of it as it is now.
    fn entry(&self, ids: &mut Ids<'_>) -> Option<JournalEntry> {
        let (place, amount, booking) = (place(self.key), self.amount, self.bookings);
        match (self.is_out, self.is_booked) {
            (false, true) => own_funds(ids, &place, booking, amount),
            (false, false) => own_funds_reversed(ids, &place, booking, amount),
            (true, true) => own_funds_out(ids, &place, booking, &[amount]),
            (true, false) => own_funds_out_reversed(ids, &place, booking, &[amount]),
        }
    }
}

impl World {
    /// A person says that coins which came, or went, are ours. Said twice, they are booked once.
    pub fn own_funds(&mut self, coin: Coin, parts: u32, is_out: bool) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let key = unit.key;
            if unit.rows.own_funds.iter().any(|row| row.key == key) {
                return Ok(());
            }
            let row = OwnFundsRow {
                key,
                amount: coin.payable(parts),
                is_out,
                bookings: 1,
                is_booked: true,
            };
            unit.post(|ids| row.entry(ids).unwrap());
            unit.rows.own_funds.push(Rc::new(row));
            Ok(())
        })
    }

    /// They have left the chain, or are there again.
    pub fn turn_own_funds(&mut self, index: usize) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let row = Rc::make_mut(&mut unit.rows.own_funds[index]);
            row.is_booked = !row.is_booked;
            row.bookings += i32::from(row.is_booked);
            let row = row.clone();
            unit.post(|ids| row.entry(ids).unwrap());
            Ok(())
        })
    }
}
