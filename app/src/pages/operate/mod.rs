//! The operator's pages: house accounts, suspense, merchants, terms, rates, chains, the
//! audit log, the system (ux §1.14).

mod audit;
mod books_audit;
mod chain_audit;
mod chains;
mod choices;
mod currencies;
mod duration_chart;
mod house;
mod merchants;
mod own_coins;
mod own_out;
mod payouts;
mod progress;
mod rates;
mod review;
mod signing;
mod stuck;
mod suspended;
mod suspense;
mod system;
mod treasury;
mod treasury_payment;

pub use audit::AuditPage;
pub use chain_audit::ChainAuditPage;
pub use chains::ChainsPage;
pub use currencies::{TermsEditPage, TermsListPage};
pub use house::{FloorPage, HousePage};
pub use merchants::{MerchantTermsPage, MerchantsPage};
pub use payouts::{PayoutPage, PayoutsPage};
pub use rates::OperatorRatesPage;
pub use review::ReviewPage;
pub use suspended::SuspendedDepositPage;
pub use suspense::SuspensePage;
pub use system::SystemPage;
pub use treasury::TreasuryPage;
pub use treasury_payment::TreasuryPaymentPage;

use domain::view::checkout::Notice;
use domain::view::dashboard::Frame;
use leptos::prelude::*;

use crate::ui::SelectField;

/// The frame with what a form of the page has to say.
fn with_notice(frame: Frame, notice: Option<Notice>) -> Frame {
    Frame {
        notice: frame.notice.clone().or(notice),
        ..frame
    }
}

/// The sentence that belongs beside an input.
fn blamed(notice: Option<&Notice>, field: &str) -> Option<String> {
    notice
        .filter(|notice| notice.is_error && notice.field.as_deref() == Some(field))
        .map(|notice| notice.text.clone())
}

/// A menu of currencies that filters the page at `path`.
fn currency_filter(path: &'static str, currency: String, currencies: Vec<String>) -> AnyView {
    let options = choices::codes("Any currency", currencies);
    view! {
        <search>
            <form method="get" action=path novalidate class="filters">
                <SelectField
                    name="currency"
                    id="filter-currency"
                    label="Currency"
                    options=options
                    selected=currency
                />
                <button class="btn">"Filter"</button>
            </form>
        </search>
    }
    .into_any()
}
