use domain::view::dashboard::{Paging, StatementRow, StatementView};

use super::wallets::wallet_row;
use crate::wallets::StatementLine;
use crate::{Gateway, Result};

/// Lines on a page.
const PAGE: i64 = 50;

impl Gateway {
    /// A page of a wallet's statement: lines below version `before`, newest first.
    pub async fn statement_view(
        &self,
        merchant_id: i64,
        wallet_id: i64,
        before: Option<i64>,
    ) -> Result<StatementView> {
        let statement = self.statement(merchant_id, wallet_id, before, PAGE).await?;
        let newest = statement.wallet.version;
        let rows = statement
            .lines
            .iter()
            .map(|line| {
                let (debit, credit) = line_words::sides(line);
                StatementRow {
                    version: line.version,
                    at: line.at,
                    kind: line_words::kind(line),
                    reference: line_words::reference(line),
                    href: line
                        .charge_public_id
                        .as_ref()
                        .map(|id| format!("/app/charges/{id}")),
                    debit,
                    credit,
                    balance: line.balance_after.shown(),
                }
            })
            .collect();
        let lowest = statement.lines.last().map(|line| line.version);
        Ok(StatementView {
            wallet: wallet_row(&statement.wallet),
            as_of: statement.as_of,
            rows,
            lines_total: newest,
            paging: paging(before, lowest, newest),
        })
    }
}

/// Versions are gapless, so the neighbours of a page can be computed.
fn paging(before: Option<i64>, lowest: Option<i64>, newest: i64) -> Paging {
    let previous =
        before
            .filter(|before| *before <= newest)
            .map(|before| match before.saturating_add(PAGE) {
                start if start > newest => "?".to_owned(),
                start => format!("?before={start}"),
            });
    let next = lowest
        .filter(|version| *version > 1)
        .map(|version| format!("?before={version}"));
    Paging {
        previous,
        next,
        export: String::new(),
    }
}

/// What a ledger line is called and on which side it stands, alike on the page and in files.
pub(super) mod line_words {
    use super::StatementLine;

    /// The business fact in words.
    pub(in crate::dashboard) fn kind(line: &StatementLine) -> String {
        let word = match (line.entry_kind.as_str(), line.label.as_str()) {
            ("charge_paid", "fee") => "Fee",
            ("charge_paid", _) => "Payment",
            ("receipt_reversed", _) => "Reversal",
            ("test_funding", _) => "Test money",
            (other, _) => return other.replace('_', " "),
        };
        word.to_owned()
    }

    /// Public id of what the line belongs to.
    pub(in crate::dashboard) fn reference(line: &StatementLine) -> String {
        line.charge_public_id
            .clone()
            .unwrap_or_else(|| line.subject.clone())
    }

    /// Debit and credit; at most one is there, none for a line that only holds.
    pub(in crate::dashboard) fn sides(line: &StatementLine) -> (Option<String>, Option<String>) {
        let units = line.amount.units();
        let magnitude = || {
            let absolute = domain::money::Money::from_units(units.abs(), line.amount.currency());
            Some(absolute.shown())
        };
        match units {
            0 => (None, None),
            ..0 => (magnitude(), None),
            _ => (None, magnitude()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        before: Option<i64>,
        lowest: Option<i64>,
        newest: i64,
        previous: Option<&str>,
        next: Option<&str>,
    ) {
        let paging = paging(before, lowest, newest);
        assert_eq!(
            (paging.previous.as_deref(), paging.next.as_deref()),
            (previous, next)
        );
    }

    #[test]
    fn pages_of_a_statement_lead_to_each_other() {
        check(None, None, 0, None, None);
        check(None, Some(1), 3, None, None);
        check(None, Some(71), 120, None, Some("?before=71"));
        check(Some(71), Some(21), 120, Some("?"), Some("?before=21"));
        check(Some(21), Some(1), 120, Some("?before=71"), None);
    }
}
