use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::{
    AccountId, AccountKey, AccountKind, AccountState, AppliedEntry, HOUSE, JournalEntry, WalletType,
};
use domain::money::Currency;
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{decimal, units};
use crate::error::violated_constraint;
use crate::{Error, Result};

/// Channel that wakes live pages.
pub(crate) const CHARGE_CHANNEL: &str = "exchequer_charge";

pub(super) async fn find_account(pool: &PgPool, key: AccountKey) -> Result<Option<AccountId>> {
    let id: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM accounts
         WHERE merchant_id = $1 AND currency_id = $2 AND kind = $3 AND user_id = $4",
    )
    .bind(key.merchant)
    .bind(key.currency)
    .bind(key.kind.word())
    .bind(key.user_id)
    .fetch_optional(pool)
    .await?;
    Ok(id.map(AccountId))
}

pub(super) async fn insert_account(
    pool: &PgPool,
    key: AccountKey,
    now: OffsetDateTime,
) -> Result<AccountId> {
    let wallet = (key.kind == AccountKind::Wallet).then_some(WalletType::Prepaid);
    let inserted: Option<i64> = sqlx::query_scalar(
        "INSERT INTO accounts (merchant_id, currency_id, kind, user_id, wallet_type, floor, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT accounts_key DO NOTHING RETURNING id",
    )
    .bind(key.merchant)
    .bind(key.currency)
    .bind(key.kind.word())
    .bind(key.user_id)
    .bind(wallet.map(WalletType::word))
    .bind(wallet.map(|_| Decimal::ZERO))
    .bind(now)
    .fetch_optional(pool)
    .await?;
    match inserted {
        Some(id) => Ok(AccountId(id)),
        None => find_account(pool, key).await?.ok_or(Error::NotFound),
    }
}

/// Locks the accounts in id order: the first barrier against overdraft and the reason why two
/// entries never deadlock.
pub(super) async fn lock_accounts(
    conn: &mut PgConnection,
    ids: &BTreeSet<AccountId>,
) -> Result<BTreeMap<AccountId, AccountState>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(
        "SELECT id, currency_id, posted, held, floor, version FROM accounts
         WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(&ids)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = AccountId(row.try_get("id")?);
            let floor: Option<Decimal> = row.try_get("floor")?;
            let state = AccountState {
                id,
                currency: row.try_get("currency_id")?,
                posted: units(row.try_get("posted")?),
                held: units(row.try_get("held")?),
                floor: floor.map(units),
                version: row.try_get("version")?,
            };
            Ok((id, state))
        })
        .collect()
}

pub(super) async fn insert_entries(
    conn: &mut PgConnection,
    entries: &[JournalEntry<AccountId>],
    now: OffsetDateTime,
) -> Result<()> {
    // Unique keys are taken in one order by everybody.
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| (a.kind.word(), &a.dedupe).cmp(&(b.kind.word(), &b.dedupe)));
    let column = |pick: fn(&JournalEntry<AccountId>) -> String| -> Vec<String> {
        sorted.iter().map(|entry| pick(entry)).collect()
    };
    sqlx::query(
        "INSERT INTO journal_entries (id, merchant_id, kind, subject, dedupe, created_at)
         SELECT id, merchant_id, kind, subject, dedupe, $6
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[])
              AS t (id, merchant_id, kind, subject, dedupe)",
    )
    .bind(sorted.iter().map(|entry| entry.id).collect::<Vec<Uuid>>())
    .bind(
        sorted
            .iter()
            .map(|entry| entry.merchant)
            .collect::<Vec<i64>>(),
    )
    .bind(column(|entry| entry.kind.word().to_owned()))
    .bind(column(|entry| entry.subject.clone()))
    .bind(column(|entry| entry.dedupe.clone()))
    .bind(now)
    .execute(conn)
    .await
    .map_err(|error| match violated_constraint(&error) {
        Some("journal_entries_once") => Error::AlreadyBooked,
        _ => error.into(),
    })?;
    Ok(())
}

pub(super) async fn insert_postings(
    conn: &mut PgConnection,
    entries: &[JournalEntry<AccountId>],
    applied: &[AppliedEntry],
    accounts: &BTreeMap<AccountId, AccountState>,
    now: OffsetDateTime,
) -> Result<()> {
    let mut rows = PostingColumns::default();
    for (entry, legs) in entries.iter().zip(applied) {
        for (position, applied) in legs.iter().enumerate() {
            let leg = &applied.leg;
            let currency = accounts
                .get(&leg.debit)
                .map_or(0, |account| account.currency);
            rows.id.push(leg.id);
            rows.entry.push(entry.id);
            rows.leg.push(i16::try_from(position)?);
            rows.label.push(leg.label.to_owned());
            rows.movement.push(leg.movement.word().to_owned());
            rows.currency.push(currency);
            rows.amount.push(decimal(leg.amount));
            rows.debit.push(leg.debit.0);
            rows.debit_version.push(applied.debit_version);
            rows.debit_after.push(decimal(applied.debit_after));
            rows.debit_held.push(decimal(applied.debit_held_after));
            rows.credit.push(leg.credit.0);
            rows.credit_version
                .push(applied.credit_after.map(|(version, _)| version));
            rows.credit_after
                .push(applied.credit_after.map(|(_, balance)| decimal(balance)));
            rows.hold.push(leg.movement.resolves());
        }
    }
    rows.insert(conn, now).await
}

