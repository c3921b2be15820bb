//! What the clock does: money too little, too late, dropped or never final.

use super::{BTC, check, created, minute, quote};
use crate::charge::*;

#[test]
fn an_underpayment_goes_to_the_inbox_when_time_is_up() {
    check(
        created(),
        "fix -> pending
         seen 999 -> pending under
         at 15 -> underpaid under inbox
         final 0 -> underpaid under inbox
         accept 999 -> paid manual pays
         accept 999 -> refused",
    );
}

#[test]
fn nothing_came_in_time() {
    check(
        created(),
        "fix -> pending \n at 14 -> pending \n at 15 -> expired \n cancel -> refused",
    );
}

#[test]
fn money_at_the_very_end_is_late_and_just_before_is_not() {
    check(
        created(),
        "fix -> pending \n at 14 -> pending \n seen 1000 -> processing \n at 15 -> processing",
    );
    check(
        created(),
        "fix -> pending \n at 15 -> expired \n seen 1000 -> expired late inbox",
    );
}

#[test]
fn a_receipt_found_late_but_seen_after_the_clock_does_not_count_as_in_time() {
    // The worker has not come round: the charge is still pending when late money is recorded.
    let mut charge = created();
    charge.status = Status::Pending;
    charge.quote = Some(quote());
    charge.receipts.push(Receipt {
        coin: BTC,
        amount: 1_000,
        state: ReceiptState::Seen,
        seen_at: minute(15),
    });
    let change = charge.apply(&Event::ReceiptsChanged, minute(16)).unwrap();
    assert_eq!(change.status, Status::Expired);
    assert!(change.needs_attention);
}

#[test]
fn late_money_that_is_accepted_pays_late() {
    check(
        created(),
        "fix -> pending
         at 20 -> expired
         seen 1000 -> expired late inbox
         late 900 -> refused
         final 0 -> expired late inbox
         late 900 -> paid over late inbox pays",
    );
}

#[test]
fn a_dropped_receipt_reopens_while_time_is_left_and_fails_after() {
    check(
        created(),
        "fix -> pending
         seen 1000 -> processing
         drop 0 -> pending
         seen 1000 -> processing
         at 20 -> processing
         drop 1 -> failed
         seen 1000 -> failed late inbox
         final 2 -> failed late inbox
         accept 1000 -> paid late manual pays",
    );
    check(
        created(),
        "fix -> pending
         seen 400 -> pending under
         seen 600 -> processing
         at 20 -> processing
         drop 1 -> underpaid under inbox",
    );
}

#[test]
fn late_money_that_is_left_when_a_receipt_drops_is_no_failure() {
    check(
        created(),
        "fix -> pending
         seen 1000 -> processing
         at 20 -> processing
         seen 1000 -> processing over
         drop 0 -> underpaid over late inbox",
    );
}

#[test]
fn an_excess_that_never_became_money_needs_nobody() {
    check(
        created(),
        "fix -> pending
         seen 2000 -> processing over
         drop 0 -> pending over
         seen 1000 -> processing over
         final 1 -> paid over pays",
    );
}

#[test]
fn covering_money_has_a_day_to_become_final() {
    check(
        created(),
        "at 1 -> created
         fix -> pending
         seen 1000 -> processing
         at 1440 -> processing
         at 1441 -> failed inbox",
    );
}

#[test]
fn a_charge_nobody_picks_a_method_for_ends_with_its_own_clock() {
    let charge = Charge {
        expires_at: minute(30),
        ..created()
    };
    check(
        charge,
        "at 29 -> created \n at 30 -> expired \n fix -> refused \n requote 10 -> pending",
    );
}

#[test]
fn money_that_was_final_long_ago_leaves_the_rest_its_time() {
    let mut charge = created();
    charge.status = Status::Pending;
    charge.quote = Some(Quote {
        release_at: minute(25 * 60),
        ..quote()
    });
    for (amount, state, seen_at) in [
        (400, ReceiptState::Final, minute(1)),
        (600, ReceiptState::Seen, minute(24 * 60 + 50)),
    ] {
        charge.receipts.push(Receipt {
            coin: BTC,
            amount,
            state,
            seen_at,
        });
    }
    let change = charge
        .apply(&Event::ReceiptsChanged, minute(24 * 60 + 51))
        .unwrap();
    assert_eq!(change.status, Status::Processing);
    assert_eq!(change.covered_at, Some(minute(24 * 60 + 50)));
}
