//! What holds for any coins, payments, rate and caps.

use std::collections::BTreeSet;

use bitcoin::hashes::Hash as _;
use bitcoin::{
    OutPoint, PubkeyHash, ScriptBuf, ScriptHash, Transaction, Txid, WPubkeyHash, Witness,
};
use proptest::prelude::*;

use super::*;
use crate::bump::{Replacement, replace};
use crate::coins::Branch;
use crate::fee::vsize;
use crate::samples::bitcoin;
use crate::script_kind::ScriptKind;

fn script(kind: u8, tag: u8) -> ScriptBuf {
    match kind % 3 {
        0 => ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([tag; 20])),
        1 => ScriptBuf::new_p2sh(&ScriptHash::from_byte_array([tag; 20])),
        _ => ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array([tag; 20])),
    }
}

prop_compose! {
    /// Few transaction ids, so that some outpoints come twice.
    fn any_coin()(
        tx in 0_u8..40,
        vout in 0_u32..2,
        satoshi in prop_oneof![1_u64..2_000, 1_u64..5_000_000],
        kind in 0_u8..3,
        confirmations in 0_u32..4,
    ) -> Coin {
        Coin {
            outpoint: OutPoint::new(Txid::from_byte_array([tx; 32]), vout),
            satoshi,
            branch: Branch::Receiving,
            index: u32::from(tx),
            script: script(kind, tx),
            confirmations,
        }
    }
}

prop_compose! {
    fn any_payment()(
        tag in 0_u8..4,
        kind in 0_u8..3,
        satoshi in prop_oneof![200_u64..1_000, 1_000_u64..3_000_000],
    ) -> Payment {
        Payment {
            script: script(kind, 100 + tag),
            satoshi,
            reference: format!("{tag}"),
        }
    }
}

#[derive(Debug, Clone)]
struct Case {
    coins: Vec<Coin>,
    payments: Vec<Payment>,
    change: ChangeScript,
    rate: u64,
    caps: FeeCaps,
    confirmations_min: u32,
}

impl Case {
    fn request(&self) -> Selection<'_> {
        Selection {
            coins: &self.coins,
            payments: &self.payments,
            change: &self.change,
            fee_rate: FeeRate::from_sat_per_kvb(self.rate),
            caps: self.caps,
            confirmations_min: self.confirmations_min,
            chain: bitcoin(),
        }
    }
}

prop_compose! {
    fn any_case()(
        coins in prop::collection::vec(any_coin(), 0..24),
        payments in prop::collection::vec(any_payment(), 1..6),
        change in 0_u8..3,
        rate in prop_oneof![0_u64..3_000, 0_u64..120_000],
        absolute in prop_oneof![Just(u64::MAX), 100_u64..50_000],
        relative_ppm in prop_oneof![Just(u32::MAX), 1_000_u32..500_000],
        confirmations_min in 0_u32..3,
    ) -> Case {
        Case {
            coins,
            payments,
            change: ChangeScript { index: 9, script: script(change, 200) },
            rate,
            caps: FeeCaps { absolute, relative_ppm },
            confirmations_min,
        }
    }
}

/// The transaction with signatures of the greatest length, as the network would see it.
fn with_longest_signatures(plan: &Plan) -> Transaction {
    let mut tx = plan.transaction();
    for (input, coin) in tx.input.iter_mut().zip(&plan.inputs) {
        let witness = Witness::from_slice(&[vec![0_u8; 72], vec![0_u8; 33]]);
        match ScriptKind::of(&coin.script).unwrap() {
            ScriptKind::P2wpkh => input.witness = witness,
            ScriptKind::P2shP2wpkh => {
                input.script_sig = ScriptBuf::from_bytes(vec![0; 23]);
                input.witness = witness;
            }
            ScriptKind::P2pkh => input.script_sig = ScriptBuf::from_bytes(vec![0; 107]),
        }
    }
    tx
}

