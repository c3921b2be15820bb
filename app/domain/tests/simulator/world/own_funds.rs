//! Coins of the house's own: booked once, booked back when they are gone, and booked anew when they are there
//! again.

use std::rc::Rc;

use domain::ledger::template::{own_funds, own_funds_reversed};

use super::money::Coin;
use super::rows::OwnFundsRow;
use super::{Refused, World};

fn place(key: usize) -> String {
    format!("coin:{key}:0")
}

impl World {
    /// A person says that coins which came are ours. Said twice, they are booked once.
    pub fn own_funds(&mut self, coin: Coin, parts: u32) -> Result<(), Refused> {
        self.commit(|unit, _| {
            let key = unit.key;
            if unit.rows.own_funds.iter().any(|row| row.key == key) {
                return Ok(());
            }
            let amount = coin.payable(parts);
            unit.post(|ids| own_funds(ids, &place(key), 1, amount).unwrap());
            let row = OwnFundsRow {
                key,
                amount,
                bookings: 1,
                is_booked: true,
            };
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
            let OwnFundsRow {
                key,
                amount,
                bookings,
                is_booked,
            } = row.clone();
            let template = if is_booked {
                own_funds
            } else {
                own_funds_reversed
            };
            unit.post(|ids| template(ids, &place(key), bookings, amount).unwrap());
            Ok(())
        })
    }
}
