//! What `exchequer bench` does to the database that was made for it and that the product has no use
//! case for: many wallets, a long ledger, rows without their rules, jobs for the queue.
//!
//! Invariants: nothing here touches a database that its caller did not make, nor a live one; what is
//! loaded set-based keeps the books in order, so that an audit proves them.

mod entries;
mod store;

use std::sync::Arc;

use domain::ledger::template::{primary_wallet, suspense};
use domain::ledger::{AccountId, AccountKey, AccountKind, HOUSE};
use domain::money::CurrencyId;
use futures::future::try_join_all;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use time::Duration;
use uuid::Uuid;

use crate::outbox::drain_due;
use crate::{Error, Gateway, Result};

/// Merchant id of the measured wallets, far from every id that is given out.
const MERCHANT: i64 = 900_000_000_000;

/// Currency of everything that is moved.
const CURRENCY: &str = "EUR";

/// Postings loaded in one transaction at most.
const LOADED_AT_ONCE: i64 = 100_000;

/// Wallets looked up at the same time.
const LOOKED_UP_AT_ONCE: u32 = 64;

/// Rows of one transaction of the floor.
const FLOOR_ROWS: i64 = 500;

/// Coin that the merchants of the bench are paid in.
const PAID_IN: &str = "BTC";

/// Merchants that jobs and payments belong to. Each has two of the 64 paths, and the queue gives a URL
/// four places at a time: 256 in all, which is what one process takes.
const MERCHANTS: i64 = 32;

/// How far ahead jobs lie that no worker may send.
const OUT_OF_REACH: Duration = Duration::days(365);

/// Postgres as it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub version: String,
    pub max_connections: i32,
    pub fsync: String,
    pub synchronous_commit: String,
    pub shared_buffers: String,
}

/// A database that is there to be measured. Cheap to clone.
#[derive(Clone)]
pub struct Workbench {
    gateway: Gateway,
    currency: CurrencyId,
    accounts: u32,
    /// Merchants that jobs and payments belong to.
    merchants: Arc<Vec<i64>>,
}

impl Workbench {
    /// Makes the wallets: number 0, whose statement gets long, and 1 to `accounts`. All are POSTPAID
    /// with a limit that nothing here reaches, so that no transfer is refused.
    ///
    /// # Errors
    /// [`Error::Conflict`] unless the gateway is in test mode and works on the database `own`, which
    /// its caller has made.
    pub async fn open(gateway: &Gateway, own: &str, accounts: u32) -> Result<Self> {
        if !gateway.settings().test_mode || store::database_name(gateway.pool()).await? != own {
            return Err(Error::Conflict(
                "only a database that was made for a measurement is measured",
            ));
        }
        let currency = gateway
            .currencies()
            .by_code(CURRENCY)
            .ok_or_else(|| Error::Internal(format!("no currency {CURRENCY}")))?
            .id;
        let now = gateway.clock().now();
        store::insert_wallets(gateway.pool(), MERCHANT, currency, accounts, now).await?;
        let merchants = store::insert_merchants(gateway.pool(), MERCHANTS, now).await?;
        let bench = Self {
            gateway: gateway.clone(),
            currency,
            accounts,
            merchants: Arc::new(merchants),
        };
        bench.look_up_all().await?;
        Ok(bench)
    }

    /// Every id is known before anything is measured, as it is in a server that runs for a while.
    async fn look_up_all(&self) -> Result<()> {
        let book = self.gateway.book();
        book.account_id(self.bank()).await?;
        let coin = self.gateway.currencies().by_code(PAID_IN);
        let coin = coin.ok_or_else(|| Error::Internal(format!("no currency {PAID_IN}")))?;
        for merchant in self.merchants.iter() {
            // A merchant without a wallet cannot be paid.
            book.account_id(primary_wallet(*merchant, self.currency))
                .await?;
            book.account_id(suspense(*merchant, coin.id)).await?;
        }
        let mut next = 0;
        while next <= self.accounts {
            let end = next
                .saturating_add(LOOKED_UP_AT_ONCE)
                .min(self.accounts.saturating_add(1));
            try_join_all((next..end).map(|number| book.account_id(self.wallet(number)))).await?;
            next = end;
        }
        Ok(())
    }

    /// Merchants with an empty wallet each.
    pub fn merchants(&self) -> &[i64] {
        &self.merchants
    }

    /// Wallets besides number 0.
    pub fn accounts(&self) -> u32 {
        self.accounts
    }

