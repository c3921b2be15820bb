//! What was decided about charges and is not written yet: all of a block is written together.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::change_store::{self, Timeline};
use super::row::{ChargeRow, ReceiptRow};
use crate::Result;
use crate::ledger::Unit;

/// Decisions in memory, in the order they were taken.
#[derive(Debug, Default)]
pub(super) struct Changes {
    charges: BTreeMap<i64, ChangedCharge>,
    receipts: Vec<ChangedReceipt>,
    timeline: Vec<TimelineLine>,
    /// Charges that were paid: what they have cannot go back as well.
    paid: Vec<i64>,
}

/// A charge as it is to be stored.
#[derive(Debug)]
pub(super) struct ChangedCharge {
    /// Version of the row that was read.
    pub(super) was: i64,
    pub(super) version: i64,
    pub(super) status: &'static str,
    pub(super) flags: Vec<String>,
    pub(super) resolution: &'static str,
    pub(super) resolved_by: Option<String>,
    pub(super) resolved_at: Option<OffsetDateTime>,
    pub(super) needs_attention: bool,
    pub(super) covered_at: Option<OffsetDateTime>,
    pub(super) clock_ends_at: Option<OffsetDateTime>,
    /// Coin, quote, coins due.
    pub(super) terms: Option<(i16, Uuid, i128)>,
    pub(super) coin_consumed: Option<i128>,
    pub(super) credited: Option<i128>,
    pub(super) fee: Option<i128>,
    pub(super) paid_at: Option<OffsetDateTime>,
}

/// A receipt as it is to be stored.
#[derive(Debug)]
pub(super) struct ChangedReceipt {
    pub(super) id: i64,
    pub(super) state: &'static str,
    /// Charge currency; what nobody can value is stored as nothing, so that it is tried once.
    pub(super) value: i128,
    pub(super) bookings: i32,
    pub(super) final_at: Option<OffsetDateTime>,
}

/// Something to be told in the timeline of a charge.
#[derive(Debug)]
pub(super) struct TimelineLine {
    pub(super) charge_id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) kind: String,
    pub(super) data: Value,
}

impl Changes {
    /// The row was decided on once more: it takes the next version.
    pub(super) fn charge(&mut self, row: &mut ChargeRow, clock_ends_at: Option<OffsetDateTime>) {
        // Decided on twice, it is still compared with the version that was read.
        let was = self
            .charges
            .get(&row.id)
            .map_or(row.version, |before| before.was);
        row.version += 1;
        let changed = ChangedCharge {
            was,
            version: row.version,
            status: row.status.word(),
            flags: row.flags.words(),
            resolution: row.resolution.word(),
            resolved_by: row.resolved_by.clone(),
            resolved_at: row.resolved_at,
            needs_attention: row.needs_attention,
            covered_at: row.covered_at,
            clock_ends_at,
            terms: row
                .terms
                .as_ref()
                .map(|terms| (terms.coin.id, terms.quote_id, terms.due)),
            coin_consumed: row.coin_consumed,
            credited: row.credited,
            fee: row.fee,
            paid_at: row.paid_at,
        };
        self.charges.insert(row.id, changed);
    }

    /// State and value of a receipt; each is named once.
    pub(super) fn receipt(&mut self, receipt: &ReceiptRow) {
        self.receipts.push(ChangedReceipt {
            id: receipt.id,
            state: receipt.state.word(),
            value: receipt.value.unwrap_or(0),
            bookings: receipt.bookings,
            final_at: receipt.final_at,
        });
    }

    /// Appended in the order in which they are told.
    pub(super) fn tell(&mut self, charge_id: i64, at: OffsetDateTime, kind: &str, data: Value) {
        self.timeline.push(TimelineLine {
            charge_id,
            at,
            kind: kind.to_owned(),
            data,
        });
    }

    /// Money that pays a charge cannot go back as well: its claims are closed.
    pub(super) fn close_claims(&mut self, charge_id: i64) {
        self.paid.push(charge_id);
    }

    /// Writes all of it, each kind in one statement.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when a charge is not as it was read; the unit has to be given up.
    pub(super) async fn write(self, unit: &mut Unit) -> Result<()> {
        let now = unit.now();
        if !self.receipts.is_empty() {
            change_store::receipts(unit.conn(), &self.receipts).await?;
        }
        let writing = async {
            if self.charges.is_empty() {
                return Ok(());
            }
            change_store::charges(unit.conn(), &self.charges, now).await
        };
        // What is told is put together while Postgres is busy with the charges.
        let told = async { Timeline::of(&self.timeline) };
        let (written, told) = futures::join!(writing, told);
        written?;
        change_store::timeline(unit.conn(), told?).await?;
        if !self.paid.is_empty() {
            change_store::close_claims(unit.conn(), &self.paid).await?;
        }
        Ok(())
    }
}
