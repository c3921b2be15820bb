//! Every charge as the rule itself judges it, from the rows that are stored: asking it again changes nothing.

use domain::charge::{Charge, Event, Flags, Quote, Receipt, ReceiptState, Resolution, Status};
use domain::money::CurrencyId;
use gateway::ledger::units;
use rust_decimal::Decimal;
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::{Duration, OffsetDateTime};

use crate::invariants::none_of;
use crate::world::Run;

const CHARGES: &str = "
    SELECT c.public_id, c.status, c.flags, c.resolution, c.amount, c.tolerance, c.expires_at, c.covered_at,
        c.clock_ends_at, c.needs_attention, c.coin_id, c.coin_due, c.coin_consumed, q.release_at,
        ARRAY(SELECT r.coin_id FROM receipts r WHERE r.charge_id = c.id ORDER BY r.id) AS coins,
        ARRAY(SELECT r.amount FROM receipts r WHERE r.charge_id = c.id ORDER BY r.id) AS amounts,
        ARRAY(SELECT r.state FROM receipts r WHERE r.charge_id = c.id ORDER BY r.id) AS states,
        ARRAY(SELECT r.first_seen_at FROM receipts r WHERE r.charge_id = c.id ORDER BY r.id) AS seen,
        ARRAY(SELECT b.coin_id FROM refund_claims b WHERE b.charge_id = c.id
              AND b.state IN ('sent', 'confirmed') ORDER BY b.id) AS coins_back,
        ARRAY(SELECT b.amount FROM refund_claims b WHERE b.charge_id = c.id
              AND b.state IN ('sent', 'confirmed') ORDER BY b.id) AS amounts_back
    FROM charges c LEFT JOIN quotes q ON q.id = c.quote_id ORDER BY c.id";

impl Run {
    /// Of all charges, for a step may change some that it does not name.
    pub async fn check_rule(&self) -> Result<(), String> {
        let rows = sqlx::query(CHARGES)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        let now = self.gateway().clock().now();
        let wrong: Vec<String> = rows
            .iter()
            .filter_map(|row| judge(row, now).err())
            .collect();
        none_of(&wrong)
    }
}

fn judge(row: &PgRow, now: OffsetDateTime) -> Result<(), String> {
    let id: String = row.get("public_id");
    let needs_attention: bool = row.get("needs_attention");
    let clock_ends_at: Option<OffsetDateTime> = row.get("clock_ends_at");
    // A clock that has run out is told by whoever looks for those; until then the charge is as before.
    let at = clock_ends_at.map_or(now, |end| now.min(end - Duration::microseconds(1)));
    let facts = facts(row);
    let again = facts
        .apply(&Event::ReceiptsChanged, at)
        .map_err(|error| format!("{id}: {error}"))?;
    // What the house cannot credit is withheld, and a person is told.
    let is_withheld = facts.status == Status::Processing && needs_attention;
    if again.pays && !is_withheld {
        return Err(format!("{id} is {:?}, and was paid", facts.status));
    }
    let holds = again.status == facts.status && again.needs_attention == needs_attention;
    if again.pays || holds {
        return Ok(());
    }
    Err(format!(
        "{id} is {:?}, in the inbox: {needs_attention}; its receipts say {:?}, {}",
        facts.status, again.status, again.needs_attention
    ))
}

fn facts(row: &PgRow) -> Charge {
    let flags: Vec<String> = row.get("flags");
    let coin: Option<CurrencyId> = row.get("coin_id");
    let consumed: Option<Decimal> = row.get("coin_consumed");
    Charge {
        status: word(row, "status", Status::from_word),
        flags: Flags::from_words(&flags),
        resolution: word(row, "resolution", Resolution::from_word),
        amount: units(row.get("amount")),
        tolerance: units(row.get("tolerance")),
        expires_at: row.get("expires_at"),
        covered_at: row.get("covered_at"),
        quote: coin.map(|coin| Quote {
            coin,
            due: units(row.get("coin_due")),
            release_at: row.get("release_at"),
        }),
        consumed: consumed.map(units),
        refunded: amounts(row, "coins_back", "amounts_back"),
        receipts: receipts(row),
    }
}

fn receipts(row: &PgRow) -> Vec<Receipt> {
    let states: Vec<String> = row.get("states");
    let seen: Vec<OffsetDateTime> = row.get("seen");
    amounts(row, "coins", "amounts")
        .into_iter()
        .zip(states)
        .zip(seen)
        .map(|(((coin, amount), state), seen_at)| Receipt {
            coin,
            amount,
            state: ReceiptState::from_word(&state).unwrap(),
            seen_at,
        })
        .collect()
}

fn amounts(row: &PgRow, coins: &str, amounts: &str) -> Vec<(CurrencyId, i128)> {
    let coins: Vec<CurrencyId> = row.get(coins);
    let amounts: Vec<Decimal> = row.get(amounts);
    coins
        .into_iter()
        .zip(amounts.into_iter().map(units))
        .collect()
}

fn word<T>(row: &PgRow, column: &str, parse: fn(&str) -> Option<T>) -> T {
    let word: String = row.get(column);
    parse(&word).unwrap()
}
