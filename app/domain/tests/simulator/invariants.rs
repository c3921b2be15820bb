//! What must hold after every step, worked out from the rows, apart from the code that booked them.

use domain::charge::{Event, ReceiptState, Status};
use domain::futures::FuturesState;
use domain::ledger::AccountKind;
use domain::withdrawal::WithdrawalState;

use crate::world::World;
use crate::world::books::{MERCHANTS, floor_of, merchant_id};
use crate::world::chain::{Owner, Place};
use crate::world::money::{ALL, Coin};
use crate::world::outbox::Object;
use crate::world::rows::{ChargeRow, Disposition};
use crate::world::withdrawals::NETWORK_FEE;

macro_rules! must {
    ($condition:expr, $($text:tt)+) => {{
        let holds: bool = $condition;
        if !holds {
            return Err(format!($($text)+));
        }
    }};
}

/// After every step.
pub fn check(world: &World) -> Result<(), String> {
    if let Some(broken) = &world.broken {
        return Err(broken.clone());
    }
    books_are_sound(world)?;
    books_say_what_rows_say(world)?;
    for (index, row) in world.rows.charges.iter().enumerate() {
        charge_is_what_came(row).map_err(|what| format!("charge {index}: {what}"))?;
    }
    withdrawals_leave_once(world)?;
    promises_are_kept_in_time(world)?;
    events_tell_what_happened(world)?;
    requests_are_done_once(world)
}

/// Now and then: asking the rule again changes nothing.
pub fn check_slowly(world: &World) -> Result<(), String> {
    for (index, row) in world.rows.charges.iter().enumerate() {
        let again = row
            .facts
            .apply(&Event::ReceiptsChanged, row.judged_at)
            .map_err(|error| format!("charge {index}: {error}"))?;
        if row.withheld {
            must!(again.pays, "charge {index} is withheld, but not due");
            continue;
        }
        must!(
            !again.pays && again.status == row.facts.status,
            "charge {index} is {:?}, its receipts say {:?}",
            row.facts.status,
            again.status
        );
        must!(
            again.needs_attention == row.needs_attention,
            "charge {index}: the inbox says {}, its receipts say {}",
            row.needs_attention,
            again.needs_attention
        );
    }
    Ok(())
}

/// When everything has settled down: we know what the chains know, and every event got out.
pub fn check_at_rest(world: &World) -> Result<(), String> {
    for coin in [Coin::Btc, Coin::Usdt] {
        let chain = &world.chains[coin.index()];
        for (tx, is) in chain.txs.iter().enumerate() {
            let is_known = match is.owner {
                Owner::Charge(at) => world.rows.charges[at]
                    .receipts
                    .iter()
                    .any(|receipt| (receipt.coin, receipt.tx) == (coin, tx)),
                Owner::Address { .. } => world
                    .rows
                    .deposits
                    .iter()
                    .any(|deposit| (deposit.coin(), deposit.tx) == (coin, tx)),
                Owner::Outgoing(_) | Owner::Nobody => true,
            };
            must!(
                is_known || is.place == Place::Gone,
                "{coin:?} transaction {tx} is not written down"
            );
        }
    }
    for (index, row) in world.rows.charges.iter().enumerate() {
        for (meta, receipt) in row.receipts.iter().zip(&row.facts.receipts) {
            let chain = &world.chains[meta.coin.index()];
            let should = receipt
                .state
                .follow(chain.position(meta.tx, meta.required, true));
            must!(
                should == receipt.state,
                "charge {index}: a receipt is {:?}, the chain says {should:?}",
                receipt.state
            );
        }
    }
    for (index, row) in world.rows.deposits.iter().enumerate() {
        let chain = &world.chains[row.coin().index()];
        let should = row.state.follow(chain.position(row.tx, row.required, true));
        must!(
            should == row.state,
            "deposit {index} is {:?}, the chain says {should:?}",
            row.state
        );
    }
    for index in 0..world.outbox.events.len() {
        must!(
            world.outbox.received.contains_key(&index),
            "event {index} was never received"
        );
    }
    Ok(())
}

