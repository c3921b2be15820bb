//! No key of a coin with value is in this process, whatever the settings say.

use std::sync::Arc;

use gateway::Settings;
use gateway::chain::evm::config::Network;
use gateway::chain::evm::rpc::Limits;
use gateway::chain::evm::{Asset, Evm, EvmConfig, NodeUrl};
use gateway::treasury::{Rules, Signer, Treasury, TreasuryError};
use signing::evm::Keys;
use sqlx::PgPool;

use crate::net::CHAIN_ID;
use crate::support::World;
use crate::till;

/// Nobody listens there, and nobody is asked.
const PORT: u16 = 1;

/// The keys of the seed that is nothing but this byte.
fn keys(byte: &str) -> Keys {
    Keys::parse(&byte.repeat(64), 0).unwrap()
}

#[test]
fn a_key_in_this_process_signs_in_test_mode_and_for_its_own_account_alone() {
    let account = signing::evm::treasury(keys("0b").payer()).unwrap();
    let refusal = |byte: &str, test_mode: bool| {
        let config = EvmConfig {
            url: NodeUrl::parse(&format!("http://127.0.0.1:{PORT}")).unwrap(),
            network: Network::Local { chain_id: CHAIN_ID },
            asset: Asset::Native,
            limits: Limits::default(),
        };
        let node = Arc::new(Evm::new(config).unwrap());
        let signer = Signer::InProcess(Box::new(keys(byte)));
        Treasury::new(node, account, signer, Rules::default(), test_mode).err()
    };
    assert_eq!(refusal("0b", true), None);
    assert_eq!(refusal("0b", false), Some(TreasuryError::LiveKey));
    assert_eq!(refusal("0c", true), Some(TreasuryError::OtherKey));
}

/// Settings of an Ethereum whose account belongs to a wallet elsewhere, and which this process should sign for.
fn settings(test_mode: bool) -> Settings {
    let keys = keys("0b");
    let account = keys.payer().account().key().to_string();
    let more = [("EXCHEQUER_CHAIN_ETH_ACCOUNT", account.as_str())];
    Settings {
        test_mode,
        ..till::settings(PORT, "in-process", &more)
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_live_instance_that_should_sign_by_itself_does_not_start(pool: PgPool) {
    let refused = World::open(&pool, settings(false)).await.err().unwrap();
    let text = refused.to_string();
    assert!(text.contains("EXCHEQUER_PAYOUT_ETH_SIGNER"), "{text}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_for_coins_of_a_wallet_elsewhere_is_refused_in_test_mode_too(pool: PgPool) {
    let refused = World::open(&pool, settings(true)).await.err().unwrap();
    let text = refused.to_string();
    assert!(text.contains("EXCHEQUER_PAYOUT_ETH_SIGNER"), "{text}");
}
