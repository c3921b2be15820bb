//! What each command means in the world as it is.

use domain::charge::ReceiptState;
use rust_decimal::Decimal;

use super::World;
use super::chain::{Owner, Place};
use super::deposits::ADDRESS_COIN;
use super::money::Coin;
use crate::script::{Answer, Command, Fault, Part, Step};

/// Bounds that keep one step cheap.
const CHARGES_MAX: usize = 12;
const TXS_MAX: usize = 40;
const WITHDRAWALS_MAX: usize = 14;
const PROMISES_MAX: usize = 8;
const OWN_FUNDS_MAX: usize = 6;

fn nth(which: u8, len: usize) -> Option<usize> {
    usize::from(which).checked_rem(len)
}

impl World {
    /// Does one step. Refusals are part of life.
    pub fn step(&mut self, number: usize, step: &Step) {
        self.key = number;
        self.crash = step.fault == Fault::Crash;
        self.run(step.command);
        if step.fault == Fault::ReplyLost {
            self.run(step.command);
        }
        self.crash = false;
        self.is_dead = false;
    }

    fn run(&mut self, command: Command) -> Option<()> {
        let charges = self.rows.charges.len();
        match command {
            Command::Order {
                merchant,
                cents,
                late,
                tolerant,
            } => {
                if charges < CHARGES_MAX {
                    self.order(merchant.into(), cents, late, tolerant).ok()?;
                }
            }
            Command::Pick { charge, coin } => self.pick(nth(charge, charges)?, coin).ok()?,
            Command::Pay { charge, part, coin } => self.pay(nth(charge, charges)?, part, coin)?,
            Command::Requote { charge } => self.requote(nth(charge, charges)?).ok()?,
            Command::Cancel { charge } => self.cancel(nth(charge, charges)?).ok()?,
            Command::Accept { charge } => self.accept(nth(charge, charges)?).ok()?,
            Command::Refund { charge } => {
                if self.rows.withdrawals.len() < WITHDRAWALS_MAX {
                    self.refund(nth(charge, charges)?).ok()?;
                }
            }
            Command::Deposit {
                merchant,
                converts,
                coin,
                units,
            } => {
                let owner = Owner::Address {
                    merchant: merchant.into(),
                    converts,
                };
                self.arrive(coin, owner, coin.payable(units).units());
            }
            Command::Release { deposit } => {
                self.release(nth(deposit, self.rows.deposits.len())?).ok()?;
            }
            Command::SendBack { deposit } => {
                self.send_back(nth(deposit, self.rows.deposits.len())?)
                    .ok()?;
            }
            Command::Mine { coin, blocks } => {
                self.chains[coin.index()].mine(blocks);
                self.follow(coin, true);
            }
            Command::Reorg {
                coin,
                depth,
                lost,
                waits,
            } => self.reorg(coin, depth, lost, waits),
            Command::Replace { coin, tx, pays } => self.replace(coin, tx, pays)?,
            Command::Forget { coin, tx } => {
                let waiting = self.chains[coin.index()].waiting();
                let index = waiting[nth(tx, waiting.len())?];
                self.chains[coin.index()].txs[index].place = Place::Gone;
                self.follow(coin, true);
            }
            Command::Follow { coin } => self.follow(coin, true),
            Command::Rate { coin, percent } => {
                let base = if coin == Coin::Btc { 50_000 } else { 1 };
                let rate = Decimal::new(i64::from(percent) * base, 2);
                self.terms.rates.0[coin.index()] = rate;
            }
            Command::Clock { seconds } => {
                self.advance(seconds);
                self.expire_charges();
                self.expire_promises();
            }
            Command::Withdraw {
                merchant,
                from,
                to,
                units,
            } => {
                if self.rows.withdrawals.len() < WITHDRAWALS_MAX {
                    self.withdraw(merchant.into(), from, to, units).ok()?;
                }
            }
            Command::Approve { withdrawal } => {
                self.approve(nth(withdrawal, self.rows.withdrawals.len())?)
                    .ok()?;
            }
            Command::Decline { withdrawal } => {
                self.decline(nth(withdrawal, self.rows.withdrawals.len())?)
                    .ok()?;
            }
            Command::Send { withdrawal, reply } => {
                self.send(nth(withdrawal, self.rows.withdrawals.len())?, reply)
                    .ok()?;
            }
            Command::EndReplaced { withdrawal, paid } => {
                self.end_replaced(nth(withdrawal, self.rows.withdrawals.len())?, paid)
                    .ok()?;
            }
            Command::Exchange {
                merchant,
                from,
                to,
                units,
                buys,
            } => {
                self.exchange(merchant.into(), from, to, units, buys).ok()?;
            }
            Command::Promise { merchant, cents } => {
                if self.rows.promises.len() < PROMISES_MAX {
                    self.promise(merchant.into(), cents).ok()?;
                }
            }
            Command::Meet { promise, more } => {
                let row = &self.rows.promises[nth(promise, self.rows.promises.len())?];
                let owner = Owner::Address {
                    merchant: row.merchant,
                    converts: true,
                };
                let units = row.deal.sender.units() + i128::from(more);
                self.arrive(ADDRESS_COIN, owner, units);
            }
            Command::Limit { merchant, cents } => {
                self.terms.limit_cents[usize::from(merchant)] = cents;
            }
            Command::Fee { points } => self.terms.fee_points = points,
            Command::OwnFunds {
                coin,
                units,
                is_out,
            } => {
                if self.rows.own_funds.len() < OWN_FUNDS_MAX {
                    self.own_funds(coin, units, is_out).ok()?;
                }
            }
            Command::TurnOwnFunds { own } => {
                self.turn_own_funds(nth(own, self.rows.own_funds.len())?)
                    .ok()?;
            }
            Command::Deliver { answer } => self.outbox.deliver(answer, self.terms.bug),
        }
        Some(())
    }

