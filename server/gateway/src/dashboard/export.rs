//! Rows for CSV files, in pages: an export is as long as the list it was asked for.

use domain::view::dashboard::ChargeFilter;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::charge_list::ChargePage;
use super::inbox::inbox_selection;
use super::rows::{attention_reason, pill};
use super::selection::{Cursor, Selection};
use super::statement::line_words;
use super::store::ChargeRecord;
use crate::wallets::StatementLine;
use crate::{Gateway, Result};

/// Rows read from the database at a time.
const PAGE: i64 = 500;

/// Column names of an export of charges.
pub const CHARGE_COLUMNS: [&str; 15] = [
    "order",
    "created_at",
    "status",
    "flags",
    "resolution",
    "amount",
    "currency",
    "received",
    "received_currency",
    "credited",
    "fee",
    "paid_at",
    "customer_name",
    "customer_email",
    "needs_attention",
];

/// Column names of an export of a wallet's statement.
pub const STATEMENT_COLUMNS: [&str; 8] = [
    "line",
    "at",
    "kind",
    "reference",
    "debit",
    "credit",
    "balance",
    "currency",
];

/// Column names of an export of the inbox: the reason, then those of a charge.
pub fn inbox_columns() -> Vec<&'static str> {
    std::iter::once("reason").chain(CHARGE_COLUMNS).collect()
}

/// Some rows, and where the rest begins.
#[derive(Debug)]
pub struct ExportPage<C> {
    pub rows: Vec<Vec<String>>,
    /// `None` when these were the last.
    pub next: Option<C>,
}

impl Gateway {
    /// Rows of exactly the charges that the list shows under `filter`, newest first.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] naming each filter that means nothing.
    pub async fn export_charges(
        &self,
        merchant_id: i64,
        filter: &ChargeFilter,
        cursor: &Cursor,
    ) -> Result<ExportPage<Cursor>> {
        let selection = Selection::parse(filter, self.currencies())?;
        let page = self
            .charge_page(merchant_id, &selection, cursor, PAGE)
            .await?;
        let next = next_cursor(&page);
        let rows = page.records.iter().map(|record| self.charge_cells(record));
        Ok(ExportPage {
            rows: rows.collect::<Result<_>>()?,
            next,
        })
    }

    /// Rows of the exceptions inbox, newest first.
    pub async fn export_inbox(
        &self,
        merchant_id: i64,
        cursor: &Cursor,
    ) -> Result<ExportPage<Cursor>> {
        let page = self
            .charge_page(merchant_id, &inbox_selection(), cursor, PAGE)
            .await?;
        let next = next_cursor(&page);
        let rows = page.records.iter().map(|record| {
            let mut cells = self.charge_cells(record)?;
            cells.insert(
                0,
                attention_reason(record.status()?, record.flags()).to_owned(),
            );
            Ok(cells)
        });
        Ok(ExportPage {
            rows: rows.collect::<Result<_>>()?,
            next,
        })
    }

    /// Rows of a wallet's statement below version `before`, newest first.
    pub async fn export_statement(
        &self,
        merchant_id: i64,
        wallet_id: i64,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let statement = self.statement(merchant_id, wallet_id, before, PAGE).await?;
        let lowest = statement.lines.last().map(|line| line.version);
        let rows = statement.lines.iter().map(statement_cells).collect();
        Ok(ExportPage {
            rows,
            next: lowest.filter(|version| *version > 1),
        })
    }

    fn charge_cells(&self, record: &ChargeRecord) -> Result<Vec<String>> {
        let amount = record.amount(self.currencies())?;
        let received = record.received(self.currencies())?;
        let in_currency = |stored: Option<rust_decimal::Decimal>| {
            stored.map_or_else(String::new, |stored| {
                let units = crate::ledger::units(stored);
                domain::money::Money::from_units(units, amount.currency()).shown()
            })
        };
        let status = pill(record.status()?, record.flags(), record.resolution()?);
        Ok(vec![
            record.public_id.clone(),
            instant(record.created_at),
            status.word,
            status.flags.join(" "),
            record.resolution.clone(),
            amount.shown(),
            amount.currency().code.to_string(),
            received.map_or_else(String::new, |money| money.shown()),
            received.map_or_else(String::new, |money| money.currency().code.to_string()),
            in_currency(record.credited),
            in_currency(record.fee),
            record.paid_at.map_or_else(String::new, instant),
            record.full_name(),
            record.email.clone().unwrap_or_default(),
            if record.needs_attention { "yes" } else { "no" }.to_owned(),
        ])
    }
}

fn next_cursor(page: &ChargePage) -> Option<Cursor> {
    let last = page.records.last().filter(|_| page.has_older())?;
    Some(Cursor::Before(last.public_id.clone()))
}

fn statement_cells(line: &StatementLine) -> Vec<String> {
    let (debit, credit) = line_words::sides(line);
    vec![
        line.version.to_string(),
        instant(line.at),
        line_words::kind(line),
        line_words::reference(line),
        debit.unwrap_or_default(),
        credit.unwrap_or_default(),
        line.balance_after.shown(),
        line.balance_after.currency().code.to_string(),
    ]
}

fn instant(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
