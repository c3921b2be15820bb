//! `COPY` in the binary format: for hundreds of rows it costs Postgres less than an `INSERT` that takes its
//! columns as arrays, and nothing is written as text and read again. What is copied where is told by stores.

use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

use crate::{Error, Result, instance};

/// Rows from which on they are copied: a copy takes more round trips and less of Postgres for each row.
pub(crate) const COPIED_FROM: usize = 50;

/// Gives `rows` to the `COPY … FROM STDIN (FORMAT binary)` in `into`; `meanwhile` is done while Postgres is busy
/// with them.
///
/// A connection that is given up within it, because that took too long or nobody wants it any more, is never
/// used again.
///
/// # Errors
/// The database's, among them a refusal by a constraint.
pub(crate) async fn copy<T>(
    conn: &mut PgConnection,
    into: &str,
    rows: Vec<u8>,
    meanwhile: impl FnOnce() -> T,
) -> Result<T> {
    let mut copying = Copying {
        conn,
        is_over: false,
    };
    let copied = copy_whole(copying.conn, into, rows, meanwhile).await;
    copying.is_over = true;
    copied
}

/// A connection within a copy. The driver does not count the answer to one among those that are to come: whoever
/// had the connection next would take it for his own, and be one answer behind from then on, also with that of
/// his commit.
struct Copying<'c> {
    conn: &'c mut PgConnection,
    is_over: bool,
}

impl Drop for Copying<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            instance::store::end_session(self.conn);
        }
    }
}

async fn copy_whole<T>(
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

/// Rows in the binary format of `COPY` (documentation of Postgres, "COPY, Binary Format"): a header; each row
/// the number of its columns, each column its length and the bytes that a bound parameter would have; a trailer.
pub(crate) struct Rows(PgArgumentBuffer);

impl Rows {
    /// The signature, no flags, and an extension of no bytes.
    const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    /// In place of a number of columns.
    const TRAILER: i16 = -1;
    const NULL: i32 = -1;

    pub(crate) fn new() -> Self {
        let mut bytes = PgArgumentBuffer::default();
        bytes.extend_from_slice(Self::HEADER);
        Self(bytes)
    }

    /// The next row, of so many columns.
    pub(crate) fn begin(&mut self, columns: i16) {
        self.0.extend_from_slice(&columns.to_be_bytes());
    }

    /// Its next column.
    ///
    /// # Errors
    /// [`Error::Database`] when the value cannot be told to Postgres.
    pub(crate) fn value<'q>(&mut self, value: &impl Encode<'q, Postgres>) -> Result<()> {
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

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.begin(Self::TRAILER);
        std::mem::take(&mut *self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use sqlx::types::Json;

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

    #[test]
    fn json_is_told_as_jsonb() {
        let mut rows = Rows::new();
        rows.begin(1);
        rows.value(&Json(&json!({ "a": null }))).unwrap();
        let told = [
            [0_u8, 1, 0, 0, 0, 11, 1].as_slice(),
            br#"{"a":null}"#,
            &[255; 2],
        ]
        .concat();
        assert!(rows.end().ends_with(&told));
    }
}
