//! The proof of the books: every invariant of ledger, charges and outbox as one question to the
//! database, all asked about the same instant.
//!
//! Invariant: an audit only reads, and a clean one found nothing at all.

mod chain;
mod last;
mod last_store;
mod store;

use serde::Serialize;

use crate::{Gateway, Result};

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    pub postings: i64,
    pub accounts: i64,
    pub checks: Vec<AuditCheck>,
}

/// One invariant and what breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditCheck {
    /// What should be true.
    pub name: &'static str,
    /// The first 20 exceptions, each naming the row.
    pub violations: Vec<String>,
}

impl AuditReport {
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.violations.is_empty())
    }
}

impl Gateway {
    /// Asks everything in one snapshot, so that work going on meanwhile is no exception.
    pub async fn audit(&self) -> Result<AuditReport> {
        let mut snapshot = store::begin(self.pool()).await?;
        let (postings, accounts) = store::totals(&mut snapshot).await?;
        let mut checks = Vec::with_capacity(store::CHECKS.len());
        for (name, question) in store::CHECKS {
            let violations = store::ask(&mut snapshot, question).await?;
            checks.push(AuditCheck { name, violations });
        }
        snapshot.rollback().await?;
        Ok(AuditReport {
            postings,
            accounts,
            checks,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_violation_is_enough() {
        let check = |violations: &[&str]| AuditCheck {
            name: "two and two make four",
            violations: violations.iter().map(|text| (*text).to_owned()).collect(),
        };
        let report = |checks: Vec<AuditCheck>| {
            AuditReport {
                postings: 0,
                accounts: 0,
                checks,
            }
            .is_clean()
        };
        assert!(report(vec![check(&[]), check(&[])]));
        assert!(!report(vec![check(&[]), check(&["account 1"]), check(&[])]));
    }

    #[test]
    fn checks_are_named_apart_and_bounded() {
        let names: BTreeSet<&str> = store::CHECKS.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), store::CHECKS.len());
        for (name, question) in store::CHECKS {
            assert!(question.trim_end().ends_with("LIMIT 20"), "{name}");
        }
    }
}