#[derive(Default)]
struct PostingColumns {
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

impl PostingColumns {
    async fn insert(self, conn: &mut PgConnection, now: OffsetDateTime) -> Result<()> {
        sqlx::query(
            "INSERT INTO postings (id, entry_id, leg, label, movement, currency_id, amount,
                 debit_account, debit_version, debit_after, debit_held_after,
                 credit_account, credit_version, credit_after, hold_id, created_at)
             SELECT t.*, $16 FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::text[],
                 $6::smallint[], $7::numeric[], $8::bigint[], $9::bigint[], $10::numeric[],
                 $11::numeric[], $12::bigint[], $13::bigint[], $14::numeric[], $15::uuid[]) AS t",
        )
        .bind(self.id)
        .bind(self.entry)
        .bind(self.leg)
        .bind(self.label)
        .bind(self.movement)
        .bind(self.currency)
        .bind(self.amount)
        .bind(self.debit)
        .bind(self.debit_version)
        .bind(self.debit_after)
        .bind(self.debit_held)
        .bind(self.credit)
        .bind(self.credit_version)
        .bind(self.credit_after)
        .bind(self.hold)
        .bind(now)
        .execute(conn)
        .await
        .map_err(|error| match violated_constraint(&error) {
            Some("postings_one_resolution") => Error::AlreadyBooked,
            _ => error.into(),
        })?;
        Ok(())
    }
}

/// Writes the new figures where the version is still the one that was read: should code ever decide
/// on a stale row, the count differs and everything rolls back.
pub(super) async fn update_accounts(
    conn: &mut PgConnection,
    changed: &[(&AccountState, &AccountState)],
) -> Result<()> {
    let updated = sqlx::query(
        "UPDATE accounts a SET posted = t.posted, held = t.held, version = t.version
         FROM unnest($1::bigint[], $2::bigint[], $3::numeric[], $4::numeric[], $5::bigint[])
              AS t (id, old_version, posted, held, version)
         WHERE a.id = t.id AND a.version = t.old_version",
    )
    .bind(
        changed
            .iter()
            .map(|(old, _)| old.id.0)
            .collect::<Vec<i64>>(),
    )
    .bind(
        changed
            .iter()
            .map(|(old, _)| old.version)
            .collect::<Vec<i64>>(),
    )
    .bind(
        changed
            .iter()
            .map(|(_, new)| decimal(new.posted))
            .collect::<Vec<Decimal>>(),
    )
    .bind(
        changed
            .iter()
            .map(|(_, new)| decimal(new.held))
            .collect::<Vec<Decimal>>(),
    )
    .bind(
        changed
            .iter()
            .map(|(_, new)| new.version)
            .collect::<Vec<i64>>(),
    )
    .execute(conn)
    .await?
    .rows_affected();
    if updated == u64::try_from(changed.len())? {
        return Ok(());
    }
    Err(Error::Internal(
        "an account changed under its lock; nothing was booked".to_owned(),
    ))
}

/// What an account stands for.
pub(super) async fn account_kind(pool: &PgPool, id: AccountId) -> Result<AccountKind> {
    let word: String = sqlx::query_scalar("SELECT kind FROM accounts WHERE id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await?;
    AccountKind::from_word(&word).ok_or_else(|| Error::Internal(format!("account kind {word}")))
}

/// How much of a currency we can still deliver; `None` = as much as is asked for.
pub(crate) async fn liquidity_left(
    conn: &mut PgConnection,
    currency: Currency,
) -> Result<Option<i128>> {
    let left: Option<Option<Decimal>> = sqlx::query_scalar(
        "SELECT posted - held - floor FROM accounts
         WHERE merchant_id = $1 AND kind = $2 AND currency_id = $3",
    )
    .bind(HOUSE)
    .bind(AccountKind::Liquidity.word())
    .bind(currency.id)
    .fetch_optional(conn)
    .await?;
    Ok(left.flatten().map(units))
}

pub(super) async fn notify(conn: &mut PgConnection, public_id: &str) -> Result<()> {
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(CHARGE_CHANNEL)
        .bind(public_id)
        .execute(conn)
        .await?;
    Ok(())
}
