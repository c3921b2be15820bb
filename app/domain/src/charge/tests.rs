#![allow(clippy::unwrap_used)]

mod clock;
mod refunds;
mod stories;
mod values;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;

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
