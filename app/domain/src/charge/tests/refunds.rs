//! Money above the amount, and money that goes back.

use super::{BTC, check, created, minute, quote};
use crate::charge::{Charge, Event, Resolution, Status};

#[test]
fn an_overpayment_is_paid_and_its_excess_needs_a_decision() {
    check(
        created(),
        "fix -> pending \n seen 1001 -> processing over \n final 0 -> paid over inbox pays",
    );
    check(
        created(),
        "fix -> pending
         seen 1000 -> processing
         final 0 -> paid pays
         seen 500 -> paid over inbox",
    );
}

#[test]
fn what_went_back_settles_the_matter_and_what_comes_later_does_not() {
    check(
        created(),
        "fix -> pending
         seen 400 -> pending under
         final 0 -> pending under
         at 15 -> underpaid under inbox
         refund 400 -> underpaid under
         seen 100 -> underpaid under late inbox",
    );
    check(
        created(),
        "fix -> pending
         seen 1200 -> processing over
         final 0 -> paid over inbox pays
         refund 200 -> paid over",
    );
    check(
        created(),
        "fix -> pending
         seen 1200 -> processing over
         final 0 -> paid over inbox pays
         refund 100 -> paid over inbox",
    );
}

#[test]
fn a_refund_in_another_coin_lets_the_charge_go_on() {
    check(
        created(),
        "fix -> pending
         other 50 -> pending inbox
         refund-other 50 -> pending
         seen 1000 -> processing
         final 1 -> paid pays",
    );
}

#[test]
fn a_refund_that_came_to_nothing_settles_nothing() {
    check(
        created(),
        "fix -> pending
         seen 400 -> pending under
         final 0 -> pending under
         at 15 -> underpaid under inbox
         refund 400 -> underpaid under
         unrefund -> underpaid under inbox",
    );
    let charge = Charge {
        status: Status::Underpaid,
        resolution: Resolution::Refunded,
        quote: Some(quote()),
        ..created()
    };
    let change = charge.apply(&Event::ReceiptsChanged, minute(20)).unwrap();
    assert_eq!(change.resolution, Resolution::None);
    let sent = Charge {
        refunded: vec![(BTC, 400)],
        ..charge
    };
    let change = sent.apply(&Event::ReceiptsChanged, minute(20)).unwrap();
    assert_eq!(change.resolution, Resolution::Refunded);
}
