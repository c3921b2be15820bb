//! The last audit of the books, kept for the operator's page and the metrics.
//!
//! Invariant: what an audit found is its own; keeping it is a write of its own afterwards.

use std::time::{Duration, Instant};

use domain::view::system::{AuditFigures, AuditFound, CheckFound};

use super::{AuditReport, last_store as store};
use crate::{Gateway, Result};

/// How long a page waits for an audit; it goes on without the page.
const PAGE_LIMIT: Duration = Duration::from_secs(5);

/// Characters of who asked that are kept.
const ASKED_BY_CHARS_MAX: usize = 200;

impl Gateway {
    /// Audits the books and keeps what was found.
    ///
    /// # Errors
    /// Those of [`Gateway::audit`]. What cannot be kept is told in the log alone.
    pub async fn audit_and_keep(&self, asked_by: &str) -> Result<AuditReport> {
        let begun = Instant::now();
        let report = self.audit().await?;
        if let Err(error) = self.keep(&report, asked_by, begun.elapsed()).await {
            tracing::warn!(%error, "what the audit found could not be kept");
        }
        Ok(report)
    }

    /// Begins an audit, unless somebody audits already, and waits a little for the result.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_audit(&self, asked_by: &str) -> Result<()> {
        if !store::begin_run(self.pool(), self.clock().now()).await? {
            return Ok(());
        }
        let (gateway, asked_by) = (self.clone(), asked_by.to_owned());
        // It reads whole tables: longer than anybody waits for a page.
        let run = tokio::spawn(async move {
            if let Err(error) = gateway.run_audit(&asked_by).await {
                tracing::error!(%error, "the books could not be audited");
            }
        });
        // Over or not, the page shows what there is.
        let _ = tokio::time::timeout(PAGE_LIMIT, run).await;
        Ok(())
    }

    /// What was found last, and whether somebody audits right now.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_audit(&self) -> Result<AuditFigures> {
        store::last(self.pool()).await
    }

    async fn run_audit(&self, asked_by: &str) -> Result<()> {
        let begun = Instant::now();
        match self.audit().await {
            Ok(report) => self.keep(&report, asked_by, begun.elapsed()).await,
            Err(error) => {
                store::give_up_run(self.pool()).await?;
                Err(error)
            }
        }
    }

    async fn keep(&self, report: &AuditReport, asked_by: &str, took: Duration) -> Result<()> {
        let asked_by: String = asked_by.chars().take(ASKED_BY_CHARS_MAX).collect();
        let took_ms = i64::try_from(took.as_millis())?;
        let now = self.clock().now();
        store::keep(self.pool(), &found(report), &asked_by, took_ms, now).await
    }
}

fn found(report: &AuditReport) -> AuditFound {
    let checks = report.checks.iter().map(|check| CheckFound {
        name: check.name.to_owned(),
        violations: check.violations.clone(),
    });
    AuditFound {
        postings: report.postings,
        accounts: report.accounts,
        checks: checks.collect(),
    }
}
