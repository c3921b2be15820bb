//! What must hold after every step, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use domain::view::reconciliation::Between;

use super::script::COINS;
use super::world::Run;
use crate::invariants::{check_audit, check_deadlocks, check_sums, none_of};

/// A ledger unit of a token is a hundredth of the token's own.
const LEDGER_PER_TOKEN_UNIT: u128 = 100;

const WITHDRAWALS: &str = "
    SELECT w.operation_id, c.code, w.address, w.state, w.amount::text AS amount, o.needs_attention,
        w.last_error
    FROM withdrawals w JOIN operations o ON o.id = w.operation_id JOIN currencies c ON c.id = w.coin_id
    ORDER BY w.operation_id";

/// One row for each account with a number that nobody has, or that two have.
const GAPS: &str = "
    SELECT format('the numbers of %s have gaps', address) FROM treasury_payments
    WHERE outcome IS DISTINCT FROM 'released'
    GROUP BY chain_id, address HAVING max(nonce) - min(nonce) + 1 <> count(*)";

/// Numbers of the account that pays which have an owner.
const OWNED: &str = "SELECT count(*) FROM treasury_payments
    WHERE address = $1 AND outcome IS DISTINCT FROM 'released'";

/// What may be signed; a draft that was dropped may be planned again, for another payout.
const VERSIONS: &str = "SELECT txid, payout_id FROM payout_txs WHERE state <> 'dropped'";

#[derive(sqlx::FromRow)]
struct Withdrawal {
    operation_id: i64,
    code: String,
    address: String,
    state: String,
    amount: String,
    needs_attention: bool,
    last_error: Option<String>,
}

impl Withdrawal {
    fn has_ended(&self) -> bool {
        ["settled", "void"].contains(&self.state.as_str())
    }

    /// Somebody is told why it has not, or has to decide.
    fn is_explained(&self) -> bool {
        self.needs_attention || self.last_error.is_some() || self.state == "pending"
    }
}

impl Run {
    pub async fn check_step(&self) -> Result<(), String> {
        check_sums(&self.pool).await?;
        check_audit(self.gateway()).await?;
        check_deadlocks(&self.pool).await?;
        none_of(&self.texts(GAPS).await?)?;
        self.check_versions().await?;
        let mut wrong = Vec::new();
        for each in self.withdrawals().await? {
            let came = self.came(&each);
            let amount = ledger_units(&each)?;
            // Bytes are stored before the network gets them, and what they pay is paid once.
            let may_be_paid = !["pending", "queued"].contains(&each.state.as_str());
            let holds = came.is_empty() || (came == [amount] && may_be_paid);
            if !holds {
                wrong.push(format!("{} got {came:?}", named(&each)));
            }
        }
        none_of(&wrong)
    }

    /// Once everything is at rest: whoever was paid is one whose withdrawal says so, and nothing waits that could
    /// go on.
    pub async fn check_end(&self) -> Result<(), String> {
        let mails = self.texts("SELECT subject FROM mails").await?;
        let mut wrong = Vec::new();
        for each in self.withdrawals().await? {
            let came = self.came(&each);
            let id = each.operation_id;
            let after_all = format!("Withdrawal {id} was paid although it had ended");
            let is_paid =
                each.state == "settled" || (each.state == "void" && mails.contains(&after_all));
            let is_at_rest = each.has_ended() || each.is_explained();
            if !is_at_rest || (each.has_ended() && is_paid == came.is_empty()) {
                wrong.push(format!("{} got {came:?} in the end", named(&each)));
            }
        }
        none_of(&wrong)?;
        self.check_numbers().await?;
        self.check_nodes().await
    }

    async fn texts(&self, question: &'static str) -> Result<Vec<String>, String> {
        sqlx::query_scalar(question)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())
    }

    async fn withdrawals(&self) -> Result<Vec<Withdrawal>, String> {
        sqlx::query_as(WITHDRAWALS)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())
    }

    /// What its receiver, who is nobody else's, got in blocks, in ledger units.
    fn came(&self, withdrawal: &Withdrawal) -> Vec<u128> {
        let address = &withdrawal.address;
        match withdrawal.code.as_str() {
            "BTC" => match self.outputs.received(address) {
                0 => Vec::new(),
                satoshi => vec![u128::from(satoshi)],
            },
            "ETH" => self.accounts.received(address),
            _ => {
                let units = self.accounts.received(address).into_iter();
                units.map(|units| units * LEDGER_PER_TOKEN_UNIT).collect()
            }
        }
    }

    /// Of the transactions of a payout one at most is in a block, once.
    async fn check_versions(&self) -> Result<(), String> {
        let payouts: Vec<(String, i64)> = sqlx::query_as(VERSIONS)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        let payouts: BTreeMap<String, i64> = payouts.into_iter().collect();
        let mut paid = BTreeSet::new();
        let mined = self.outputs.mined_ids();
        let twice: Vec<String> = mined
            .iter()
            .filter_map(|txid| payouts.get(txid))
            .filter(|payout| !paid.insert(**payout))
            .map(|payout| format!("payout {payout} was mined twice"))
            .collect();
        none_of(&twice)
    }

    /// No number waits for anybody.
    async fn check_numbers(&self) -> Result<(), String> {
        let owned: i64 = sqlx::query_scalar(OWNED)
            .bind(&self.payer)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        let used = self.accounts.used();
        if u64::try_from(owned).is_ok_and(|owned| owned == used) {
            return Ok(());
        }
        Err(format!("{owned} numbers have an owner, {used} are used"))
    }

    /// The tables have what the nodes have.
    async fn check_nodes(&self) -> Result<(), String> {
        let views = self.gateway().audit_chains().await;
        let views = views.map_err(|error| format!("the audit of chains: {error}"))?;
        let mut wrong = Vec::new();
        for view in views {
            if !COINS.contains(&view.chain.as_str()) {
                continue;
            }
            if let Some(problem) = &view.problem {
                wrong.push(format!("{}: {problem}", view.chain));
            }
            let apart = view
                .differences
                .iter()
                .filter(|each| each.between == Between::NodeAndTables);
            wrong.extend(apart.map(|each| format!("{}: {each:?}", view.chain)));
        }
        none_of(&wrong)
    }
}

fn ledger_units(withdrawal: &Withdrawal) -> Result<u128, String> {
    let amount = withdrawal.amount.parse::<u128>();
    amount.map_err(|error| format!("{}: {error}", named(withdrawal)))
}

fn named(withdrawal: &Withdrawal) -> String {
    let Withdrawal {
        operation_id,
        code,
        state,
        amount,
        last_error,
        ..
    } = withdrawal;
    format!("withdrawal {operation_id} of {amount} {code}, {state}, {last_error:?},")
}
