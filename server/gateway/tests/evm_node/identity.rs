//! Only the node of the settings is believed.

use gateway::chain::backend::ChainBackend;
use gateway::chain::evm::config::Network;
use gateway::chain::evm::{Asset, Evm, EvmConfig};

use crate::anvil::{Anvil, CHAIN_ID};
use crate::port::free_port;
use crate::required::is_required;

#[tokio::test]
async fn a_node_of_another_chain_is_refused() {
    let Some(anvil) = Anvil::start() else { return };
    for network in [
        Network::Mainnet,
        Network::Sepolia,
        Network::Local { chain_id: 5 },
    ] {
        let config = EvmConfig {
            network,
            ..anvil.config(Asset::Native)
        };
        let error = Evm::open(config.clone()).await.err().unwrap().to_string();
        assert!(error.contains("follows chain 31337"), "{error}");
        assert!(error.contains("EXCHEQUER_CHAIN_ETH_NETWORK"), "{error}");
        // Without a look at the start, no call gets through.
        let evm = Evm::new(config).unwrap();
        assert!(evm.tip().await.is_err());
        assert!(evm.mempool().await.is_err());
        assert!(evm.broadcast(&[2]).await.is_err());
    }
}

#[tokio::test]
async fn the_right_chain_id_on_other_blocks_is_refused() {
    if !is_required("anvil") {
        return;
    }
    let anvil = Anvil::launch(0, Network::Mainnet.chain_id());
    let config = EvmConfig {
        network: Network::Mainnet,
        ..anvil.config(Asset::Native)
    };
    let error = Evm::open(config).await.err().unwrap().to_string();
    assert!(error.contains("the first block of mainnet"), "{error}");
}

#[tokio::test]
async fn a_node_that_comes_back_as_another_one_is_refused() {
    if !is_required("anvil") {
        return;
    }
    let mut anvil = Anvil::launch(free_port(), CHAIN_ID);
    let evm = anvil.open(Asset::Native).await;
    anvil.stop();
    let error = evm.tip().await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached"), "{error}");
    let other = Anvil::launch(anvil.port, CHAIN_ID + 1);
    let error = evm.tip().await.unwrap_err().to_string();
    assert!(error.contains("follows chain 31338"), "{error}");
    drop(other);
    let back = Anvil::launch(anvil.port, CHAIN_ID);
    // The first call may still find the connection to the one before.
    let _ = evm.tip().await;
    assert_eq!(evm.tip().await.unwrap().height, 0);
    drop(back);
}

#[tokio::test]
async fn the_status_tells_the_height() {
    let Some(anvil) = Anvil::start() else { return };
    let evm = anvil.open(Asset::Native).await;
    let before = evm.status().await.unwrap();
    assert_eq!(
        (before.height, before.syncing, before.behind),
        (0, false, 0)
    );
    anvil.mine().await;
    let after = evm.status().await.unwrap();
    assert_eq!(after.height, 1);
    assert!(after.tip_at >= before.tip_at);
}

#[tokio::test]
async fn a_node_that_shows_its_pool_misses_little() {
    let Some(anvil) = Anvil::start() else { return };
    let unknown = Evm::new(anvil.config(Asset::Native)).unwrap();
    let evm = anvil.open(Asset::Native).await;
    assert!(evm.drop_grace() < unknown.drop_grace());
}
