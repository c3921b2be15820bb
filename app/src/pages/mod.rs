//! Whole pages, rendered on the server only. Each takes its view by value and gives a document.

mod charge;
mod charges;
mod checkout;
mod error;
mod faucet;
mod frame;
mod home;
mod inbox;
mod landing;
mod mailbox;
mod public;
mod query;
mod sign_in;
mod statement;
mod wallets;

pub use charge::ChargePage;
pub use charges::ChargesPage;
pub use checkout::CheckoutPage;
pub use error::{ErrorPage, ErrorView};
pub use faucet::FaucetPage;
pub use frame::{DashboardPage, Section};
pub use home::HomePage;
pub use inbox::InboxPage;
pub use landing::LandingPage;
pub use mailbox::MailboxPage;
pub use public::PublicPage;
pub use sign_in::SignInPage;
pub use statement::StatementPage;
pub use wallets::WalletsPage;
