//! What is away for many steps, not only for one: whoever signs what leaves, and a network that takes none of
//! it. Simulated chains sign by themselves and ask nobody, so the row that keeps what was signed stands for
//! the signer.

use sqlx::PgPool;

/// Who does not do what only he can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Nothing is signed.
    Signer,
    /// What is signed is not taken.
    Network,
}

impl Who {
    fn word(self) -> &'static str {
        match self {
            Self::Signer => "signer",
            Self::Network => "network",
        }
    }
}

const INSTALL: &str = "
CREATE TABLE simulator_away (who text PRIMARY KEY);
CREATE FUNCTION simulator_unsigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM simulator_away WHERE who = 'signer') THEN
        RAISE EXCEPTION 'the simulated signer is away';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER simulator_unsigned BEFORE UPDATE ON withdrawals FOR EACH ROW
    WHEN (OLD.state = 'queued' AND NEW.state = 'built') EXECUTE FUNCTION simulator_unsigned();
CREATE FUNCTION simulator_untaken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM simulator_away WHERE who = 'network')
        AND EXISTS (SELECT FROM withdrawals WHERE txid = NEW.txid) THEN
        RAISE EXCEPTION 'the simulated network takes nothing';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER simulator_untaken BEFORE INSERT ON sim.txs
    FOR EACH ROW EXECUTE FUNCTION simulator_untaken();";

pub async fn install(pool: &PgPool) {
    sqlx::raw_sql(INSTALL).execute(pool).await.unwrap();
}

/// From now on, until it is said otherwise.
pub async fn set(pool: &PgPool, who: Who, is_away: bool) {
    let statement = if is_away {
        "INSERT INTO simulator_away VALUES ($1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM simulator_away WHERE who = $1"
    };
    sqlx::query(statement)
        .bind(who.word())
        .execute(pool)
        .await
        .unwrap();
}

/// Everybody is back.
pub async fn end(pool: &PgPool) {
    for who in [Who::Signer, Who::Network] {
        set(pool, who, false).await;
    }
}
