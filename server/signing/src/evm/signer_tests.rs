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

fn keys() -> Keys {
    Keys::parse(SEED, 0).unwrap()
}

const DEPOSIT: DepositKey = DepositKey {
    account: 0,
    index: 0,
};

#[test]
fn a_sweep_goes_to_the_account_that_pays_and_is_signed_by_the_deposit() {
    let keys = keys();
    let home = treasury(keys.payer()).unwrap();
    let deposit = keys.address_of(DEPOSIT).unwrap();
    // The first address of this seed for payers.
    assert_eq!(
        deposit.to_string(),
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    );
    let role = Role::Sweep(DEPOSIT);
    let judged = |transaction: &Transaction| {
        let listed = policy(&format!(r#", "destinations": ["{CONTRACT}"]"#));
        sign_as(role, transaction, &keys, &listed, &Outflows::default(), NOW)
    };
    // More than may be paid at once, and to nobody on the list: it stays ours.
    let swept = Transaction {
        to: home,
        ..ether(0, 1_000_000)
    };
    let signed = judged(&swept).unwrap();
    assert_eq!(
        swept.check_signed(&signed.raw, deposit).unwrap(),
        signed.txid
    );
    // Gas alone has left.
    assert_eq!(signed.ether.on(&Day::of(NOW)), 21_000);
    assert_eq!(signed.token, None);
    let tokens = Transaction {
        data: Transaction::transfer_data(home, 1_000),
        ..token(1, 1)
    };
    assert!(judged(&tokens).is_ok());
    let elsewhere = Transaction {
        to: Account([7; 20]),
        ..swept.clone()
    };
    let others = Transaction {
        to: Account([8; 20]),
        ..tokens.clone()
    };
    let dear = Transaction {
        max_fee_per_gas: 3 * GWEI,
        ..swept.clone()
    };
    let nothing = Transaction {
        value: 0,
        ..swept.clone()
    };
    let refusals = [
        judged(&elsewhere).unwrap_err(),
        judged(&token(1, 5)).unwrap_err(),
        judged(&others).unwrap_err(),
        judged(&dear).unwrap_err(),
        judged(&nothing).unwrap_err(),
    ];
    assert!(
        matches!(
            refusals,
            [
                EvmRefusal::Violation(EvmViolation::Destination(_)),
                EvmRefusal::Violation(EvmViolation::Destination(_)),
                EvmRefusal::Violation(EvmViolation::Token(_)),
                EvmRefusal::Violation(EvmViolation::Fee { .. }),
                EvmRefusal::Violation(EvmViolation::Nothing),
            ]
        ),
        "{refusals:?}"
    );
}

#[test]
fn gas_goes_to_deposits_alone_and_counts_as_a_payment() {
    let keys = keys();
    let listed = policy(&format!(r#", "destinations": ["{CONTRACT}"]"#));
    let sign = |transaction: &Transaction, role| {
        sign_as(role, transaction, &keys, &listed, &Outflows::default(), NOW)
    };
    let to = keys.address_of(DEPOSIT).unwrap();
    let gas = Transaction {
        to,
        ..ether(0, 500)
    };
    let signed = sign(&gas, Role::TopUp(DEPOSIT)).unwrap();
    assert_eq!(signed.ether.on(&Day::of(NOW)), 21_500);
    let home = treasury(keys.payer()).unwrap();
    assert!(gas.check_signed(&signed.raw, home).is_ok());
    // Without saying so, or to somebody else, it is a payment to nobody on the list.
    assert!(matches!(
        sign(&gas, Role::Payment),
        Err(EvmRefusal::Violation(EvmViolation::Destination(_)))
    ));
    assert_eq!(
        sign(&ether(0, 500), Role::TopUp(DEPOSIT)),
        Err(EvmRefusal::Deposit)
    );
    let too_much = Transaction {
        to,
        ..ether(0, 1_001)
    };
    assert!(matches!(
        sign(&too_much, Role::TopUp(DEPOSIT)),
        Err(EvmRefusal::Violation(EvmViolation::Payment { .. }))
    ));
}

#[test]
fn an_account_key_has_its_own_deposits_alone() {
    let account = "xprv9ybY78BftS5UGANki6oSifuQEjkpyAC8ZmBvBNTshQnCBcxnefjHS7buPMkkqhcRzmoGZ5bo\
                   kx7GuyDAiktd5HemohAU4wV1ZPMDRmLpBMm";
    let one = Keys::parse(account, 0).unwrap();
    let other = DepositKey {
        account: 1,
        ..DEPOSIT
    };
    assert!(one.address_of(DEPOSIT).is_ok());
    assert_eq!(one.address_of(other), Err(EvmRefusal::Deposit));
    let all = keys();
    assert_ne!(
        all.address_of(other).unwrap(),
        all.address_of(DEPOSIT).unwrap()
    );
}
