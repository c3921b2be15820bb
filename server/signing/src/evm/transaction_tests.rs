use super::*;

fn key() -> SecretKey {
    SecretKey::from_slice(&[0x46; 32]).unwrap()
}

/// What the key of the tests controls (EIP-155 names it, too).
fn payer() -> Account {
    "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
        .parse()
        .unwrap()
}

fn ether() -> Transaction {
    Transaction {
        chain_id: 1,
        nonce: 9,
        gas_limit: 21_000,
        max_fee_per_gas: 30_000_000_000,
        max_priority_fee_per_gas: 1_500_000_000,
        to: Account([0x35; 20]),
        value: 1_000_000_000_000_000_000,
        data: Vec::new(),
    }
}

fn token() -> Transaction {
    let to = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
        .parse()
        .unwrap();
    Transaction {
        chain_id: 11_155_111,
        nonce: 0,
        gas_limit: 65_000,
        max_fee_per_gas: 1,
        max_priority_fee_per_gas: 0,
        to: "0xdAC17F958D2ee523a2206206994597C13D831ec7"
            .parse()
            .unwrap(),
        value: 0,
        data: Transaction::transfer_data(to, 1_500_000),
    }
}

// The expected bytes of both were made with ethers 6.

const ETHER: &str = "02f87301098459682f008506fc23ac00825208943535353535353535353535353535353535353535880de0b6\
                     b3a764000080c001a053d7eae6224bc2e855439bd276c8d14bc1315b41cc4a65b7bfa948a9aa7fb4cba01072\
                     44aa695014ff68200481a1c8673c1286a96d8e30057b49b628a69373e363";
const TOKEN: &str = "02f8aa83aa36a780800182fde894dac17f958d2ee523a2206206994597c13d831ec780b844a9059cbb000000\
                     00000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8000000000000000000000000000000\
                     000000000000000000000000000016e360c001a03efe3d0e0af65ad9666b22f984de52ae72affe30e513c29c\
                     7f06961bb95044bea02d5a25dfcdae9dcaa449ee22e06ff65b62d84b2056a9096a28c6da4e9ed8dc82";

#[test]
fn transactions_are_signed_as_another_implementation_does_it() {
    for (transaction, hash, id, raw) in [
        (
            ether(),
            "b6d5fd62e3a62df7b38773c31edc4e889e055257a8fcfb64d40d33adb6ad5273",
            "0x0c6562f4b2ad1075caf65fa1537f143d80c982607279c0a76900142ffea8ad85",
            ETHER,
        ),
        (
            token(),
            "c3b7f51907cce3d87fc445b3c96c8e4e1e3c7f49856075ada0dc286e647bff20",
            "0xd7bd31a9fbc11ce2a02927b45c001c7a9bb041ff96a13e231d8eac1fb0d25ce9",
            TOKEN,
        ),
    ] {
        assert_eq!(hex::encode(transaction.signing_hash()), hash);
        let (signed, txid) = transaction.sign(&key()).unwrap();
        assert_eq!(hex::encode(&signed), raw);
        assert_eq!(txid, id);
        assert_eq!(transaction.check_signed(&signed, payer()).unwrap(), id);
    }
}

#[test]
fn what_it_pays_is_read_out_of_it() {
    assert_eq!(
        ether().paid(),
        Some(Paid::Ether {
            to: Account([0x35; 20]),
            wei: 1_000_000_000_000_000_000
        })
    );
    let Some(Paid::Token {
        contract, units, ..
    }) = token().paid()
    else {
        panic!("no token")
    };
    assert_eq!((contract, units), (token().to, 1_500_000));
    // An amount above 128 bits, ether beside it, and another method are nothing it may do.
    let mut large = token();
    large.data[40] = 1;
    let with_ether = Transaction {
        value: 1,
        ..token()
    };
    let mut other = token();
    other.data[0] ^= 1;
    let mut padded = token();
    padded.data[5] = 1;
    let longer = Transaction {
        data: [token().data, vec![0]].concat(),
        ..token()
    };
    for wrong in [large, with_ether, other, padded, longer] {
        assert_eq!(wrong.paid(), None);
    }
}

#[test]
fn every_field_that_differs_is_named() {
    let (signed, _) = ether().sign(&key()).unwrap();
    let planned = ether();
    for (name, other) in [
        (
            "chain id",
            Transaction {
                chain_id: 5,
                ..planned.clone()
            },
        ),
        (
            "nonce",
            Transaction {
                nonce: 8,
                ..planned.clone()
            },
        ),
        (
            "priority fee",
            Transaction {
                max_priority_fee_per_gas: 1,
                ..planned.clone()
            },
        ),
        (
            "largest fee",
            Transaction {
                max_fee_per_gas: 1,
                ..planned.clone()
            },
        ),
        (
            "gas limit",
            Transaction {
                gas_limit: 22_000,
                ..planned.clone()
            },
        ),
        (
            "receiver",
            Transaction {
                to: Account([0x36; 20]),
                ..planned.clone()
            },
        ),
        (
            "value",
            Transaction {
                value: 1,
                ..planned.clone()
            },
        ),
        (
            "data",
            Transaction {
                data: vec![1, 2],
                ..planned.clone()
            },
        ),
    ] {
        assert_eq!(
            other.check_signed(&signed, payer()),
            Err(Mismatch::Field(name))
        );
    }
    assert_eq!(
        planned.check_signed(&signed, Account([1; 20])),
        Err(Mismatch::Signer(payer()))
    );
}

#[test]
fn bytes_that_are_no_signed_transaction_are_refused() {
    let planned = ether();
    let (signed, _) = planned.sign(&key()).unwrap();
    assert_eq!(
        planned.check_signed(&planned.unsigned(), payer()),
        Err(Mismatch::Form)
    );
    assert_eq!(planned.check_signed(&[], payer()), Err(Mismatch::Form));
    for cut in 0..signed.len() {
        assert!(planned.check_signed(&signed[..cut], payer()).is_err());
    }
    for place in 0..signed.len() {
        let mut changed = signed.clone();
        changed[place] ^= 1;
        assert!(
            planned.check_signed(&changed, payer()).is_err(),
            "byte {place}"
        );
    }
    let longer = [signed, vec![0]].concat();
    assert_eq!(planned.check_signed(&longer, payer()), Err(Mismatch::Form));
}

#[test]
fn a_plan_is_the_same_after_it_was_stored() {
    for planned in [ether(), token()] {
        let text = serde_json::to_string(&planned).unwrap();
        assert_eq!(serde_json::from_str::<Transaction>(&text).unwrap(), planned);
    }
    let text = serde_json::to_string(&ether()).unwrap();
    let signed = text.replace("\"30000000000\"", "\"+30000000000\"");
    assert!(serde_json::from_str::<Transaction>(&signed).is_err());
}
