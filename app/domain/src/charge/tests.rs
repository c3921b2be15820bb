#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rust_decimal::Decimal;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::money::{Currency, CurrencyKind, Money};

const START: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);
const BTC: i16 = 2;
const LTC: i16 = 3;

fn minute(minutes: i64) -> OffsetDateTime {
    START + Duration::minutes(minutes)
}

/// 1 000 BTC units are due for an amount of 5 000 until minute 15.
fn quote() -> Quote {
    Quote {
        coin: BTC,
        due: 1_000,
        release_at: minute(15),
    }
}

fn created() -> Charge {
    Charge {
        status: Status::Created,
        flags: Flags::default(),
        resolution: Resolution::None,
        amount: 5_000,
        tolerance: 0,
        expires_at: START + Duration::days(30),
        covered_at: None,
        quote: None,
        consumed: None,
        refunded: Vec::new(),
        receipts: Vec::new(),
    }
}

/// Runs a script of one step a line and compares status, flags and inbox after each.
///
/// Steps: `at M`, `fix`, `requote D` (due D, 15 minutes), `cancel`, `seen N`, `other N` (another coin),
/// `final I`, `drop I`, `reverse I` (receipt by index), `late C`, `accept C`, `refund N`, `refund-other N`,
/// `unrefund` (the last one came to nothing), `clock`; then `->` and what
/// must hold: `status [flag…] [inbox] [pays]`, or `refused`.
#[track_caller]
fn check(start: Charge, script: &str) {
    let mut charge = start;
    let mut now = START;
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (step, expected) = line.split_once("->").unwrap();
        let words: Vec<&str> = step.split_whitespace().collect();
        let number = || words[1].parse::<i128>().unwrap();
        let event = match words[0] {
            "at" => {
                now = minute(words[1].parse().unwrap());
                Event::ClockAdvanced
            }
            "clock" => Event::ClockAdvanced,
            "fix" => Event::MethodFixed(quote()),
            "requote" => Event::Requoted(Quote {
                coin: BTC,
                due: number(),
                release_at: now + Duration::minutes(15),
            }),
            "cancel" => Event::Cancelled,
            "late" => Event::LateAccepted { consumed: number() },
            "accept" => Event::AcceptedByHand { consumed: number() },
            "unrefund" => {
                charge.refunded.pop();
                Event::ReceiptsChanged
            }
            kind @ ("refund" | "refund-other") => {
                let coin = if kind == "refund" { BTC } else { LTC };
                charge.refunded.push((coin, number()));
                Event::Refunded
            }
            kind @ ("seen" | "other") => {
                charge.receipts.push(Receipt {
                    coin: if kind == "seen" { BTC } else { LTC },
                    amount: number(),
                    state: ReceiptState::Seen,
                    seen_at: now,
                });
                Event::ReceiptsChanged
            }
            kind => {
                let receipt = &mut charge.receipts[usize::try_from(number()).unwrap()];
                receipt.state = match kind {
                    "final" => ReceiptState::Final,
                    "drop" => ReceiptState::Dropped,
                    "reverse" => ReceiptState::Reversed,
                    other => panic!("unknown step {other}"),
                };
                Event::ReceiptsChanged
            }
        };
        let before = charge.clone();
        let found = match charge.apply(&event, now) {
            Err(_) => "refused".to_owned(),
            Ok(change) => {
                assert!(
                    before.status == change.status || before.status.may_become(change.status),
                    "{line}: {:?} may not become {:?}",
                    before.status,
                    change.status
                );
                let mut words = vec![change.status.word().to_owned()];
                words.extend(change.flags.words());
                words.extend(change.needs_attention.then(|| "inbox".to_owned()));
                words.extend(change.pays.then(|| "pays".to_owned()));
                charge = Charge {
                    status: change.status,
                    flags: change.flags,
                    resolution: change.resolution,
                    covered_at: change.covered_at,
                    quote: change.quote,
                    consumed: change.consumed,
                    ..before
                };
                words.join(" ")
            }
        };
        assert_eq!(found, expected.trim(), "after {line:?}");
    }
}

#[test]
fn the_straight_way() {
    check(
        created(),
        "fix -> pending \n seen 1000 -> processing \n final 0 -> paid pays \n clock -> paid",
    );
}

