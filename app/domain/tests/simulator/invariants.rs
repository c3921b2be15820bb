//! What must hold after every step, worked out from the rows, apart from the code that booked them.

use domain::charge::{Event, ReceiptState, Status};
use domain::futures::FuturesState;
use domain::withdrawal::WithdrawalState;

use crate::world::World;
use crate::world::chain::{Owner, Place};
use crate::world::money::Coin;
use crate::world::outbox::Object;
use crate::world::rows::ChargeRow;

macro_rules! must {
    ($condition:expr, $($text:tt)+) => {{
        let holds: bool = $condition;
        if !holds {
            return Err(format!($($text)+));
        }
    }};
}

// After the macro, which it uses.
mod books;

use books::{books_are_sound, books_say_what_rows_say};

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