    fn arrive(&mut self, coin: Coin, owner: Owner, units: i128) {
        let chain = &mut self.chains[coin.index()];
        if units > 0 && chain.txs.len() < TXS_MAX {
            chain.pay(owner, units);
            self.follow(coin, true);
        }
    }

    /// To the address of a charge, in its coin or in another one.
    fn pay(&mut self, index: usize, part: Part, other: Option<Coin>) -> Option<()> {
        let row = &self.rows.charges[index];
        let quote = row.facts.quote.as_ref()?;
        let left = quote.due - row.came(quote.coin, ReceiptState::is_live);
        let units = match part {
            Part::Exact => left,
            Part::Half => quote.due / 2,
            Part::TooMuch => quote.due + quote.due / 3,
            Part::Dust => 1,
        };
        let asked = Coin::of(quote.coin);
        match other.filter(|other| *other != asked) {
            Some(other) => self.arrive(other, Owner::Charge(index), other.payable(2_000).units()),
            None => self.arrive(asked, Owner::Charge(index), units),
        }
        Some(())
    }

    fn reorg(&mut self, coin: Coin, depth: u8, lost: Option<u8>, waits: bool) {
        let chain = &mut self.chains[coin.index()];
        if chain.height <= i64::from(depth) {
            return;
        }
        let replaced = chain.disconnect(depth);
        self.follow(coin, false);
        let lost = lost
            .and_then(|which| nth(which, replaced.len()))
            .map(|at| replaced[at]);
        self.chains[coin.index()].connect(depth + 1, &replaced, lost, waits);
        self.follow(coin, true);
    }

    /// Another transaction spends what a waiting one spends: to the same owner, or to nobody of ours.
    fn replace(&mut self, coin: Coin, which: u8, pays: bool) -> Option<()> {
        let chain = &mut self.chains[coin.index()];
        let waiting = chain.waiting();
        let index = waiting[nth(which, waiting.len())?];
        chain.txs[index].place = Place::Gone;
        let (owner, units) = (chain.txs[index].owner, chain.txs[index].units);
        let is_ours = matches!(owner, Owner::Outgoing(_));
        let owner = if pays && !is_ours {
            owner
        } else {
            Owner::Nobody
        };
        chain.pay(owner, units);
        self.follow(coin, true);
        Some(())
    }

    /// Nothing goes wrong any more: everybody looks, everything due is done, every event gets out.
    pub fn settle_down(&mut self) {
        for coin in [Coin::Btc, Coin::Usdt] {
            self.follow(coin, true);
        }
        self.expire_charges();
        self.expire_promises();
        while self.outbox.next().is_some() {
            self.outbox.deliver(Answer::Good, self.terms.bug);
        }
    }
}
