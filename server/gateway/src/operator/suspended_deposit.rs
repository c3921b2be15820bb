//! One deposit in suspense: its story, and the decision on it. Below it, withdrawals that are stuck.

use domain::charge::fee;
use domain::money::{Currency, Money};
use domain::view::AmountText;
use domain::view::dashboard::StatusPill;
use domain::view::operate::{ChainFinding, StuckWithdrawal, SuspendedDepositView};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::suspense::amount;
use super::suspense_store::{self as store, StuckRecord, Wanted};
use super::suspense_story::waits_for_a_decision;
use super::treasury::base_amount;
use crate::ledger::units;
use crate::{Error, Gateway, Result};

/// A withdrawal that takes longer needs a look.
const LATE_AFTER: Duration = Duration::hours(1);
/// Stuck withdrawals shown at most; whoever has more has one problem, not many.
const STUCK_MAX: i64 = 100;

impl Gateway {
    /// A deposit that is in suspense, of whatever merchant, with what releasing it would credit.
    ///
    /// # Errors
    /// [`Error::NotFound`] for anything that is no deposit in suspense.
    pub async fn suspended_deposit(&self, operation_id: i64) -> Result<SuspendedDepositView> {
        let wanted = Wanted {
            deposit_id: Some(operation_id),
            ..Wanted::default()
        };
        let mut records = store::items(self.pool(), wanted, 1, 0).await?;
        let origin = store::origin(self.pool(), operation_id).await?;
        let (Some(record), Some(origin)) = (records.pop(), origin) else {
            return Err(Error::NotFound);
        };
        let coin = self.currencies().known(record.currency_id)?;
        let release = if waits_for_a_decision(&record) {
            let mut conn = self.pool().acquire().await?;
            let terms = self.terms_of(&mut conn, coin).await?;
            let gross = Money::from_units(units(record.units), coin);
            let fee = fee(gross, terms.deposit_fee_basis_points)
                .ok_or_else(|| Error::Internal(format!("no fee for {gross}")))?;
            let net = Money::from_units(gross.units() - fee.units(), coin);
            Some((text(fee), text(net)))
        } else {
            None
        };
        let mut facts = vec![
            ("Address".to_owned(), origin.address),
            ("Reference".to_owned(), origin.reference),
            (
                "Transaction".to_owned(),
                format!("{}:{}", origin.txid, origin.vout),
            ),
        ];
        if let Some(at) = origin.confirmed_at.and_then(|at| at.format(&Rfc3339).ok()) {
            facts.push(("Final since".to_owned(), at));
        }
        let item = self.suspense_items(vec![record])?.pop();
        Ok(SuspendedDepositView {
            operation_id,
            item: item.ok_or(Error::NotFound)?,
            facts,
            release,
            address: String::new(),
            notice: None,
        })
    }

    /// Withdrawals of all merchants that need a person or have not arrived within an hour.
    pub(super) async fn stuck_withdrawals(&self) -> Result<Vec<StuckWithdrawal>> {
        let late = self.clock().now() - LATE_AFTER;
        store::stuck(self.pool(), late, STUCK_MAX)
            .await?
            .into_iter()
            .map(|record| {
                let coin = self.currencies().known(record.coin_id)?;
                Ok(StuckWithdrawal {
                    id: record.id,
                    since: record.since,
                    merchant_id: record.merchant_id,
                    amount: amount(record.amount, coin),
                    problem: problem(&record),
                    rebroadcast: record
                        .has_bytes
                        .then(|| format!("/app/operate/suspense/{}/rebroadcast", record.id)),
                    replaced: record
                        .is_replaced
                        .then(|| format!("/app/operate/suspense/{}/replaced", record.id)),
                    finding: finding(&record, coin),
                    merchant: record.merchant,
                    address: record.address,
                    state: StatusPill {
                        word: record.state,
                        flags: Vec::new(),
                    },
                })
            })
            .collect()
    }
}

fn text(money: Money) -> AmountText {
    AmountText {
        amount: money.shown(),
        code: money.currency().code.to_string(),
    }
}

/// What its payment with a number came to, where that is not what was planned.
fn finding(record: &StuckRecord, coin: Currency) -> Option<ChainFinding> {
    match record.outcome.as_deref()? {
        "failed" => Some(ChainFinding::Failed),
        "taken" => Some(ChainFinding::Taken),
        "unclear" => {
            let (left, arrived) = record.moved.as_deref().zip(record.arrived.as_deref())?;
            Some(ChainFinding::Unclear {
                left: base_amount(coin, left),
                arrived: base_amount(coin, arrived),
            })
        }
        _ => None,
    }
}

/// What is the matter, one sentence.
fn problem(record: &StuckRecord) -> String {
    let known = record.error.as_deref().or(record.last_error.as_deref());
    let tries = match record.attempts {
        0 => String::new(),
        1 => " Tried once.".to_owned(),
        times => format!(" Tried {times} times."),
    };
    let what = match (known, record.state.as_str()) {
        (Some(error), _) => format!("{}.", error.trim_end_matches('.')),
        (None, "queued") => "Nobody has made its transaction yet.".to_owned(),
        (None, "built") => "The network has not taken it yet.".to_owned(),
        (None, _) => "It is not deep enough in the chain yet.".to_owned(),
    };
    format!("{what}{tries}")
}
