//! Payments with numbers as the operator's pages show them.

use domain::money::{Currency, Money};
use domain::text::one_line;
use domain::view::AmountText;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::payouts::PayoutDeed;
use domain::view::treasury::{
    TREASURY_KINDS, TREASURY_STATES, TreasuryAccountRow, TreasuryFilter, TreasuryPaymentView,
    TreasuryRow, TreasuryTxRow, TreasuryView, TreasuryWaiting, treasury_word,
};
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded::Serializer;

use super::suspense::amount;
use super::treasury_store::{self as store, PaymentRecord, TxRecord, Wanted};
use crate::chain::address::params;
use crate::chain::base_units;
use crate::dashboard::ExportPage;
use crate::treasury;
use crate::{Error, Gateway, Result};

/// Rows of a page.
const PAGE: i64 = 25;
const EXPORT_PAGE: i64 = 500;
/// Withdrawals without a number, and paused accounts, that a page shows.
const SIDE_ROWS: i64 = 50;

const PATH: &str = "/app/operate/treasury";

/// Column names of an export of the payments.
pub const TREASURY_COLUMNS: [&str; 15] = [
    "number",
    "made",
    "kind",
    "status",
    "currency",
    "amount",
    "from",
    "to",
    "nonce",
    "withdrawal",
    "fee_currency",
    "fee",
    "fee_final",
    "txid",
    "problem",
];

impl Gateway {
    /// A page of the payments, the newest first, with the accounts and the withdrawals that have no number yet;
    /// `before` is the number of one. A node that does not answer soon leaves balances out.
    ///
    /// # Errors
    /// The database's.
    pub async fn treasury_view(
        &self,
        filter: TreasuryFilter,
        before: Option<i64>,
    ) -> Result<TreasuryView> {
        let filter = cleaned(&filter);
        let from = before.unwrap_or(i64::MAX);
        let mut records = store::list(self.pool(), wanted(&filter), from, PAGE + 1).await?;
        let more = i64::try_from(records.len())? > PAGE;
        records.truncate(usize::try_from(PAGE)?);
        let last = records.last().map(|record| record.id).filter(|_| more);
        let never_used =
            records.is_empty() && before.is_none() && filter == TreasuryFilter::default();
        let rows = records
            .into_iter()
            .map(|record| self.treasury_row(record))
            .collect::<Result<_>>()?;
        let chains = self.chains().all().iter();
        let (codes, coins): (Vec<String>, Vec<i16>) = chains
            .filter(|chain| chain.payer.treasury().is_some())
            .map(|chain| (chain.params.code.to_owned(), chain.coin.id))
            .unzip();
        Ok(TreasuryView {
            accounts: self.treasury_account_rows().await?,
            waiting: self.treasury_waiting(&coins).await?,
            rows,
            chains: codes,
            paging: Paging {
                previous: before.map(|_| format!("{PATH}{}", link(&filter, None))),
                next: last.map(|last| link(&filter, Some(last))),
                export: link(&filter, None),
            },
            never_used,
            filter,
        })
    }

    /// Payments of the same list as rows of a CSV file; `before` is the number of the last one told.
    ///
    /// # Errors
    /// The database's.
    pub async fn export_treasury(
        &self,
        filter: &TreasuryFilter,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let filter = cleaned(filter);
        let from = before.unwrap_or(i64::MAX);
        let records = store::list(self.pool(), wanted(&filter), from, EXPORT_PAGE).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let next = records.last().map(|record| record.id).filter(|_| full);
        let rows = records
            .into_iter()
            .map(|record| self.treasury_row(record).and_then(cells))
            .collect::<Result<_>>()?;
        Ok(ExportPage { rows, next })
    }

