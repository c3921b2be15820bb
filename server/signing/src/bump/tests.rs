use super::*;
use crate::samples::{CAPS, bitcoin, change, coin, payment, planned};

const KIND: ScriptKind = ScriptKind::P2wpkh;

/// 1 satoshi a byte, nothing to add, no descendants.
fn request<'a>(earlier: &'a Plan, change: &'a ChangeScript) -> Replacement<'a> {
    Replacement {
        earlier,
        earlier_vsize: 208,
        descendants_fee: 0,
        coins: &[],
        change,
        fee_rate: FeeRate::from_sat_per_kvb(1_000),
        incremental: FeeRate::INCREMENTAL_DEFAULT,
        caps: CAPS,
        confirmations_min: 1,
        chain: bitcoin(),
    }
}

/// Two inputs, a payment of 100 000 and change: 209 virtual bytes, 209 satoshis of fee.
fn earlier() -> Plan {
    let plan = crate::samples::plan(KIND);
    assert_eq!((plan.fee, plan.change().unwrap().0), (209, 9_791));
    plan
}

#[test]
fn the_fee_comes_out_of_the_change() {
    let earlier = earlier();
    let unused = change(KIND, 8);
    let mut request = request(&earlier, &unused);
    request.fee_rate = FeeRate::from_sat_per_kvb(5_000);
    let plan = replace(&request).unwrap();
    assert_eq!(plan.inputs, earlier.inputs);
    assert_eq!(plan.payments(), earlier.payments());
    assert_eq!(plan.fee, 1_045);
    // To the same address as before.
    assert_eq!(plan.change(), Some((8_955, change(KIND, 3))));
}

#[test]
fn rule_4_asks_for_the_price_of_relaying_it() {
    let earlier = earlier();
    let unused = change(KIND, 8);
    let mut request = request(&earlier, &unused);
    // The same rate again: what it replaces, and 209 bytes at 1 satoshi each.
    assert_eq!(replace(&request).unwrap().fee, 209 + 209);
    request.incremental = FeeRate::from_sat_per_kvb(100);
    assert_eq!(replace(&request).unwrap().fee, 209 + 21);
}

#[test]
fn rule_3_counts_what_leaves_with_it() {
    let earlier = earlier();
    let unused = change(KIND, 8);
    let mut request = request(&earlier, &unused);
    request.descendants_fee = 1_000;
    assert_eq!(replace(&request).unwrap().fee, 209 + 1_000 + 209);
}

#[test]
fn the_rate_is_higher_than_the_one_it_really_had() {
    let earlier = earlier();
    let unused = change(KIND, 8);
    let mut request = request(&earlier, &unused);
    request.incremental = FeeRate::from_sat_per_kvb(0);
    // 209 satoshis for 208 bytes are a little more than 1 each.
    assert_eq!(replace(&request).unwrap().fee, 211);
    request.earlier_vsize = 209;
    assert_eq!(replace(&request).unwrap().fee, 210);
}

#[test]
fn confirmed_coins_are_added_when_change_is_not_enough() {
    let earlier = planned(KIND, &[coin(KIND, 0, 100_500)], &[payment(1, 100_000)]);
    assert_eq!(earlier.change().unwrap().0, 359);
    let unused = change(KIND, 8);
    let mut unconfirmed = coin(KIND, 6, 900_000);
    unconfirmed.confirmations = 0;
    let more = [
        coin(KIND, 5, 40_000),
        unconfirmed,
        earlier.inputs[0].clone(),
    ];
    let mut request = request(&earlier, &unused);
    request.earlier_vsize = 141;
    request.coins = &more;
    request.fee_rate = FeeRate::from_sat_per_kvb(10_000);
    let plan = replace(&request).unwrap();
    let mut amounts: Vec<u64> = plan.inputs.iter().map(|coin| coin.satoshi).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [40_000, 100_500]);
    assert_eq!(plan.fee, 2_090);
    // Without them there is not enough.
    request.coins = &[];
    assert_eq!(
        replace(&request),
        Err(SelectionError::NotEnough { missing: 600 }.into())
    );
}

#[test]
fn change_that_is_used_up_is_left_out() {
    let earlier = planned(KIND, &[coin(KIND, 0, 100_500)], &[payment(1, 100_000)]);
    let unused = change(KIND, 8);
    let mut request = request(&earlier, &unused);
    request.earlier_vsize = 141;
    request.fee_rate = FeeRate::from_sat_per_kvb(3_000);
    let plan = replace(&request).unwrap();
    assert_eq!((plan.fee, plan.change_position), (500, None));
    assert_eq!(plan.payments(), earlier.payments());
}

#[test]
fn one_without_change_may_get_some() {
    let earlier = planned(KIND, &[coin(KIND, 0, 100_110)], &[payment(1, 100_000)]);
    assert_eq!(earlier.change_position, None);
    let spare = change(KIND, 8);
    let more = [coin(KIND, 5, 40_000)];
    let mut request = request(&earlier, &spare);
    request.earlier_vsize = 110;
    request.coins = &more;
    let plan = replace(&request).unwrap();
    assert_eq!(plan.inputs.len(), 2);
    assert_eq!(plan.fee, 110 + 209);
    assert_eq!(plan.change(), Some((40_110 - 319, spare.clone())));
}

#[test]
fn a_cap_holds_for_replacements_too() {
    let earlier = earlier();
    let unused = change(KIND, 8);
    let mut request = request(&earlier, &unused);
    request.caps = FeeCaps {
        absolute: 417,
        relative_ppm: u32::MAX,
    };
    assert_eq!(
        replace(&request),
        Err(SelectionError::FeeAboveCap { fee: 418, cap: 417 }.into())
    );
}

#[test]
fn nothing_is_replaced_by_something() {
    let mut nothing = earlier();
    nothing.inputs.clear();
    let unused = change(KIND, 8);
    assert_eq!(
        replace(&request(&nothing, &unused)),
        Err(ReplacementError::NothingToReplace)
    );
}
