//! Whole pages, rendered on the server only. Each takes its view by value and gives a document.

mod addresses;
mod callbacks;
mod charge;
mod charges;
mod checkout;
mod claim;
mod claim_over;
mod coins;
mod deliveries;
mod error;
mod exchange;
mod faucet;
mod fees;
mod frame;
mod futures;
mod home;
mod inbox;
mod invoices;
mod keys;
mod landing;
mod mailbox;
mod operate;
mod operations;
mod public;
mod query;
mod rates;
mod settings;
mod shop_header;
mod sign_in;
mod statement;
mod terminal;
mod terminal_settings;
mod wallets;
mod withdraw;

pub use addresses::{AddressPage, AddressesPage};
pub use callbacks::CallbacksPage;
pub use charge::ChargePage;
pub use charges::ChargesPage;
pub use checkout::CheckoutPage;
pub use claim::ClaimPage;
pub use claim_over::{ClaimOverPage, ClaimUnknownPage};
pub use coins::CoinsPage;
pub use deliveries::{DeliveriesPage, DeliveryPage};
pub use error::{ErrorPage, ErrorView};
pub use exchange::{ExchangePage, ExchangeQuotePage};
pub use faucet::FaucetPage;
pub use fees::FeesPage;
pub use frame::{DashboardPage, Section};
pub use futures::{FuturesDetailPage, FuturesPage, FuturesRatesPage, FuturesReviewPage};
pub use home::HomePage;
pub use inbox::InboxPage;
pub use invoices::{InvoiceBuilderPage, InvoicePage, InvoicesPage};
pub use keys::{KeyCreatedPage, KeysPage};
pub use landing::LandingPage;
pub use mailbox::MailboxPage;
pub use operate::{
    AuditPage, ChainAuditPage, ChainsPage, FloorPage, HousePage, MerchantTermsPage, MerchantsPage,
    OperatorRatesPage, PayoutPage, PayoutsPage, ReviewPage, SuspendedDepositPage, SuspensePage,
    SystemPage, TermsEditPage, TermsListPage, TreasuryPage, TreasuryPaymentPage,
};
pub use operations::{OperationPage, OperationsPage};
pub use public::PublicPage;
pub use rates::RatesPage;
pub use settings::SettingsPage;
pub use sign_in::SignInPage;
pub use statement::StatementPage;
pub use terminal::TerminalPage;
pub use terminal_settings::TerminalSettingsPage;
pub use wallets::WalletsPage;
pub use withdraw::{WithdrawPage, WithdrawReviewPage};
