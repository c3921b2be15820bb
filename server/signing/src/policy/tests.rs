use std::collections::BTreeSet;

use bitcoin::Txid;
use bitcoin::hashes::Hash as _;

use super::*;
use crate::samples::payee;

const FULL: &str = r#"{
    "chain": "bitcoin",
    "payment_max_sat": 50000,
    "daily_max_sat": 100000,
    "fee_max_sat": 500,
    "fee_max_ppm": 10000,
    "destinations": ["bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"],
    "change_index_max": 20
}"#;

fn reading(payments: Vec<(ScriptBuf, u64)>, fee: u64) -> Reading {
    Reading {
        unsigned_txid: Txid::from_byte_array([1; 32]),
        outpoints: BTreeSet::new(),
        inputs: Vec::new(),
        paid: payments.iter().map(|(_, satoshi)| satoshi).sum(),
        payments,
        fee,
    }
}

#[test]
fn a_policy_is_read() {
    let policy = Policy::parse(FULL).unwrap();
    assert_eq!(policy.chain.name, "bitcoin");
    assert_eq!((policy.payment_max, policy.daily_max), (50_000, 100_000));
    assert_eq!(policy.fee_caps.absolute, 500);
    assert_eq!(policy.change_index_max, 20);
    assert_eq!(policy.destinations.unwrap().len(), 1);
}

#[test]
fn what_may_be_left_out_is() {
    let json = r#"{"chain":"litecoin-regtest","payment_max_sat":1,"daily_max_sat":1,
                   "fee_max_sat":1,"fee_max_ppm":1}"#;
    let policy = Policy::parse(json).unwrap();
    assert_eq!(policy.destinations, None);
    assert_eq!(policy.change_index_max, 1_000_000);
}

#[test]
fn a_mistake_is_never_a_missing_limit() {
    for (from, to) in [
        ("daily_max_sat", "dayly_max_sat"),
        ("\"daily_max_sat\": 100000,", ""),
        ("100000", "\"100000\""),
        ("100000", "100000.5"),
        ("100000", "-1"),
        (
            "\"fee_max_sat\": 500",
            "\"fee_max_sat\": 500, \"fee_max_sat\": 500000",
        ),
        ("\"change_index_max\": 20", "\"limit\": 20"),
    ] {
        let json = FULL.replace(from, to);
        assert_ne!(json, FULL);
        assert!(
            matches!(Policy::parse(&json), Err(PolicyError::Form(_))),
            "{json}"
        );
    }
    assert!(matches!(
        Policy::parse(&FULL.replace("100000", "0")),
        Err(PolicyError::Nothing("daily_max_sat"))
    ));
}

#[test]
fn chain_and_destinations_have_to_exist() {
    let error = Policy::parse(&FULL.replace("\"bitcoin\"", "\"BTC\"")).unwrap_err();
    assert!(error.to_string().contains("bitcoin-regtest"));
    let other = FULL.replace("\"bitcoin\"", "\"litecoin\"");
    assert!(matches!(
        Policy::parse(&other),
        Err(PolicyError::Destination {
            error: AddressError::OtherChain,
            ..
        })
    ));
    let none = FULL.replace("\"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu\"", "");
    assert!(matches!(
        Policy::parse(&none),
        Err(PolicyError::Nothing("destinations"))
    ));
}

#[test]
fn each_output_is_judged_by_itself() {
    let mut policy = Policy::parse(FULL).unwrap();
    policy.destinations = None;
    let at_limit = vec![(payee(1), 50_000), (payee(2), 50_000)];
    assert_eq!(policy.judge(&reading(at_limit, 500)), Ok(()));
    let above = vec![(payee(1), 10), (payee(2), 50_001)];
    let error = policy.judge(&reading(above, 0)).unwrap_err();
    assert!(matches!(
        &error,
        Violation::Payment { address, satoshi: 50_001, max: 50_000 } if address.starts_with("bc1q")
    ));
}

#[test]
fn only_destinations_on_the_list_are_paid() {
    let policy = Policy::parse(FULL).unwrap();
    let listed = policy.destinations.clone().unwrap().pop_first().unwrap();
    assert_eq!(
        policy.judge(&reading(vec![(listed.clone(), 50_000)], 0)),
        Ok(())
    );
    let with_other = vec![(listed, 10_000), (payee(1), 1)];
    assert!(matches!(
        policy.judge(&reading(with_other, 0)),
        Err(Violation::Destination(_))
    ));
}

#[test]
fn the_fee_has_two_limits() {
    let mut policy = Policy::parse(FULL).unwrap();
    policy.destinations = None;
    let pay = |satoshi| vec![(payee(1), satoshi)];
    assert_eq!(policy.judge(&reading(pay(20_000), 200)), Ok(()));
    assert_eq!(
        policy.judge(&reading(pay(20_000), 201)),
        Err(Violation::Fee { fee: 201, max: 200 })
    );
    policy.payment_max = 100_000;
    assert_eq!(
        policy.judge(&reading(pay(100_000), 501)),
        Err(Violation::Fee { fee: 501, max: 500 })
    );
    // Nothing is paid, so nothing may be lost on the way to ourselves either.
    assert_eq!(
        policy.judge(&reading(Vec::new(), 1)),
        Err(Violation::Fee { fee: 1, max: 0 })
    );
}

#[test]
fn a_day_has_a_limit() {
    let policy = Policy::parse(FULL).unwrap();
    assert_eq!(policy.judge_day(99_999, 1), Ok(()));
    assert_eq!(
        policy.judge_day(99_999, 2),
        Err(Violation::Daily {
            spent: 99_999,
            total: 100_001,
            max: 100_000
        })
    );
    // What was counted before is signed again, even if the limit was lowered since.
    assert_eq!(policy.judge_day(200_000, 0), Ok(()));
    assert!(policy.judge_day(u64::MAX, u64::MAX).is_err());
}
