use std::collections::HashMap;

use domain::charge::{Resolution, Status};
use domain::money::Money;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::row::ReceiptRow;
use super::{ChargeView, list_store, store, trail_store};
use crate::{Error, Gateway, Result};

/// A page of a merchant's charges, newest first.
#[derive(Debug, Clone)]
pub struct ChargeQuery {
    pub merchant_id: i64,
    /// Empty = every status. With statuses named, refunded charges are left out: dialects have a word
    /// of their own for them.
    pub statuses: Vec<Status>,
    pub resolution: Option<Resolution>,
    /// From 1.
    pub page: u32,
    pub limit: u32,
}

/// One thing that happened to a charge.
#[derive(Debug, Clone)]
pub struct TimelineEntry {
    pub at: OffsetDateTime,
    /// e.g. `receipt.seen`, `status.paid`.
    pub kind: String,
    pub data: Value,
}

impl Gateway {
    /// A charge of this merchant; of another one it is [`Error::NotFound`].
    pub async fn find_charge(&self, merchant_id: i64, public_id: &str) -> Result<ChargeView> {
        let view = self.load_charge(public_id).await?;
        if view.merchant_id == merchant_id {
            Ok(view)
        } else {
            Err(Error::NotFound)
        }
    }

    /// A charge by its public id alone, for pages that check a token themselves.
    pub(crate) async fn load_charge(&self, public_id: &str) -> Result<ChargeView> {
        let mut conn = self.pool().acquire().await?;
        let row = store::find(&mut conn, self.currencies(), public_id).await?;
        let receipts = store::receipts_of(&mut conn, self.currencies(), row.id).await?;
        Ok(ChargeView::assemble(row, receipts))
    }

    /// The page asked for and the number of charges in all.
    pub async fn list_charges(&self, query: ChargeQuery) -> Result<(Vec<ChargeView>, i64)> {
        let statuses: Vec<String> = query
            .statuses
            .iter()
            .map(|status| status.word().to_owned())
            .collect();
        let resolution = query.resolution.map(Resolution::word);
        let total =
            list_store::count(self.pool(), query.merchant_id, &statuses, resolution).await?;
        let limit = i64::from(query.limit);
        let offset = i64::from(query.page.saturating_sub(1)).saturating_mul(limit);
        let rows = list_store::list(
            self.pool(),
            self.currencies(),
            query.merchant_id,
            &statuses,
            resolution,
            offset,
            limit,
        )
        .await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut conn = self.pool().acquire().await?;
        let mut receipts: HashMap<i64, Vec<ReceiptRow>> = HashMap::new();
        for (id, receipt) in store::receipts(&mut conn, self.currencies(), &ids).await? {
            receipts.entry(id).or_default().push(receipt);
        }
        let views = rows
            .into_iter()
            .map(|row| {
                let own = receipts.remove(&row.id).unwrap_or_default();
                ChargeView::assemble(row, own)
            })
            .collect();
        Ok((views, total))
    }

    /// Everything that happened, oldest first: quote, receipts, changes of status, journal entries and
    /// webhook attempts.
    pub async fn charge_timeline(
        &self,
        merchant_id: i64,
        public_id: &str,
    ) -> Result<Vec<TimelineEntry>> {
        let charge = self.find_charge(merchant_id, public_id).await?;
        let mut entries = story(trail_store::timeline(self.pool(), charge.id).await?);
        let object = format!("charge:{}", charge.id);
        entries.extend(self.journal_story(&object).await?);
        entries.extend(story(trail_store::attempts(self.pool(), &object).await?));
        // Stable: what happened at one instant keeps the order charge, books, webhooks.
        entries.sort_by_key(|entry| entry.at);
        Ok(entries)
    }

    /// The charge's journal entries with their postings.
    async fn journal_story(&self, subject: &str) -> Result<Vec<TimelineEntry>> {
        let postings = trail_store::postings(self.pool(), subject).await?;
        let mut entries: Vec<TimelineEntry> = Vec::new();
        let mut last = None;
        for posting in postings {
            let currency = self.currencies().known(posting.currency_id)?;
            let amount = Money::from_units(posting.amount, currency);
            let line = json!({
                "label": posting.label,
                "debit": posting.debit,
                "credit": posting.credit,
                "amount": amount.exact(),
                "currency": currency.code.as_str(),
            });
            if last == Some(posting.entry_id) {
                let lines = entries.last_mut().and_then(|e| e.data.get_mut("postings"));
                if let Some(lines) = lines.and_then(Value::as_array_mut) {
                    lines.push(line);
                }
                continue;
            }
            last = Some(posting.entry_id);
            entries.push(TimelineEntry {
                at: posting.at,
                kind: format!("journal.{}", posting.kind),
                data: json!({ "entry": posting.entry_id, "postings": [line] }),
            });
        }
        Ok(entries)
    }
}

fn story(rows: Vec<(OffsetDateTime, String, Value)>) -> Vec<TimelineEntry> {
    let entry = |(at, kind, data)| TimelineEntry { at, kind, data };
    rows.into_iter().map(entry).collect()
}
