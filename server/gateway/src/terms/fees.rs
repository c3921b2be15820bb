//! What each currency costs, as anybody may read it, with worked examples (`60-pages.md`, `/fees`).
//!
//! The examples are made by the rules that charge the fees, so a page never promises another figure
//! than the books hold.

use domain::charge::fee;
use domain::money::Money;
use domain::rate::percent;
use domain::view::AmountText;
use domain::view::coins::{FeeExample, FeeItem, FeesView};
use domain::view::dashboard::Paging;
use domain::withdrawal::{FeeTerms, plain};
use url::form_urlencoded::Serializer;

use super::Terms;
use crate::{Gateway, Result};

/// Currencies of a page.
const PAGE: usize = 50;

/// Column names of the fees as CSV.
pub const FEE_COLUMNS: [&str; 9] = [
    "code",
    "name",
    "deposit_fee_percent",
    "exchange_fee_percent",
    "withdrawal_fee_percent",
    "withdrawal_fee_fixed",
    "minimum_deposit",
    "minimum_exchange",
    "minimum_withdrawal",
];

impl Gateway {
    /// A page of the currencies whose code or name holds `q`: coins first, then by code. Pages count
    /// from 1.
    pub async fn fees_view(&self, q: &str, page: usize) -> Result<FeesView> {
        let terms = self.open_terms().await?;
        let examples = examples(&terms);
        let chosen: Vec<&Terms> = terms.iter().filter(|terms| matches(terms, q)).collect();
        let pages = chosen.len().div_ceil(PAGE).max(1);
        let page = page.clamp(1, pages);
        let rows = chosen
            .into_iter()
            .skip((page - 1) * PAGE)
            .take(PAGE)
            .map(item)
            .collect();
        Ok(FeesView {
            q: q.to_owned(),
            rows,
            paging: Paging {
                previous: (page > 1).then(|| link(q, page - 1)),
                next: (page < pages).then(|| link(q, page + 1)),
                export: if q.is_empty() {
                    String::new()
                } else {
                    link(q, 1)
                },
            },
            examples,
            test_mode: self.settings().test_mode,
        })
    }

    /// All currencies whose code or name holds `q`, as rows of a CSV file.
    pub async fn fee_cells(&self, q: &str) -> Result<Vec<Vec<String>>> {
        let terms = self.open_terms().await?;
        let chosen = terms.iter().filter(|terms| matches(terms, q));
        Ok(chosen.map(cells).collect())
    }

    async fn open_terms(&self) -> Result<Vec<Terms>> {
        let mut terms = self.list_terms().await?;
        terms.retain(|terms| terms.enabled);
        Ok(terms)
    }
}

fn matches(terms: &Terms, q: &str) -> bool {
    let q = q.to_lowercase();
    let code = terms.currency.code.as_str().to_lowercase();
    code.contains(&q) || terms.name.to_lowercase().contains(&q)
}

fn link(q: &str, page: usize) -> String {
    let mut query = Serializer::new(String::new());
    if !q.is_empty() {
        query.append_pair("q", q);
    }
    // Never an empty query, which as a link would mean the page one is on.
    if page > 1 || q.is_empty() {
        query.append_pair("page", &page.to_string());
    }
    format!("?{}", query.finish())
}

fn share(basis_points: u32) -> String {
    format!("{} %", percent(basis_points))
}

fn item(terms: &Terms) -> FeeItem {
    let withdrawal = share(terms.withdrawal_fee_basis_points);
    let fixed = terms.withdrawal_fee_fixed;
    FeeItem {
        code: terms.currency.code.to_string(),
        name: terms.name.clone(),
        deposit: share(terms.deposit_fee_basis_points),
        exchange: share(terms.exchange_fee_basis_points),
        withdrawal: if fixed.is_positive() {
            format!("{withdrawal} + {fixed}")
        } else {
            withdrawal
        },
        minimum_deposit: terms.minimum_deposit.shown(),
        minimum_exchange: terms.minimum_exchange.shown(),
        minimum_withdrawal: terms.minimum_withdrawal.shown(),
    }
}

fn cells(terms: &Terms) -> Vec<String> {
    vec![
        terms.currency.code.to_string(),
        terms.name.clone(),
        percent(terms.deposit_fee_basis_points),
        percent(terms.exchange_fee_basis_points),
        percent(terms.withdrawal_fee_basis_points),
        terms.withdrawal_fee_fixed.shown(),
        terms.minimum_deposit.shown(),
        terms.minimum_exchange.shown(),
        terms.minimum_withdrawal.shown(),
    ]
}

