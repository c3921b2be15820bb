//! Exchanges between two wallets, and promises.

use std::rc::Rc;

use domain::exchange::Deal;
use domain::futures::{FuturesState, Promise, WINDOW};
use domain::ledger::template::{exchange, futures_held};

use super::books::merchant_id;
use super::charges::number;
use super::deposits::ADDRESS_COIN;
use super::money::Coin;
use super::outbox::Object;
use super::rows::{PromiseRow, TradeRow};
use super::{Refused, World};

impl World {
    pub fn exchange(
        &mut self,
        merchant: usize,
        from: Coin,
        to: Coin,
        parts: u32,
        buys: bool,
    ) -> Result<(), Refused> {
        if from == to {
            return Err(Refused);
        }
        self.commit(|unit, _| {
            if unit.is_answered() {
                return Ok(());
            }
            let price = unit.terms.rates.price(from, to).ok_or(Refused)?;
            let points = unit.terms.fee_points;
            let deal = if buys {
                Deal::buy(to.payable(parts), price, from.currency(), points)
            } else {
                Deal::sell(from.payable(parts), price, to.currency(), points)
            };
            let deal = deal.ok_or(Refused)?;
            let index = unit.rows.trades.len();
            unit.post(|ids| exchange(ids, merchant_id(merchant), number(index), &deal));
            unit.rows.trades.push(Rc::new(TradeRow {
                merchant,
                key: unit.key,
                deal,
            }));
            unit.emit(Object::Exchange(index), "done");
            Ok(())
        })
    }

    /// Promises `cents` euro cents for exactly one deposit; what waited at the address before ends.
    pub fn promise(&mut self, merchant: usize, cents: u32) -> Result<(), Refused> {
        self.commit(|unit, _| {
            if unit.is_answered() {
                return Ok(());
            }
            for index in unit.running(merchant) {
                if unit.rows.promises[index].state == FuturesState::Open {
                    unit.void_promise(index);
                }
            }
            let wanted = Coin::Eur.payable(cents);
            let price = unit
                .terms
                .rates
                .price(ADDRESS_COIN, Coin::Eur)
                .ok_or(Refused)?;
            let points = unit.terms.fee_points;
            let coin = ADDRESS_COIN.currency();
            let deal = Deal::buy(wanted, price, coin, points).ok_or(Refused)?;
            let index = unit.rows.promises.len();
            let (entry, hold) =
                unit.draw(|ids| futures_held(ids, merchant_id(merchant), number(index), wanted));
            unit.stage(entry);
            let now = unit.terms.now;
            unit.rows.promises.push(Rc::new(PromiseRow {
                merchant,
                key: unit.key,
                deal,
                hold,
                promise: Promise {
                    sender_amount: deal.sender,
                    fixed_at: now,
                    release_at: now + WINDOW,
                },
                state: FuturesState::Open,
                deposit: None,
            }));
            Ok(())
        })
    }
}
