//! Payouts as the operator's pages show them.

use domain::money::{Currency, Money};
use domain::view::AmountText;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::payouts::{
    PayoutDeed, PayoutRider, PayoutRow, PayoutTxRow, PayoutView, PayoutsView,
};
use time::format_description::well_known::Rfc3339;

use super::payouts_store::{self as store, PayoutRecord, RiderRecord, TxRecord};
use super::suspense::amount;
use crate::chain::base_units;
use crate::dashboard::ExportPage;
use crate::{Error, Gateway, Result};

/// Rows of a page.
const PAGE: i64 = 25;
const EXPORT_PAGE: i64 = 500;

/// Column names of an export of the payouts.
pub const PAYOUT_COLUMNS: [&str; 9] = [
    "number",
    "made",
    "status",
    "currency",
    "withdrawals",
    "paid",
    "fee",
    "txid",
    "problem",
];

impl Gateway {
    /// A page of the payouts, the newest first; `before` is the number of one.
    ///
    /// # Errors
    /// The database's.
    pub async fn payouts_view(&self, before: Option<i64>) -> Result<PayoutsView> {
        let from = before.unwrap_or(i64::MAX);
        let mut records = store::list(self.pool(), from, PAGE + 1).await?;
        let more = i64::try_from(records.len())? > PAGE;
        records.truncate(usize::try_from(PAGE)?);
        let last = records.last().map(|record| record.id).filter(|_| more);
        let never_used = records.is_empty() && before.is_none();
        let rows = records
            .into_iter()
            .map(|record| self.payout_row(record))
            .collect::<Result<_>>()?;
        Ok(PayoutsView {
            rows,
            paging: Paging {
                previous: before.map(|_| "/app/operate/payouts".to_owned()),
                next: last.map(|last| format!("?before={last}")),
                export: String::new(),
            },
            never_used,
        })
    }

    /// Payouts as rows of a CSV file; `before` is the number of the last one told.
    ///
    /// # Errors
    /// The database's.
    pub async fn export_payouts(&self, before: Option<i64>) -> Result<ExportPage<i64>> {
        let from = before.unwrap_or(i64::MAX);
        let records = store::list(self.pool(), from, EXPORT_PAGE).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let next = records.last().map(|record| record.id).filter(|_| full);
        let rows = records
            .into_iter()
            .map(|record| self.payout_row(record).and_then(cells))
            .collect::<Result<_>>()?;
        Ok(ExportPage { rows, next })
    }

    /// One payout with its transactions and withdrawals.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn payout_view(&self, id: i64) -> Result<PayoutView> {
        let record = store::find(self.pool(), id).await?;
        let coin = self.currencies().known(record.coin_id)?;
        let txs = store::txs(self.pool(), id).await?;
        let riders = store::riders(self.pool(), id).await?;
        let wallet = self
            .chains()
            .get(coin.code.as_str())
            .and_then(|chain| chain.payer.wallet());
        let is_in_chain = record.state == "confirmed";
        let is_sent = txs
            .iter()
            .any(|tx| matches!(tx.state.as_str(), "signed" | "broadcast"));
        let is_drafted = txs.iter().any(|tx| tx.state == "drafted");
        Ok(PayoutView {
            id,
            code: coin.code.to_string(),
            created: record.created_at,
            txs: txs
                .into_iter()
                .map(|tx| self.payout_tx(tx, coin))
                .collect::<Result<_>>()?,
            riders: riders
                .into_iter()
                .map(|rider| row_of(rider, coin))
                .collect(),
            is_drafted,
            by_hand: wallet.is_none_or(|wallet| !wallet.signs_by_itself()),
            can_bump: is_sent && !is_drafted && !is_in_chain && wallet.is_some(),
            can_resend: is_sent && !is_in_chain,
            notice: None,
        })
    }

    /// The transaction of a payout that waits for its signatures.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when none does.
    pub async fn drafted_tx(&self, payout_id: i64) -> Result<i64> {
        let txs = store::txs(self.pool(), payout_id).await?;
        if txs.is_empty() {
            return Err(Error::NotFound);
        }
        txs.into_iter()
            .find(|tx| tx.state == "drafted")
            .map(|tx| tx.id)
            .ok_or(Error::Conflict("it does not wait for a signature any more"))
    }

    fn payout_row(&self, record: PayoutRecord) -> Result<PayoutRow> {
        let coin = self.currencies().known(record.coin_id)?;
        Ok(PayoutRow {
            id: record.id,
            created: record.created_at,
            state: pill(&record.state),
            code: coin.code.to_string(),
            riders: record.riders,
            paid: amount(record.paid, coin),
            fee: self.satoshi(record.fee, coin)?,
            txid: record.txid,
            waits_for_signature: record.is_drafted,
            problem: record.last_error,
        })
    }

    fn payout_tx(&self, tx: TxRecord, coin: Currency) -> Result<PayoutTxRow> {
        let change = tx.plan.0.change().map(|(satoshi, _)| satoshi);
        let deeds = [
            ("made", Some(tx.made_by), Some(tx.created_at)),
            ("downloaded", tx.downloaded_by, tx.downloaded_at),
            ("signed", tx.signed_by, tx.signed_at),
            ("sent", None, tx.broadcast_at),
        ];
        let history = deeds
            .into_iter()
            .filter_map(|(what, who, at)| at.map(|at| PayoutDeed { what, who, at }))
            .collect();
        Ok(PayoutTxRow {
            id: tx.id,
            txid: tx.txid,
            state: pill(&tx.state),
            fee: self.satoshi(tx.fee, coin)?,
            change: change
                .map(|satoshi| self.satoshi(i64::try_from(satoshi)?, coin))
                .transpose()?,
            inputs: tx.plan.0.inputs.len(),
            vsize: tx.vsize,
            history,
            problem: tx.last_error,
        })
    }

    fn satoshi(&self, satoshi: i64, coin: Currency) -> Result<AmountText> {
        let params = crate::chain::address::params(coin.code.as_str());
        let digits = params.map_or(8, base_units::digits);
        let units = base_units::to_ledger(coin, digits, u128::try_from(satoshi)?)
            .ok_or_else(|| Error::Internal(format!("{satoshi} satoshi are no amount")))?;
        Ok(AmountText {
            amount: Money::from_units(units, coin).shown(),
            code: coin.code.to_string(),
        })
    }
}

fn row_of(rider: RiderRecord, coin: Currency) -> PayoutRider {
    PayoutRider {
        operation_id: rider.operation_id,
        merchant_id: rider.merchant_id,
        merchant: rider.merchant,
        address: rider.address,
        amount: amount(rider.amount, coin),
        state: pill(&rider.state),
    }
}

fn pill(word: &str) -> StatusPill {
    StatusPill {
        word: word.to_owned(),
        flags: Vec::new(),
    }
}

fn cells(row: PayoutRow) -> Result<Vec<String>> {
    Ok(vec![
        row.id.to_string(),
        row.created.format(&Rfc3339).map_err(Error::internal)?,
        row.state.word,
        row.code,
        row.riders.to_string(),
        row.paid.amount,
        row.fee.amount,
        row.txid,
        row.problem.unwrap_or_default(),
    ])
}
