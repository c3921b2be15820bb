use bitcoin::{Amount, EcdsaSighashType, ScriptBuf, Witness, consensus, ecdsa};
use time::macros::datetime;

use super::*;
use crate::fee::FeeCaps;
use crate::policy::Policy;
use crate::protocol::write_psbt;
use crate::samples;
use crate::signer::sign;
use crate::spent::Spent;

/// BIP 174, "PSBT with one P2PKH input".
const ONE_P2PKH_INPUT: &str = "cHNidP8BAHUCAAAAASaBcTce3/KF6Tet7qSze3gADAVmy7OtZGQXE8pCFxv2AAAAAAD+////AtPf9QUAAAAAGXapFNDFmQPFusKGh2DpD9UhpGZap2UgiKwA4fUFAAAAABepFDVF5uM7gyxHBQ8k0+65PJwDlIvHh7MuEwAAAQD9pQEBAAAAAAECiaPHHqtNIOA3G7ukzGmPopXJRjr6Ljl/hTPMti+VZ+UBAAAAFxYAFL4Y0VKpsBIDna89p95PUzSe7LmF/////4b4qkOnHf8USIk6UwpyN+9rRgi7st0tAXHmOuxqSJC0AQAAABcWABT+Pp7xp0XpdNkCxDVZQ6vLNL1TU/////8CAMLrCwAAAAAZdqkUhc/xCX/Z4Ai7NK9wnGIZeziXikiIrHL++E4sAAAAF6kUM5cluiHv1irHU6m80GfWx6ajnQWHAkcwRAIgJxK+IuAnDzlPVoMR3HyppolwuAJf3TskAinwf4pfOiQCIAGLONfc0xTnNMkna9b7QPZzMlvEuqFEyADS8vAtsnZcASED0uFWdJQbrUqZY3LLh+GFbTZSYG2YVi/jnF6efkE/IQUCSDBFAiEA0SuFLYXc2WHS9fSrZgZU327tzHlMDDPOXMMJ/7X85Y0CIGczio4OFyXBl/saiK9Z9R5E5CVbIBZ8hoQDHAXR8lkqASECI7cr7vCWXRC+B3jv7NYfysb3mk6haTkzgHNEZPhPKrMAAAAAAAAA";

/// BIP 174, "network transaction, not PSBT format".
const NETWORK_TRANSACTION: &str = "0200000001268171371edff285e937adeea4b37b78000c0566cbb3ad64641713ca42171bf6000000006a473044022070b2245123e6bf474d60c5b50c043d4c691a5d2435f09a34a7662a9dc251790a022001329ca9dacf280bdf30740ec0390422422c81cb45839457aeb76fc12edd95b3012102657d118d3357b8e0f4c2cd46db7b39f6d9c38d9a70abcb9b2de5dc8dbfe4ce31feffffff02d3dff505000000001976a914d0c59903c5bac2868760e90fd521a4665aa7652088ac00e1f5050000000017a9143545e6e33b832c47050f24d3eeb93c9c03948bc787b32e1300";

const KINDS: [ScriptKind; 3] = [
    ScriptKind::P2wpkh,
    ScriptKind::P2shP2wpkh,
    ScriptKind::P2pkh,
];

fn unsigned(kind: ScriptKind) -> Psbt {
    let plan = samples::plan(kind);
    build(&plan, &samples::account(kind), &samples::fundings(kind)).unwrap()
}

fn signed(kind: ScriptKind) -> Psbt {
    let policy = Policy {
        chain: samples::bitcoin(),
        payment_max: u64::MAX,
        daily_max: u64::MAX,
        fee_caps: FeeCaps {
            absolute: u64::MAX,
            relative_ppm: u32::MAX,
        },
        destinations: None,
        change_index_max: 10,
    };
    sign(
        unsigned(kind),
        &samples::key(kind),
        &policy,
        &Spent::default(),
        datetime!(2030-01-31 12:00 UTC),
    )
    .unwrap()
    .psbt
}

