use super::*;
use crate::coins::Purpose;
use crate::samples::{CAPS, bitcoin, change, coin, payee, payment};
use crate::script_kind::ScriptKind;

const KIND: ScriptKind = ScriptKind::P2wpkh;

fn choose(
    coins: &[Coin],
    payments: &[Payment],
    rate: u64,
    caps: FeeCaps,
) -> Result<Plan, SelectionError> {
    select(&Selection {
        coins,
        payments,
        change: &change(KIND, 3),
        fee_rate: FeeRate::from_sat_per_kvb(rate),
        caps,
        confirmations_min: 1,
        chain: bitcoin(),
    })
}

fn coins(satoshis: &[u64]) -> Vec<Coin> {
    (0..)
        .zip(satoshis)
        .map(|(i, s)| coin(KIND, i, *s))
        .collect()
}

fn amounts(plan: &Plan) -> Vec<u64> {
    let mut amounts: Vec<u64> = plan.inputs.iter().map(|coin| coin.satoshi).collect();
    amounts.sort_unstable();
    amounts
}

#[test]
fn an_exact_match_leaves_no_change() {
    // One input and one output weigh 438 units, so 110 virtual bytes.
    let plan = choose(
        &coins(&[500_000, 100_110, 70_000]),
        &[payment(1, 100_000)],
        1_000,
        CAPS,
    )
    .unwrap();
    assert_eq!(amounts(&plan), [100_110]);
    assert_eq!((plan.fee, plan.weight), (110, 438));
    assert_eq!(plan.change_position, None);
    assert_eq!(plan.outputs.len(), 1);
}

#[test]
fn several_coins_may_match_exactly() {
    // Two inputs and one output weigh 710 units, so 178 virtual bytes.
    let plan = choose(
        &coins(&[500_000, 60_000, 40_178, 33_333]),
        &[payment(1, 100_000)],
        1_000,
        CAPS,
    )
    .unwrap();
    assert_eq!(amounts(&plan), [40_178, 60_000]);
    assert_eq!((plan.fee, plan.change_position), (178, None));
}

#[test]
fn otherwise_the_largest_is_taken_and_change_given() {
    let plan = choose(
        &coins(&[20_000, 500_000, 70_000]),
        &[payment(1, 100_000)],
        1_000,
        CAPS,
    )
    .unwrap();
    assert_eq!(amounts(&plan), [500_000]);
    // One input and two outputs weigh 562 units, so 141 virtual bytes.
    assert_eq!((plan.fee, plan.weight), (141, 562));
    assert_eq!(plan.change(), Some((399_859, change(KIND, 3))));
    assert_eq!(plan.change_position, Some(1));
}

#[test]
fn what_is_missing_is_said_with_the_fee() {
    let error = choose(
        &coins(&[60_000, 50_000]),
        &[payment(1, 200_000)],
        1_000,
        CAPS,
    );
    assert_eq!(error, Err(SelectionError::NotEnough { missing: 90_178 }));
    // Nothing at all: 42 virtual bytes without any input, less the marker.
    let error = choose(&[], &[payment(1, 1_000)], 1_000, CAPS);
    assert_eq!(error, Err(SelectionError::NotEnough { missing: 1_041 }));
    // What was missing is enough.
    let mut more = coins(&[60_000, 50_000]);
    more.push(coin(KIND, 9, 90_178 + 68));
    choose(&more, &[payment(1, 200_000)], 1_000, CAPS).unwrap();
}

#[test]
fn dust_is_neither_paid_nor_left() {
    let error = choose(&coins(&[100_000]), &[payment(1, 293)], 1_000, CAPS);
    assert!(matches!(
        error,
        Err(SelectionError::Dust { reference, satoshi: 293, dust: 294 }) if reference == "withdrawal 1"
    ));
    choose(&coins(&[100_000]), &[payment(1, 294)], 1_000, CAPS).unwrap();
    // 159 satoshis of change would be dust: they are fee.
    let plan = choose(&coins(&[100_300]), &[payment(1, 100_000)], 1_000, CAPS).unwrap();
    assert_eq!((plan.fee, plan.change_position), (300, None));
}

#[test]
fn change_that_costs_more_than_it_is_worth_is_fee() {
    // At 50 satoshis a byte spending an output costs 3400.
    let plan = choose(&coins(&[110_000]), &[payment(1, 100_000)], 50_000, CAPS).unwrap();
    assert_eq!((plan.fee, plan.change_position), (10_000, None));
    let plan = choose(&coins(&[110_500]), &[payment(1, 100_000)], 50_000, CAPS).unwrap();
    assert_eq!(plan.fee, 7_050);
    assert_eq!(plan.change().unwrap().0, 3_450);
}

#[test]
fn a_cap_is_kept() {
    let absolute = |absolute| FeeCaps {
        absolute,
        relative_ppm: u32::MAX,
    };
    let pay = [payment(1, 100_000)];
    assert_eq!(
        choose(&coins(&[500_000]), &pay, 1_000, absolute(140)),
        Err(SelectionError::FeeAboveCap { fee: 141, cap: 140 })
    );
    choose(&coins(&[500_000]), &pay, 1_000, absolute(141)).unwrap();
    // A tenth of a percent of 100 000.
    let relative = FeeCaps {
        absolute: u64::MAX,
        relative_ppm: 1_000,
    };
    assert_eq!(
        choose(&coins(&[500_000]), &pay, 1_000, relative),
        Err(SelectionError::FeeAboveCap { fee: 141, cap: 100 })
    );
}