    /// One payment with its transactions.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn treasury_payment_view(&self, id: i64) -> Result<TreasuryPaymentView> {
        let record = store::find(self.pool(), id).await?;
        let coin = self.currencies().known(record.coin_id)?;
        let txs = store::txs(self.pool(), id).await?;
        let chain = self.chains().get(coin.code.as_str());
        let treasury = chain.and_then(|chain| chain.payer.treasury());
        let can_bump = record.is_sent
            && !record.is_drafted
            && !record.is_decided
            && record.cost.is_none()
            && treasury.is_some();
        Ok(TreasuryPaymentView {
            meaning: meaning(&record.state).to_owned(),
            row: self.treasury_row(record)?,
            txs: txs
                .into_iter()
                .map(|tx| self.treasury_tx(tx))
                .collect::<Result<_>>()?,
            by_hand: treasury.is_none_or(|treasury| !treasury.signs_by_itself()),
            can_bump,
            notice: None,
        })
    }

    /// Whether a transaction of the payment waits for its signature.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn treasury_waits_for_signature(&self, id: i64) -> Result<bool> {
        Ok(store::find(self.pool(), id).await?.is_drafted)
    }

    async fn treasury_account_rows(&self) -> Result<Vec<TreasuryAccountRow>> {
        let mut rows: Vec<TreasuryAccountRow> = Vec::new();
        for account in self.treasury_accounts().await? {
            rows.push(TreasuryAccountRow {
                balances: treasury::balances(self, &account.address).await,
                address: account.address,
                chain_id: account.chain_id,
                pays: true,
                next_nonce: account.next_nonce,
                paused: account.paused,
            });
        }
        for paused in store::paused(self.pool(), SIDE_ROWS).await? {
            if !rows.iter().any(|row| row.address == paused.address) {
                rows.push(TreasuryAccountRow {
                    address: paused.address,
                    chain_id: paused.chain_id,
                    pays: false,
                    next_nonce: Some(paused.next_nonce),
                    paused: paused.paused_why,
                    balances: Vec::new(),
                });
            }
        }
        Ok(rows)
    }

    async fn treasury_waiting(&self, coins: &[i16]) -> Result<Vec<TreasuryWaiting>> {
        let records = store::waiting(self.pool(), coins, SIDE_ROWS).await?;
        records
            .into_iter()
            .map(|record| {
                let coin = self.currencies().known(record.coin_id)?;
                Ok(TreasuryWaiting {
                    operation_id: record.operation_id,
                    merchant_id: record.merchant_id,
                    merchant: record.merchant,
                    amount: amount(record.amount, coin),
                    why: record.last_error,
                })
            })
            .collect()
    }

    fn treasury_row(&self, record: PaymentRecord) -> Result<TreasuryRow> {
        let coin = self.currencies().known(record.coin_id)?;
        let wei = record.cost.as_deref().unwrap_or(&record.fee_max);
        Ok(TreasuryRow {
            id: record.id,
            created: record.created_at,
            kind: treasury_word(&TREASURY_KINDS, &record.purpose),
            state: pill(&record.state),
            amount: base_amount(coin, &record.raw),
            from: record.address,
            to: record.to_address,
            nonce: record.nonce,
            withdrawal: record.operation_id.zip(record.merchant_id),
            fee: self.wei(wei)?,
            is_fee_final: record.cost.is_some(),
            txid: record.txid,
            waits_for_signature: record.is_drafted && !record.is_decided,
            problem: record.last_error,
        })
    }

    fn treasury_tx(&self, tx: TxRecord) -> Result<TreasuryTxRow> {
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
        Ok(TreasuryTxRow {
            id: tx.id,
            txid: tx.txid,
            state: pill(&tx.state),
            max_fee: gwei(&tx.max_fee),
            tip: gwei(&tx.tip),
            gas_limit: tx.gas_limit,
            cost: tx.cost.as_deref().map(|wei| self.wei(wei)).transpose()?,
            height: tx.height,
            history,
            problem: tx.last_error,
        })
    }

    fn wei(&self, wei: &str) -> Result<AmountText> {
        let wei: u128 = wei.parse().map_err(Error::internal)?;
        let fee = treasury::cost(self, wei)?;
        Ok(shown(fee))
    }
}

fn shown(amount: Money) -> AmountText {
    AmountText {
        code: amount.currency().code.to_string(),
        amount: amount.shown(),
    }
}

