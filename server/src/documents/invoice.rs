//! An invoice as a PDF: who to whom, the lines, what is due, and its page as a QR code.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use domain::view::invoices::InvoiceDocumentView;
use domain::view::receipt::ReceiptState;

use super::assemble::{About, assemble};
use super::canvas::{Drawing, Style};
use super::fonts::{self, Faces, Weight};
use super::qr::{self, Matrix};
use super::sheet::{BODY, Column, Heading, LABEL, LEFT, RIGHT, Sheet, WIDTH};
use super::{DocumentError, invoice_lines, palette, sections, text};

const PARTY_WIDTH: f32 = 235.0;
const TOTALS_LEFT: f32 = 280.0;
const TOTALS_AMOUNT_WIDTH: f32 = 140.0;
const TOTAL: Style = Style {
    weight: Weight::Bold,
    size: 13.0,
    tint: palette::INK,
};

/// Renders the invoice. The same view gives the same bytes; what people typed is drawn as glyphs and
/// never interpreted.
///
/// An unpaid invoice shows no coin address: its rate lasts minutes, a paper does not. The QR code
/// leads to the page, where the rate is current.
///
/// # Errors
/// [`DocumentError::Qr`] when the page's URL is too long for a QR code; the others only when the
/// build or the PDF library is broken.
pub fn render_invoice(view: &InvoiceDocumentView) -> Result<Vec<u8>, DocumentError> {
    let faces = fonts::faces()?;
    let drawing = draw(view, faces)?;
    let face = faces.get(Weight::Regular);
    let about = About {
        title: text::clean(face, &format!("Invoice {}", view.number)),
        author: text::clean(face, &view.receipt.merchant.brand.name),
        made_at: view.receipt.dated_at(),
    };
    assemble(drawing, faces, &about)
}

/// Lays the invoice out on pages.
pub fn draw(view: &InvoiceDocumentView, faces: &'static Faces) -> Result<Drawing, DocumentError> {
    let code = qr::encode(&view.receipt.order_url)?;
    let heading = Heading {
        title: "Invoice",
        number: &view.number,
        says_not_paid: false,
    };
    let mut sheet = Sheet::with_heading(&view.receipt, heading, faces);
    sections::sender(&mut sheet);
    band(&mut sheet, view);
    sections::test_line(&mut sheet);
    parties(&mut sheet, view);
    subject(&mut sheet, view);
    invoice_lines::table(&mut sheet, view);
    totals(&mut sheet, view);
    sheet.y += 8.0;
    note(&mut sheet, &view.details.note);
    if let (true, Some(payment)) = (is_settled(view), &view.receipt.payment) {
        sections::payment(&mut sheet, payment);
    }
    sections::refunds(&mut sheet, &view.receipt.refunds);
    page(&mut sheet, view, &code);
    Ok(sheet.finish())
}

fn is_settled(view: &InvoiceDocumentView) -> bool {
    match view.receipt.state {
        ReceiptState::Paid | ReceiptState::Refunded => true,
        ReceiptState::NotPaid => false,
    }
}

fn band(sheet: &mut Sheet<'_>, view: &InvoiceDocumentView) {
    let title = format!("Invoice {}", view.number);
    let tints = match view.receipt.state {
        ReceiptState::Paid => (palette::PAID, palette::PAID_SOFT),
        ReceiptState::Refunded => (palette::LATE, palette::LATE_SOFT),
        ReceiptState::NotPaid => (palette::WARN, palette::WARN_SOFT),
    };
    let says = match (view.receipt.state, view.receipt.paid_at) {
        (ReceiptState::Paid, Some(at)) => format!("Paid on {}", sections::utc(at)),
        (ReceiptState::Paid, None) => "Paid".to_owned(),
        (ReceiptState::Refunded, _) => view.receipt.refunded_text().to_owned(),
        (ReceiptState::NotPaid, _) => match &view.details.due_date {
            Some(day) => format!("{} due on {day}", view.receipt.total),
            None => format!("{} due", view.receipt.total),
        },
    };
    sections::banner(sheet, tints, &title, &says);
}

