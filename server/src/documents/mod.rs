//! Documents the server renders: the PDF of a receipt and of an invoice.
//!
//! Invariant: a document is a pure function of its view. Nothing here reads a clock, the
//! network or the database, so the same view gives the same bytes.

mod assemble;
mod canvas;
mod fonts;
mod invoice;
mod invoice_lines;
mod items;
mod logo;
mod palette;
mod qr;
mod receipt;
mod sections;
mod sheet;
#[cfg(test)]
mod tests;
mod text;

pub use invoice::render_invoice;
pub use receipt::render_receipt;

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// An embedded font is damaged or could not be subset.
    #[error("font: {0}")]
    Font(String),
    /// The page address holds more than a QR code takes.
    #[error("page address does not fit a qr code")]
    Qr(#[from] qrcode::types::QrError),
    /// The PDF could not be put together.
    #[error("write: {0}")]
    Write(String),
}