/// Base units as an amount; what is none is shown as it is, so that a page is never refused for it.
pub(super) fn base_amount(coin: Currency, raw: &str) -> AmountText {
    let digits = params(coin.code.as_str()).map_or(18, base_units::digits);
    let units = raw.parse::<u128>().ok();
    match units.and_then(|raw| base_units::to_ledger(coin, digits, raw)) {
        Some(units) => shown(Money::from_units(units, coin)),
        None => AmountText {
            amount: raw.to_owned(),
            code: format!("base units of {}", coin.code),
        },
    }
}

/// Wei as gwei, exact: the last nine digits stand behind the point.
fn gwei(wei: &str) -> String {
    let Ok(wei) = wei.parse::<u128>() else {
        return wei.to_owned();
    };
    const GWEI: u128 = 1_000_000_000;
    let text = format!("{}.{:09}", wei / GWEI, wei % GWEI);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a state means for whoever runs the instance.
fn meaning(state: &str) -> &'static str {
    match state {
        "drafted" => "It has its number and waits for a signature.",
        "signed" => "It is signed and is sent by itself.",
        "broadcast" => "The network has it; it waits for its block, or for more blocks on top.",
        "paid" => "It is deep in the chain, and the receiver has exactly what was planned.",
        "failed" => "It is deep in the chain and moved nothing; its gas is paid.",
        "unclear" => {
            "It is deep in the chain and moved something else than planned. A person decides on the page of suspense."
        }
        "taken" => {
            "Another transaction has its number. Its account is paused until a person goes on; its money stays held."
        }
        "lost" => {
            "It was paid, and a reorganisation of the chain removed it. The same bytes were sent again."
        }
        "released" => "Its signer refused it. The number went to the next payment.",
        _ => "It is looked after.",
    }
}

fn pill(state: &str) -> StatusPill {
    StatusPill {
        word: treasury_word(&TREASURY_STATES, state),
        flags: Vec::new(),
    }
}

/// Without what the database cannot be asked for.
fn cleaned(filter: &TreasuryFilter) -> TreasuryFilter {
    TreasuryFilter {
        state: one_line(&filter.state),
        chain: one_line(&filter.chain),
        kind: one_line(&filter.kind),
    }
}

fn wanted(filter: &TreasuryFilter) -> Wanted<'_> {
    Wanted {
        state: &filter.state,
        chain: &filter.chain,
        kind: &filter.kind,
    }
}

/// The query of a link that keeps the filter; empty when nothing is asked for.
fn link(filter: &TreasuryFilter, before: Option<i64>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [
        ("state", &filter.state),
        ("chain", &filter.chain),
        ("kind", &filter.kind),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

fn cells(row: TreasuryRow) -> Result<Vec<String>> {
    Ok(vec![
        row.id.to_string(),
        row.created.format(&Rfc3339).map_err(Error::internal)?,
        row.kind,
        row.state.word,
        row.amount.code,
        row.amount.amount,
        row.from,
        row.to,
        row.nonce.to_string(),
        row.withdrawal
            .map_or_else(String::new, |(id, _)| id.to_string()),
        row.fee.code,
        row.fee.amount,
        if row.is_fee_final { "yes" } else { "no" }.to_owned(),
        row.txid.unwrap_or_default(),
        row.problem.unwrap_or_default(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gwei_are_exact() {
        for (wei, text) in [
            ("0", "0"),
            ("1", "0.000000001"),
            ("1500000000", "1.5"),
            ("300000000000", "300"),
            ("no", "no"),
        ] {
            assert_eq!(gwei(wei), text);
        }
    }

    #[test]
    fn a_link_keeps_what_is_asked_for() {
        let filter = TreasuryFilter {
            state: "paid".to_owned(),
            kind: "a&b".to_owned(),
            ..TreasuryFilter::default()
        };
        assert_eq!(link(&filter, Some(7)), "?state=paid&kind=a%26b&before=7");
        assert_eq!(link(&TreasuryFilter::default(), None), "");
    }
}
