//! Entries and postings by `COPY`.

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::decimal;
use super::drawn::Drawn;
use super::posting_store::in_key_order;
use crate::Result;
use crate::copying::{Rows, copy};

const ENTRIES: &str = "COPY journal_entries (id, merchant_id, kind, subject, dedupe, created_at) \
                       FROM STDIN (FORMAT binary)";
const ENTRY_COLUMNS: i16 = 6;
const POSTINGS: &str = "COPY postings (id, entry_id, leg, label, movement, currency_id, amount, \
                        debit_account, debit_version, debit_after, debit_held_after, credit_account, \
                        credit_version, credit_after, hold_id, created_at) FROM STDIN (FORMAT binary)";
const POSTING_COLUMNS: i16 = 16;

/// Entries first: one that is there already is refused by its own key. The postings are put together while
/// Postgres is busy with the entries, and whatever is wanted after them while it is busy with the postings.
pub(super) async fn write<T>(
    conn: &mut PgConnection,
    drawn: &Drawn,
    now: OffsetDateTime,
    meanwhile: impl FnOnce() -> T,
) -> Result<T> {
    let entries = entries(drawn, now)?;
    let postings = copy(conn, ENTRIES, entries, || postings(drawn, now)).await??;
    copy(conn, POSTINGS, postings, meanwhile).await
}

fn entries(drawn: &Drawn, now: OffsetDateTime) -> Result<Vec<u8>> {
    let mut rows = Rows::new();
    for entry in in_key_order(drawn.entries()) {
        rows.begin(ENTRY_COLUMNS);
        rows.value(&entry.id)?;
        rows.value(&entry.merchant)?;
        rows.value(&entry.kind.word())?;
        rows.value(&entry.subject.as_str())?;
        rows.value(&entry.dedupe.as_str())?;
        rows.value(&now)?;
    }
    Ok(rows.end())
}

fn postings(drawn: &Drawn, now: OffsetDateTime) -> Result<Vec<u8>> {
    let mut rows = Rows::new();
    for (entry, legs) in drawn.entries().iter().zip(drawn.applied()) {
        for (position, applied) in legs.iter().enumerate() {
            let leg = &applied.leg;
            rows.begin(POSTING_COLUMNS);
            rows.value(&leg.id)?;
            rows.value(&entry.id)?;
            rows.value(&i16::try_from(position)?)?;
            rows.value(&leg.label)?;
            rows.value(&leg.movement.word())?;
            rows.value(&drawn.currency(leg.debit))?;
            rows.value(&decimal(leg.amount))?;
            rows.value(&leg.debit.0)?;
            rows.value(&applied.debit_version)?;
            rows.value(&decimal(applied.debit_after))?;
            rows.value(&decimal(applied.debit_held_after))?;
            rows.value(&leg.credit.0)?;
            rows.value(&applied.credit_after.map(|(version, _)| version))?;
            rows.value(&applied.credit_after.map(|(_, balance)| decimal(balance)))?;
            rows.value(&leg.movement.resolves())?;
            rows.value(&now)?;
        }
    }
    Ok(rows.end())
}