/// The customer on the left, dates and numbers on the right.
fn parties(sheet: &mut Sheet<'_>, view: &InvoiceDocumentView) {
    let receipt = &view.receipt;
    sheet.y += 16.0;
    let top = sheet.y;
    let column = Column {
        x: RIGHT - PARTY_WIDTH,
        label: 54.0,
        width: PARTY_WIDTH,
    };
    sheet.heading_at(column.x, column.width, "Invoice");
    sheet.fact(column, 2, "Number", &view.number);
    sheet.fact(column, 1, "Created", &sections::utc(receipt.created_at));
    let due = view.details.due_date.as_deref().unwrap_or("");
    sheet.fact(column, 1, "Due", due);
    sheet.fact(column, 1, "Order", &receipt.public_id);
    sheet.fact(column, 1, "Status", receipt.state.label());
    let facts_end = sheet.y;

    sheet.y = top;
    let customer = &receipt.customer;
    sheet.heading_at(LEFT, PARTY_WIDTH, "To");
    for (value, lines_max) in [
        (&customer.name, 2),
        (&customer.email, 2),
        (&customer.address, 4),
    ] {
        let value = value.as_deref().unwrap_or("");
        sheet.paragraph(BODY, LEFT, PARTY_WIDTH, lines_max, value);
    }
    sheet.y = sheet.y.max(facts_end);
}

fn subject(sheet: &mut Sheet<'_>, view: &InvoiceDocumentView) {
    let style = Style {
        weight: Weight::Bold,
        ..BODY
    };
    sheet.y += 14.0;
    sheet.paragraph(style, LEFT, WIDTH, 2, &view.title);
    sheet.paragraph(BODY, LEFT, WIDTH, 8, &view.description);
}

fn totals(sheet: &mut Sheet<'_>, view: &InvoiceDocumentView) {
    let (details, code) = (&view.details, &view.receipt.total.code);
    sheet.y += 10.0;
    sheet.reserve(100.0);
    for (label, amount) in [
        ("Subtotal", &details.subtotal),
        ("Tax", &details.tax),
        ("Shipping", &details.shipping),
    ] {
        if !amount.is_empty() {
            sum(sheet, BODY, label, &format!("{amount} {code}"));
        }
    }
    for _ in 0..2 {
        sheet.rule(TOTALS_LEFT, RIGHT - TOTALS_LEFT, 0.8, palette::INK);
        sheet.y += 1.6;
    }
    sheet.y += 4.0;
    sum(sheet, TOTAL, "Total", &view.receipt.total.to_string());
    let paid = &view.receipt.amount_paid;
    if is_settled(view) {
        sum(sheet, BODY, "Paid", &paid.to_string());
    }
}

fn sum(sheet: &mut Sheet<'_>, style: Style, label: &str, amount: &str) {
    sheet
        .canvas
        .text(style, TOTALS_LEFT, sheet.y + style.size, label);
    sheet.amount(style, RIGHT, TOTALS_AMOUNT_WIDTH, amount);
    sheet.y += Sheet::height(style, 1) + 2.0;
}

fn note(sheet: &mut Sheet<'_>, note: &str) {
    let lines = sheet.lines(BODY, WIDTH, 16, note).len();
    if lines > 0 {
        sheet.reserve(Sheet::height(BODY, lines));
        sheet.paragraph(BODY, LEFT, WIDTH, 16, note);
    }
}

/// The invoice's page as a QR code and in letters.
fn page(sheet: &mut Sheet<'_>, view: &InvoiceDocumentView, code: &Matrix) {
    let says = if is_settled(view) {
        "The page of this invoice shows its current state:"
    } else {
        "Pay this invoice, or see its current state, on its page:"
    };
    sheet.heading(sections::QR_SIDE, "Online");
    let top = sheet.y;
    let width = WIDTH - sections::QR_SIDE - 20.0;
    sheet.paragraph(LABEL, LEFT, width, 2, says);
    sheet.y += 2.0;
    sheet.paragraph(BODY, LEFT, width, 5, &view.receipt.order_url);
    sections::draw_code(sheet, code, palette::INK, RIGHT - sections::QR_SIDE, top);
    sheet.y = sheet.y.max(top + sections::QR_SIDE);
}
