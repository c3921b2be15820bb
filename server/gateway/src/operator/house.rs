//! House accounts: what each is for, what it holds, and how far below zero it may still go.
//!
//! Invariant: all accounts of a currency add up to zero; the page shows it.

use std::collections::BTreeSet;

use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use domain::view::operate::{CurrencySum, HouseRow, HouseView};
use rust_decimal::Decimal;

use super::change::paged;
use super::house_store::{self, HouseRecord, SumRecord};
use crate::dashboard::ExportPage;
use crate::ledger::units;
use crate::{Error, Gateway, Result};

/// Accounts of a page.
const PAGE: usize = 50;

/// Column names of an export of house accounts.
pub const HOUSE_COLUMNS: [&str; 7] = [
    "currency", "account", "purpose", "balance", "held", "floor", "exposure",
];

impl Gateway {
    /// A page of the house accounts of `currency`, of all when it is empty. Pages count from 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` for a code that is not listed.
    pub async fn house_view(&self, currency: &str, page: usize) -> Result<HouseView> {
        self.check_listed(currency)?;
        let rows = self.house_rows().await?;
        let never_used = rows.is_empty();
        let currencies: BTreeSet<String> = rows.iter().map(|row| row.code.clone()).collect();
        let chosen = of_currency(rows, currency);
        let (from, paging) = paged(&[("currency", currency)], page, chosen.len(), PAGE);
        Ok(HouseView {
            sums: self.house_sums(currency).await?,
            currency: currency.to_owned(),
            currencies: currencies.into_iter().collect(),
            rows: chosen.into_iter().skip(from).take(PAGE).collect(),
            paging,
            never_used,
            notice: None,
        })
    }

    /// The same accounts, all of them, as rows of a CSV file.
    ///
    /// # Errors
    /// As [`Self::house_view`].
    pub async fn export_house(&self, currency: &str) -> Result<ExportPage<i64>> {
        self.check_listed(currency)?;
        let rows = of_currency(self.house_rows().await?, currency);
        Ok(ExportPage {
            rows: rows.into_iter().map(cells).collect(),
            next: None,
        })
    }

    /// Empty, or the code of a currency of this instance.
    pub(super) fn check_listed(&self, code: &str) -> Result<()> {
        if code.is_empty() || self.currencies().by_code(code).is_some() {
            return Ok(());
        }
        let message = "must be the code of a listed currency such as BTC";
        Err(Error::invalid("currency", message))
    }

    async fn house_rows(&self) -> Result<Vec<HouseRow>> {
        let mut records = house_store::accounts(self.pool())
            .await?
            .into_iter()
            .map(|record| {
                let currency = self.currencies().known(record.currency_id)?;
                let kind = AccountKind::from_word(&record.kind)
                    .ok_or_else(|| Error::Internal(format!("account kind {}", record.kind)))?;
                Ok((currency, kind, record))
            })
            .collect::<Result<Vec<_>>>()?;
        let place = |kind: AccountKind| AccountKind::ALL.iter().position(|each| *each == kind);
        records.sort_by_key(|(currency, kind, _)| (currency.code, place(*kind)));
        Ok(records
            .into_iter()
            .map(|(currency, kind, record)| row(currency, kind, &record))
            .collect())
    }

    async fn house_sums(&self, code: &str) -> Result<Vec<CurrencySum>> {
        let mut sums = house_store::sums(self.pool())
            .await?
            .into_iter()
            .map(|record| Ok(sum(self.currencies().known(record.currency_id)?, &record)))
            .collect::<Result<Vec<_>>>()?;
        sums.retain(|sum| code.is_empty() || sum.code == code);
        sums.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(sums)
    }
}

fn of_currency(mut rows: Vec<HouseRow>, code: &str) -> Vec<HouseRow> {
    rows.retain(|row| code.is_empty() || row.code == code);
    rows
}

fn row(currency: Currency, kind: AccountKind, record: &HouseRecord) -> HouseRow {
    let shown = |amount: i128| Money::from_units(amount, currency).shown();
    let (posted, held) = (units(record.posted), units(record.held));
    let floor = record.floor.map(units);
    HouseRow {
        code: currency.code.to_string(),
        kind: kind.word().to_owned(),
        purpose: purpose(kind).to_owned(),
        balance: shown(posted),
        held: shown(held),
        floor: floor.map(shown),
        exposure: floor.map(|floor| shown(below_zero_left(posted - held, floor))),
        edit: (kind == AccountKind::Liquidity)
            .then(|| format!("/app/operate/house/{}", currency.code)),
    }
}

/// How far below zero an account with so much available may still go; zero when its floor is not
/// below zero. Ledger units.
fn below_zero_left(available: i128, floor: i128) -> i128 {
    (available.min(0) - floor).max(0)
}

fn purpose(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::ChainHoldings => "Coins held on chain",
        AccountKind::BankHoldings => "Money held at banks",
        AccountKind::Fees => "Fee income",
        AccountKind::NetworkFees => "Network fees paid to miners",
        AccountKind::Liquidity => "Our side of every exchange",
        AccountKind::Rounding => "Remainders of roundings",
        AccountKind::Suspense => "Money that belongs to nobody yet",
        AccountKind::Receivable => "Debts of merchants to us",
        AccountKind::OwnFunds => "Coins the house put in itself, less those it took out",
        AccountKind::TestFunding => "Opening balances of test mode",
        AccountKind::Wallet => "A wallet of the house",
    }
}

fn sum(currency: Currency, record: &SumRecord) -> CurrencySum {
    let shown = |amount: Decimal| Money::from_units(units(amount), currency).shown();
    let total = record.house + record.wallets + record.others;
    CurrencySum {
        code: currency.code.to_string(),
        house: shown(record.house),
        wallets: shown(record.wallets),
        others: shown(record.others),
        total: shown(total),
        is_zero: total.is_zero(),
    }
}

fn cells(row: HouseRow) -> Vec<String> {
    vec![
        row.code,
        row.kind,
        row.purpose,
        row.balance,
        row.held,
        row.floor.unwrap_or_default(),
        row.exposure.unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::below_zero_left;

    #[test]
    fn exposure_is_what_is_left_below_zero() {
        for (available, floor, left) in [
            (50, -100, 100),
            (0, -100, 100),
            (-30, -100, 70),
            (-100, -100, 0),
            // A floor that was raised past what was spent allows nothing more.
            (-120, -100, 0),
            (50, 0, 0),
            (50, 20, 0),
        ] {
            assert_eq!(
                below_zero_left(available, floor),
                left,
                "{available} {floor}"
            );
        }
    }
}
