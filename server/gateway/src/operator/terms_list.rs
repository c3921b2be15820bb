//! The terms of every currency as the operator's list and as CSV.

use domain::money::CurrencyKind;
use domain::rate::percent;
use domain::view::operate::{TermsItem, TermsListView};

use super::change::paged;
use crate::dashboard::ExportPage;
use crate::terms::Terms;
use crate::{Gateway, Result};

/// Currencies of a page.
const PAGE: usize = 50;

/// Column names of an export of terms.
pub const TERMS_COLUMNS: [&str; 14] = [
    "code",
    "name",
    "enabled",
    "minimum_deposit",
    "minimum_deposit_exchange",
    "minimum_exchange",
    "minimum_withdrawal",
    "deposit_fee_percent",
    "exchange_fee_percent",
    "withdrawal_fee_percent",
    "withdrawal_fee_fixed",
    "confirmations",
    "confirmations_large",
    "large_from_euros",
];

impl Gateway {
    /// A page of the currencies whose code or name holds `q`, those that are switched off too: coins
    /// first, then by code. Pages count from 1.
    pub async fn terms_view(&self, q: &str, page: usize) -> Result<TermsListView> {
        let q = q.trim();
        let terms = self.list_terms().await?;
        let chosen: Vec<&Terms> = terms.iter().filter(|terms| matches(terms, q)).collect();
        let (from, paging) = paged(&[("q", q)], page, chosen.len(), PAGE);
        Ok(TermsListView {
            q: q.to_owned(),
            rows: chosen.into_iter().skip(from).take(PAGE).map(item).collect(),
            paging,
        })
    }

    /// All of them as rows of a CSV file.
    pub async fn export_terms(&self, q: &str) -> Result<ExportPage<i64>> {
        let terms = self.list_terms().await?;
        let chosen = terms.iter().filter(|terms| matches(terms, q.trim()));
        Ok(ExportPage {
            rows: chosen.map(cells).collect(),
            next: None,
        })
    }
}

fn matches(terms: &Terms, q: &str) -> bool {
    let q = q.to_lowercase();
    let code = terms.currency.code.as_str().to_lowercase();
    code.contains(&q) || terms.name.to_lowercase().contains(&q)
}

fn is_coin(terms: &Terms) -> bool {
    terms.currency.kind == CurrencyKind::Crypto
}

fn item(terms: &Terms) -> TermsItem {
    let share = |points: u32| format!("{} %", percent(points));
    let withdrawal = share(terms.withdrawal_fee_basis_points);
    let fixed = terms.withdrawal_fee_fixed;
    TermsItem {
        code: terms.currency.code.to_string(),
        name: terms.name.clone(),
        enabled: terms.enabled,
        deposit_fee: share(terms.deposit_fee_basis_points),
        exchange_fee: share(terms.exchange_fee_basis_points),
        withdrawal_fee: if fixed.is_positive() {
            format!("{withdrawal} + {}", fixed.shown())
        } else {
            withdrawal
        },
        minimum_deposit: terms.minimum_deposit.shown(),
        minimum_exchange: terms.minimum_exchange.shown(),
        minimum_withdrawal: terms.minimum_withdrawal.shown(),
        confirmations: is_coin(terms)
            .then(|| format!("{} / {}", terms.confirmations, terms.confirmations_large)),
    }
}

fn cells(terms: &Terms) -> Vec<String> {
    let of_coin = |value: String| if is_coin(terms) { value } else { String::new() };
    vec![
        terms.currency.code.to_string(),
        terms.name.clone(),
        if terms.enabled { "yes" } else { "no" }.to_owned(),
        of_coin(terms.minimum_deposit.shown()),
        of_coin(terms.minimum_deposit_exchange.shown()),
        terms.minimum_exchange.shown(),
        terms.minimum_withdrawal.shown(),
        percent(terms.deposit_fee_basis_points),
        percent(terms.exchange_fee_basis_points),
        percent(terms.withdrawal_fee_basis_points),
        terms.withdrawal_fee_fixed.shown(),
        of_coin(terms.confirmations.to_string()),
        of_coin(terms.confirmations_large.to_string()),
        of_coin(terms.large_from_euros.to_string()),
    ]
}