#[test]
fn a_receipt_that_is_final_when_first_seen_pays_at_once() {
    let mut charge = created();
    charge.receipts.push(Receipt {
        coin: BTC,
        amount: 1_000,
        state: ReceiptState::Final,
        seen_at: START,
    });
    charge.status = Status::Pending;
    charge.quote = Some(quote());
    check(charge, "clock -> paid pays");
}

#[test]
fn instalments_add_up_while_the_clock_runs() {
    check(
        created(),
        "fix -> pending
         seen 400 -> pending under
         final 0 -> pending under
         at 10 -> pending under
         seen 600 -> processing
         final 1 -> paid pays",
    );
}

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
fn a_new_rate_counts_what_came() {
    check(
        created(),
        "fix -> pending
         requote 1100 -> refused
         seen 400 -> pending under
         at 15 -> underpaid under inbox
         requote 1100 -> pending under
         seen 700 -> processing
         final 0 -> processing
         final 1 -> paid pays",
    );
    check(
        created(),
        "fix -> pending \n at 15 -> expired \n requote 1200 -> pending \n seen 1200 -> processing",
    );
}

#[test]
fn calling_off_needs_a_charge_without_money() {
    check(
        created(),
        "cancel -> cancelled \n fix -> refused \n cancel -> refused",
    );
    check(
        created(),
        "fix -> pending \n cancel -> cancelled \n seen 5 -> cancelled under inbox",
    );
    check(
        created(),
        "fix -> pending \n seen 5 -> pending under \n cancel -> refused \n fix -> refused",
    );
    check(
        created(),
        "fix -> pending \n at 15 -> expired \n cancel -> refused",
    );
    // The clock has ended although nobody has noticed yet.
    let mut charge = created();
    charge.status = Status::Pending;
    charge.quote = Some(quote());
    assert!(charge.apply(&Event::Cancelled, minute(15)).is_err());
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
fn paid_never_goes_back() {
    check(
        created(),
        "fix -> pending
         seen 1000 -> processing
         final 0 -> paid pays
         reverse 0 -> paid reversed inbox
         final 0 -> paid reversed inbox
         cancel -> refused",
    );
}

#[test]
fn another_coin_never_counts_and_never_hides() {
    check(
        created(),
        "fix -> pending \n other 1000 -> pending inbox \n at 15 -> expired inbox",
    );
}

#[test]
fn a_tolerance_lets_a_little_be_missing() {
    let charge = || Charge {
        tolerance: 5,
        ..created()
    };
    check(
        charge(),
        "fix -> pending \n seen 999 -> processing \n final 0 -> paid pays",
    );
    check(charge(), "fix -> pending \n seen 998 -> pending under");
}

#[test]
fn only_the_listed_moves_exist() {
    let table = "created: pending cancelled expired
        pending: processing paid cancelled expired underpaid
        processing: pending paid failed underpaid
        expired: pending paid
        underpaid: pending paid
        failed: paid
        paid:
        cancelled:";
    for line in table.lines() {
        let (from, to) = line.trim().split_once(':').unwrap();
        let from = Status::from_word(from).unwrap();
        for next in Status::ALL {
            let listed = to.split_whitespace().any(|word| word == next.word());
            assert_eq!(from.may_become(next), listed, "{from:?} -> {next:?}");
        }
    }
}

fn coin() -> Currency {
    Currency {
        id: BTC,
        code: "BTC".parse().unwrap(),
        kind: CurrencyKind::Crypto,
        precision: 8,
        scale: 8,
    }
}

fn dollars() -> Currency {
    Currency {
        id: 1,
        code: "USD".parse().unwrap(),
        kind: CurrencyKind::Fiat,
        precision: 2,
        scale: 8,
    }
}

#[test]
fn a_quoted_payment_credits_exactly_the_amount() {
    let amount = Money::parse("149.98", dollars()).unwrap();
    let received = Money::parse("0.00288410", coin()).unwrap();
    let quoted = Valuation::Quoted { due: 288_410 };
    let credit = quoted.credit(received, amount, 100).unwrap();
    assert_eq!(credit.gross, amount);
    assert_eq!(credit.fee.exact(), "1.49980000");
    let over = Money::parse("1", coin()).unwrap();
    assert_eq!(
        quoted.credit(over, amount, 0).unwrap().consumed.units(),
        288_410
    );
}

#[test]
fn less_than_due_credits_what_it_is_worth() {
    let amount = Money::parse("100.00", dollars()).unwrap();
    let half = Money::from_units(500, coin());
    let credit = Valuation::Quoted { due: 1_000 }
        .credit(half, amount, 0)
        .unwrap();
    assert_eq!(credit.gross.exact(), "50.00000000");
    let credit = Valuation::AtMid(Decimal::new(50_000, 0))
        .credit(Money::parse("0.001", coin()).unwrap(), amount, 0)
        .unwrap();
    assert_eq!(credit.gross.exact(), "50.00000000");
}

#[test]
fn late_money_is_compared_rounded_half_up() {
    let received = Money::from_units(1, coin());
    let value = |mid: &str| late_value(received, mid.parse().unwrap(), dollars()).unwrap();
    assert_eq!(value("499999"), 0);
    assert_eq!(value("500000"), 1_000_000);
}

#[test]
fn large_receipts_need_two_confirmations() {
    assert_eq!(confirmations_for(Some(9_999), 10_000, 1, 2), 1);
    assert_eq!(confirmations_for(Some(10_000), 10_000, 1, 2), 2);
    assert_eq!(confirmations_for(None, 10_000, 1, 2), 2);
}

proptest! {
    #[test]
    fn nobody_gains_from_valuation(
        amount in 1i128..1_000_000_000_000,
        received in 1i128..1_000_000_000_000,
        due in 1i128..1_000_000_000_000,
        mid in 1i64..1_000_000_000,
        points in 0u32..10_000,
    ) {
        let amount = Money::from_units(amount, dollars());
        let received = Money::from_units(received, coin());
        for valuation in [Valuation::Quoted { due }, Valuation::AtMid(Decimal::new(mid, 4))] {
            if let Some(credit) = valuation.credit(received, amount, points) {
                prop_assert!(credit.gross <= amount);
                prop_assert!(credit.consumed <= received);
                prop_assert!(credit.fee <= credit.gross);
            }
        }
    }

    #[test]
    fn any_story_obeys_the_table(
        steps in prop::collection::vec((0u8..9, 0usize..4, 1i128..1_500, 0i64..40), 1..40),
    ) {
        let mut charge = Charge { expires_at: minute(200), ..created() };
        let mut now = START;
        let mut times_paid = 0;
        for (what, index, amount, minutes) in steps {
            now += Duration::minutes(minutes);
            let set = |charge: &mut Charge, from: ReceiptState, to| {
                if let Some(receipt) = charge.receipts.get_mut(index) && receipt.state == from {
                    receipt.state = to;
                }
                Event::ReceiptsChanged
            };
            let fresh = Quote { coin: BTC, due: 1_000, release_at: now + Duration::minutes(15) };
            let event = match what {
                0 => Event::MethodFixed(fresh),
                1 => {
                    charge.receipts.push(Receipt {
                        coin: if index == 3 { LTC } else { BTC },
                        amount,
                        state: ReceiptState::Seen,
                        seen_at: now,
                    });
                    Event::ReceiptsChanged
                }
                2 => set(&mut charge, ReceiptState::Seen, ReceiptState::Final),
                3 => set(&mut charge, ReceiptState::Seen, ReceiptState::Dropped),
                4 => set(&mut charge, ReceiptState::Final, ReceiptState::Reversed),
                5 => Event::Requoted(fresh),
                6 => Event::Cancelled,
                7 => Event::AcceptedByHand { consumed: amount },
                _ => Event::ClockAdvanced,
            };
            let before = charge.clone();
            let Ok(change) = charge.apply(&event, now) else { continue };
            prop_assert!(
                before.status == change.status || before.status.may_become(change.status)
                    // Ending and reopening may happen in one step when nobody looked in between.
                    || (before.status == Status::Pending && change.status == Status::Paid)
                    || matches!(event, Event::Requoted(_))
            );
            for flag in [Flag::Over, Flag::Late, Flag::Manual, Flag::Reversed] {
                prop_assert!(!before.flags.contains(flag) || change.flags.contains(flag));
            }
            times_paid += u32::from(change.pays);
            prop_assert_eq!(change.pays, change.status == Status::Paid && before.status != Status::Paid);
            prop_assert!(times_paid <= 1);
            charge = Charge {
                status: change.status,
                flags: change.flags,
                resolution: change.resolution,
                covered_at: change.covered_at,
                quote: change.quote,
                consumed: change.consumed,
                ..before
            };
        }
    }
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
