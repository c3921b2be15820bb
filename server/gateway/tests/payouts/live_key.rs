//! No key of a coin with value is in this process, whatever the settings say.

use std::sync::Arc;

use gateway::Settings;
use gateway::chain::address::params;
use gateway::chain::{ChainSettings, GivenNode};
use gateway::payouts::{PayoutSettings, Signer, SignerSetting, Wallet, WalletError};
use signing::ScriptKind;
use signing::key::SigningKey;
use sqlx::PgPool;

use crate::net::Net;
use crate::support::World;
use crate::till::rules;

/// The key of the seed that is nothing but this byte.
fn key(byte: &str) -> SigningKey {
    let chain = signing::chain("bitcoin").unwrap();
    SigningKey::parse(&byte.repeat(64), chain, ScriptKind::P2wpkh, 0).unwrap()
}

#[test]
fn a_key_in_this_process_signs_in_test_mode_and_for_its_own_account_alone() {
    let chain = signing::chain("bitcoin").unwrap();
    let refusal = |byte: &str, test_mode: bool| {
        let account = key("0b").account().clone();
        let signer = Signer::InProcess(Box::new(key(byte)));
        let node = Arc::new(Net::new());
        Wallet::new(account, chain, signer, node, rules(), test_mode).err()
    };
    assert_eq!(refusal("0b", true), None);
    assert_eq!(refusal("0b", false), Some(WalletError::LiveKey));
    assert_eq!(refusal("0c", true), Some(WalletError::OtherKey));
}

/// Settings of a Bitcoin whose coins belong to a wallet elsewhere, and which this process should sign for.
fn settings(test_mode: bool) -> Settings {
    let net = Arc::new(Net::new());
    let node = GivenNode {
        backend: net.clone(),
        coins: net,
    };
    let payouts = PayoutSettings {
        signer: SignerSetting::InProcess,
        rules: rules(),
    };
    let chains = ChainSettings::default()
        .with_given(params("BTC").unwrap(), node, payouts)
        .with_account("BTC", key("0b").account());
    Settings {
        test_mode,
        chains,
        ..Settings::test("http://127.0.0.1:3000")
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_live_instance_that_should_sign_by_itself_does_not_start(pool: PgPool) {
    let refused = World::open(&pool, settings(false)).await.err().unwrap();
    let text = refused.to_string();
    assert!(text.contains("EXCHEQUER_PAYOUT_BTC_SIGNER"), "{text}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_for_coins_of_a_wallet_elsewhere_is_refused_in_test_mode_too(pool: PgPool) {
    let refused = World::open(&pool, settings(true)).await.err().unwrap();
    let text = refused.to_string();
    assert!(text.contains("EXCHEQUER_PAYOUT_BTC_SIGNER"), "{text}");
}
