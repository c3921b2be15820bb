//! Stories made by chance: whatever happens, the table of moves is kept.

use proptest::prelude::*;
use time::Duration;

use super::{BTC, LTC, START, created, minute};
use crate::charge::*;

proptest! {
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
