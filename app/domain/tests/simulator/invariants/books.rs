//! The books balance, and say what the rows say.

use domain::charge::ReceiptState;
use domain::futures::FuturesState;
use domain::ledger::AccountKind;
use domain::withdrawal::WithdrawalState;

use crate::world::World;
use crate::world::books::{MERCHANTS, floor_of, merchant_id};
use crate::world::money::{ALL, Coin};
use crate::world::rows::Disposition;
use crate::world::withdrawals::NETWORK_FEE;

pub(super) fn books_are_sound(world: &World) -> Result<(), String> {
    let mut sums = [0; 3];
    let mut held = vec![0; world.books.tallies.len()];
    for hold in world.books.holds.values() {
        must!(
            hold.resolutions <= 1,
            "a hold ended {} times",
            hold.resolutions
        );
        if hold.resolutions == 0 {
            held[usize::try_from(hold.account.0).unwrap()] += hold.amount;
        }
    }
    for ((key, state, tally), held) in world.books.each().zip(held) {
        sums[Coin::of(key.currency).index()] += state.posted;
        must!(
            state.posted == tally.posted && state.version == tally.lines,
            "{key:?}: {state:?} is not its postings {tally:?}"
        );
        must!(
            state.held == held,
            "{key:?}: {} is held, open holds are {held}",
            state.held
        );
        must!(
            floor_of(key).is_none_or(|floor| state.available() >= floor),
            "{key:?}: {state:?} is below its floor"
        );
    }
    must!(sums == [0; 3], "the books do not balance: {sums:?}");
    Ok(())
}

/// Balances that the rows explain, by currency.
#[derive(Default)]
struct Explained {
    wallet: [[i128; 3]; MERCHANTS],
    suspense: [[i128; 3]; MERCHANTS],
    wallet_held: [[i128; 3]; MERCHANTS],
    suspense_held: [[i128; 3]; MERCHANTS],
    liquidity_held: [i128; 3],
    holdings: [i128; 3],
    fees: [i128; 3],
    network_fees: [i128; 3],
    rounding: [i128; 3],
    own_funds: [i128; 3],
}

impl Explained {
    fn of(world: &World) -> Self {
        let mut all = Self::default();
        for coin in ALL {
            for wallet in &mut all.wallet {
                wallet[coin.index()] += World::funding(coin).units();
            }
        }
        all.add_charges(world);
        all.add_deposits(world);
        all.add_withdrawals(world);
        for row in &world.rows.trades {
            let (from, to) = (row.deal.sender.currency().id, row.deal.gross.currency().id);
            let wallet = &mut all.wallet[row.merchant];
            wallet[Coin::of(from).index()] -= row.deal.sender_total().unwrap().units();
            wallet[Coin::of(to).index()] += row.deal.net().units();
            all.fees[Coin::of(row.deal.fee.currency().id).index()] += row.deal.fee.units();
        }
        for row in world.rows.own_funds.iter().filter(|row| row.is_booked) {
            let coin = Coin::of(row.amount.currency().id).index();
            let units = row.amount.units();
            let came = if row.is_out { -units } else { units };
            all.holdings[coin] -= came;
            all.own_funds[coin] += came;
        }
        for row in &world.rows.promises {
            if matches!(row.state, FuturesState::Open | FuturesState::Matched) {
                all.liquidity_held[Coin::Eur.index()] += row.deal.gross.units();
            }
        }
        all
    }

    fn add_charges(&mut self, world: &World) {
        for row in &world.rows.charges {
            for receipt in row
                .facts
                .receipts
                .iter()
                .filter(|receipt| receipt.is_final())
            {
                let coin = Coin::of(receipt.coin).index();
                self.holdings[coin] -= receipt.amount;
                self.suspense[row.merchant][coin] += receipt.amount;
            }
            if let Some(credit) = &row.credit {
                let coin = Coin::of(credit.consumed.currency().id).index();
                self.suspense[row.merchant][coin] -= credit.consumed.units();
                let net = credit.gross.units() - credit.fee.units();
                self.wallet[row.merchant][Coin::Eur.index()] += net;
                self.fees[Coin::Eur.index()] += credit.fee.units();
            }
        }
    }

    fn add_deposits(&mut self, world: &World) {
        for row in &world.rows.deposits {
            let (coin, units) = (row.coin().index(), row.amount.units());
            let is_final = row.state == ReceiptState::Final;
            if is_final {
                self.holdings[coin] -= units;
            }
            self.suspense[row.merchant][coin] += match row.disposition {
                Disposition::Suspended | Disposition::SentBack if is_final => units,
                // The merchant keeps what was credited; the loss waits here.
                Disposition::Credited if !is_final => -units,
                _ => 0,
            };
            if let Some((gross, fee)) = row.credited {
                let into = Coin::of(gross.currency().id).index();
                self.wallet[row.merchant][into] += gross.units() - fee.units();
                self.fees[into] += fee.units();
            }
        }
    }

    fn add_withdrawals(&mut self, world: &World) {
        for row in &world.rows.withdrawals {
            let (coin, amounts) = (row.coin().index(), &row.amounts);
            let payer = Coin::of(amounts.held.currency().id).index();
            let is_refund = row.refund_of.is_some();
            if row.fee_stands {
                self.holdings[coin] += NETWORK_FEE;
                self.network_fees[coin] -= NETWORK_FEE;
            }
            if row.state.is_open() {
                let held = if is_refund {
                    &mut self.suspense_held
                } else {
                    &mut self.wallet_held
                };
                held[row.merchant][payer] += amounts.held.units();
                if payer != coin {
                    self.liquidity_held[coin] += amounts.bought.units();
                }
            }
            if row.state == WithdrawalState::Settled {
                let from = if is_refund {
                    &mut self.suspense
                } else {
                    &mut self.wallet
                };
                from[row.merchant][payer] -= amounts.held.units();
                self.holdings[coin] += amounts.sent.units();
                self.rounding[coin] += amounts.remainder.units();
                for fee in [amounts.withdrawal_fee, amounts.exchange_fee] {
                    self.fees[Coin::of(fee.currency().id).index()] += fee.units();
                }
            }
        }
    }
}

pub(super) fn books_say_what_rows_say(world: &World) -> Result<(), String> {
    let rows = Explained::of(world);
    for (key, state, _) in world.books.each() {
        let coin = Coin::of(key.currency).index();
        let merchant = (0..MERCHANTS).find(|merchant| merchant_id(*merchant) == key.merchant);
        let (posted, held) = match (key.kind, merchant) {
            (AccountKind::Wallet, Some(m)) => (rows.wallet[m][coin], rows.wallet_held[m][coin]),
            (AccountKind::Suspense, Some(m)) => {
                (rows.suspense[m][coin], rows.suspense_held[m][coin])
            }
            (AccountKind::ChainHoldings, _) => (rows.holdings[coin], 0),
            (AccountKind::Fees, _) => (rows.fees[coin], 0),
            (AccountKind::NetworkFees, _) => (rows.network_fees[coin], 0),
            (AccountKind::OwnFunds, _) => (rows.own_funds[coin], 0),
            (AccountKind::Rounding, _) => (rows.rounding[coin], 0),
            // What is left: the others and Σ = 0 say it.
            (AccountKind::Liquidity, _) => (state.posted, rows.liquidity_held[coin]),
            _ => (state.posted, 0),
        };
        must!(
            (state.posted, state.held) == (posted, held),
            "unexplained money: {:?} of {} in {coin} has {} ({} held), rows explain {posted} ({held})",
            key.kind,
            key.merchant,
            state.posted,
            state.held
        );
    }
    Ok(())
}
