//! The proof of the books after everything that was measured, as `exchequer audit` makes it.

use std::time::Instant;

use anyhow::{Context, bail};
use gateway::Gateway;
use gateway::audit::AuditReport;

use super::figure::Figure;
use super::report::Report;
use super::subject::{AUDITED, Subject, Unit};

const AUDIT: Subject = Subject {
    key: "audit",
    label: "audit of 1 000 000 postings",
    unit: Unit::Seconds,
};

/// As many proofs as there were rounds.
///
/// # Errors
/// The books are not in order: then no figure of this run is worth anything.
pub(super) async fn measure(
    gateway: &Gateway,
    rounds: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    for _ in 0..rounds {
        let started = Instant::now();
        let postings = prove(gateway).await?;
        let figure = Figure::seconds(started.elapsed())
            .scaled(AUDITED, postings)
            .context("the load left no postings to audit")?;
        report.add(AUDIT, figure);
        report.set_postings(postings);
    }
    Ok(())
}

/// One proof; answers how many postings it was about.
///
/// # Errors
/// The books are not in order.
pub(super) async fn prove(gateway: &Gateway) -> anyhow::Result<u64> {
    let books = gateway.audit().await?;
    if let Some(violation) = first_violation(&books) {
        bail!("the books are not in order after the load: {violation}");
    }
    Ok(u64::try_from(books.postings)?)
}

fn first_violation(books: &AuditReport) -> Option<String> {
    books.checks.iter().find_map(|check| {
        let first = check.violations.first()?;
        Some(format!("{}: {first}", check.name))
    })
}

#[cfg(test)]
mod tests {
    use gateway::audit::AuditCheck;

    use super::*;

    #[test]
    fn the_first_violation_is_named() {
        let check = |name, violations: &[&str]| AuditCheck {
            name,
            violations: violations.iter().map(|&text| text.to_owned()).collect(),
        };
        let mut books = AuditReport {
            postings: 1,
            accounts: 1,
            checks: vec![check("one", &[])],
        };
        assert_eq!(first_violation(&books), None);
        books.checks.push(check("two", &["row 3", "row 4"]));
        assert_eq!(first_violation(&books).as_deref(), Some("two: row 3"));
    }
}