fn books_are_sound(world: &World) -> Result<(), String> {
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

fn books_say_what_rows_say(world: &World) -> Result<(), String> {
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

fn charge_is_what_came(row: &ChargeRow) -> Result<(), String> {
    let facts = &row.facts;
    let is_live = facts.receipts.iter().any(domain::charge::Receipt::is_live);
    must!(
        row.times_paid == u32::from(facts.status == Status::Paid),
        "it is {:?} and was paid {} times",
        facts.status,
        row.times_paid
    );
    match facts.status {
        Status::Created => must!(!is_live, "{:?}, but money came", facts.status),
        Status::Pending => {}
        Status::Processing => must!(is_live, "{:?}, but no money is there", facts.status),
        Status::Paid => {
            let credit = row
                .credit
                .as_ref()
                .ok_or("paid, but nothing was credited")?;
            must!(
                0 < credit.gross.units()
                    && credit.gross.units() <= facts.amount
                    && credit.fee <= credit.gross,
                "{credit:?} for {}",
                facts.amount
            );
            must!(
                facts.consumed == Some(credit.consumed.units()),
                "the row says {:?} were used up, the books {:?}",
                facts.consumed,
                credit.consumed
            );
        }
        Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => {
            let is_left = [Coin::Btc, Coin::Usdt].into_iter().any(|coin| {
                let id = coin.currency().id;
                row.came(id, ReceiptState::is_live) > row.refunded(id)
            });
            must!(
                row.needs_attention == is_left,
                "{:?}: money is there: {is_left}, in the inbox: {}",
                facts.status,
                row.needs_attention
            );
        }
    }
    Ok(())
}

fn withdrawals_leave_once(world: &World) -> Result<(), String> {
    for (index, row) in world.rows.withdrawals.iter().enumerate() {
        let chain = &world.chains[row.coin().index()];
        let known = chain.outgoing(index).count();
        must!(known <= 1, "withdrawal {index} is {known} transactions");
        must!(
            known == 0 || row.bytes.is_some(),
            "withdrawal {index} was sent, but its bytes are not stored"
        );
        must!(
            row.bytes.is_none() || row.was_approved,
            "withdrawal {index} was built, but nobody approved it"
        );
        let pays = chain.outgoing(index).any(|(_, tx)| tx.place != Place::Gone);
        must!(
            !(pays && row.state == WithdrawalState::Void),
            "withdrawal {index} is called off and paid"
        );
    }
    Ok(())
}

fn promises_are_kept_in_time(world: &World) -> Result<(), String> {
    let mut taken = Vec::new();
    for (index, row) in world.rows.promises.iter().enumerate() {
        if row.state != FuturesState::Settled {
            continue;
        }
        let at = row
            .deposit
            .ok_or(format!("promise {index} was kept for nothing"))?;
        let deposit = &world.rows.deposits[at];
        let coin = deposit.amount.currency();
        must!(
            row.promise.is_met_by(deposit.amount, coin, deposit.seen_at),
            "promise {index} was kept for deposit {at}, which is not the promised one"
        );
        must!(!taken.contains(&at), "deposit {at} had two promises");
        taken.push(at);
    }
    Ok(())
}

fn events_tell_what_happened(world: &World) -> Result<(), String> {
    let mut told = vec![0; world.rows.charges.len()];
    let mut last = vec![None; world.rows.withdrawals.len()];
    for (index, event) in world.outbox.events.iter().enumerate() {
        match event.about {
            Object::Charge(at) => {
                let status = world.rows.charges[at].history.get(told[at]);
                must!(
                    status.map(|status| status.word()) == Some(event.word),
                    "charge {at} was told to be {}, and was {status:?}",
                    event.word
                );
                told[at] += 1;
            }
            Object::Withdrawal(at) => last[at] = Some(event.word),
            Object::Deposit(_) | Object::Exchange(_) => {}
        }
        must!(
            !event.delivered || world.outbox.received.contains_key(&index),
            "event {index} counts as delivered, and nobody has it"
        );
    }
    for (at, row) in world.rows.charges.iter().enumerate() {
        must!(
            told[at] == row.history.len() && row.history.last() == Some(&row.facts.status),
            "charge {at} went through {:?}, {} of them were told",
            row.history,
            told[at]
        );
    }
    for (at, row) in world.rows.withdrawals.iter().enumerate() {
        must!(
            last[at] == Some(row.state.word()),
            "withdrawal {at} is {:?}, told was {:?}",
            row.state,
            last[at]
        );
    }
    Ok(())
}

fn requests_are_done_once(world: &World) -> Result<(), String> {
    let rows = &world.rows;
    // Refunds of deposits have no key of their own: the deposit's state guards them.
    let keys: [Vec<usize>; 4] = [
        rows.charges.iter().map(|row| row.key).collect(),
        rows.withdrawals.iter().map(|row| row.key).collect(),
        rows.trades.iter().map(|row| row.key).collect(),
        rows.promises.iter().map(|row| row.key).collect(),
    ];
    for of_kind in keys {
        // Rows are made in the order of their requests.
        must!(
            of_kind.windows(2).all(|pair| pair[0] < pair[1]),
            "one request was done twice: {of_kind:?}"
        );
    }
    Ok(())
}
