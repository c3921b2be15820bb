//! The receipt of one order as a PDF (`10-orders-api.md`, receipt).

use domain::view::receipt::ReceiptView;

use super::DocumentError;
use super::assemble::{About, assemble};
use super::canvas::Drawing;
use super::fonts::{self, Faces, Weight};
use super::sheet::Sheet;
use super::{items, logo, qr, sections, text};

/// Renders the receipt, or the payment request while nothing is paid.
///
/// The same view gives the same bytes. Strings from merchants and customers are inert: they are
/// drawn as glyphs, never interpreted, and the file carries no links, actions or scripts.
///
/// # Errors
/// [`DocumentError::Qr`] when the order page's URL is too long for a QR code; the others only
/// when the build or the PDF library is broken.
pub fn render_receipt(view: &ReceiptView) -> Result<Vec<u8>, DocumentError> {
    let faces = fonts::faces()?;
    let drawing = draw(view, faces)?;
    assemble(drawing, faces, &about(view, faces))
}

/// Lays the receipt out on pages.
pub fn draw(view: &ReceiptView, faces: &'static Faces) -> Result<Drawing, DocumentError> {
    let code = qr::encode(&view.order_url)?;
    let mut sheet = Sheet::new(view, faces);
    logo::logo(&mut sheet);
    sections::masthead(&mut sheet);
    sections::parties(&mut sheet);
    items::table(&mut sheet);
    sections::totals(&mut sheet);
    if let Some(payment) = &view.payment {
        sections::payment(&mut sheet, payment);
    }
    sections::refunds(&mut sheet, &view.refunds);
    sections::verification(&mut sheet, &code);
    Ok(sheet.finish())
}

fn about(view: &ReceiptView, faces: &Faces) -> About {
    let face = faces.get(Weight::Regular);
    About {
        title: text::clean(face, &format!("{} {}", view.state.title(), view.public_id)),
        author: text::clean(face, &view.merchant.brand.name),
        made_at: view.dated_at(),
    }
}
