//! Orders of which each names its receiver, and how long it takes until that has heard of it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::broken_receiver::BrokenReceivers;
use crate::crowd::{Ack, CLIENTS, Log, PATIENCE, answer};
use crate::field::{Bases, Field};
use crate::shop::{Kind, Shop, public_id};

/// An order that was paid, and who is told of it.
pub struct Sale {
    url: String,
    order: String,
}

impl Sale {
    pub fn is_heard_by(&self, receivers: &BrokenReceivers) -> bool {
        receivers.told_at(&self.url, &self.order).is_some()
    }
}

/// One order told to each of these, in their order, and blocks that make their payments final. What was
/// acknowledged meanwhile is added to the log.
pub async fn sell(field: &Field, tag: &str, urls: &[String], log: &mut Log) -> Vec<Sale> {
    let mut sales = Vec::new();
    for (at, part) in urls.chunks(CLIENTS).enumerate() {
        let sold = part.iter().enumerate().map(|(number, url)| {
            let key = format!("{tag}-{at}-{number}");
            sell_one(&field.shop, &field.bases, key, number, Some(url.as_str()))
        });
        for (url, (order, acks)) in part.iter().zip(join_all(sold).await) {
            log.acks.extend(acks);
            sales.push(Sale {
                url: url.clone(),
                order,
            });
        }
    }
    field.mine().await;
    sales
}

/// Orders until one is paid, how that is called in public, and all that were acknowledged: a payment without
/// an answer may have been made, so nobody pays for that order again. The first server is tried `first`.
///
/// `None`: its payment is told to the merchant's endpoints.
pub async fn sell_one(
    shop: &Shop,
    bases: &Bases,
    key: String,
    first: usize,
    url: Option<&str>,
) -> (String, Vec<Ack>) {
    let begun = Instant::now();
    let mut acks = Vec::new();
    for attempt in first.. {
        let wish = Shop::order_told_to(format!("{key}-{attempt}"), Kind::PaidOrder, url);
        let made = answer(shop, bases, &wish, attempt).await;
        let (body, took) = made.expect("nobody refuses an order");
        let txid = shop.pay(&bases.one(attempt), &body).await;
        let told: Value = serde_json::from_slice(&body).unwrap();
        let (order, is_paid) = (public_id(&told).to_owned(), txid.is_some());
        acks.push(Ack {
            wish,
            body,
            txid,
            took,
        });
        if is_paid {
            return (order, acks);
        }
        assert!(begun.elapsed() < PATIENCE, "{key} cannot be paid");
    }
    unreachable!("attempts have no end");
}

/// How long it took until each of these was heard of, which it was: from the beginning of the transaction in
/// which its payment became final, whose time the event bears, until a receiver had all of the request.
/// Not from the answer about the blocks: that comes when all of them are connected, and receivers hear before.
pub async fn time_to_hear(
    pool: &PgPool,
    receivers: &BrokenReceivers,
    sales: &[Sale],
) -> Vec<Duration> {
    let orders: Vec<&str> = sales.iter().map(|sale| sale.order.as_str()).collect();
    // Whatever the sandbox has added to it, the database has the machine's time.
    let paid: Vec<(String, OffsetDateTime)> = sqlx::query_as(
        "SELECT c.public_id, e.created_at - i.clock_offset_seconds * interval '1 second'
         FROM charges c JOIN events e ON e.object = 'charge:' || c.id AND e.type = 'charge.paid'
         CROSS JOIN instance i
         WHERE c.public_id = ANY($1)",
    )
    .bind(&orders)
    .fetch_all(pool)
    .await
    .unwrap();
    let paid: HashMap<String, OffsetDateTime> = paid.into_iter().collect();
    let took = sales.iter().map(|sale| {
        let heard = receivers.told_at(&sale.url, &sale.order).unwrap();
        // Two clocks that agree to within the time of a question: less than nothing is nothing.
        Duration::try_from(heard - paid[&sale.order]).unwrap_or_default()
    });
    took.collect()
}