fn finish(kind: ScriptKind, returned: Psbt) -> Result<Complete, ReturnedError> {
    complete(&unsigned(kind), Returned::Psbt(Box::new(returned)))
}

#[test]
fn it_says_what_is_spent_and_whose_key_is_needed() {
    for kind in KINDS {
        let plan = samples::plan(kind);
        let psbt = unsigned(kind);
        for (number, coin) in plan.inputs.iter().enumerate() {
            let found = prevout(&psbt, number).unwrap();
            assert!(found.is_proven);
            assert_eq!(found.output.value.to_sat(), coin.satoshi);
            let input = &psbt.inputs[number];
            assert_eq!(input.witness_utxo.is_some(), kind.is_segwit());
            assert_eq!(
                input.redeem_script.is_some(),
                kind == ScriptKind::P2shP2wpkh
            );
            let (fingerprint, path) = input.bip32_derivation.values().next().unwrap();
            assert_eq!(fingerprint.to_string(), "73c5da0a");
            assert_eq!(
                path.to_string(),
                format!("{}'/0'/0'/0/{}", kind.purpose(), coin.index)
            );
        }
        let change = &psbt.outputs[plan.change_position.unwrap()];
        let (_, path) = change.bip32_derivation.values().next().unwrap();
        assert_eq!(path.to_string(), format!("{}'/0'/0'/1/3", kind.purpose()));
        assert_eq!(psbt.xpub.len(), 1);
        assert_eq!(Psbt::deserialize(&psbt.serialize()).unwrap(), psbt);
    }
}

#[test]
fn what_is_signed_is_finished_to_the_satoshi() {
    for kind in KINDS {
        let plan = samples::plan(kind);
        let complete = finish(kind, signed(kind)).unwrap();
        assert_eq!(complete.fee, plan.fee);
        let tx: Transaction = consensus::deserialize(&complete.raw).unwrap();
        assert_eq!(tx.compute_txid(), complete.txid);
        // Low R makes signatures one byte shorter than the longest; rarely another byte is saved.
        let weight = tx.weight().to_wu();
        let byte = if kind.is_segwit() { 1 } else { 4 };
        assert!(weight <= plan.weight - 2 * byte, "{kind:?}");
        assert!(weight + 8 * byte >= plan.weight, "{kind:?}");
        assert!(complete.vsize <= crate::fee::vsize(plan.weight));
    }
}

#[test]
fn every_form_that_wallets_give_back_is_read() {
    let kind = ScriptKind::P2shP2wpkh;
    let psbt = signed(kind);
    let expected = finish(kind, psbt.clone()).unwrap();
    let base64 = write_psbt(&psbt);
    let (first, second) = base64.split_at(100);
    for text in [
        psbt.serialize(),
        base64.clone().into_bytes(),
        format!("  {first}\r\n{second}\n").into_bytes(),
        hex::encode(psbt.serialize()).into_bytes(),
        hex::encode_upper(&expected.raw).into_bytes(),
    ] {
        let returned = read_returned(&text).unwrap();
        assert_eq!(complete(&unsigned(kind), returned).unwrap(), expected);
    }
}

#[test]
fn inputs_finished_by_the_signer_are_taken() {
    for kind in KINDS {
        let expected = finish(kind, signed(kind)).unwrap();
        let tx: Transaction = consensus::deserialize(&expected.raw).unwrap();
        let mut psbt = unsigned(kind);
        for (input, txin) in psbt.inputs.iter_mut().zip(&tx.input) {
            if kind != ScriptKind::P2wpkh {
                input.final_script_sig = Some(txin.script_sig.clone());
            }
            if kind.is_segwit() {
                input.final_script_witness = Some(txin.witness.clone());
            }
        }
        assert_eq!(finish(kind, psbt).unwrap(), expected);
    }
}

