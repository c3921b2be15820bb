//! What attempts came to, written for many of them at once.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::error::violated_constraint;
use crate::{Error, Result};

/// What an attempt came to, ready to store.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) at: OffsetDateTime,
    pub(super) status: Option<i32>,
    pub(super) duration_ms: i64,
    pub(super) error: Option<String>,
    pub(super) response_head: String,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Delivered,
    RetryAt(OffsetDateTime),
    GivenUp,
}

impl After {
    /// Stored state and when it is due again.
    fn stored(self) -> (&'static str, Option<OffsetDateTime>) {
        match self {
            Self::Delivered => ("delivered", None),
            Self::RetryAt(at) => ("pending", Some(at)),
            Self::GivenUp => ("failed", None),
        }
    }
}

/// An attempt that is over and not yet recorded. Delivery and claim together name it.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) delivery_id: i64,
    /// The claim it was taken with.
    pub(super) claim_id: i64,
    pub(super) endpoint_id: Option<i64>,
    /// The managed endpoint answered that it is gone.
    pub(super) is_gone: bool,
    pub(super) attempt: Attempt,
    pub(super) after: After,
}

/// From here to the end of the transaction rows are found by index alone, as in the functions of the
/// migrations. A plan from when the table was small would read all of it, and in which order it locks would
/// be anybody's guess.
pub(super) async fn find_by_index(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(
        "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
                set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
                set_config('plan_cache_mode', 'force_custom_plan', true)",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes one attempt each of several deliveries, ends their leases and says what becomes of them
/// (`record_deliveries` in the migrations). They are given in the order of their ids, in which they are
/// locked, and each once. With one that has its record already none is recorded (`has_a_record`).
pub(super) async fn insert(conn: &mut PgConnection, made: &[Made]) -> Result<()> {
    let mut rows = Columns::default();
    for each in made {
        rows.add(each);
    }
    sqlx::query("SELECT record_deliveries($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(rows.claim)
        .bind(rows.id)
        .bind(rows.state)
        .bind(rows.due)
        .bind(rows.at)
        .bind(rows.status)
        .bind(rows.duration_ms)
        .bind(rows.error)
        .bind(rows.response_head)
        .execute(conn)
        .await?;
    Ok(())
}

/// Those of these attempts that have no record yet.
pub(super) async fn without_a_record(pool: &PgPool, made: &[Made]) -> Result<Vec<Made>> {
    let deliveries: Vec<i64> = made.iter().map(|each| each.delivery_id).collect();
    let claims: Vec<i64> = made.iter().map(|each| each.claim_id).collect();
    let recorded: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT delivery_id, claim_id FROM delivery_attempts
         WHERE delivery_id = ANY($1) AND claim_id = ANY($2)",
    )
    .bind(deliveries)
    .bind(claims)
    .fetch_all(pool)
    .await?;
    Ok(made
        .iter()
        .filter(|each| !recorded.contains(&(each.delivery_id, each.claim_id)))
        .cloned()
        .collect())
}

/// Whether one of the attempts that were to be recorded has its record already.
pub(super) fn has_a_record(error: &Error) -> bool {
    match error {
        Error::Database(error) => violated_constraint(error) == Some("delivery_attempts_once"),
        _ => false,
    }
}

#[derive(Default)]
struct Columns<'m> {
    claim: Vec<i64>,
    id: Vec<i64>,
    state: Vec<&'static str>,
    due: Vec<Option<OffsetDateTime>>,
    at: Vec<OffsetDateTime>,
    status: Vec<Option<i32>>,
    duration_ms: Vec<i64>,
    error: Vec<Option<&'m str>>,
    response_head: Vec<&'m str>,
}

impl<'m> Columns<'m> {
    fn add(&mut self, made: &'m Made) {
        let (state, due) = made.after.stored();
        let attempt = &made.attempt;
        self.claim.push(made.claim_id);
        self.id.push(made.delivery_id);
        self.state.push(state);
        self.due.push(due);
        self.at.push(attempt.at);
        self.status.push(attempt.status);
        self.duration_ms.push(attempt.duration_ms);
        self.error.push(attempt.error.as_deref());
        self.response_head.push(&attempt.response_head);
    }
}
