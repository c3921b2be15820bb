//! What a node announces wakes whoever waits, and is all that does here: these wait for an hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::chain::address::Network;
use gateway::chain::backend::ChainBackend;
use gateway::chain::bitcoin_core::{BitcoinCore, NodeConfig};
use tokio::sync::watch;
use tokio::time::timeout;

use super::node::{Extras, Kind, Node};
use super::port::free_port_beside;
use super::purse::{Purse, elsewhere, ours};

const PATIENCE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Somebody who listens, and never looks by himself within the time of a test.
struct Listener {
    backend: BitcoinCore,
    /// Ends the listening when it is dropped.
    _shutdown: watch::Sender<bool>,
}

impl Listener {
    async fn begin(mut config: NodeConfig, publisher: String) -> Self {
        config.zmq = Some(publisher);
        config.look_every = HOUR;
        let backend = BitcoinCore::open(config).await.unwrap();
        let (shutdown, watched) = watch::channel(false);
        tokio::spawn(Arc::clone(backend.announcements().unwrap()).listen(watched));
        Self {
            backend,
            _shutdown: shutdown,
        }
    }

    /// Waits until the node's announcements are heard, or are heard no more.
    async fn until(&self, is_heard: bool) {
        let began = Instant::now();
        while self.backend.announcements().unwrap().is_heard() != is_heard {
            assert!(began.elapsed() < PATIENCE, "heard: {is_heard}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the publisher has taken the subscription in, which nobody is told of: what it said
    /// before is lost.
    async fn is_subscribed(&self, node: &Node) {
        self.until(true).await;
        let nobody = elsewhere(node.kind);
        let tip = self.backend.tip().await.unwrap();
        self.backend.mempool().await.unwrap();
        let waiting = timeout(PATIENCE, self.backend.wait(&tip, HOUR));
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                waited = &mut waiting => return waited.unwrap().unwrap(),
                () = tokio::time::sleep(Duration::from_millis(250)) => {
                    node.mine(1, &nobody).await;
                }
            }
        }
    }

    async fn wait(&self, node: &Node, news: impl Future<Output = ()>) {
        let tip = self.backend.tip().await.unwrap();
        self.backend.mempool().await.unwrap();
        let (waited, ()) = tokio::join!(timeout(PATIENCE, self.backend.wait(&tip, HOUR)), news);
        waited
            .unwrap_or_else(|_| panic!("nothing of {} was heard", node.kind.code()))
            .unwrap();
    }
}

/// Debian's litecoind is built without `ZeroMQ`, so there is nothing to hear of it.
#[tokio::test]
async fn blocks_and_payments_are_heard_and_a_node_that_is_back_is_heard_again() {
    let publisher = format!("127.0.0.1:{}", free_port_beside());
    let arguments = ["hashblock", "sequence"]
        .map(|topic| format!("-zmqpub{topic}=tcp://{publisher}"))
        .to_vec();
    let extras = Extras {
        arguments,
        ..Extras::default()
    };
    let Some(mut node) = Node::start_with(Kind::Bitcoin, extras).await else {
        return;
    };
    let purse = Purse::filled(&node, 2).await;
    let config = node.config_as("BTC", Network::Regtest);
    let listener = Listener::begin(config, publisher).await;
    listener.is_subscribed(&node).await;
    for _ in 0..2 {
        listener
            .wait(&node, async {
                purse.pay(&node, &ours(node.kind), 1_000_000).await;
            })
            .await;
        listener
            .wait(&node, async {
                node.mine(1, &elsewhere(node.kind)).await;
            })
            .await;
        node.stop().await;
        listener.until(false).await;
        node.start_again().await;
        listener.is_subscribed(&node).await;
    }
}
