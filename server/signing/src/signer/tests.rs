use std::collections::BTreeMap;

use bitcoin::bip32::DerivationPath;
use bitcoin::{Amount, EcdsaSighashType, ScriptBuf, TxOut};
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::coins::Plan;
use crate::psbt::{PrevoutError, Returned, build, complete};
use crate::samples::{self, change, coin, payment, planned};
use crate::script_kind::ScriptKind;

const KIND: ScriptKind = ScriptKind::P2wpkh;
const NOW: OffsetDateTime = datetime!(2030-01-31 12:00 UTC);

/// One payment of 100 000, two of them a day, fees included.
fn policy() -> Policy {
    Policy::parse(
        r#"{"chain":"bitcoin","payment_max_sat":100000,"daily_max_sat":201000,
            "fee_max_sat":1000,"fee_max_ppm":50000,"change_index_max":50}"#,
    )
    .unwrap()
}

fn psbt_of(plan: &Plan) -> Psbt {
    build(plan, &samples::account(KIND), &samples::fundings(KIND)).unwrap()
}

/// Pays 100 000 with the coins of 60 000 and 50 000; the fee is 209.
fn psbt() -> Psbt {
    psbt_of(&samples::plan(KIND))
}

/// One input, one payment, and the transaction that made the coin.
fn single(index: u32, tag: u8, satoshi: u64) -> Psbt {
    let coin = coin(KIND, index, 300_000);
    let plan = planned(KIND, &[coin], &[payment(tag, satoshi)]);
    let tx = samples::funding(KIND, index, 300_000);
    let previous = BTreeMap::from([(tx.compute_txid(), tx)]);
    build(&plan, &samples::account(KIND), &previous).unwrap()
}

fn ask(psbt: Psbt, spent: &Spent, now: OffsetDateTime) -> Result<Signed, Refusal> {
    sign(psbt, &samples::key(KIND), &policy(), spent, now)
}

fn refused(psbt: Psbt) -> Refusal {
    ask(psbt, &Spent::default(), NOW).unwrap_err()
}

#[test]
fn what_is_allowed_is_signed_and_counted() {
    let signed = ask(psbt(), &Spent::default(), NOW).unwrap();
    assert_eq!(
        (signed.paid, signed.fee, signed.added),
        (100_000, 209, 100_209)
    );
    assert_eq!(signed.spent.on(&Day::of(NOW)), 100_209);
    let finished = complete(&psbt(), Returned::Psbt(Box::new(signed.psbt))).unwrap();
    assert_eq!(finished.fee, 209);
}

#[test]
fn the_same_again_is_the_same_and_counts_once() {
    let first = ask(psbt(), &Spent::default(), NOW).unwrap();
    for later in [NOW, NOW + Duration::hours(6), NOW + Duration::days(2)] {
        let again = ask(psbt(), &first.spent, later).unwrap();
        assert_eq!(again.psbt, first.psbt);
        assert_eq!(again.added, 0);
        assert_eq!(again.spent.on(&Day::of(NOW)), 100_209);
    }
}

#[test]
fn the_limit_of_a_day_holds_until_the_next() {
    let mut spent = Spent::default();
    for index in [0, 1] {
        let tag = u8::try_from(index).unwrap() + 1;
        spent = ask(single(index, tag, 100_000), &spent, NOW).unwrap().spent;
    }
    let third = single(2, 3, 10_000);
    let error = ask(third.clone(), &spent, NOW).unwrap_err();
    assert!(matches!(
        error,
        Refusal::Violation(Violation::Daily {
            spent: 200_282,
            max: 201_000,
            ..
        })
    ));
    // What was signed is signed again all the same.
    assert_eq!(ask(single(0, 1, 100_000), &spent, NOW).unwrap().added, 0);
    let next_day = datetime!(2030-02-01 0:00 UTC);
    assert_eq!(ask(third, &spent, next_day).unwrap().added, 10_141);
}

#[test]
fn limits_are_those_of_the_transaction() {
    assert!(matches!(
        refused(single(0, 1, 100_001)),
        Refusal::Violation(Violation::Payment { .. })
    ));
    // A fee of 5 % of 2000 is 100, and this one is 141.
    assert_eq!(
        refused(single(0, 1, 2_000)),
        Refusal::Violation(Violation::Fee { fee: 141, max: 100 })
    );
}

