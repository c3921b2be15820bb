use std::collections::HashMap;

use domain::charge::{Resolution, Status};
use serde_json::Value;
use time::OffsetDateTime;

use super::row::ReceiptRow;
use super::{ChargeView, store};
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
        let total = store::count(self.pool(), query.merchant_id, &statuses, resolution).await?;
        let limit = i64::from(query.limit);
        let offset = i64::from(query.page.saturating_sub(1)).saturating_mul(limit);
        let rows = store::list(
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

    /// Everything that happened, oldest first.
    pub async fn charge_timeline(
        &self,
        merchant_id: i64,
        public_id: &str,
    ) -> Result<Vec<TimelineEntry>> {
        let charge = self.find_charge(merchant_id, public_id).await?;
        let rows = store::timeline(self.pool(), charge.id).await?;
        Ok(rows
            .into_iter()
            .map(|(at, kind, data)| TimelineEntry { at, kind, data })
            .collect())
    }
}
