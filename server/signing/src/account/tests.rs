use super::*;
use crate::chain::chain;

/// BIP 84's own zpub.
const ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
/// The same key without what SLIP 132 says.
const XPUB: &str = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V";
/// SLIP 132's ypub, of the same seed.
const YPUB: &str = "ypub6Ww3ibxVfGzLrAH1PNcjyAWenMTbbAosGNB6VvmSEgytSER9azLDWCxoJwW7Ke7icmizBMXrzBx9979FfaHxHcrArf3zbeJJJUZPf663zsP";
const VPUB: &str = "vpub5Y6cjg78GGuNLsaPhmYsiw4gYX3HoQiRBiSwDaBXKUafCt9bNwWQiitDk5VZ5BVxYnQdwoTyXSs2JHRPAgjAvtbBrf8ZhDYe2jWAqvZVnsc";
const TPUB: &str = "tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M";
/// BIP 49's own key, as upub and tpub.
const UPUB: &str = "upub5EFU65HtV5TeiSHmZZm7FUffBGy8UKeqp7vw43jYbvZPpoVsgU93oac7Wk3u6moKegAEWtGNF8DehrnHtv21XXEMYRUocHqguyjknFHYfgY";
const UPUB_AS_TPUB: &str = "tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2";
const SEVERAL: &str = "Zpub739WFCnqb8H6bozqRWNgL4NwrVvUUDaa5UodTovoPXuLnoVJTvkwKA6b5ioUif4ntuhU53ob9LUdZ66F3uNGoX8S6gzjGa1yvYFtkDRknR2";
const PRIVATE: &str = "xprv9ybY78BftS5UGANki6oSifuQEjkpyAC8ZmBvBNTshQnCBcxnefjHS7buPMkkqhcRzmoGZ5bokx7GuyDAiktd5HemohAU4wV1ZPMDRmLpBMm";
const LITECOIN_YPUB: &str = "Mtub2rz9F1pkisRsSZX8sa4Ajon9GhPP6JymLgpuHqbYdU5JKFLBF7Qy8b1tZ3dccj2fefrAxfrPdVkpCxuWn3g72UctH2bvJRkp6iFmp8aLeRZ";
const LITECOIN_PLAIN: &str = "Ltub2YDQmP391UYeDYvLye9P1SuNJFkcRGN7SYHM8JMxaDnegcPTXHJ2BnYmvHnFnGPGKu2WMuCga6iZV3SDxDMGrRyMcrYEfSPhrpS1EPkC43E";

fn parse(name: &str, text: &str, kind: ScriptKind) -> Result<Account, AccountError> {
    Account::parse(text, chain(name).unwrap(), kind)
}

fn first(name: &str, text: &str, kind: ScriptKind) -> Vec<String> {
    let account = parse(name, text, kind).unwrap();
    account.first_addresses(chain(name).unwrap(), 3).unwrap()
}

#[test]
fn the_addresses_of_bip_84() {
    let expected = [
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
        "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
        "bc1qp59yckz4ae5c4efgw2s5wfyvrz0ala7rgvuz8z",
    ];
    assert_eq!(first("bitcoin", ZPUB, ScriptKind::P2pkh), expected);
    assert_eq!(first("bitcoin", XPUB, ScriptKind::P2wpkh), expected);
    let account = parse("bitcoin", ZPUB, ScriptKind::P2wpkh).unwrap();
    let change = account.script(Branch::Change, 0).unwrap();
    assert_eq!(
        chain("bitcoin").unwrap().address(&change).unwrap(),
        "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"
    );
}

#[test]
fn the_addresses_of_other_kinds_and_chains() {
    for (name, text, kind, address) in [
        // BIP 49's vector.
        (
            "bitcoin-testnet3",
            UPUB,
            ScriptKind::P2wpkh,
            "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2",
        ),
        (
            "bitcoin-testnet3",
            UPUB_AS_TPUB,
            ScriptKind::P2shP2wpkh,
            "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2",
        ),
        (
            "bitcoin",
            YPUB,
            ScriptKind::P2wpkh,
            "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf",
        ),
        (
            "bitcoin-testnet4",
            VPUB,
            ScriptKind::P2pkh,
            "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
        ),
        (
            "bitcoin-signet",
            TPUB,
            ScriptKind::P2wpkh,
            "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
        ),
        (
            "litecoin",
            LITECOIN_YPUB,
            ScriptKind::P2wpkh,
            "M7wtsL7wSHDBJVMWWhtQfTMSYYkyooAAXM",
        ),
        (
            "litecoin",
            LITECOIN_PLAIN,
            ScriptKind::P2wpkh,
            "LUWPbpM43E2p7ZSh8cyTBEkvpHmr3cB8Ez",
        ),
    ] {
        assert_eq!(first(name, text, kind)[0], address, "{text}");
    }
}

#[test]
fn every_form_becomes_the_same_one() {
    let plain = parse("bitcoin", XPUB, ScriptKind::P2wpkh).unwrap();
    let zpub = parse("bitcoin", ZPUB, ScriptKind::P2wpkh).unwrap();
    assert_eq!(plain, zpub);
    assert_eq!(zpub.key().to_string(), XPUB);
    let again = parse("bitcoin", &zpub.descriptor(), ScriptKind::P2pkh).unwrap();
    assert_eq!(again, zpub);
}