#[test]
fn change_that_is_not_ours_is_a_payment() {
    let plan = planned(KIND, &[coin(KIND, 0, 60_000)], &[payment(1, 20_000)]);
    let position = plan.change_position.unwrap();
    // Paid to a stranger, with or without a hint that says it is ours.
    let mut lost = psbt_of(&plan);
    lost.unsigned_tx.output[position].script_pubkey = samples::payee(9);
    let signed = ask(lost.clone(), &Spent::default(), NOW).unwrap();
    assert_eq!(signed.paid, 60_000 - 141);
    lost.outputs[position].bip32_derivation.clear();
    assert_eq!(
        ask(lost, &Spent::default(), NOW).unwrap().paid,
        60_000 - 141
    );
    // Ours, and nobody says so: it counts, for the signer believes no silence either.
    let mut silent = psbt_of(&plan);
    silent.outputs[position].bip32_derivation.clear();
    assert_eq!(
        ask(silent, &Spent::default(), NOW).unwrap().paid,
        60_000 - 141
    );
}

#[test]
fn change_stays_where_somebody_looks() {
    let mut plan = planned(KIND, &[coin(KIND, 0, 60_000)], &[payment(1, 20_000)]);
    let position = plan.change_position.unwrap();
    for (index, is_near) in [(50, true), (51, false)] {
        plan.outputs[position].script = change(KIND, index).script;
        plan.outputs[position].purpose = crate::coins::Purpose::Change { index };
        let answer = ask(psbt_of(&plan), &Spent::default(), NOW);
        assert_eq!(answer.is_ok(), is_near);
    }
    assert_eq!(
        refused(psbt_of(&plan)),
        Refusal::Reading(ReadingError::ChangeTooFar(51, 50))
    );
}

#[test]
fn only_one_output_is_change() {
    let mut psbt = psbt();
    let other = change(KIND, 4);
    let account = samples::account(KIND);
    let key = account.child(crate::Branch::Change, 4).unwrap();
    let source = account.source(crate::Branch::Change, 4).unwrap();
    psbt.unsigned_tx.output.push(TxOut {
        value: Amount::from_sat(1_000),
        script_pubkey: other.script,
    });
    let mut output = bitcoin::psbt::Output::default();
    output.bip32_derivation.insert(key.0, source);
    psbt.outputs.push(output);
    assert_eq!(
        refused(psbt),
        Refusal::Reading(ReadingError::SeveralChanges)
    );
}

#[test]
fn amounts_of_several_inputs_have_to_be_proven() {
    let plan = samples::plan(KIND);
    let told = build(&plan, &samples::account(KIND), &BTreeMap::new()).unwrap();
    assert_eq!(refused(told), Refusal::Reading(ReadingError::Unproven(0)));
    // With one, a lie makes a signature that does not hold.
    let mut alone = single(0, 1, 50_000);
    alone.inputs[0].non_witness_utxo = None;
    assert!(ask(alone, &Spent::default(), NOW).is_ok());
    let mut changed = psbt();
    changed.inputs[0].witness_utxo.as_mut().unwrap().value -= Amount::from_sat(1);
    assert_eq!(
        refused(changed),
        Refusal::Reading(ReadingError::Prevout(PrevoutError::Differ(0)))
    );
}

#[test]
fn inputs_of_others_are_refused() {
    let mut hidden = psbt();
    hidden.inputs[1].bip32_derivation.clear();
    assert_eq!(
        refused(hidden),
        Refusal::Reading(ReadingError::InputNotOurs(1))
    );
    let mut misled = psbt();
    for (_, path) in misled.inputs[0].bip32_derivation.values_mut() {
        *path = "84'/0'/0'/0/7".parse::<DerivationPath>().unwrap();
    }
    assert_eq!(
        refused(misled),
        Refusal::Reading(ReadingError::InputNotOurs(0))
    );
    // Another account of the same seed.
    let second = SigningKey::parse(samples::SEED, samples::bitcoin(), KIND, 1).unwrap();
    let answer = sign(psbt(), &second, &policy(), &Spent::default(), NOW);
    assert_eq!(
        answer.unwrap_err(),
        Refusal::Reading(ReadingError::InputNotOurs(0))
    );
}

#[test]
fn the_path_above_the_account_does_not_matter() {
    let mut psbt = psbt();
    for input in &mut psbt.inputs {
        for (_, path) in input.bip32_derivation.values_mut() {
            let levels: &[bitcoin::bip32::ChildNumber] = (*path).as_ref();
            *path = DerivationPath::from(&levels[3..]);
        }
    }
    assert!(ask(psbt, &Spent::default(), NOW).is_ok());
}

