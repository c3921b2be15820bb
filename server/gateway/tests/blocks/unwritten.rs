//! Deposits whose rows are not written: the unit is given up, and nothing is booked by what is not stored.

use gateway::chain::follower;
use sqlx::PgPool;

use super::{CODE, Yard};

/// A hundredth of a bitcoin.
const HUNDREDTH: u128 = 1_000_000;

async fn run(pool: &PgPool, statements: &'static str) {
    sqlx::raw_sql(statements).execute(pool).await.unwrap();
}

/// The write finds no row, as when somebody else has changed it.
const FINDS_NOTHING: &str =
    "CREATE FUNCTION elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$";
const FINDS_IT_AGAIN: &str = "DROP TRIGGER elsewhere ON deposits";

async fn is_given_up(yard: &Yard) -> bool {
    let coin = yard.world.currency(CODE);
    follower::sync(&yard.world.gateway, coin).await.is_err()
}

/// Without its state, the deposit would be credited by every block to come.
#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_that_is_not_written_stops_the_block(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    let address = yard.world.address(CODE, None, "unwritten").await;
    yard.chain.pay(&address, HUNDREDTH).await.unwrap();
    yard.follow().await;
    run(&pool, FINDS_NOTHING).await;
    run(
        &pool,
        "CREATE TRIGGER elsewhere BEFORE UPDATE ON deposits FOR EACH ROW
         WHEN (NEW.state = 'final') EXECUTE FUNCTION elsewhere()",
    )
    .await;
    yard.chain.mine(1).await.unwrap();
    assert!(is_given_up(&yard).await);
    assert_eq!(yard.world.told().await, ["deposit not_confirmed"]);
    assert_eq!(yard.world.balance(CODE).await, "1.00000000");
    yard.world.audit().await;
    run(&pool, FINDS_IT_AGAIN).await;
    yard.follow().await;
    assert_eq!(yard.world.told().await, ["deposit confirmed"]);
    assert_eq!(yard.world.balance(CODE).await, "1.00990000");
    yard.world.audit().await;
}

/// Without the new amount, the deposit would be credited with what the chain does not pay any more.
#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_that_cannot_be_told_again_stops_the_block(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    run(
        &pool,
        "UPDATE currency_terms SET confirmations = 3, confirmations_large = 3",
    )
    .await;
    let address = yard.world.address(CODE, None, "unwritten").await;
    let txid = yard.chain.pay(&address, 2 * HUNDREDTH).await.unwrap();
    yard.mine().await;
    run(&pool, FINDS_NOTHING).await;
    run(
        &pool,
        "CREATE TRIGGER elsewhere BEFORE UPDATE ON deposits FOR EACH ROW
         WHEN (NEW.amount <> OLD.amount) EXECUTE FUNCTION elsewhere()",
    )
    .await;
    // In the new blocks the same transaction pays half of it.
    sqlx::query(
        "UPDATE sim.txs SET outputs = jsonb_set(outputs, '{0,raw}', to_jsonb($2::text))
         WHERE txid = $1",
    )
    .bind(&txid)
    .bind(HUNDREDTH.to_string())
    .execute(&pool)
    .await
    .unwrap();
    yard.chain.reorg(1, &[]).await.unwrap();
    assert!(is_given_up(&yard).await);
    run(&pool, FINDS_IT_AGAIN).await;
    yard.follow().await;
    for _ in 0..3 {
        yard.mine().await;
    }
    assert_eq!(yard.world.told().await, ["deposit confirmed"]);
    assert_eq!(yard.world.balance(CODE).await, "1.00990000");
    yard.world.audit().await;
}
