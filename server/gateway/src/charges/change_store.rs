use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::changes::{ChangedCharge, ChangedReceipt, TimelineLine};
use crate::copying::{COPIED_FROM, Rows, copy};
use crate::ledger::decimal;
use crate::{Error, Result};

/// Writes charges, by id; the versions prove that nobody changed a row since it was read.
pub(super) async fn charges(
    conn: &mut PgConnection,
    charges: &BTreeMap<i64, ChangedCharge>,
    now: OffsetDateTime,
) -> Result<()> {
    let mut columns = ChargeColumns::default();
    for (id, charge) in charges {
        columns.add(*id, charge);
    }
    let updated = sqlx::query(
        "UPDATE charges c SET status = t.status, flags = string_to_array(t.flags, ','),
             resolution = t.resolution, needs_attention = t.needs_attention,
             covered_at = t.covered_at, clock_ends_at = t.clock_ends_at, coin_id = t.coin_id,
             quote_id = t.quote_id, coin_due = t.coin_due, coin_consumed = t.coin_consumed,
             credited = t.credited, fee = t.fee, paid_at = t.paid_at, resolved_by = t.resolved_by,
             resolved_at = t.resolved_at, updated_at = $1, version = t.version
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                  $8::boolean[], $9::timestamptz[], $10::timestamptz[], $11::smallint[],
                  $12::uuid[], $13::numeric[], $14::numeric[], $15::numeric[], $16::numeric[],
                  $17::timestamptz[], $18::text[], $19::timestamptz[])
              AS t (id, was, version, status, flags, resolution, needs_attention, covered_at,
                  clock_ends_at, coin_id, quote_id, coin_due, coin_consumed, credited, fee, paid_at,
                  resolved_by, resolved_at)
         WHERE c.id = t.id AND c.version = t.was",
    )
    .bind(now)
    .bind(columns.id)
    .bind(columns.was)
    .bind(columns.version)
    .bind(columns.status)
    .bind(columns.flags)
    .bind(columns.resolution)
    .bind(columns.needs_attention)
    .bind(columns.covered_at)
    .bind(columns.clock_ends_at)
    .bind(columns.coin_id)
    .bind(columns.quote_id)
    .bind(columns.coin_due)
    .bind(columns.coin_consumed)
    .bind(columns.credited)
    .bind(columns.fee)
    .bind(columns.paid_at)
    .bind(columns.resolved_by)
    .bind(columns.resolved_at)
    .execute(conn)
    .await?
    .rows_affected();
    if usize::try_from(updated)? == charges.len() {
        Ok(())
    } else {
        Err(Error::Internal("charge changed under its lock".into()))
    }
}

#[derive(Default)]
struct ChargeColumns {
    id: Vec<i64>,
    was: Vec<i64>,
    version: Vec<i64>,
    status: Vec<&'static str>,
    /// Joined, for an array of arrays has to be a rectangle.
    flags: Vec<String>,
    resolution: Vec<&'static str>,
    needs_attention: Vec<bool>,
    covered_at: Vec<Option<OffsetDateTime>>,
    clock_ends_at: Vec<Option<OffsetDateTime>>,
    coin_id: Vec<Option<i16>>,
    quote_id: Vec<Option<Uuid>>,
    coin_due: Vec<Option<Decimal>>,
    coin_consumed: Vec<Option<Decimal>>,
    credited: Vec<Option<Decimal>>,
    fee: Vec<Option<Decimal>>,
    paid_at: Vec<Option<OffsetDateTime>>,
    resolved_by: Vec<Option<String>>,
    resolved_at: Vec<Option<OffsetDateTime>>,
}

impl ChargeColumns {
    fn add(&mut self, id: i64, charge: &ChangedCharge) {
        self.id.push(id);
        self.was.push(charge.was);
        self.version.push(charge.version);
        self.status.push(charge.status);
        self.flags.push(charge.flags.join(","));
        self.resolution.push(charge.resolution);
        self.needs_attention.push(charge.needs_attention);
        self.covered_at.push(charge.covered_at);
        self.clock_ends_at.push(charge.clock_ends_at);
        self.coin_id.push(charge.terms.map(|(coin, ..)| coin));
        self.quote_id.push(charge.terms.map(|(_, quote, _)| quote));
        self.coin_due
            .push(charge.terms.map(|(.., due)| decimal(due)));
        self.coin_consumed.push(charge.coin_consumed.map(decimal));
        self.credited.push(charge.credited.map(decimal));
        self.fee.push(charge.fee.map(decimal));
        self.paid_at.push(charge.paid_at);
        self.resolved_by.push(charge.resolved_by.clone());
        self.resolved_at.push(charge.resolved_at);
    }
}

