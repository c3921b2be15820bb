use time::macros::datetime;

use super::*;
use crate::evm::KEYS;
use crate::samples::SEED;
use crate::script_kind::ScriptKind;

const NOW: OffsetDateTime = datetime!(2030-01-31 12:00 UTC);
const CONTRACT: &str = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
const GWEI: u128 = 1_000_000_000;

fn key() -> SigningKey {
    SigningKey::parse(SEED, &KEYS, ScriptKind::P2pkh, 0).unwrap()
}

fn policy(more: &str) -> EvmPolicy {
    EvmPolicy::parse(&format!(
        r#"{{"chain_id": 1, "ether": {{"payment_max_gwei": 1000, "daily_max_gwei": 100000}},
            "tokens": [{{"contract": "{CONTRACT}", "payment_max_units": 50, "daily_max_units": 70}}],
            "fee_max_gwei": 42000{more}}}"#
    ))
    .unwrap()
}

fn ether(nonce: u64, gwei: u128) -> Transaction {
    Transaction {
        chain_id: 1,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: GWEI,
        max_priority_fee_per_gas: 1,
        to: Account([7; 20]),
        value: gwei * GWEI,
        data: Vec::new(),
    }
}

fn token(nonce: u64, units: u128) -> Transaction {
    Transaction {
        to: CONTRACT.parse().unwrap(),
        value: 0,
        data: Transaction::transfer_data(Account([7; 20]), units),
        ..ether(nonce, 0)
    }
}

/// Signs one after the other; the first refusal, or how many gwei have left.
fn day(all: &[Transaction]) -> Result<u64, EvmRefusal> {
    let mut before = Outflows::default();
    for each in all {
        let signed = sign(each, &key(), &policy(""), &before, NOW)?;
        before.ether = signed.ether;
        before.tokens.extend(signed.token);
    }
    Ok(before.ether.on(&Day::of(NOW)))
}

#[test]
fn the_account_that_pays_is_not_one_that_payers_are_given() {
    // The first two addresses of this seed for payers.
    let paying = treasury(&key()).unwrap().to_string();
    assert_ne!(paying, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94");
    assert_ne!(paying, "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0");
}

#[test]
fn what_is_allowed_is_signed_by_the_account_that_pays() {
    let key = key();
    let before = Outflows::default();
    let signed = sign(&ether(0, 5), &key, &policy(""), &before, NOW).unwrap();
    let payer = treasury(&key).unwrap();
    assert_eq!(
        ether(0, 5).check_signed(&signed.raw, payer).unwrap(),
        signed.txid
    );
    let again = sign(&ether(0, 5), &key, &policy(""), &before, NOW).unwrap();
    assert_eq!(again, signed);
}

#[test]
fn each_limit_is_one() {
    let refused = |transaction: &Transaction, policy: &EvmPolicy| {
        let refusal = sign(transaction, &key(), policy, &Outflows::default(), NOW).unwrap_err();
        match refusal {
            EvmRefusal::Violation(violation) => violation,
            other => panic!("{other}"),
        }
    };
    let usual = policy("");
    let elsewhere = Transaction {
        chain_id: 5,
        ..ether(0, 1)
    };
    let dear = Transaction {
        max_fee_per_gas: 3 * GWEI,
        ..ether(0, 1)
    };
    let unknown = Transaction {
        to: Account([8; 20]),
        ..token(0, 1)
    };
    let call = Transaction {
        data: vec![1],
        ..ether(0, 1)
    };
    assert!(matches!(
        refused(&elsewhere, &usual),
        EvmViolation::Chain { .. }
    ));
    assert!(matches!(refused(&dear, &usual), EvmViolation::Fee { .. }));
    assert!(matches!(refused(&unknown, &usual), EvmViolation::Token(_)));
    assert!(matches!(refused(&call, &usual), EvmViolation::Meaning));
    assert!(matches!(
        refused(&ether(0, 0), &usual),
        EvmViolation::Nothing
    ));
    assert!(matches!(
        refused(&ether(0, 1_001), &usual),
        EvmViolation::Payment { max: 1_000, .. }
    ));
    assert!(matches!(
        refused(&token(0, 51), &usual),
        EvmViolation::Payment { max: 50, .. }
    ));
    let listed = policy(&format!(r#", "destinations": ["{CONTRACT}"]"#));
    assert!(matches!(
        refused(&ether(0, 1), &listed),
        EvmViolation::Destination(_)
    ));
    // The receiver of tokens is who gets them, not their contract.
    assert!(matches!(
        refused(&token(0, 1), &listed),
        EvmViolation::Destination(_)
    ));
}

#[test]
fn a_day_has_its_limits_and_a_replacement_counts_its_increase() {
    // Each: 1 000 gwei and 21 000 of gas.
    let each: Vec<Transaction> = (0..5).map(|nonce| ether(nonce, 1_000)).collect();
    assert_eq!(day(&each[..4]).unwrap(), 88_000);
    assert!(matches!(
        day(&each),
        Err(EvmRefusal::Violation(EvmViolation::Daily { .. }))
    ));
    // With the same nonce again, and a quarter more for gas.
    let bumped = Transaction {
        max_fee_per_gas: GWEI + GWEI / 4,
        ..ether(0, 1_000)
    };
    let twice = [ether(0, 1_000), bumped, ether(0, 1_000)];
    assert_eq!(day(&twice).unwrap(), 1_000 + 26_250);
    // Tokens have a sum of their own, and their gas is ether.
    assert_eq!(day(&[token(0, 40), token(1, 30)]).unwrap(), 42_000);
    assert!(matches!(
        day(&[token(0, 40), token(1, 31)]),
        Err(EvmRefusal::Violation(EvmViolation::Daily { max: 70, .. }))
    ));
    assert!(matches!(day(&[ether(1 << 40, 1)]), Err(EvmRefusal::Nonce)));
}

#[test]
fn a_policy_with_a_mistake_is_none() {
    for (wrong, right) in [
        ("\"chain_id\": 1", "\"chain_id\": 0"),
        ("daily_max_gwei", "daily_max"),
        (CONTRACT, CONTRACT.to_lowercase().as_str()),
        ("\"payment_max_units\": 50", "\"payment_max_units\": 0"),
    ] {
        let good = format!(
            r#"{{"chain_id": 1, "ether": {{"payment_max_gwei": 0, "daily_max_gwei": 5}},
                "tokens": [{{"contract": "{CONTRACT}", "payment_max_units": 50,
                "daily_max_units": 70}}], "fee_max_gwei": 42}}"#
        );
        assert!(EvmPolicy::parse(&good).is_ok());
        assert!(EvmPolicy::is_meant(&good));
        assert!(
            EvmPolicy::parse(&good.replace(wrong, right)).is_err(),
            "{wrong}"
        );
    }
    assert!(!EvmPolicy::is_meant(r#"{"chain": "bitcoin"}"#));
    assert!(!EvmPolicy::is_meant("no"));
}
