//! The end of a script: everybody works again, people look after what waits for them, and time passes.

use gateway::Error;

use super::desk::Mood;
use super::script::{Chain, Node};
use super::world::Run;
use crate::faults;
use crate::till::DEEP;

/// Rounds until everything has to be at rest, and those before anybody calls anything off: what only needs time
/// gets some.
const ROUNDS: u32 = 14;
const PATIENT_ROUNDS: u32 = 6;

/// What waits for a person, with its coin.
const WAITING: &str = "SELECT w.operation_id, c.code FROM withdrawals w
    JOIN operations o ON o.id = w.operation_id JOIN currencies c ON c.id = w.coin_id
    WHERE o.needs_attention ORDER BY w.operation_id";

const BY: &str = "simulator";

impl Run {
    /// Nothing breaks any more; says what was still failing in the last round.
    pub async fn settle_down(&mut self) -> Result<(), String> {
        self.arm(None).await;
        for chain in Chain::BOTH {
            self.node(chain, Node::Answers);
            self.signs(chain, Mood::Signs);
            self.fees(chain, 1);
        }
        let mut last = Ok(());
        for round in 0..ROUNDS {
            last = self.round(round >= PATIENT_ROUNDS).await;
        }
        last.map_err(|error| error.to_string())
    }

    async fn round(&self, calls_off: bool) -> Result<(), Error> {
        faults::end_leases(&self.pool).await;
        self.due().await;
        self.look_after(calls_off).await?;
        self.gateway().advance(3_600).await?;
        self.outputs.mine(2);
        self.accounts.mine(DEEP);
        self.follow_both().await
    }

    /// Everything that waits is due now.
    async fn due(&self) {
        for statement in [
            "UPDATE withdrawals SET next_attempt_at = now() - interval '1 day'
             WHERE next_attempt_at IS NOT NULL",
            "UPDATE payout_txs SET next_attempt_at = now() - interval '1 day'
             WHERE next_attempt_at IS NOT NULL",
            "UPDATE treasury_txs SET next_attempt_at = now() - interval '1 day'
             WHERE next_attempt_at IS NOT NULL",
        ] {
            sqlx::query(statement).execute(&self.pool).await.unwrap();
        }
    }

    /// What a person can do: let go on, send again, and end.
    async fn look_after(&self, calls_off: bool) -> Result<(), Error> {
        allowed(self.resume().await)?;
        let waiting: Vec<(i64, String)> = sqlx::query_as(WAITING).fetch_all(&self.pool).await?;
        for (id, code) in waiting {
            if code == "BTC" {
                // The network may say no.
                let _ = self.gateway().rebroadcast_withdrawal(id, BY).await;
            }
            if calls_off {
                allowed(self.call_off(id).await)?;
            }
        }
        Ok(())
    }
}

/// What may not be done now is left.
fn allowed(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error @ (Error::Internal(_) | Error::Database(_))) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
