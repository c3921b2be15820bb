//! The coins of each chain, counted three times: by the books, by the chain tables and by the node; with
//! the cause of every difference.
//!
//! Invariant: the books are only read, and each view is of one instant: the node's of one block, ours of
//! one snapshot in which that block is known.

mod compare;
mod store;

use std::time::Duration;

use domain::money::Money;
use domain::view::reconciliation::{Between, ChainAuditPage, ChainAuditView, Difference};

use self::compare::{Coin, Item};
use self::store::Asked;
use crate::chain::backend::Holdings;
use crate::chain::{Chain, base_units, follower};
use crate::{Error, Gateway, Result};

/// How often the follower is looked at, and how many times, until it has the node's best block.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOKS: u32 = 20;

/// How long a page waits for a comparison; it goes on without the page.
const PAGE_LIMIT: Duration = Duration::from_secs(5);

impl Gateway {
    /// Compares every connected chain, one after the other, and remembers what was found.
    ///
    /// # Errors
    /// The database's. A node that cannot be asked is told in what is found.
    pub async fn audit_chains(&self) -> Result<Vec<ChainAuditView>> {
        let mut found = Vec::new();
        for chain in self.chains().all() {
            let view = self.compare_chain(chain).await?;
            let now = self.clock().now();
            store::end_run(self.pool(), chain.params.code, Some(&view), now).await?;
            found.push(view);
        }
        Ok(found)
    }

    /// Begins to compare one chain, unless somebody does so already, and waits a little for the result.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a chain that is not connected; the database's.
    pub async fn begin_chain_audit(&self, code: &str) -> Result<()> {
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let code = chain.params.code;
        if !store::begin_run(self.pool(), code, self.clock().now()).await? {
            return Ok(());
        }
        let gateway = self.clone();
        // A scan of the main network takes minutes: longer than anybody waits for a page.
        let run = tokio::spawn(async move {
            if let Err(error) = gateway.run_chain_audit(code).await {
                tracing::error!(chain = code, %error, "the chain cannot be compared");
            }
        });
        // Over or not, the page shows what there is.
        let _ = tokio::time::timeout(PAGE_LIMIT, run).await;
        Ok(())
    }

    /// What was found last on one chain, and what came to accounts of ours there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a chain that is not connected; the database's.
    pub async fn chain_audit_page(&self, code: &str) -> Result<ChainAuditPage> {
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let last = store::last(self.pool(), chain.params.code).await?;
        let mut page = last.unwrap_or_else(|| ChainAuditPage {
            code: chain.params.code.to_owned(),
            begun_at: None,
            checked_at: None,
            found: None,
            own_coins: Vec::new(),
            notice: None,
        });
        page.own_coins = self.own_coins(chain).await?;
        Ok(page)
    }

    async fn run_chain_audit(&self, code: &'static str) -> Result<()> {
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let found = self.compare_chain(chain).await;
        let now = self.clock().now();
        store::end_run(self.pool(), code, found.as_ref().ok(), now).await?;
        found.map(|_| ())
    }

