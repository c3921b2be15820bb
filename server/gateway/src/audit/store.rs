//! The questions. Each returns one text per exception and nothing when the books are right.

mod books;
mod charges;
mod operations;
mod own_funds;
mod payouts;
mod reports;
mod treasury;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::Result;

/// What should be true, and how to find where it is not.
pub(super) const CHECKS: [(&str, &str); 50] = [
    ("each currency sums to zero", books::CURRENCIES_SUM_TO_ZERO),
    (
        "each balance is the sum of its lines",
        books::BALANCES_ARE_SUMS,
    ),
    (
        "lines are numbered without gaps up to the version",
        books::VERSIONS_ARE_GAPLESS,
    ),
    (
        "each line follows from the one before",
        books::LINES_ARE_CHAINED,
    ),
    ("no account is below its floor", books::FLOORS_HOLD),
    (
        "each held amount is the sum of its open holds",
        books::HELD_IS_OPEN_HOLDS,
    ),
    (
        "held amounts on lines follow from the postings",
        books::HELD_IS_CHAINED,
    ),
    (
        "each hold is resolved at most once",
        books::HOLDS_RESOLVE_ONCE,
    ),
    (
        "each resolution belongs to a hold and stays within it",
        books::RESOLUTIONS_FIT,
    ),
    (
        "each posting belongs to an entry",
        books::POSTINGS_HAVE_ENTRIES,
    ),
    (
        "each posting has an id of its own",
        books::POSTINGS_HAVE_IDS,
    ),
    (
        "each entry has its postings without gaps",
        books::ENTRIES_HAVE_LEGS,
    ),
    (
        "each posting stays within one currency",
        books::CURRENCIES_MATCH,
    ),
    (
        "each paid charge has one entry, and each entry a paid charge",
        charges::PAID_ONCE,
    ),
    (
        "each paid charge credited its wallet as it says",
        charges::CREDITS_MATCH,
    ),
    (
        "each paid charge took its fee as it says",
        charges::FEES_MATCH,
    ),
    (
        "each receipt is booked once when final and not otherwise",
        charges::RECEIPTS_BOOKED,
    ),
    (
        "each receipt is booked with its amount",
        charges::BOOKED_AMOUNTS_MATCH,
    ),
    (
        "suspense is what came less what was consumed",
        charges::SUSPENSE_EXPLAINED,
    ),
    (
        "each charge is in the state its receipts say",
        charges::STATES_AGREE,
    ),
    (
        "each clock is set as its charge's state says",
        charges::CLOCKS_AGREE,
    ),
    ("unexplained money is in the inbox", charges::NOTHING_LOST),
    (
        "each deposit is booked once when final and not otherwise",
        operations::DEPOSITS_BOOKED,
    ),
    (
        "each credited deposit gained its wallet what it says",
        operations::CREDITED_DEPOSITS_PAID,
    ),
    (
        "each withdrawal holds until it is settled or void",
        operations::WITHDRAWALS_HOLD,
    ),
    (
        "each exchanged withdrawal holds its coins likewise",
        operations::LIQUIDITY_HELD,
    ),
    (
        "each settled withdrawal paid what it promised, and no other paid",
        operations::WITHDRAWALS_PAY,
    ),
    (
        "each promise is funded until it is settled or void",
        operations::PROMISES_HELD,
    ),
    (
        "each confirmed exchange has one entry",
        operations::EXCHANGES_BOOKED,
    ),
    (
        "each quote was used by its merchant while it stood",
        operations::QUOTES_STOOD,
    ),
    (
        "the status of each operation was told",
        operations::STATUSES_TOLD,
    ),
    (
        "each payout spends what it pays, gives back and costs",
        payouts::TRANSACTIONS_ADD_UP,
    ),
    (
        "each payout in the chain booked its fee once",
        payouts::FEES_BOOKED,
    ),
    (
        "each payout in the chain paid everybody in it",
        payouts::RIDERS_PAID,
    ),
    ("each coin of a payout is its own", payouts::COINS_LOCKED),
    (
        "each coin is free when its payout has ended",
        payouts::LOCKS_END,
    ),
    (
        "the change of each payout came back to us",
        payouts::CHANGE_IS_OURS,
    ),
    (
        "the numbers of each account that pays have no gaps",
        treasury::NUMBERS_ARE_GAPLESS,
    ),
    (
        "each number is used for one payment, by one transaction in the chain",
        treasury::ONE_IN_THE_CHAIN,
    ),
    (
        "each number that was given back was never signed with",
        treasury::RELEASED_UNSIGNED,
    ),
    (
        "what moves between accounts of ours stays with us",
        treasury::MOVES_STAY_OURS,
    ),
    (
        "what moves between accounts of ours is nobody's deposit",
        treasury::MOVES_CREDIT_NOBODY,
    ),
    (
        "all transactions of a payment pay what it says",
        treasury::PLANS_AGREE,
    ),
    (
        "each withdrawal with a number was paid by it as it says",
        treasury::WITHDRAWALS_PAID,
    ),
    (
        "the house's own coins are booked once, and nobody else's",
        own_funds::BOOKED_ONCE,
    ),
    (
        "what the house took out is booked once, and is no payment",
        own_funds::OUT_BOOKED_ONCE,
    ),
    (
        "each change of status has its event",
        reports::CHANGES_HAVE_EVENTS,
    ),
    (
        "each paid charge has one paid event, and each such event a paid charge",
        reports::PAID_TOLD,
    ),
    (
        "events are numbered without gaps",
        reports::EVENTS_ARE_GAPLESS,
    ),
    (
        "each delivery belongs to an event of its merchant",
        reports::DELIVERIES_HAVE_EVENTS,
    ),
];

/// One instant, read only. An audit may take longer than any request.
pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>> {
    let mut tx = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    sqlx::query("SET LOCAL statement_timeout = 0")
        .execute(&mut *tx)
        .await?;
    // Every check reads whole tables; on fresh tables without statistics the planner would still
    // loop over one inside the other.
    sqlx::query("SET LOCAL enable_nestloop = off")
        .execute(&mut *tx)
        .await?;
    // The line above makes every plan look dear enough to be compiled, which takes longer than it.
    sqlx::query("SET LOCAL jit = off").execute(&mut *tx).await?;
    Ok(tx)
}

/// Numbers of postings and accounts.
pub(super) async fn totals(conn: &mut PgConnection) -> Result<(i64, i64)> {
    Ok(
        sqlx::query_as("SELECT (SELECT count(*) FROM postings), (SELECT count(*) FROM accounts)")
            .fetch_one(conn)
            .await?,
    )
}

pub(super) async fn ask(conn: &mut PgConnection, question: &'static str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(question).fetch_all(conn).await?)
}