#[test]
fn what_would_be_too_much_fee_becomes_change_with_another_coin() {
    let caps = FeeCaps {
        absolute: 250,
        relative_ppm: u32::MAX,
    };
    let pay = [payment(1, 100_000)];
    assert_eq!(
        choose(&coins(&[100_300]), &pay, 1_000, caps),
        Err(SelectionError::FeeAboveCap { fee: 300, cap: 250 })
    );
    let plan = choose(&coins(&[100_300, 10_000]), &pay, 1_000, caps).unwrap();
    assert_eq!(amounts(&plan), [10_000, 100_300]);
    assert_eq!(plan.fee, 209);
}

#[test]
fn unconfirmed_and_repeated_coins_do_not_count() {
    let mut given = coins(&[60_000, 60_000]);
    given[1].confirmations = 0;
    given.push(given[0].clone());
    let error = choose(&given, &[payment(1, 100_000)], 1_000, CAPS);
    assert_eq!(error, Err(SelectionError::NotEnough { missing: 40_110 }));
    given[1].confirmations = 1;
    let plan = choose(&given, &[payment(1, 100_000)], 1_000, CAPS).unwrap();
    assert_eq!(plan.inputs.len(), 2);
}

#[test]
fn as_many_confirmations_as_asked_for() {
    let mut given = coins(&[200_000]);
    let pay = [payment(1, 100_000)];
    let change = change(KIND, 0);
    given[0].confirmations = 5;
    let mut request = Selection {
        coins: &given,
        payments: &pay,
        change: &change,
        fee_rate: FeeRate::from_sat_per_kvb(1_000),
        caps: CAPS,
        confirmations_min: 6,
        chain: bitcoin(),
    };
    assert!(matches!(
        select(&request),
        Err(SelectionError::NotEnough { .. })
    ));
    request.confirmations_min = 5;
    select(&request).unwrap();
}

#[test]
fn coins_that_cost_more_than_they_bring_stay() {
    // At 10 satoshis a byte spending one costs 680.
    let plan = choose(
        &coins(&[100_000, 680, 500]),
        &[payment(1, 90_000)],
        10_000,
        CAPS,
    )
    .unwrap();
    assert_eq!(amounts(&plan), [100_000]);
}

#[test]
fn several_payments_share_a_transaction() {
    let pay = [
        payment(3, 30_000),
        payment(1, 10_000),
        payment(2, 10_000),
        payment(1, 20_000),
    ];
    let plan = choose(&coins(&[500_000]), &pay, 1_000, CAPS).unwrap();
    let paid: Vec<(u64, &str)> = plan
        .outputs
        .iter()
        .filter_map(|output| match &output.purpose {
            Purpose::Payment { reference } => Some((output.satoshi, reference.as_str())),
            Purpose::Change { .. } => None,
        })
        .collect();
    assert_eq!(
        paid,
        [
            (10_000, "withdrawal 1"),
            (10_000, "withdrawal 2"),
            (20_000, "withdrawal 1"),
            (30_000, "withdrawal 3"),
        ]
    );
    // One input and five outputs: (10 + 5 * 31) * 4 + 272 + 2 units.
    assert_eq!((plan.weight, plan.fee), (934, 234));
    assert_eq!(plan.change().unwrap().0, 500_000 - 70_000 - 234);
}

#[test]
fn what_cannot_be_is_refused() {
    let given = coins(&[100_000]);
    assert_eq!(
        choose(&given, &[], 1_000, CAPS),
        Err(SelectionError::NothingToPay)
    );
    let too_much = [payment(1, u64::MAX), payment(2, 1_000)];
    assert_eq!(
        choose(&given, &too_much, 1_000, CAPS),
        Err(SelectionError::TooMuch)
    );
    let mut foreign = coins(&[100_000]);
    foreign[0].script = payee(0x51);
    assert_eq!(
        choose(&foreign, &[payment(1, 1_000)], 1_000, CAPS),
        Err(SelectionError::UnknownScript(foreign[0].outpoint))
    );
    let absurd = choose(&given, &[payment(1, 1_000)], u64::MAX, CAPS);
    assert!(matches!(absurd, Err(SelectionError::NotEnough { .. })));
}

#[test]
fn what_is_too_heavy_is_refused() {
    // 400 000 units have room for 1469 inputs of 272.
    let template = coin(KIND, 0, 1_000);
    let many: Vec<Coin> = (0..1_500)
        .map(|vout| Coin {
            outpoint: OutPoint {
                vout,
                ..template.outpoint
            },
            ..template.clone()
        })
        .collect();
    assert_eq!(
        choose(&many, &[payment(1, 1_480_000)], 0, CAPS),
        Err(SelectionError::TooHeavy)
    );
    let plan = choose(&many, &[payment(1, 1_400_000)], 0, CAPS).unwrap();
    assert_eq!(plan.inputs.len(), 1_400);
}

#[test]
fn legacy_inputs_weigh_what_they_do() {
    let legacy = [coin(ScriptKind::P2pkh, 0, 200_000)];
    let plan = choose(&legacy, &[payment(1, 100_000)], 1_000, CAPS).unwrap();
    // No marker: (10 + 2 * 31) * 4 + 592 units.
    assert_eq!((plan.weight, plan.fee), (880, 220));
    let mixed = [legacy[0].clone(), coin(KIND, 1, 200_000)];
    let plan = choose(&mixed, &[payment(1, 300_000)], 1_000, CAPS).unwrap();
    // The marker, and an empty witness for the legacy input.
    assert_eq!(plan.weight, 288 + 592 + 272 + 2 + 1);
}