#[test]
fn another_transaction_is_refused() {
    let kind = ScriptKind::P2wpkh;
    let changes: [fn(&mut Psbt); 4] = [
        |psbt| psbt.unsigned_tx.output[0].value -= Amount::from_sat(1),
        |psbt| psbt.unsigned_tx.output[0].script_pubkey = samples::payee(9),
        |psbt| psbt.unsigned_tx.input[0].sequence = bitcoin::Sequence::MAX,
        |psbt| psbt.unsigned_tx.input.swap(0, 1),
    ];
    for change in changes {
        let mut psbt = signed(kind);
        change(&mut psbt);
        assert_eq!(finish(kind, psbt), Err(ReturnedError::OtherTransaction));
    }
    let other = read_returned(NETWORK_TRANSACTION.as_bytes()).unwrap();
    assert_eq!(
        complete(&unsigned(kind), other),
        Err(ReturnedError::OtherTransaction)
    );
}

#[test]
fn a_missing_signature_is_named() {
    for kind in KINDS {
        assert_eq!(
            finish(kind, unsigned(kind)),
            Err(ReturnedError::NotSigned(0))
        );
        let mut psbt = signed(kind);
        psbt.inputs[1].partial_sigs.clear();
        assert_eq!(finish(kind, psbt), Err(ReturnedError::NotSigned(1)));
    }
    let kind = ScriptKind::P2wpkh;
    let bare = Returned::Transaction(unsigned(kind).unsigned_tx);
    assert_eq!(
        complete(&unsigned(kind), bare),
        Err(ReturnedError::NotSigned(0))
    );
}

#[test]
fn a_signature_that_does_not_hold_is_refused() {
    for kind in KINDS {
        // That of the other input.
        let mut psbt = signed(kind);
        let of_other = *psbt.inputs[0].partial_sigs.values().next().unwrap();
        for signature in psbt.inputs[1].partial_sigs.values_mut() {
            *signature = of_other;
        }
        assert_eq!(finish(kind, psbt), Err(ReturnedError::Invalid(1)));

        // One that says it is of less than everything.
        let mut psbt = signed(kind);
        for signature in psbt.inputs[0].partial_sigs.values_mut() {
            *signature = ecdsa::Signature {
                signature: signature.signature,
                sighash_type: EcdsaSighashType::None,
            };
        }
        assert_eq!(finish(kind, psbt), Err(ReturnedError::Invalid(0)));
    }
}

#[test]
fn nothing_else_may_be_in_an_input() {
    let kind = ScriptKind::P2wpkh;
    let raw = finish(kind, signed(kind)).unwrap().raw;
    let good: Transaction = consensus::deserialize(&raw).unwrap();
    let mut with_script = good.clone();
    with_script.input[0].script_sig = ScriptBuf::from_hex("51").unwrap();
    let mut with_witness = good.clone();
    with_witness.input[0].witness.push([1]);
    let mut emptied = good.clone();
    emptied.input[1].witness = Witness::new();
    for (tx, error) in [
        (with_script, ReturnedError::Invalid(0)),
        (with_witness, ReturnedError::Invalid(0)),
        (emptied, ReturnedError::NotSigned(1)),
    ] {
        let returned = Returned::Transaction(tx);
        assert_eq!(complete(&unsigned(kind), returned), Err(error));
    }
    assert!(complete(&unsigned(kind), Returned::Transaction(good)).is_ok());
}

/// BIP 143: a signature binds the amount it spends.
#[test]
fn an_amount_that_was_lied_about_makes_no_valid_signature() {
    let kind = ScriptKind::P2wpkh;
    let plan = samples::planned(
        kind,
        &[samples::coin(kind, 0, 60_000)],
        &[samples::payment(1, 20_000)],
    );
    let account = samples::account(kind);
    let expected = build(&plan, &account, &samples::fundings(kind)).unwrap();
    let mut lie = plan.clone();
    lie.inputs[0].satoshi = 61_000;
    let told = build(&lie, &account, &BTreeMap::new()).unwrap();
    let policy = Policy::parse(
        r#"{"chain":"bitcoin","payment_max_sat":20000,"daily_max_sat":30000,
            "fee_max_sat":2000,"fee_max_ppm":100000}"#,
    )
    .unwrap();
    let now = datetime!(2030-01-31 12:00 UTC);
    let signed = sign(told, &samples::key(kind), &policy, &Spent::default(), now).unwrap();
    assert_eq!(
        complete(&expected, Returned::Psbt(Box::new(signed.psbt))),
        Err(ReturnedError::Invalid(0))
    );
}

