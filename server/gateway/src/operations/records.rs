//! The merchant's operations and invoices as one list (`80`, Processing: transactions/list).

use std::collections::HashMap;

use domain::charge::Status;
use domain::money::Currency;
use serde_json::Value;

use super::{
    LIMIT_MAX, OperationKind, OperationQuery, OperationStatus, OperationView, records_store, store,
    view_store,
};
use crate::charges::invoice_report::{invoice_reports, status_word};
use crate::{Gateway, Result};

/// The type of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    Operation(OperationKind),
    Invoice,
}

impl RecordKind {
    /// `None` for a word of no record; a refund is none.
    pub fn from_word(word: &str) -> Option<Self> {
        match OperationKind::from_word(word) {
            Some(OperationKind::Refund) => None,
            Some(kind) => Some(Self::Operation(kind)),
            None => (word == "invoice").then_some(Self::Invoice),
        }
    }
}

/// A status in the words of the Processing API, which operations and invoices share in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStatus {
    operation: Option<OperationStatus>,
    /// What it means of an invoice's charge.
    charge: Vec<Status>,
}

impl RecordStatus {
    /// `None` for a word that neither an operation nor an invoice has.
    pub fn from_word(word: &str) -> Option<Self> {
        let charge: Vec<Status> = Status::ALL
            .into_iter()
            .filter(|status| status_word(*status) == word)
            .collect();
        let operation = OperationStatus::from_word(word);
        (operation.is_some() || !charge.is_empty()).then_some(Self { operation, charge })
    }
}

/// Which records of a merchant.
#[derive(Debug, Clone)]
pub struct RecordQuery {
    pub merchant_id: i64,
    /// `None` = all.
    pub kind: Option<RecordKind>,
    /// `None` = all.
    pub status: Option<RecordStatus>,
    /// Sent or received.
    pub currency: Option<Currency>,
    /// The record's own reference, or that of its deposit address.
    pub foreign_id: Option<String>,
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub limit: i64,
}

/// An operation, or what events tell about an invoice.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    Operation(Box<OperationView>),
    Invoice(Value),
}

/// Which invoices; their charges' statuses, empty = all.
pub(super) struct InvoiceFilter {
    pub(super) statuses: Vec<&'static str>,
}

impl RecordQuery {
    /// What is asked of operations; of no kind when none of them can be meant.
    fn operations(&self) -> OperationQuery {
        let kinds = match self.kind {
            None => OperationKind::ALL
                .into_iter()
                .filter(|kind| *kind != OperationKind::Refund)
                .collect(),
            Some(RecordKind::Operation(kind)) => vec![kind],
            Some(RecordKind::Invoice) => Vec::new(),
        };
        let (kinds, statuses) = match &self.status {
            None => (kinds, Vec::new()),
            Some(status) => match status.operation {
                Some(status) => (kinds, vec![status]),
                None => (Vec::new(), Vec::new()),
            },
        };
        OperationQuery {
            merchant_id: self.merchant_id,
            kinds,
            statuses,
            currency: self.currency,
            foreign_id: self.foreign_id.clone(),
            address_id: None,
            page: self.page.max(1),
            limit: self.limit.clamp(1, LIMIT_MAX),
        }
    }

    /// What is asked of invoices; `None` when none of them can be meant.
    fn invoices(&self) -> Option<InvoiceFilter> {
        if matches!(self.kind, Some(RecordKind::Operation(_))) {
            return None;
        }
        let statuses = match &self.status {
            None => Vec::new(),
            Some(status) if status.charge.is_empty() => return None,
            Some(status) => status.charge.iter().map(|status| status.word()).collect(),
        };
        Some(InvoiceFilter { statuses })
    }
}

impl Gateway {
    /// A page of operations and invoices, newest first, and how many there are in all.
    pub async fn list_records(&self, query: &RecordQuery) -> Result<(Vec<Record>, i64)> {
        let (operations, invoices) = (query.operations(), query.invoices());
        let mut conn = self.pool().acquire().await?;
        let total = records_store::count(&mut conn, &operations, invoices.as_ref()).await?;
        let page = records_store::page(&mut conn, &operations, invoices.as_ref()).await?;
        let of_kind = |wanted: bool| -> Vec<i64> {
            page.iter()
                .filter(|(_, is_invoice)| *is_invoice == wanted)
                .map(|(id, _)| *id)
                .collect()
        };
        let rows = store::by_ids(&mut conn, self.currencies(), &of_kind(false)).await?;
        let views = view_store::views(&mut conn, self.currencies(), rows).await?;
        let mut views: HashMap<i64, OperationView> =
            views.into_iter().map(|view| (view.id, view)).collect();
        let mut reports = invoice_reports(&mut conn, self.currencies(), &of_kind(true)).await?;
        let records = page
            .iter()
            .filter_map(|(id, is_invoice)| {
                if *is_invoice {
                    reports.remove(id).map(Record::Invoice)
                } else {
                    let view = views.remove(id)?;
                    Some(Record::Operation(Box::new(view)))
                }
            })
            .collect();
        Ok((records, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_an_operation_or_an_invoice_is_known() {
        for word in [
            "not_confirmed",
            "created",
            "pending",
            "processing",
            "confirmed",
            "cancelled",
            "failed",
        ] {
            assert!(RecordStatus::from_word(word).is_some(), "{word}");
        }
        for word in ["", "paid", "expired", "done"] {
            assert_eq!(RecordStatus::from_word(word), None, "{word}");
        }
        assert_eq!(RecordKind::from_word("invoice"), Some(RecordKind::Invoice));
        assert_eq!(RecordKind::from_word("refund"), None);
    }
}
