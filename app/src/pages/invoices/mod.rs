//! Invoices: the list, one of them, and the form that makes them (ux §1.5).

mod builder;
mod detail;
mod lines;
mod list;
mod summary;
#[cfg(all(test, feature = "ssr"))]
mod tests;

pub use builder::InvoiceBuilderPage;
pub use detail::InvoicePage;
pub use list::InvoicesPage;

/// The list; an invoice is below it.
const PATH: &str = "/app/invoices";
/// The form.
const NEW: &str = "/app/invoices/new";
