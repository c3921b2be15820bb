//! How many statements a look at the mempool and a block take.

use sqlx::PgPool;

use super::proxy::Proxy;
use super::support::World;
use super::{Order, Yard};

const SIZES: [usize; 3] = [1, 10, 100];

/// A hundred paid orders have so many entries that those are copied: into entries and into postings.
const COPIES: usize = 2;

async fn orders(yard: &Yard, count: usize) -> Vec<Order> {
    let mut orders = Vec::new();
    for _ in 0..count {
        orders.push(yard.order("20.00").await);
    }
    orders
}

/// Somebody is told of each payment.
async fn endpoint(pool: &PgPool, merchant: i64) {
    sqlx::query(
        "INSERT INTO webhook_endpoints (merchant_id, url, format, events, secret, created_at)
         VALUES ($1, 'https://one.example/hook', 'standard', '{}',
             'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', now())",
    )
    .bind(merchant)
    .execute(pool)
    .await
    .unwrap();
}

/// What events say of charges that were paid.
const TOLD: &str = "SELECT DISTINCT string_agg(e.type || ' ' || (e.payload->>'status'), ', '
                                               ORDER BY e.sequence)
                    FROM events e JOIN charges c ON e.object = 'charge:' || c.id
                    WHERE c.status = 'paid' GROUP BY c.id";

/// Their timelines; each line with how many of the charge's payments it names.
const WRITTEN: &str = "SELECT DISTINCT string_agg(
                           t.kind || ' ' || (SELECT count(*) FROM receipts r
                                             WHERE r.charge_id = c.id AND r.txid = t.data->>'txid'),
                           ', ' ORDER BY t.id)
                       FROM charge_timeline t JOIN charges c ON c.id = t.charge_id
                       WHERE c.status = 'paid' GROUP BY c.id";

/// Each that differs from the others.
async fn stories(pool: &PgPool, of_each: &'static str) -> Vec<String> {
    sqlx::query_scalar(of_each).fetch_all(pool).await.unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_hundred_paid_orders_take_as_many_as_one(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let yard = Yard::before(&pool, world).await;
    endpoint(&pool, yard.world.merchant).await;
    let mut taken = Vec::new();
    // The first round still looks up what is remembered from then on.
    for size in [1].into_iter().chain(SIZES) {
        let orders = orders(&yard, size).await;
        for order in &orders {
            yard.pay(order, order.due).await;
        }
        let before = proxy.statements();
        yard.follow().await;
        let seen = proxy.statements() - before;
        assert_eq!(yard.states(&orders).await, vec!["processing"; size]);
        yard.chain.mine(1).await.unwrap();
        let before = proxy.statements();
        yard.follow().await;
        taken.push((seen, proxy.statements() - before));
        assert_eq!(yard.states(&orders).await, vec!["paid"; size]);
    }
    let taken = &taken[1..];
    assert!(taken[0].0 > 0 && taken[0].1 > 0);
    let (seen, settled) = taken[0];
    let expected = [(seen, settled), (seen, settled), (seen, settled + COPIES)];
    assert_eq!(taken, expected, "for {SIZES:?} orders");
    let told: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT d.object) FROM deliveries d JOIN events e ON e.id = d.event_id
         WHERE e.type = 'charge.paid'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(
        usize::try_from(told).unwrap(),
        SIZES.iter().sum::<usize>() + 1
    );
    // Inserted or copied, it is the same story of each.
    let told = stories(&pool, TOLD).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].ends_with("charge.processing processing, charge.paid paid"),
        "{told:?}"
    );
    let written = stories(&pool, WRITTEN).await;
    assert_eq!(written.len(), 1, "{written:?}");
    assert!(
        written[0].ends_with("receipt.seen 1, status.processing 0, receipt.final 1, status.paid 0"),
        "{written:?}"
    );
    yard.world.audit().await;
}

/// First seen in the block that makes them final.
#[sqlx::test(migrations = "../../migrations")]
async fn so_do_payments_that_nobody_announced(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let yard = Yard::before(&pool, world).await;
    let mut taken = Vec::new();
    for size in [1].into_iter().chain(SIZES) {
        let orders = orders(&yard, size).await;
        for order in &orders {
            // In two payments each.
            yard.pay(order, order.due / 2).await;
            yard.pay(order, order.due - order.due / 2).await;
        }
        yard.chain.mine(1).await.unwrap();
        let before = proxy.statements();
        yard.follow().await;
        taken.push(proxy.statements() - before);
        assert_eq!(yard.states(&orders).await, vec!["paid"; size]);
    }
    let taken = &taken[1..];
    assert!(taken[0] > 0);
    let expected = [taken[0], taken[0], taken[0] + COPIES];
    assert_eq!(taken, expected, "for {SIZES:?} orders");
    yard.world.audit().await;
}

/// Late money is judged by the rate of the day, which is read once for all.
#[sqlx::test(migrations = "../../migrations")]
async fn late_money_of_many_asks_for_the_rate_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let yard = Yard::before(&pool, world).await;
    let mut taken = Vec::new();
    for size in [1].into_iter().chain(SIZES) {
        let orders = orders(&yard, size).await;
        yard.world.gateway.advance(901).await.unwrap();
        for order in &orders {
            yard.pay(order, order.due).await;
        }
        // Late and seen: the customers are told here.
        yard.follow().await;
        yard.chain.mine(1).await.unwrap();
        let before = proxy.statements();
        yard.follow().await;
        taken.push(proxy.statements() - before);
        assert_eq!(yard.states(&orders).await, vec!["paid late"; size]);
    }
    let taken = &taken[1..];
    let expected = [taken[0], taken[0], taken[0] + COPIES];
    assert_eq!(taken, expected, "for {SIZES:?} orders");
    yard.world.audit().await;
}