/// Writes what receipts are now; their charges are locked.
///
/// # Errors
/// [`Error::Internal`] when one of them is not there: what its state means is staged to be booked, and
/// would be booked again with the next block.
pub(super) async fn receipts(conn: &mut PgConnection, receipts: &[ChangedReceipt]) -> Result<()> {
    let ids: Vec<i64> = receipts.iter().map(|receipt| receipt.id).collect();
    let states: Vec<&str> = receipts.iter().map(|receipt| receipt.state).collect();
    let values: Vec<Decimal> = receipts
        .iter()
        .map(|receipt| decimal(receipt.value))
        .collect();
    let bookings: Vec<i32> = receipts.iter().map(|receipt| receipt.bookings).collect();
    let final_at: Vec<Option<OffsetDateTime>> =
        receipts.iter().map(|receipt| receipt.final_at).collect();
    let updated = sqlx::query(
        "UPDATE receipts r SET state = t.state, value = t.value, bookings = t.bookings,
             final_at = t.final_at
         FROM unnest($1::bigint[], $2::text[], $3::numeric[], $4::int[], $5::timestamptz[])
              AS t (id, state, value, bookings, final_at)
         WHERE r.id = t.id",
    )
    .bind(ids)
    .bind(states)
    .bind(values)
    .bind(bookings)
    .bind(final_at)
    .execute(conn)
    .await?
    .rows_affected();
    if usize::try_from(updated)? == receipts.len() {
        Ok(())
    } else {
        Err(Error::Internal("receipt changed under its lock".into()))
    }
}

const TIMELINE: &str =
    "COPY charge_timeline (charge_id, at, kind, data) FROM STDIN (FORMAT binary)";
const TIMELINE_COLUMNS: i16 = 4;

/// Lines as they go to Postgres.
pub(super) enum Timeline<'a> {
    Few(&'a [TimelineLine]),
    /// To be copied.
    Many(Vec<u8>),
}

impl<'a> Timeline<'a> {
    pub(super) fn of(lines: &'a [TimelineLine]) -> Result<Self> {
        if lines.len() < COPIED_FROM {
            Ok(Self::Few(lines))
        } else {
            timeline_rows(lines).map(Self::Many)
        }
    }
}

/// Appends to timelines; their numbers follow the given order.
pub(super) async fn timeline(conn: &mut PgConnection, lines: Timeline<'_>) -> Result<()> {
    match lines {
        Timeline::Few([]) => Ok(()),
        Timeline::Few(lines) => insert_timeline(conn, lines).await,
        Timeline::Many(rows) => copy(conn, TIMELINE, rows, || ()).await,
    }
}

fn timeline_rows(lines: &[TimelineLine]) -> Result<Vec<u8>> {
    let mut rows = Rows::new();
    for line in lines {
        rows.begin(TIMELINE_COLUMNS);
        rows.value(&line.charge_id)?;
        rows.value(&line.at)?;
        rows.value(&line.kind.as_str())?;
        rows.value(&Json(&line.data))?;
    }
    Ok(rows.end())
}

async fn insert_timeline(conn: &mut PgConnection, lines: &[TimelineLine]) -> Result<()> {
    let charges: Vec<i64> = lines.iter().map(|line| line.charge_id).collect();
    let at: Vec<OffsetDateTime> = lines.iter().map(|line| line.at).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    let data: Vec<String> = lines.iter().map(|line| line.data.to_string()).collect();
    sqlx::query(
        "INSERT INTO charge_timeline (charge_id, at, kind, data)
         SELECT t.charge_id, t.at, t.kind, t.data::jsonb
         FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[]) WITH ORDINALITY
              AS t (charge_id, at, kind, data, n)
         ORDER BY t.n",
    )
    .bind(charges)
    .bind(at)
    .bind(kinds)
    .bind(data)
    .execute(conn)
    .await?;
    Ok(())
}

/// Declines what these charges were asked to give back and nobody sends yet.
pub(super) async fn close_claims(conn: &mut PgConnection, charge_ids: &[i64]) -> Result<()> {
    sqlx::query(
        "UPDATE refund_claims SET state = 'declined'
         WHERE charge_id = ANY($1) AND state IN ('requested', 'approved')
           AND operation_id IS NULL",
    )
    .bind(charge_ids)
    .execute(conn)
    .await?;
    Ok(())
}
