use domain::ledger::{AccountId, AccountState, AppliedEntry, JournalEntry};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::drawn::Drawn;
use super::{decimal, posting_copy_store};
use crate::copying::COPIED_FROM;
use crate::error::violated_constraint;
use crate::{Error, Result};

/// Writes everything a unit booked: entries, postings, and the accounts where their version is still the
/// one that was read. Should code ever decide on a stale row, the count differs and everything rolls back.
pub(super) async fn write(
    conn: &mut PgConnection,
    drawn: &Drawn,
    now: OffsetDateTime,
) -> Result<()> {
    let changed = drawn.changed();
    let moved = if drawn.entries().len() < COPIED_FROM {
        insert(conn, drawn, AccountColumns::of(&changed), now).await?
    } else {
        let accounts = posting_copy_store::write(conn, drawn, now, || AccountColumns::of(&changed))
            .await
            .map_err(already_booked)?;
        move_accounts(conn, accounts).await?
    };
    if usize::try_from(moved)? == changed.len() {
        return Ok(());
    }
    Err(Error::Internal(
        "an account changed under its lock; nothing was booked".to_owned(),
    ))
}

/// All in one statement; answers how many accounts moved.
async fn insert(
    conn: &mut PgConnection,
    drawn: &Drawn,
    accounts: AccountColumns,
    now: OffsetDateTime,
) -> Result<i64> {
    let entries = EntryColumns::of(drawn.entries());
    let legs = LegColumns::of(drawn)?;
    sqlx::query_scalar(
        "WITH entries AS (
             INSERT INTO journal_entries (id, merchant_id, kind, subject, dedupe, created_at)
             SELECT t.*, $1
             FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[]) AS t
             RETURNING 1),
         legs AS (
             INSERT INTO postings (id, entry_id, leg, label, movement, currency_id, amount,
                 debit_account, debit_version, debit_after, debit_held_after,
                 credit_account, credit_version, credit_after, hold_id, created_at)
             SELECT t.*, $1
             FROM unnest($7::uuid[], $8::uuid[], $9::smallint[], $10::text[], $11::text[],
                 $12::smallint[], $13::numeric[], $14::bigint[], $15::bigint[], $16::numeric[],
                 $17::numeric[], $18::bigint[], $19::bigint[], $20::numeric[], $21::uuid[]) AS t
             -- After the entries: one that is there already is refused by its own key.
             WHERE (SELECT count(*) FROM entries) >= 0),
         moved AS (
             UPDATE accounts a SET posted = t.posted, held = t.held, version = t.version
             FROM unnest($22::bigint[], $23::bigint[], $24::numeric[], $25::numeric[], $26::bigint[])
                  AS t (id, old_version, posted, held, version)
             WHERE a.id = t.id AND a.version = t.old_version
             RETURNING 1)
         SELECT count(*) FROM moved",
    )
    .bind(now)
    .bind(entries.id)
    .bind(entries.merchant)
    .bind(entries.kind)
    .bind(entries.subject)
    .bind(entries.dedupe)
    .bind(legs.id)
    .bind(legs.entry)
    .bind(legs.leg)
    .bind(legs.label)
    .bind(legs.movement)
    .bind(legs.currency)
    .bind(legs.amount)
    .bind(legs.debit)
    .bind(legs.debit_version)
    .bind(legs.debit_after)
    .bind(legs.debit_held)
    .bind(legs.credit)
    .bind(legs.credit_version)
    .bind(legs.credit_after)
    .bind(legs.hold)
    .bind(accounts.id)
    .bind(accounts.old_version)
    .bind(accounts.posted)
    .bind(accounts.held)
    .bind(accounts.version)
    .fetch_one(conn)
    .await
    .map_err(|error| already_booked(error.into()))
}

async fn move_accounts(conn: &mut PgConnection, accounts: AccountColumns) -> Result<i64> {
    let moved = sqlx::query(
        "UPDATE accounts a SET posted = t.posted, held = t.held, version = t.version
         FROM unnest($1::bigint[], $2::bigint[], $3::numeric[], $4::numeric[], $5::bigint[])
              AS t (id, old_version, posted, held, version)
         WHERE a.id = t.id AND a.version = t.old_version",
    )
    .bind(accounts.id)
    .bind(accounts.old_version)
    .bind(accounts.posted)
    .bind(accounts.held)
    .bind(accounts.version)
    .execute(conn)
    .await?;
    Ok(i64::try_from(moved.rows_affected())?)
}

