//! Entries and postings by `COPY`: for hundreds of rows it costs Postgres less than an `INSERT` that takes
//! its columns as arrays.

use std::fmt::{Display, Write as _};

use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::drawn::Drawn;
use super::posting_store::in_key_order;
use crate::Result;

const ENTRIES: &str = "COPY journal_entries (id, merchant_id, kind, subject, dedupe, created_at) \
                       FROM STDIN";
const POSTINGS: &str = "COPY postings (id, entry_id, leg, label, movement, currency_id, amount, \
                        debit_account, debit_version, debit_after, debit_held_after, credit_account, \
                        credit_version, credit_after, hold_id, created_at) FROM STDIN";

/// Entries first: one that is there already is refused by its own key.
pub(super) async fn write(
    conn: &mut PgConnection,
    drawn: &Drawn,
    now: OffsetDateTime,
) -> Result<()> {
    let at = to_the_microsecond(now)?;
    copy(conn, ENTRIES, entries(drawn, &at)).await?;
    copy(conn, POSTINGS, postings(drawn, &at)?).await
}

async fn copy(conn: &mut PgConnection, into: &str, lines: Lines) -> Result<()> {
    let mut copying = conn.copy_in_raw(into).await?;
    copying.send(lines.text.into_bytes()).await?;
    copying.finish().await?;
    Ok(())
}

/// Postgres would round what is below; what is bound elsewhere is cut.
fn to_the_microsecond(now: OffsetDateTime) -> Result<String> {
    let cut = now
        .replace_nanosecond(now.microsecond() * 1_000)
        .map_err(crate::Error::internal)?;
    cut.format(&Rfc3339).map_err(crate::Error::internal)
}

fn entries(drawn: &Drawn, at: &str) -> Lines {
    let mut lines = Lines::default();
    for entry in in_key_order(drawn.entries()) {
        lines
            .plain(entry.id)
            .plain(entry.merchant)
            .plain(entry.kind.word())
            .text(&entry.subject)
            .text(&entry.dedupe)
            .last(at);
    }
    lines
}

fn postings(drawn: &Drawn, at: &str) -> Result<Lines> {
    let mut lines = Lines::default();
    for (entry, legs) in drawn.entries().iter().zip(drawn.applied()) {
        for (position, applied) in legs.iter().enumerate() {
            let leg = &applied.leg;
            lines
                .plain(leg.id)
                .plain(entry.id)
                .plain(i16::try_from(position)?)
                .text(leg.label)
                .plain(leg.movement.word())
                .plain(drawn.currency(leg.debit))
                .plain(leg.amount)
                .plain(leg.debit.0)
                .plain(applied.debit_version)
                .plain(applied.debit_after)
                .plain(applied.debit_held_after)
                .plain(leg.credit.0)
                .maybe(applied.credit_after.map(|(version, _)| version))
                .maybe(applied.credit_after.map(|(_, balance)| balance))
                .maybe(leg.movement.resolves())
                .last(at);
        }
    }
    Ok(lines)
}

/// Rows in the text format of `COPY`: columns end with a tab, rows with a newline, `\N` is `NULL`.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// A value that is written without characters of the format's own.
    fn plain(&mut self, value: impl Display) -> &mut Self {
        // A `String` takes everything.
        let _ = write!(self.text, "{value}\t");
        self
    }

    fn maybe(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.plain(value),
            None => self.plain("\\N"),
        }
    }

    /// Any text.
    fn text(&mut self, value: &str) -> &mut Self {
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                other => self.text.push(other),
            }
        }
        self.text.push('\t');
        self
    }

    /// The last column of a row.
    fn last(&mut self, value: &str) {
        self.text.push_str(value);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_column_or_a_row_does_not_when_it_is_part_of_a_text() {
        let mut lines = Lines::default();
        lines
            .text("a\tb\nc\rd\\N")
            .maybe(None::<i64>)
            .maybe(Some(-7))
            .last("end");
        assert_eq!(lines.text, "a\\tb\\nc\\rd\\\\N\t\\N\t-7\tend\n");
    }
}
