//! Entries and postings by `COPY`: for hundreds of rows it costs Postgres less than an `INSERT` that takes
//! its columns as arrays. In the binary format, so that nothing is written as text and read again.

use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};
use time::OffsetDateTime;

use super::decimal;
use super::drawn::Drawn;
use super::posting_store::in_key_order;
use crate::{Error, Result};

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

async fn copy<T>(
    conn: &mut PgConnection,
    into: &str,
    rows: Vec<u8>,
    meanwhile: impl FnOnce() -> T,
) -> Result<T> {
    let mut copying = conn.copy_in_raw(into).await?;
    copying.send(rows).await?;
    // The first has told Postgres that this is all before the second begins.
    let (finished, done) = futures::join!(copying.finish(), async { meanwhile() });
    finished?;
    Ok(done)
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

/// Rows in the binary format of `COPY` (documentation of Postgres, "COPY, Binary Format"): a header; each row
/// the number of its columns, each column its length and the bytes that a bound parameter would have; a trailer.
struct Rows(PgArgumentBuffer);

impl Rows {
    /// The signature, no flags, and an extension of no bytes.
    const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    /// In place of a number of columns.
    const TRAILER: i16 = -1;
    const NULL: i32 = -1;

    fn new() -> Self {
        let mut bytes = PgArgumentBuffer::default();
        bytes.extend_from_slice(Self::HEADER);
        Self(bytes)
    }

    fn begin(&mut self, columns: i16) {
        self.0.extend_from_slice(&columns.to_be_bytes());
    }

    fn value<'q>(&mut self, value: &impl Encode<'q, Postgres>) -> Result<()> {
        let place = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        let begin = self.0.len();
        let length = match value.encode_by_ref(&mut self.0) {
            Ok(IsNull::Yes) => Self::NULL,
            Ok(IsNull::No) => i32::try_from(self.0.len() - begin)?,
            Err(error) => return Err(Error::Database(sqlx::Error::Encode(error))),
        };
        if let Some(bytes) = self.0.get_mut(place..begin) {
            bytes.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    fn end(mut self) -> Vec<u8> {
        self.begin(Self::TRAILER);
        std::mem::take(&mut *self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_columns_with_their_lengths() {
        let mut rows = Rows::new();
        rows.begin(3);
        rows.value(&"a\tb").unwrap();
        rows.value(&None::<i64>).unwrap();
        rows.value(&7_i16).unwrap();
        let expected = [
            b"PGCOPY\n\xff\r\n\0".as_slice(),
            &[0; 8],
            &[0, 3],
            &[0, 0, 0, 3, b'a', b'\t', b'b'],
            &[255; 4],
            &[0, 0, 0, 2, 0, 7],
            &[255; 2],
        ];
        assert_eq!(rows.end(), expected.concat());
    }
}