    async fn compare_chain(&self, chain: &Chain) -> Result<ChainAuditView> {
        let code = chain.params.code;
        let asked = asked(chain)?;
        if asked.is_simulated {
            // Nobody else follows it when no server runs, and it costs nothing.
            follower::sync(self, chain.coin).await?;
        }
        // The node first: what it is asked takes long, and the follower has its block by then.
        let (holdings, mut problem) = match self.ask_node(chain).await {
            Ok(holdings) => (Some(holdings), None),
            Err(error) => (None, Some(format!("the node cannot be asked: {error}"))),
        };
        let mut snapshot = super::store::begin(self.pool()).await?;
        let height = store::height(&mut snapshot, code).await?;
        let books = store::books(&mut snapshot, chain.coin).await?;
        let mut unspent = store::unspent(&mut snapshot, code, i64::MAX).await?;
        let paid = store::paid_from_accounts(&mut snapshot, code, chain.coin, i64::MAX).await?;
        unspent.extend(paid);
        let tables = total(&unspent);
        let causes = store::causes(&mut snapshot, asked).await?;
        // Gone again when the chain was reorganised meanwhile.
        let known = match &holdings {
            Some(holdings) => store::height_of(&mut snapshot, code, &holdings.hash).await?,
            None => None,
        };
        let ours = match known {
            Some(height) => {
                let mut ours = store::unspent(&mut snapshot, code, height).await?;
                let coin = chain.coin;
                ours.extend(store::paid_from_accounts(&mut snapshot, code, coin, height).await?);
                ours
            }
            None => Vec::new(),
        };
        snapshot.rollback().await?;

        let mut differences = Vec::new();
        let tables = tables
            .checked_mul(asked.factor)
            .ok_or_else(|| Error::Internal(format!("{code}: more coins than there are")))?;
        for item in compare::explain_books(books, tables, causes) {
            differences.push(difference(Between::TablesAndBooks, item, chain));
        }
        let mut node = None;
        if let Some(holdings) = &holdings {
            let theirs = coins(holdings)?;
            node = Some(text(total(&theirs).saturating_mul(asked.factor), chain));
            if known.is_some() {
                for mut item in compare::explain_node(&ours, &theirs) {
                    item.units = item.units.saturating_mul(asked.factor);
                    differences.push(difference(Between::NodeAndTables, item, chain));
                }
            } else {
                problem = Some(format!(
                    "the node's best block has height {} and is none of ours (our best has {}): is \
                     a server following the chain?",
                    holdings.height,
                    height.map_or_else(|| "none".to_owned(), |height| height.to_string()),
                ));
            }
        }
        Ok(ChainAuditView {
            chain: code.to_owned(),
            books: text(books, chain),
            tables: text(tables, chain),
            height,
            node,
            node_height: holdings.map(|holdings| holdings.height),
            problem,
            differences,
        })
    }

    /// What the node has, when the follower has come to the block it is about, or had time to.
    async fn ask_node(&self, chain: &Chain) -> Result<Holdings> {
        let code = chain.params.code;
        let addresses = store::addresses(self.pool(), code).await?;
        let holdings = chain.backend.holdings(&addresses).await?;
        for _ in 0..LOOKS {
            let mut conn = self.pool().acquire().await?;
            if store::height_of(&mut conn, code, &holdings.hash)
                .await?
                .is_some()
            {
                break;
            }
            drop(conn);
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(holdings)
    }
}

fn asked(chain: &Chain) -> Result<Asked> {
    let digits = base_units::digits(chain.params);
    let factor = base_units::to_ledger(chain.coin, digits, 1)
        .ok_or_else(|| Error::Internal(format!("{} has no base unit", chain.params.code)))?;
    Ok(Asked {
        code: chain.params.code,
        coin: chain.coin,
        factor,
        is_simulated: chain.is_simulated(),
    })
}

fn coins(holdings: &Holdings) -> Result<Vec<Coin>> {
    holdings
        .held
        .iter()
        .map(|held| {
            Ok(Coin {
                address: held.address.clone(),
                place: held
                    .place
                    .as_ref()
                    .map(|place| (place.txid.clone(), place.vout)),
                raw: i128::try_from(held.raw)?,
                may_be_immature: held.may_be_immature,
            })
        })
        .collect()
}

fn total(coins: &[Coin]) -> i128 {
    coins.iter().map(|coin| coin.raw).sum()
}

fn difference(between: Between, item: Item, chain: &Chain) -> Difference {
    Difference {
        between,
        cause: item.cause,
        amount: text(item.units, chain),
        count: item.count,
        examples: item.examples,
    }
}

fn text(units: i128, chain: &Chain) -> String {
    Money::from_units(units, chain.coin).shortest()
}
