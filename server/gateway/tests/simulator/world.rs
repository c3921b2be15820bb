//! The gateway under test on a database of its own, and what the steps have made in it so far.

use std::sync::Arc;
use std::time::Duration;

use domain::money::{Currency, Money};
use gateway::outbox::Timeouts;
use gateway::{Error, Gateway, Settings};
use sqlx::PgPool;

use crate::faults::{self, Fault};
use crate::outages;
use crate::receiver::Receiver;
use crate::support::World;
use crate::wire::Wire;
use crate::wired::Wired;

/// Of the demo set, and as many more as make it this.
pub const MERCHANTS: usize = 5;

/// Merchants without people, with the secrets of one that has some, and with an empty wallet in each of its
/// currencies.
const MORE_MERCHANTS: &str = "
    WITH made AS (
        INSERT INTO merchants (name, app_key, webhook_secret, ipn_secret, verification, created_at)
        SELECT 'Merchant ' || n, m.app_key, m.webhook_secret, m.ipn_secret, m.verification, m.created_at
        FROM merchants m CROSS JOIN generate_series(1, $2::int) AS n WHERE m.id = $1 RETURNING id),
    wallets AS (
        INSERT INTO accounts (merchant_id, currency_id, kind, user_id, wallet_type, floor, created_at)
        SELECT made.id, a.currency_id, 'wallet', 0, 'PREPAID', 0, a.created_at
        FROM made CROSS JOIN accounts a
        WHERE a.merchant_id = $1 AND a.kind = 'wallet' AND a.user_id = 0
        ORDER BY made.id, a.currency_id)
    SELECT id FROM made ORDER BY id";

pub struct Run {
    pub world: World,
    /// The same instance in another process, whose clock may be behind: what it does after the first one
    /// looks as if time had gone backwards.
    pub behind: Gateway,
    /// Not the gateway's: it is never cut off.
    pub pool: PgPool,
    pub wire: Arc<Wire>,
    pub merchants: Vec<i64>,
    /// Public id and merchant.
    pub charges: Vec<(String, i64)>,
    pub receiver: Receiver,
    /// Where orders that are told send their events.
    pub orders_url: String,
    /// Number of the step, which names what it makes.
    pub step: usize,
}

/// Rows of one column, in an order that is the same each time.
pub async fn ids(pool: &PgPool, question: &'static str, merchant: i64) -> Vec<i64> {
    sqlx::query_scalar(question)
        .bind(merchant)
        .fetch_all(pool)
        .await
        .unwrap()
}

/// The one a number names, if there is any.
pub fn nth<T>(list: &[T], which: u32) -> Option<&T> {
    let index = usize::try_from(which).unwrap().checked_rem(list.len())?;
    list.get(index)
}

impl Run {
    pub async fn new(database: &Wired) -> Self {
        let pool = &database.pool;
        let mut settings = Settings::test("http://127.0.0.1:3000");
        // Only a receiver that hangs is ever waited for.
        settings.webhook_timeouts = Timeouts {
            connect: Duration::from_secs(5),
            total: Duration::from_millis(400),
            ..Timeouts::default()
        };
        let world = World::with(&database.through, settings).await;
        let demo = world.gateway.demo().await.unwrap();
        let mut merchants = vec![demo.merchant.id, demo.merchant2.id];
        let more: Vec<i64> = sqlx::query_scalar(MORE_MERCHANTS)
            .bind(demo.merchant.id)
            .bind(i32::try_from(MERCHANTS - merchants.len()).unwrap())
            .fetch_all(pool)
            .await
            .unwrap();
        merchants.extend(more);
        assert_eq!(merchants.len(), MERCHANTS);
        let receiver = Receiver::default();
        let base = receiver.start().await;
        sqlx::query(
            "INSERT INTO webhook_endpoints (merchant_id, url, format, secret, created_at)
             SELECT id, $2, 'standard', webhook_secret, now() FROM merchants WHERE id = $1",
        )
        .bind(demo.merchant.id)
        .bind(format!("{base}/events"))
        .execute(pool)
        .await
        .unwrap();
        for coin in crate::commands::COINS {
            // A reorganisation needs blocks to take back.
            world.mine(coin, 8).await;
        }
        let behind = World::open(&database.through, world.gateway.settings().clone())
            .await
            .unwrap();
        let run = Self {
            world,
            behind,
            pool: pool.clone(),
            wire: database.wire.clone(),
            merchants,
            charges: Vec::new(),
            receiver,
            orders_url: format!("{base}/orders"),
            step: 0,
        };
        run.watch_house().await;
        faults::install(pool).await;
        outages::install(pool).await;
        run
    }

    /// From now on, counted anew; `None`: nothing breaks.
    pub async fn arm(&self, fault: Option<Fault>) {
        faults::arm(&self.pool, &self.wire, fault).await;
    }

    /// Whether what this step armed has broken something.
    pub async fn has_fired(&self, fault: Option<Fault>) -> bool {
        faults::has_fired(&self.pool, &self.wire, fault).await
    }

    pub fn gateway(&self) -> &Gateway {
        &self.world.gateway
    }

    pub fn currency(&self, code: &str) -> Currency {
        self.world.currency(code)
    }

    /// Cents of fiat, ten-thousandths of a coin.
    pub fn money(&self, code: &str, parts: u32) -> Money {
        let text = match code {
            "EUR" => format!("{}.{:02}", parts / 100, parts % 100),
            _ => format!("{}.{:04}", parts / 10_000, parts % 10_000),
        };
        self.world.money(&text, code)
    }

    /// A reference that is the same when the step is asked again.
    pub fn reference(&self) -> String {
        format!("step-{}", self.step)
    }

    /// A deposit address of the merchant: one plain and one that converts, for each coin.
    pub async fn address(
        &self,
        merchant: i64,
        coin: &str,
        converts: bool,
    ) -> Result<String, Error> {
        let new = gateway::addresses::NewAddress {
            merchant_id: merchant,
            coin: self.currency(coin),
            convert_to: converts.then(|| self.currency("EUR")),
            foreign_id: format!("{coin}-{converts}"),
        };
        let answer = self
            .gateway()
            .take_deposit_address(new, None, |view, _| {
                (201, view.address.clone().into_bytes())
            })
            .await?;
        Ok(String::from_utf8(answer.body).unwrap())
    }

    /// Transactions of a simulated chain, oldest first: those that wait, or the last in blocks.
    pub async fn txids(&self, coin: &str, waiting: bool) -> Vec<String> {
        let question = if waiting {
            "SELECT txid FROM sim.txs WHERE chain = $1 AND block_hash IS NULL AND NOT gone
             ORDER BY seq"
        } else {
            "SELECT txid FROM sim.txs WHERE chain = $1 AND block_hash IS NOT NULL AND NOT gone
             ORDER BY seq DESC LIMIT 8"
        };
        sqlx::query_scalar(question)
            .bind(coin)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Nothing breaks any more; everything that waits for time or for somebody to look is done.
    pub async fn settle_down(&self) {
        self.arm(None).await;
        self.receiver.is_well();
        outages::end(&self.pool).await;
        for _ in 0..12 {
            faults::end_leases(&self.pool).await;
            for coin in crate::commands::COINS {
                let currency = self.currency(coin);
                gateway::chain::follower::sync(self.gateway(), currency)
                    .await
                    .unwrap();
                self.world.mine(coin, 3).await;
            }
            self.gateway().advance(90_000).await.unwrap();
            let waiting: i64 =
                sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE state = 'pending'")
                    .fetch_one(&self.pool)
                    .await
                    .unwrap();
            if waiting == 0 {
                return;
            }
        }
    }
}
