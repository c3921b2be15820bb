//! Every chain as it stands, for the page of the operators and for health checks.

use domain::view::chains::{ChainRow, ChainState as State, ChainsView};
use futures::future::join_all;
use time::format_description::well_known::Rfc3339;

use super::health::Following;
use super::{Chain, store};
use crate::dashboard::ExportPage;
use crate::{Gateway, Result};

/// Column names of an export of the chains.
pub const CHAIN_COLUMNS: [&str; 15] = [
    "chain",
    "node",
    "network",
    "state",
    "height",
    "node_height",
    "lag",
    "since",
    "error",
    "version",
    "peers",
    "mempool",
    "announcements",
    "warnings",
    "first_addresses",
];

/// One chain as this process follows it; no node is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStatus {
    pub code: &'static str,
    /// `simulated`, `bitcoin-core` or `evm`.
    pub kind: &'static str,
    pub network: String,
    pub state: State,
    pub following: Following,
    /// Whether this process hears the node's announcements; `None` where no setting asks for them.
    pub is_heard: Option<bool>,
}

impl Gateway {
    /// How the following of each chain goes.
    ///
    /// # Errors
    /// The database's.
    pub async fn chain_statuses(&self) -> Result<Vec<ChainStatus>> {
        let mut statuses = Vec::new();
        for chain in self.chains().all() {
            statuses.push(self.chain_status(chain).await?);
        }
        Ok(statuses)
    }

    async fn chain_status(&self, chain: &Chain) -> Result<ChainStatus> {
        let mut following = chain.health.now();
        // Another process may follow it.
        following.height = store::height(self.pool(), chain.params.code).await?;
        Ok(ChainStatus {
            code: chain.params.code,
            kind: chain.node.kind(),
            network: chain.node.network(),
            state: state(&following),
            following,
            is_heard: chain.announcements().map(|node| node.is_heard()),
        })
    }

    /// The page of the chains: how they are followed, and what their nodes say right now.
    ///
    /// # Errors
    /// The database's; a node that cannot be asked is told on the page.
    pub async fn chains_view(&self) -> Result<ChainsView> {
        let rows = join_all(
            self.chains()
                .all()
                .iter()
                .map(|chain| self.chain_row(chain)),
        )
        .await;
        Ok(ChainsView {
            now: self.clock().now(),
            rows: rows.into_iter().collect::<Result<_>>()?,
        })
    }

    async fn chain_row(&self, chain: &Chain) -> Result<ChainRow> {
        let status = self.chain_status(chain).await?;
        let following = status.following;
        let mut warnings: Vec<String> = following.warning.into_iter().collect();
        let report = match chain.node.report(self.clock().now()).await {
            Ok(report) => Some(report),
            Err(error) => {
                warnings.push(format!("the node says nothing of itself: {error}"));
                None
            }
        };
        let node_height = report
            .as_ref()
            .map(|report| report.height)
            .or(following.node_height);
        if let Some(report) = &report {
            warnings.extend(report.warnings.iter().cloned());
            if report.behind > 0 {
                warnings.push(format!(
                    "the node knows of {} blocks it does not have yet",
                    report.behind
                ));
            }
        }
        // What was asked just now is newer than what the follower saw.
        let lag = node_height.map(|node| (node - following.height.unwrap_or(-1)).max(0));
        Ok(ChainRow {
            code: status.code.to_owned(),
            kind: status.kind.to_owned(),
            network: status.network,
            state: status.state,
            height: following.height,
            node_height,
            lag,
            since: following.trouble.as_ref().map(|trouble| trouble.since),
            error: following.trouble.map(|trouble| trouble.error),
            version: report.as_ref().map(|report| report.version.clone()),
            peers: report.as_ref().and_then(|report| report.peers),
            mempool: report.as_ref().and_then(|report| report.mempool),
            is_heard: status.is_heard,
            warnings,
            first_addresses: chain.account.first_addresses()?,
        })
    }

    /// The same chains as rows of a CSV file.
    ///
    /// # Errors
    /// As [`Self::chains_view`].
    pub async fn export_chains(&self) -> Result<ExportPage<i64>> {
        Ok(ExportPage {
            rows: self
                .chains_view()
                .await?
                .rows
                .into_iter()
                .map(cells)
                .collect(),
            next: None,
        })
    }
}

fn state(following: &Following) -> State {
    match (&following.trouble, following.lag()) {
        (Some(_), _) => State::Stopped,
        (None, None) => State::Starting,
        (None, Some(0)) => State::AtTip,
        (None, Some(_)) => State::CatchingUp,
    }
}

const fn heard(is_heard: bool) -> &'static str {
    if is_heard { "heard" } else { "not heard" }
}

fn cells(row: ChainRow) -> Vec<String> {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        row.code,
        row.kind,
        row.network,
        row.state.words().to_owned(),
        number(row.height),
        number(row.node_height),
        number(row.lag),
        row.since
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_default(),
        row.error.unwrap_or_default(),
        row.version.unwrap_or_default(),
        number(row.peers),
        row.mempool.map(|size| size.to_string()).unwrap_or_default(),
        row.is_heard.map(heard).unwrap_or_default().to_owned(),
        row.warnings.join("; "),
        row.first_addresses.join(" "),
    ]
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::health::Trouble;
    use super::*;

    #[test]
    fn trouble_goes_before_everything_else() {
        let mut following = Following::default();
        assert_eq!(state(&following), State::Starting);
        following.node_height = Some(4);
        assert_eq!(state(&following), State::CatchingUp);
        following.height = Some(4);
        assert_eq!(state(&following), State::AtTip);
        following.trouble = Some(Trouble {
            error: "away".to_owned(),
            since: OffsetDateTime::UNIX_EPOCH,
            failures: 1,
        });
        assert_eq!(state(&following), State::Stopped);
    }

    #[test]
    fn an_export_has_a_cell_for_every_column() {
        let row = ChainRow {
            code: "BTC".to_owned(),
            kind: "bitcoin-core".to_owned(),
            network: "regtest".to_owned(),
            state: State::AtTip,
            height: Some(1),
            node_height: Some(1),
            lag: Some(0),
            since: None,
            error: None,
            version: None,
            peers: None,
            mempool: None,
            is_heard: None,
            warnings: Vec::new(),
            first_addresses: Vec::new(),
        };
        assert_eq!(cells(row).len(), CHAIN_COLUMNS.len());
    }
}
