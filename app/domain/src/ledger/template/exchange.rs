use uuid::Uuid;

use super::{Ids, entry, fee_leg, house, leg, of_operation, post, primary_wallet};
use crate::exchange::Deal;
use crate::ledger::{AccountKind, EntryKind, JournalEntry, Movement};
use crate::money::Money;

/// An exchange between two wallets of a merchant, through our liquidity; the fee last, out of the
/// wallet of its currency.
pub fn exchange(ids: &mut Ids<'_>, merchant: i64, operation: i64, deal: &Deal) -> JournalEntry {
    let (from, to) = (deal.sender.currency().id, deal.gross.currency().id);
    let (given, gained) = (primary_wallet(merchant, from), primary_wallet(merchant, to));
    let mut legs = vec![
        post(
            ids,
            "exchange_in",
            given,
            house(AccountKind::Liquidity, from),
            deal.sender,
        ),
        post(
            ids,
            "exchange_out",
            house(AccountKind::Liquidity, to),
            gained,
            deal.gross,
        ),
    ];
    let payer = primary_wallet(merchant, deal.fee.currency().id);
    legs.extend(fee_leg(ids, "fee", payer, deal.fee));
    let subject = of_operation(operation);
    let dedupe = subject.clone();
    entry(ids, merchant, EntryKind::Exchange, subject, dedupe, legs)
}

fn of_futures(futures: i64) -> String {
    format!("futures:{futures}")
}

/// A promise is funded: what it may cost is held in our liquidity. Answers the hold's id too.
pub fn futures_held(
    ids: &mut Ids<'_>,
    merchant: i64,
    futures: i64,
    promised: Money,
) -> (JournalEntry, Uuid) {
    let currency = promised.currency().id;
    let hold = leg(
        ids,
        Movement::Hold,
        "promise",
        house(AccountKind::Liquidity, currency),
        primary_wallet(merchant, currency),
        promised,
    );
    let id = hold.id;
    let subject = of_futures(futures);
    let dedupe = subject.clone();
    let kind = EntryKind::FuturesHeld;
    (entry(ids, merchant, kind, subject, dedupe, vec![hold]), id)
}

/// A promise that is not used frees what it held.
pub fn futures_void(
    ids: &mut Ids<'_>,
    merchant: i64,
    futures: i64,
    hold: Uuid,
    promised: Money,
) -> JournalEntry {
    let currency = promised.currency().id;
    let void = leg(
        ids,
        Movement::Void {
            hold,
            held: promised.units(),
        },
        "promise",
        house(AccountKind::Liquidity, currency),
        primary_wallet(merchant, currency),
        promised,
    );
    let subject = of_futures(futures);
    let dedupe = subject.clone();
    entry(
        ids,
        merchant,
        EntryKind::FuturesVoid,
        subject,
        dedupe,
        vec![void],
    )
}