fn already_booked(error: Error) -> Error {
    let Error::Database(cause) = &error else {
        return error;
    };
    match violated_constraint(cause) {
        // The id is the key of an entry that is handed in a second time.
        Some("journal_entries_once" | "journal_entries_pkey" | "postings_one_resolution") => {
            Error::AlreadyBooked
        }
        _ => error,
    }
}

/// Unique keys are taken in one order by everybody.
pub(super) fn in_key_order(entries: &[JournalEntry<AccountId>]) -> Vec<&JournalEntry<AccountId>> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| (a.kind.word(), &a.dedupe).cmp(&(b.kind.word(), &b.dedupe)));
    sorted
}

struct EntryColumns {
    id: Vec<Uuid>,
    merchant: Vec<i64>,
    kind: Vec<String>,
    subject: Vec<String>,
    dedupe: Vec<String>,
}

impl EntryColumns {
    fn of(entries: &[JournalEntry<AccountId>]) -> Self {
        let sorted = in_key_order(entries);
        Self {
            id: sorted.iter().map(|entry| entry.id).collect(),
            merchant: sorted.iter().map(|entry| entry.merchant).collect(),
            kind: sorted
                .iter()
                .map(|entry| entry.kind.word().to_owned())
                .collect(),
            subject: sorted.iter().map(|entry| entry.subject.clone()).collect(),
            dedupe: sorted.iter().map(|entry| entry.dedupe.clone()).collect(),
        }
    }
}

#[derive(Default)]
struct LegColumns {
    id: Vec<Uuid>,
    entry: Vec<Uuid>,
    leg: Vec<i16>,
    label: Vec<String>,
    movement: Vec<String>,
    currency: Vec<i16>,
    amount: Vec<Decimal>,
    debit: Vec<i64>,
    debit_version: Vec<i64>,
    debit_after: Vec<Decimal>,
    debit_held: Vec<Decimal>,
    credit: Vec<i64>,
    credit_version: Vec<Option<i64>>,
    credit_after: Vec<Option<Decimal>>,
    hold: Vec<Option<Uuid>>,
}

impl LegColumns {
    fn of(drawn: &Drawn) -> Result<Self> {
        let mut rows = Self::default();
        for (entry, legs) in drawn.entries().iter().zip(drawn.applied()) {
            rows.add(entry.id, legs, drawn)?;
        }
        Ok(rows)
    }

    fn add(&mut self, entry: Uuid, legs: &AppliedEntry, drawn: &Drawn) -> Result<()> {
        for (position, applied) in legs.iter().enumerate() {
            let leg = &applied.leg;
            self.id.push(leg.id);
            self.entry.push(entry);
            self.leg.push(i16::try_from(position)?);
            self.label.push(leg.label.to_owned());
            self.movement.push(leg.movement.word().to_owned());
            self.currency.push(drawn.currency(leg.debit));
            self.amount.push(decimal(leg.amount));
            self.debit.push(leg.debit.0);
            self.debit_version.push(applied.debit_version);
            self.debit_after.push(decimal(applied.debit_after));
            self.debit_held.push(decimal(applied.debit_held_after));
            self.credit.push(leg.credit.0);
            self.credit_version
                .push(applied.credit_after.map(|(version, _)| version));
            self.credit_after
                .push(applied.credit_after.map(|(_, balance)| decimal(balance)));
            self.hold.push(leg.movement.resolves());
        }
        Ok(())
    }
}

struct AccountColumns {
    id: Vec<i64>,
    old_version: Vec<i64>,
    posted: Vec<Decimal>,
    held: Vec<Decimal>,
    version: Vec<i64>,
}

impl AccountColumns {
    fn of(changed: &[(&AccountState, &AccountState)]) -> Self {
        Self {
            id: changed.iter().map(|(old, _)| old.id.0).collect(),
            old_version: changed.iter().map(|(old, _)| old.version).collect(),
            posted: changed.iter().map(|(_, new)| decimal(new.posted)).collect(),
            held: changed.iter().map(|(_, new)| decimal(new.held)).collect(),
            version: changed.iter().map(|(_, new)| new.version).collect(),
        }
    }
}
