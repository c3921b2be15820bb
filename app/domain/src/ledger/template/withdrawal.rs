use uuid::Uuid;

use super::{Ids, entry, fee_leg, house, leg, of_operation, post};
use crate::ledger::{AccountKey, AccountKind, EntryKind, JournalEntry, Leg, Movement};
use crate::money::Money;
use crate::withdrawal::Amounts;

/// A hold with what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub id: Uuid,
    pub amount: Money,
}

/// What a withdrawal holds: the payer's money, and the coins it is exchanged into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holds {
    pub payer: Held,
    /// With an exchange only.
    pub liquidity: Option<Held>,
}

/// Which hold of a withdrawal an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The request, and calling it off.
    Request,
    /// A new price at approval: the first hold ends, another one begins.
    Repriced,
}

impl Fact {
    fn of(self, subject: &str) -> String {
        match self {
            Self::Request => subject.to_owned(),
            Self::Repriced => format!("{subject}/repriced"),
        }
    }
}

/// The account the other side of a hold names. Nothing is moved there.
fn counter(payer: AccountKey, exchanged: bool) -> AccountKey {
    let kind = if exchanged {
        AccountKind::Liquidity
    } else {
        AccountKind::ChainHoldings
    };
    house(kind, payer.currency)
}

fn is_exchanged(amounts: &Amounts) -> bool {
    amounts.requested.currency().id != amounts.sent.currency().id
}

fn kinds(payer: AccountKey) -> [EntryKind; 3] {
    if payer.kind == AccountKind::Suspense {
        [
            EntryKind::RefundHeld,
            EntryKind::RefundSettled,
            EntryKind::RefundVoid,
        ]
    } else {
        [
            EntryKind::WithdrawalHeld,
            EntryKind::WithdrawalSettled,
            EntryKind::WithdrawalVoid,
        ]
    }
}

/// Money that is to leave is held: nobody can spend it twice, nothing has moved yet.
///
/// `payer` is a wallet, or a merchant's suspense account for a refund; `fact` tells this hold from
/// others of the operation.
pub fn withdrawal_held(
    ids: &mut Ids<'_>,
    payer: AccountKey,
    operation: i64,
    fact: Fact,
    amounts: &Amounts,
) -> (JournalEntry, Holds) {
    let exchanged = is_exchanged(amounts);
    let from_payer = leg(
        ids,
        Movement::Hold,
        "withdrawal",
        payer,
        counter(payer, exchanged),
        amounts.held,
    );
    let mut holds = Holds {
        payer: Held {
            id: from_payer.id,
            amount: amounts.held,
        },
        liquidity: None,
    };
    let mut legs = vec![from_payer];
    if exchanged {
        let coin = amounts.bought.currency().id;
        let bought = leg(
            ids,
            Movement::Hold,
            "exchange_out",
            house(AccountKind::Liquidity, coin),
            house(AccountKind::ChainHoldings, coin),
            amounts.bought,
        );
        holds.liquidity = Some(Held {
            id: bought.id,
            amount: amounts.bought,
        });
        legs.push(bought);
    }
    let [kind, _, _] = kinds(payer);
    let subject = of_operation(operation);
    let dedupe = fact.of(&subject);
    (
        entry(ids, payer.merchant, kind, subject, dedupe, legs),
        holds,
    )
}

/// The coins have left: what was held goes where it belongs, and every fee is taken.
pub fn withdrawal_settled(
    ids: &mut Ids<'_>,
    payer: AccountKey,
    operation: i64,
    amounts: &Amounts,
    holds: &Holds,
) -> JournalEntry {
    let coin = amounts.sent.currency().id;
    let holdings = house(AccountKind::ChainHoldings, coin);
    let settle = |held: &Held| Movement::Settle {
        hold: held.id,
        held: held.amount.units(),
    };
    let mut legs: Vec<Leg> = Vec::with_capacity(6);
    match &holds.liquidity {
        None => {
            let movement = settle(&holds.payer);
            legs.push(leg(
                ids,
                movement,
                "withdrawal",
                payer,
                holdings,
                amounts.sent,
            ));
        }
        Some(held) => {
            let given = house(AccountKind::Liquidity, payer.currency);
            let bought = house(AccountKind::Liquidity, coin);
            let movement = settle(&holds.payer);
            legs.push(leg(
                ids,
                movement,
                "exchange_in",
                payer,
                given,
                amounts.requested,
            ));
            legs.push(leg(
                ids,
                settle(held),
                "withdrawal",
                bought,
                holdings,
                amounts.sent,
            ));
            if amounts.remainder.is_positive() {
                let rounding = house(AccountKind::Rounding, coin);
                legs.push(post(ids, "rounding", bought, rounding, amounts.remainder));
            }
            let fee = amounts.exchange_fee;
            let from = if fee.currency().id == coin {
                bought
            } else {
                payer
            };
            legs.extend(fee_leg(ids, "exchange_fee", from, fee));
        }
    }
    legs.extend(fee_leg(ids, "fee", payer, amounts.withdrawal_fee));
    let [_, kind, _] = kinds(payer);
    let subject = of_operation(operation);
    let dedupe = subject.clone();
    entry(ids, payer.merchant, kind, subject, dedupe, legs)
}

/// Called off: everything held is free again.
pub fn withdrawal_void(
    ids: &mut Ids<'_>,
    payer: AccountKey,
    operation: i64,
    fact: Fact,
    holds: &Holds,
) -> JournalEntry {
    let void = |held: &Held| Movement::Void {
        hold: held.id,
        held: held.amount.units(),
    };
    let exchanged = holds.liquidity.is_some();
    let mut legs = vec![leg(
        ids,
        void(&holds.payer),
        "withdrawal",
        payer,
        counter(payer, exchanged),
        holds.payer.amount,
    )];
    if let Some(held) = &holds.liquidity {
        let coin = held.amount.currency().id;
        legs.push(leg(
            ids,
            void(held),
            "exchange_out",
            house(AccountKind::Liquidity, coin),
            house(AccountKind::ChainHoldings, coin),
            held.amount,
        ));
    }
    let [_, _, kind] = kinds(payer);
    let subject = of_operation(operation);
    let dedupe = fact.of(&subject);
    entry(ids, payer.merchant, kind, subject, dedupe, legs)
}