/// Everything a plan promises, whoever made it.
fn keeps_its_promises(plan: &Plan, payments: &[Payment], caps: FeeCaps, rate: FeeRate) {
    let spent: u64 = plan.inputs.iter().map(|coin| coin.satoshi).sum();
    let received: u64 = plan.outputs.iter().map(|output| output.satoshi).sum();
    assert_eq!(spent, received + plan.fee);

    let outpoints: BTreeSet<OutPoint> = plan.inputs.iter().map(|coin| coin.outpoint).collect();
    assert_eq!(outpoints.len(), plan.inputs.len());

    let weight = with_longest_signatures(plan).weight().to_wu();
    assert_eq!(weight, plan.weight);
    assert!(plan.fee >= rate.fee(weight));
    let paid: u64 = payments.iter().map(|payment| payment.satoshi).sum();
    assert!(plan.fee <= caps.cap(paid));

    let sorted = |mut payments: Vec<Payment>| {
        payments.sort_by(|a, b| {
            (a.satoshi, &a.script, &a.reference).cmp(&(b.satoshi, &b.script, &b.reference))
        });
        payments
    };
    assert_eq!(sorted(plan.payments()), sorted(payments.to_vec()));

    assert_eq!(plan.change().is_some(), plan.change_position.is_some());
    assert_eq!(
        plan.outputs.len(),
        payments.len() + usize::from(plan.change_position.is_some())
    );
    for output in &plan.outputs {
        assert!(output.satoshi >= bitcoin().dust(&output.script));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_plan_keeps_its_promises(case in any_case()) {
        if let Ok(plan) = select(&case.request()) {
            let rate = FeeRate::from_sat_per_kvb(case.rate);
            keeps_its_promises(&plan, &case.payments, case.caps, rate);
            for coin in &plan.inputs {
                prop_assert!(coin.confirmations >= case.confirmations_min.max(1));
                prop_assert!(case.coins.contains(coin));
            }
            if let Some((_, change)) = plan.change() {
                prop_assert_eq!(change, case.change.clone());
            }
        }
    }

    #[test]
    fn the_same_coins_in_another_order_make_the_same_plan(case in any_case()) {
        // Of coins with the same outpoint only the first counts, so let there be none.
        let mut seen = BTreeSet::new();
        let mut case = case;
        case.coins.retain(|coin| seen.insert(coin.outpoint));
        let plan = select(&case.request());
        case.coins.reverse();
        prop_assert_eq!(select(&case.request()), plan);
    }

    #[test]
    fn what_is_missing_would_be_enough(case in any_case()) {
        if let Err(SelectionError::NotEnough { missing }) = select(&case.request()) {
            let mut case = case;
            // An input of 272 units, the marker, and longer counts.
            let spending = FeeRate::from_sat_per_kvb(case.rate).fee(272 + 60);
            case.coins.push(Coin {
                outpoint: OutPoint::new(Txid::from_byte_array([0xee; 32]), 0),
                satoshi: missing + spending,
                branch: Branch::Receiving,
                index: 0,
                script: script(0, 0xee),
                confirmations: 100,
            });
            let again = select(&case.request());
            let missing_still = matches!(again, Err(SelectionError::NotEnough { .. }));
            prop_assert!(!missing_still);
        }
    }

    /// BIP 125: rules 3 and 4 and a higher rate, whatever rate was asked for.
    #[test]
    fn a_replacement_keeps_to_the_rules(
        case in any_case(),
        factor in 1_u64..6,
        incremental in prop_oneof![Just(1_000_u64), Just(100_u64), 0_u64..5_000],
        descendants_fee in prop_oneof![Just(0_u64), 0_u64..20_000],
        shorter in 0_u64..4,
    ) {
        let Ok(earlier) = select(&case.request()) else {
            return Ok(());
        };
        let earlier_vsize = vsize(earlier.weight).saturating_sub(shorter).max(1);
        let rate = FeeRate::from_sat_per_kvb(case.rate * factor);
        let incremental = FeeRate::from_sat_per_kvb(incremental);
        let replacement = replace(&Replacement {
            earlier: &earlier,
            earlier_vsize,
            descendants_fee,
            coins: &case.coins,
            change: &case.change,
            fee_rate: rate,
            incremental,
            caps: case.caps,
            confirmations_min: case.confirmations_min,
            chain: bitcoin(),
        });
        if let Ok(plan) = replacement {
            keeps_its_promises(&plan, &case.payments, case.caps, rate);
            for coin in &earlier.inputs {
                prop_assert!(plan.inputs.contains(coin));
            }
            let evicted = earlier.fee + descendants_fee;
            prop_assert!(plan.fee >= evicted + incremental.fee(plan.weight));
            let (new, old) = (u128::from(plan.fee), u128::from(earlier.fee));
            let new_vsize = u128::from(vsize(plan.weight));
            prop_assert!(new * u128::from(earlier_vsize) > old * new_vsize);
        }
    }
}