/// Checksums of an independent implementation, which has BIP 380's vectors right.
#[test]
fn descriptors_with_their_origin() {
    let with_marks = format!("wpkh([73c5da0a/84'/0'/0']{XPUB}/<0;1>/*)#hpg6d6w2");
    let with_letters = format!("wpkh([73c5da0a/84h/0h/0h]{XPUB}/0/*)#afwvtk2s");
    for text in [&with_marks, &with_letters] {
        let account = parse("bitcoin", text, ScriptKind::P2pkh).unwrap();
        assert_eq!(account.kind(), ScriptKind::P2wpkh);
        assert_eq!(account.descriptor(), with_marks);
        let (fingerprint, path) = account.source(Branch::Change, 5).unwrap();
        assert_eq!(fingerprint.to_string(), "73c5da0a");
        assert_eq!(path.to_string(), "84'/0'/0'/1/5");
    }
    let nested = format!("sh(wpkh([73c5da0a/49'/1'/0']{UPUB_AS_TPUB}/<0;1>/*))#40r55ul6");
    let account = parse("bitcoin-regtest", &nested, ScriptKind::P2pkh).unwrap();
    assert_eq!(account.kind(), ScriptKind::P2shP2wpkh);
    assert_eq!(account.descriptor(), nested);
}

#[test]
fn a_key_without_origin_is_its_own() {
    let account = parse("bitcoin", ZPUB, ScriptKind::P2wpkh).unwrap();
    let (fingerprint, path) = account.source(Branch::Receiving, 7).unwrap();
    assert_eq!(fingerprint, account.key().fingerprint());
    assert_eq!(path.to_string(), "0/7");
}

#[test]
fn what_must_not_be_entered_is_refused_in_words() {
    let private_descriptor = format!("wpkh({PRIVATE}/0/*)");
    for text in [PRIVATE, private_descriptor.as_str()] {
        let error = parse("bitcoin", text, ScriptKind::P2wpkh).unwrap_err();
        assert_eq!(error, AccountError::Private);
        assert!(error.to_string().contains("private key"));
        assert!(!error.to_string().contains("xprv9"));
    }
    assert_eq!(
        parse("bitcoin", SEVERAL, ScriptKind::P2wpkh),
        Err(AccountError::SeveralSigners)
    );
    let multi = format!("wsh(multi(2,{XPUB}/0/*,{XPUB}/0/*))");
    assert_eq!(
        parse("bitcoin", &multi, ScriptKind::P2wpkh),
        Err(AccountError::SeveralSigners)
    );
    assert!(matches!(
        parse("bitcoin-regtest", ZPUB, ScriptKind::P2wpkh),
        Err(AccountError::OtherNetwork { .. })
    ));
    assert!(matches!(
        parse("bitcoin", TPUB, ScriptKind::P2wpkh),
        Err(AccountError::OtherNetwork { .. })
    ));
}

#[test]
fn a_wrong_checksum_is_told_from_another_text() {
    let mistyped = XPUB.replace("odm", "odn");
    assert_eq!(
        parse("bitcoin", &mistyped, ScriptKind::P2wpkh),
        Err(AccountError::Checksum)
    );
    let descriptor = format!("wpkh([73c5da0a/84'/0'/0']{XPUB}/<0;1>/*)#hpg6d6w3");
    assert_eq!(
        parse("bitcoin", &descriptor, ScriptKind::P2wpkh),
        Err(AccountError::Checksum)
    );
    for text in ["", "hello", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"] {
        assert_eq!(
            parse("bitcoin", text, ScriptKind::P2wpkh),
            Err(AccountError::Malformed),
            "{text}"
        );
    }
}

#[test]
fn descriptors_of_other_shapes_are_refused() {
    let refused = |body: String| parse("bitcoin", &body, ScriptKind::P2wpkh).unwrap_err();
    assert!(matches!(
        refused(format!("tr({XPUB}/0/*)")),
        AccountError::Script(name) if name == "tr(…)"
    ));
    for path in ["", "/1/*", "/*", "/0/*h", "/0/5", "/<1;0>/*"] {
        assert!(
            matches!(
                refused(format!("wpkh({XPUB}{path})")),
                AccountError::Path(_)
            ),
            "{path}"
        );
    }
    assert_eq!(
        refused(format!("wpkh({YPUB}/0/*)")),
        AccountError::KindsDiffer
    );
    for origin in ["", "73c5da", "73c5da0a/x", "zzzzzzzz/84'"] {
        assert!(
            matches!(
                refused(format!("wpkh([{origin}]{XPUB}/0/*)")),
                AccountError::Origin
            ),
            "{origin}"
        );
    }
    // Never closed.
    assert!(matches!(
        refused(format!("wpkh([73c5da0a/84'{XPUB}/0/*)")),
        AccountError::Origin
    ));
}

#[test]
fn a_hardened_index_has_no_address() {
    let account = parse("bitcoin", ZPUB, ScriptKind::P2wpkh).unwrap();
    assert_eq!(
        account.script(Branch::Receiving, 0x8000_0000),
        Err(AccountError::Index)
    );
    assert!(account.script(Branch::Receiving, 0x7fff_ffff).is_ok());
}