    /// Wallet number 0 to [`Workbench::accounts`].
    pub fn wallet(&self, number: u32) -> AccountKey {
        AccountKey {
            merchant: MERCHANT,
            currency: self.currency,
            kind: AccountKind::Wallet,
            user_id: i64::from(number),
        }
    }

    /// Where money of settled holds goes.
    fn bank(&self) -> AccountKey {
        AccountKey {
            merchant: HOUSE,
            currency: self.currency,
            kind: AccountKind::BankHoldings,
            user_id: 0,
        }
    }

    /// The wallet with the long statement: merchant and wallet as [`Gateway::statement`] takes them.
    pub async fn long_statement(&self) -> Result<(i64, i64)> {
        let AccountId(id) = self.gateway.book().account_id(self.wallet(0)).await?;
        Ok((MERCHANT, id))
    }

    /// Loads transfers from wallet 0 to the others until the ledger holds `postings`; answers how many
    /// it holds. Nothing else may book meanwhile. `goes_on` is told after each transaction how many
    /// there are, and ends it early by `false`.
    ///
    /// Indexes, checks and triggers stay while it loads: built anew they would be in a better shape
    /// than those of a ledger that grew, and what is measured afterwards would be too good.
    pub async fn grow_to(
        &self,
        postings: i64,
        mut goes_on: impl FnMut(i64) -> bool,
    ) -> Result<i64> {
        let pool = self.gateway.pool();
        let mut held = store::count_postings(pool).await?;
        while held < postings {
            let count = (postings - held).min(LOADED_AT_ONCE);
            let now = self.gateway.clock().now();
            store::load(pool, MERCHANT, self.currency, self.accounts, count, now).await?;
            held += count;
            if !goes_on(held) {
                break;
            }
        }
        store::analyze(pool).await?;
        store::checkpoint(pool).await;
        Ok(held)
    }

    /// Makes the tables of the floor, with the columns, checks and indexes of the real ones, when they
    /// are not there, and a connection that writes to them.
    pub async fn floor(&self) -> Result<Floor> {
        let mut conn = self.gateway.pool().acquire().await?;
        store::make_floor(&mut conn).await?;
        let next = store::floor_rows(&mut conn).await? + 1;
        Ok(Floor {
            conn,
            bench: self.clone(),
            next,
        })
    }

    /// Puts `count` deliveries into the queue. With a URL (`http://host:port/`) they are due at once
    /// and spread over 64 paths of it; without one they lie where no worker takes them.
    pub async fn enqueue(&self, count: u32, url: Option<&str>) -> Result<()> {
        let now = self.gateway.clock().now();
        let due = match url {
            Some(_) => now,
            None => now + OUT_OF_REACH,
        };
        let jobs = store::Jobs {
            batch: &Uuid::now_v7().simple().to_string(),
            merchants: &self.merchants,
            count: i64::from(count),
            url: url.unwrap_or("http://127.0.0.1:9/"),
            due,
            now,
        };
        store::enqueue(self.gateway.pool(), &jobs).await
    }

    /// Claims up to `limit` of the jobs out of the workers' reach, as a worker does, and records them
    /// together as delivered, as a worker does, without sending any; answers how many there were.
    pub async fn drain(&self, limit: u32) -> Result<u64> {
        let by = self.gateway.clock().now() + OUT_OF_REACH;
        drain_due(&self.gateway, by, i64::from(limit)).await
    }

    /// Deliveries that the workers still have to make.
    pub async fn due(&self) -> Result<i64> {
        let now = self.gateway.clock().now();
        crate::outbox::store::count_due(self.gateway.pool(), now).await
    }
}

/// What the gateway's Postgres says of itself.
pub async fn facts(gateway: &Gateway) -> Result<Facts> {
    store::facts(gateway.pool()).await
}

/// Number of a process of Postgres that serves the gateway's database, on Postgres' own machine.
pub async fn backend(gateway: &Gateway) -> Result<i32> {
    store::backend(gateway.pool()).await
}

/// Rows of entries and postings without any rule: the fastest that one connection could be.
pub struct Floor {
    conn: PoolConnection<Postgres>,
    bench: Workbench,
    next: i64,
}

impl Floor {
    /// One transaction of 500 entries with a posting each; answers how many.
    pub async fn insert(&mut self) -> Result<u64> {
        let now = self.bench.gateway.clock().now();
        let shape = (self.bench.currency, self.bench.accounts);
        store::insert_floor(&mut self.conn, self.next, FLOOR_ROWS, shape, now).await?;
        self.next += FLOOR_ROWS;
        Ok(FLOOR_ROWS.unsigned_abs())
    }
}