#[test]
fn unusual_transactions_are_refused() {
    let mut partial = psbt();
    partial.inputs[1].sighash_type = Some(EcdsaSighashType::Single.into());
    assert_eq!(refused(partial), Refusal::Reading(ReadingError::Partial(1)));

    let mut all = psbt();
    all.inputs[1].sighash_type = Some(EcdsaSighashType::All.into());
    assert!(ask(all, &Spent::default(), NOW).is_ok());

    let mut twice = psbt();
    twice.unsigned_tx.input[1] = twice.unsigned_tx.input[0].clone();
    twice.inputs[1] = twice.inputs[0].clone();
    assert_eq!(refused(twice), Refusal::Reading(ReadingError::Twice(1)));

    let mut data = psbt();
    data.unsigned_tx.output[0].script_pubkey = ScriptBuf::from_hex("6a0101").unwrap();
    assert!(matches!(
        refused(data),
        Refusal::Reading(ReadingError::NoAddress(0))
    ));

    let mut more = psbt();
    for output in &mut more.unsigned_tx.output {
        output.value = Amount::from_sat(100_000);
    }
    assert_eq!(refused(more), Refusal::Reading(ReadingError::Overspends));

    let mut version = psbt();
    version.unsigned_tx.version = bitcoin::transaction::Version::non_standard(3);
    assert_eq!(refused(version), Refusal::Reading(ReadingError::Version));

    let mut short = psbt();
    short.inputs.pop();
    assert_eq!(refused(short), Refusal::Reading(ReadingError::Parts));

    let mut empty = psbt();
    empty.unsigned_tx.output.clear();
    empty.outputs.clear();
    assert_eq!(refused(empty), Refusal::Reading(ReadingError::Empty));
}

#[test]
fn a_replacement_counts_its_increase() {
    let first = single(0, 1, 50_000);
    let spent = ask(first.clone(), &Spent::default(), NOW).unwrap().spent;
    let mut higher = first;
    let change = higher
        .unsigned_tx
        .output
        .iter_mut()
        .max_by_key(|output| output.value)
        .unwrap();
    change.value -= Amount::from_sat(300);
    let signed = ask(higher, &spent, NOW).unwrap();
    assert_eq!(signed.added, 300);
    assert_eq!(signed.spent.on(&Day::of(NOW)), 50_000 + 141 + 300);
}

#[test]
fn a_clock_that_went_back_stops_everything() {
    let spent = ask(psbt(), &Spent::default(), NOW).unwrap().spent;
    assert_eq!(
        ask(psbt(), &spent, NOW - Duration::days(1)).unwrap_err(),
        Refusal::Clock(ClockWentBack)
    );
}

const KINDS: [ScriptKind; 3] = [
    ScriptKind::P2wpkh,
    ScriptKind::P2shP2wpkh,
    ScriptKind::P2pkh,
];

/// By the hashes and checks of the library, not by ours.
#[test]
fn signatures_of_every_kind_hold_for_others() {
    let secp = bitcoin::secp256k1::Secp256k1::verification_only();
    for kind in KINDS {
        let plan = samples::plan(kind);
        let psbt = build(&plan, &samples::account(kind), &samples::fundings(kind)).unwrap();
        let signed = sign(
            psbt.clone(),
            &samples::key(kind),
            &policy(),
            &Spent::default(),
            NOW,
        )
        .unwrap()
        .psbt;
        assert_eq!(signed.inputs.len(), 2);
        let mut cache = SighashCache::new(&signed.unsigned_tx);
        for (number, input) in signed.inputs.iter().enumerate() {
            let (message, hash_type) = signed.sighash_ecdsa(number, &mut cache).unwrap();
            let (key, signature) = input.partial_sigs.first_key_value().unwrap();
            assert_eq!(signature.sighash_type, hash_type);
            secp.verify_ecdsa(&message, &signature.signature, &key.inner)
                .unwrap();
            // Of the key whose coin it is.
            let spent = samples::account(kind)
                .kind()
                .script(&bitcoin::CompressedPublicKey::try_from(*key).unwrap());
            assert_eq!(spent, plan.inputs[number].script, "{kind:?}");
        }
        let finished = complete(&psbt, Returned::Psbt(Box::new(signed))).unwrap();
        // No heavier than was paid for, and lighter by a byte or two of each signature.
        let planned = crate::fee::vsize(plan.weight);
        assert!(
            (planned - 4..=planned).contains(&finished.vsize),
            "{kind:?}: {} of {planned}",
            finished.vsize
        );
        // Where the id can be known before, it is.
        let known = crate::psbt::known_txid(&psbt);
        assert_eq!(known, kind.is_segwit().then_some(finished.txid), "{kind:?}");
    }
}

#[test]
fn all_payments_that_are_refused_are_named() {
    let coins = [coin(KIND, 0, 900_000)];
    let payments = [payment(1, 100_001), payment(2, 50_000), payment(3, 200_000)];
    let plan = planned(KIND, &coins, &payments);
    let psbt = build(&plan, &samples::account(KIND), &BTreeMap::new()).unwrap();
    let reading = read(&psbt, samples::key(KIND).account(), 50).unwrap();
    let refused = policy().refused(&reading);
    let named: Vec<u64> = refused.iter().map(|payment| payment.satoshi).collect();
    assert_eq!(named, [100_001, 200_000]);
    assert!(refused[0].why.contains("at most 100000 may go at once"));
    assert_eq!(refused[1].script, samples::payee(3));
}
