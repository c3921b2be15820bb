//! A node that is not the one of the settings is refused, and named.

use gateway::chain::address::Network;
use gateway::chain::backend::ChainBackend;
use gateway::chain::bitcoin_core::{
    BitcoinCore, Credentials, NodeConfig, NodeError, Password, RpcError,
};

use super::node::{Kind, Node};

async fn refusal(config: NodeConfig) -> NodeError {
    match BitcoinCore::open(config).await {
        Ok(_) => panic!("the node was accepted"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn another_network_is_refused() {
    let Some(node) = Node::start(Kind::Bitcoin).await else {
        return;
    };
    for (network, chain) in [
        (Network::Main, "main"),
        (Network::Testnet4, "testnet4"),
        (Network::Signet, "signet"),
    ] {
        let expected = NodeError::WrongNetwork {
            expected: chain,
            found: "regtest".into(),
        };
        assert_eq!(refusal(node.config_as("BTC", network)).await, expected);
    }
}

/// Both call their private network `regtest`.
#[tokio::test]
async fn another_coin_is_refused() {
    let Some(node) = Node::start(Kind::Litecoin).await else {
        return;
    };
    let config = node.config_as("BTC", Network::Regtest);
    let error = refusal(config.clone()).await;
    assert!(matches!(error, NodeError::WrongGenesis { .. }), "{error}");
    // Without an opening check, the first use of it notices.
    let backend = BitcoinCore::new(config).unwrap();
    for _ in 0..2 {
        assert!(backend.tip().await.is_err());
        assert!(backend.block_at(0).await.is_err());
        assert!(backend.mempool().await.is_err());
    }
}

#[tokio::test]
async fn wrong_credentials_and_an_absent_node_are_told_apart() {
    let Some(node) = Node::start(Kind::Litecoin).await else {
        return;
    };
    let mut config = node.config_as("LTC", Network::Regtest);
    config.credentials = Credentials::Password {
        user: "shop".into(),
        password: Password::new("geheim".into()),
    };
    let error = refusal(config.clone()).await;
    assert_eq!(error, NodeError::Rpc(RpcError::Credentials));
    assert!(!error.to_string().contains("geheim"));

    // Nobody is given this port; a free one may be another test's node in a moment.
    config.url = "http://127.0.0.1:1".parse().unwrap();
    let error = refusal(config).await;
    assert!(
        matches!(error, NodeError::Rpc(RpcError::Unreachable(_))),
        "{error}"
    );

    let mut config = node.config_as("LTC", Network::Regtest);
    config.credentials = Credentials::Cookie("/nowhere/.cookie".into());
    let error = refusal(config).await;
    assert!(error.to_string().contains("/nowhere/.cookie"), "{error}");
}
