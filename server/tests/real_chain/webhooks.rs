//! Killed after the block is in the books, and before the shop was told.

use sqlx::PgPool;

use crate::stage::{DEPTH, Stage};
use crate::until;

#[sqlx::test(migrations = "../migrations")]
async fn what_is_paid_when_the_server_is_killed_is_told_by_the_next_one(pool: PgPool) {
    let Some(stage) = Stage::open(&pool, 2).await else {
        return;
    };
    let mut server = stage.serve().await;
    // In the middle of an attempt, and as soon as the block is in the books.
    for (round, is_under_way) in (1..).zip([true, false]) {
        stage.receiver.hang();
        let sale = stage.shop.sell(&server).await;
        let empty = stage.accounts().await;
        stage.pay(&sale).await;
        stage.mine(DEPTH).await;
        stage.until_charge(&sale, "paid").await;
        if is_under_way {
            until("the shop is being told", || async {
                !stage.receiver.tried(&sale.id).is_empty()
            })
            .await;
        }
        server.kill();
        assert_eq!(stage.deliveries().await.last().unwrap(), "pending");
        assert!(stage.receiver.taken(&sale.id).is_empty());
        let credited = stage.accounts().await;
        assert_ne!(credited, empty);
        stage.audit().await;

        stage.receiver.answer();
        stage.end_leases().await;
        server = stage.serve().await;
        until("the next server has told the shop", || async {
            let states = stage.deliveries().await;
            states.iter().all(|state| state == "delivered")
        })
        .await;
        // Whatever the first one had begun to say, it is said again to the letter.
        let taken = stage.receiver.taken(&sale.id);
        let said = taken.first().unwrap();
        let tried = stage.receiver.tried(&sale.id);
        assert!(
            tried.iter().chain(&taken).all(|told| told == said),
            "{tried:?} {taken:?}"
        );
        // Nor does another block credit anybody again.
        stage.mine(1).await;
        assert_eq!(stage.accounts().await, credited);
        assert_eq!(stage.entries("receipt_final").await, round);
        assert_eq!(stage.entries("charge_paid").await, round);
        stage.audit().await;
    }
    server.kill();
}
