//! A node that stops under a running server, and comes back with an empty mempool.

use serde_json::json;
use sqlx::PgPool;

use crate::purse::{elsewhere, send};
use crate::stage::{DEPTH, Stage};
use crate::until;

/// Seconds: longer than a transaction that waits may be missing.
const LONG: i64 = 4 * 3_600;

const DEPOSITS: &str = "SELECT state FROM deposits ORDER BY operation_id";

#[sqlx::test(migrations = "../migrations")]
async fn a_node_that_comes_back_with_nothing_is_followed_again(pool: PgPool) {
    let Some(mut stage) = Stage::open(&pool, 2).await else {
        return;
    };
    let server = stage.serve().await;
    let sale = stage.shop.sell(&server).await;
    let forgotten = stage.shop.address(&server, "forgotten").await;
    let (_, draft) = stage.pay(&sale).await;
    stage.purse.pay(&stage.node, &forgotten, 10_000_000).await;
    stage.until_charge(&sale, "processing").await;
    until("the deposit is seen", || async {
        stage.texts(DEPOSITS).await == ["seen"]
    })
    .await;
    let accounts = stage.accounts().await;

    stage.node.stop().await;
    until("the server says that its node is away", || async {
        let health = stage.shop.health(&server).await;
        health["state"] == "failed" && health["error"].is_string()
    })
    .await;
    // Everything else goes on, also what needs an address of that chain.
    let other = stage.shop.sell(&server).await;
    assert_ne!(other.address, sale.address);
    assert_eq!(stage.charge(&sale).await, "processing");
    assert_eq!(stage.accounts().await, accounts);

    stage.node.forget_mempool();
    stage.node.start_again().await;
    until("the node is followed again", || async {
        stage.shop.health(&server).await["failing_since"].is_null()
    })
    .await;
    assert!(stage.mempool().await.is_empty());
    // Nobody can say yet that it will not come back.
    stage.mine(1).await;
    assert_eq!(stage.charge(&sale).await, "processing");
    assert_eq!(stage.texts(DEPOSITS).await, ["seen"]);

    // The customer's wallet sends it again, as wallets do.
    send(&stage.node, &draft).await;
    stage.mine(DEPTH).await;
    stage.until_charge(&sale, "paid").await;
    // Of the other one nobody hears any more.
    until("the deposit is given up", || async {
        let hours = json!({ "seconds": LONG });
        stage.shop.sandbox(&server, "advance", hours).await;
        stage.node.mine(1, &elsewhere(stage.node.kind)).await;
        stage.texts(DEPOSITS).await == ["dropped"]
    })
    .await;
    until("the shop is told", || async {
        !stage.receiver.taken(&sale.id).is_empty()
    })
    .await;
    server.kill();
    stage.audit().await;
}