/// One calculation for each kind of fee; none for a currency this instance does not have.
fn examples(terms: &[Terms]) -> Vec<FeeExample> {
    let of = |code: &str| {
        terms
            .iter()
            .find(|terms| terms.currency.code.as_str() == code)
    };
    let euro = of("EUR");
    let coin = of("BTC").or_else(|| of("tBTC"));
    [
        euro.and_then(|terms| {
            kept(
                "Deposit",
                "Deposit fee",
                terms,
                terms.deposit_fee_basis_points,
            )
        }),
        euro.and_then(|terms| {
            kept(
                "Exchange into euro",
                "Exchange fee",
                terms,
                terms.exchange_fee_basis_points,
            )
        }),
        coin.and_then(withdrawal),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A fee that is taken off 100 units.
fn kept(what: &str, fee_name: &str, terms: &Terms, basis_points: u32) -> Option<FeeExample> {
    let gross = Money::parse("100", terms.currency).ok()?;
    let fee = fee(gross, basis_points)?;
    let net = gross.checked_sub(fee)?;
    Some(FeeExample {
        title: format!("{what}: on {gross} you keep {net}"),
        lines: vec![
            ("Comes in".to_owned(), text(gross)),
            (
                format!("{fee_name}, {}", share(basis_points)),
                text(Money::from_units(-fee.units(), fee.currency())),
            ),
            ("You keep".to_owned(), text(net)),
        ],
    })
}

/// A fee that comes on top of what is sent.
fn withdrawal(terms: &Terms) -> Option<FeeExample> {
    let amount = Money::parse("0.1", terms.currency).ok()?;
    let fee_terms = FeeTerms {
        basis_points: terms.withdrawal_fee_basis_points,
        fixed: terms.withdrawal_fee_fixed.units(),
    };
    let amounts = plain(amount, fee_terms)?;
    Some(FeeExample {
        title: format!("Withdrawal: sending {amount} costs {}", amounts.held),
        lines: vec![
            ("Receiver gets".to_owned(), text(amounts.sent)),
            ("Withdrawal fee".to_owned(), text(amounts.withdrawal_fee)),
            ("Leaves your wallet".to_owned(), text(amounts.held)),
        ],
    })
}

fn text(amount: Money) -> AmountText {
    AmountText {
        amount: amount.shown(),
        code: amount.currency().code.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::{Currency, CurrencyKind};

    use super::*;

    fn terms(code: &str, precision: u8, fixed: i128) -> Terms {
        let currency = Currency {
            id: 1,
            code: code.parse().unwrap(),
            kind: CurrencyKind::Fiat,
            precision,
            scale: 8,
        };
        let one = Money::from_units(1_000_000, currency);
        Terms {
            currency,
            name: "Euro".to_owned(),
            network: None,
            enabled: true,
            minimum_deposit: one,
            minimum_deposit_exchange: one,
            minimum_exchange: one,
            minimum_withdrawal: one,
            deposit_fee_basis_points: 100,
            exchange_fee_basis_points: 150,
            withdrawal_fee_basis_points: 50,
            withdrawal_fee_fixed: Money::from_units(fixed, currency),
            confirmations: 1,
            confirmations_large: 2,
            large_from_euros: 10_000,
            version: 0,
        }
    }

    #[test]
    fn the_example_is_what_the_rule_takes() {
        let shown = examples(&[terms("EUR", 2, 0), terms("BTC", 8, 1_000)]);
        let titles: Vec<&str> = shown.iter().map(|example| example.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "Deposit: on 100.00 EUR you keep 99.00 EUR",
                "Exchange into euro: on 100.00 EUR you keep 98.50 EUR",
                "Withdrawal: sending 0.10000000 BTC costs 0.10051000 BTC",
            ]
        );
        assert!(examples(&[]).is_empty());
    }

    #[test]
    fn a_fixed_part_is_named_only_where_there_is_one() {
        assert_eq!(item(&terms("EUR", 2, 0)).withdrawal, "0.5 %");
        let with_fixed = item(&terms("EUR", 2, 10_000_000)).withdrawal;
        assert_eq!(with_fixed, "0.5 % + 0.10 EUR");
    }

    #[test]
    fn a_currency_is_found_by_code_or_name() {
        let euro = terms("EUR", 2, 0);
        for q in ["", "eur", "EU", "ro"] {
            assert!(matches(&euro, q), "{q}");
        }
        assert!(!matches(&euro, "usd"));
    }
}