#[test]
fn vectors_of_bip_174_are_read() {
    let Returned::Psbt(psbt) = read_returned(ONE_P2PKH_INPUT.as_bytes()).unwrap() else {
        panic!("a PSBT was expected");
    };
    let found = prevout(&psbt, 0).unwrap();
    assert!(found.is_proven);
    assert_eq!(found.output.value.to_sat(), 200_000_000);
    assert_eq!(
        ScriptKind::of(&found.output.script_pubkey),
        Some(ScriptKind::P2pkh)
    );
    assert!(matches!(
        read_returned(NETWORK_TRANSACTION.as_bytes()).unwrap(),
        Returned::Transaction(_)
    ));
}

#[test]
fn what_is_neither_is_refused() {
    for bytes in [
        b"".as_slice(),
        b"  \n ",
        b"hello world!",
        b"deadbeef",
        b"psbt\xff\x01",
        b"\xff\xfe",
        b"cHNidP8=",
    ] {
        assert!(
            matches!(read_returned(bytes), Err(ReturnedError::Malformed(_))),
            "{bytes:?}"
        );
    }
    let long = vec![b'a'; 8 * 1024 * 1024 + 1];
    assert_eq!(read_returned(&long), Err(ReturnedError::TooLong));
}

#[test]
fn coins_and_change_of_others_are_not_written_down() {
    let kind = ScriptKind::P2wpkh;
    let account = samples::account(kind);
    let fundings = samples::fundings(kind);
    let mut elsewhere = samples::plan(kind);
    elsewhere.inputs[0].index += 1;
    assert!(matches!(
        build(&elsewhere, &account, &fundings),
        Err(BuildError::NotOurs(outpoint)) if outpoint == elsewhere.inputs[0].outpoint
    ));
    let mut lost = samples::plan(kind);
    let position = lost.change_position.unwrap();
    lost.outputs[position].script = samples::payee(9);
    assert!(matches!(
        build(&lost, &account, &fundings),
        Err(BuildError::ChangeNotOurs)
    ));
}

#[test]
fn the_transactions_that_made_the_coins_have_to_be_those() {
    let kind = ScriptKind::P2pkh;
    let account = samples::account(kind);
    let plan = samples::plan(kind);
    assert!(matches!(
        build(&plan, &account, &BTreeMap::new()),
        Err(BuildError::MissingPrevious(_))
    ));
    let mut exchanged = samples::fundings(kind);
    for tx in exchanged.values_mut() {
        tx.output[0].value += Amount::from_sat(1);
    }
    assert!(matches!(
        build(&plan, &account, &exchanged),
        Err(BuildError::WrongPrevious(_))
    ));
    // For segwit they may be left out.
    let kind = ScriptKind::P2wpkh;
    let plan = samples::plan(kind);
    let psbt = build(&plan, &samples::account(kind), &BTreeMap::new()).unwrap();
    assert!(!prevout(&psbt, 0).unwrap().is_proven);
}

#[test]
fn a_psbt_that_contradicts_itself_is_not_believed() {
    let mut psbt = unsigned(ScriptKind::P2wpkh);
    psbt.inputs[0].witness_utxo.as_mut().unwrap().value += Amount::from_sat(1);
    assert_eq!(prevout(&psbt, 0), Err(PrevoutError::Differ(0)));
    let mut psbt = unsigned(ScriptKind::P2wpkh);
    psbt.inputs[0].non_witness_utxo = psbt.inputs[1].non_witness_utxo.clone();
    assert_eq!(prevout(&psbt, 0), Err(PrevoutError::OtherTransaction(0)));
    psbt.inputs[0].non_witness_utxo = None;
    psbt.inputs[0].witness_utxo = None;
    assert_eq!(prevout(&psbt, 0), Err(PrevoutError::Missing(0)));
    assert_eq!(prevout(&psbt, 7), Err(PrevoutError::Missing(7)));
}
