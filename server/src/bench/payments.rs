//! Payments from the block that has them to paid orders, as the product books them.
//!
//! Before the clock runs, orders are made, each gets its address, and a payment of what is due lies in
//! the mempool of the simulated chain. Timed is what comes then: two blocks are mined, the follower reads
//! them, and for each order the receipt is final, booked into suspense (an entry of one posting) and the
//! order paid (an entry of three: the coins change for money, the merchant is credited gross, the fee is
//! taken), with its history and its event. What makes a payment happen once are the unique facts of both
//! entries. No webhook is rendered, as the orders name no receiver.
//!
//! Twice in each round: spread over merchants, and all of them to the same one, whose wallet and suspense every
//! payment then changes.

use std::time::Instant;

use anyhow::{Context, ensure};
use domain::money::Money;
use futures::future::ready;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use gateway::Gateway;
use gateway::charges::{Collection, Customer, NewCharge, Origin};

use super::Site;
use super::cpu::{Cost, Meter};
use super::figure::Figure;
use super::report::Report;
use super::subject::{Subject, Unit};

const SPREAD: Subject = Subject {
    key: "payments_uniform",
    label: "payments over merchants, block to paid order",
    unit: Unit::PerSecond,
};

const OF_ONE: Subject = Subject {
    key: "payments",
    label: "payments of one merchant, block to paid order",
    unit: Unit::PerSecond,
};

/// Payments of a round for each of its seconds, and at most: a block has a few thousand transactions.
const PER_SECOND: u32 = 200;
const MOST: u32 = 1_000;

/// Orders that are made ready at the same time.
const LAID_AT_ONCE: usize = 16;

const COIN: &str = "BTC";

/// Enough for every amount here.
const BLOCKS: u32 = 2;

/// One round of both.
///
/// # Errors
/// An order is not paid although its payment is in the chain.
pub(super) async fn measure(
    site: &Site,
    gateway: &Gateway,
    merchants: &[i64],
    report: &mut Report,
) -> anyhow::Result<()> {
    let one = [site.demo.merchant.id];
    for (subject, merchants) in [(SPREAD, merchants), (OF_ONE, &one[..])] {
        let (rate, cost) = of(site, gateway, merchants, report.meter).await?;
        report.add_rate(subject, rate, cost);
    }
    Ok(())
}

/// Payments a second when these merchants get them by turns, and what each costs.
async fn of(
    site: &Site,
    gateway: &Gateway,
    merchants: &[i64],
    meter: Meter,
) -> anyhow::Result<(Figure, Cost)> {
    let count = PER_SECOND.saturating_mul(site.plan.seconds).min(MOST);
    let orders: Vec<(i64, String)> =
        stream::iter((0..count).zip(merchants.iter().copied().cycle()))
            .take_while(|_| ready(!site.stop.is_requested()))
            .map(async |(number, merchant)| {
                anyhow::Ok((merchant, lay(gateway, merchant, number).await?))
            })
            .buffered(LAID_AT_ONCE)
            .try_collect()
            .await?;
    let lap = meter.start().await;
    let started = Instant::now();
    gateway.sandbox_mine(Some(COIN), Some(BLOCKS)).await?;
    let took = started.elapsed();
    let spent = lap.stop().await;
    for (merchant, order) in &orders {
        let word = gateway.find_charge(*merchant, order).await?.status.word();
        ensure!(word == "paid", "order {order} is {word} after its payment");
    }
    let paid = u64::try_from(orders.len())?;
    Ok((Figure::per_second(paid, took), spent.each(paid)))
}

/// An order with its payment in the mempool; answers its public id.
async fn lay(gateway: &Gateway, merchant: i64, number: u32) -> anyhow::Result<String> {
    let euro = gateway.currencies().by_code("EUR").context("no euro")?;
    let amount = Money::parse(&format!("{}.{:02}", 10 + number % 20, number % 100), euro)?;
    let new = NewCharge {
        merchant_id: merchant,
        origin: Origin::Order,
        amount,
        wallet_user_id: 0,
        customer: Customer {
            name: "Inga".to_owned(),
            surname: "Kalnina".to_owned(),
            email: "inga@customer.example".to_owned(),
            phone: "+37120000000".to_owned(),
            ..Customer::default()
        },
        items: Vec::new(),
        metadata: serde_json::Map::new(),
        redirect_url: None,
        failed_url: None,
        webhook_url: None,
        timer: false,
        collection: Collection::FillOrKill,
    };
    let answer = gateway
        .create_charge(new, None, |view| (201, view.public_id.clone().into_bytes()))
        .await?;
    let id = String::from_utf8(answer.body)?;
    gateway.choose_method(&id, COIN).await?;
    let charge = gateway.find_charge(merchant, &id).await?;
    let payment = charge.payment.context("an order without its address")?;
    gateway
        .sandbox_pay(&payment.address, &payment.left.shortest(), Some(COIN), None)
        .await?;
    Ok(id)
}
