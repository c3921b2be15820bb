//! The table of what an invoice asks for.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use domain::invoice::InvoiceLine;
use domain::view::invoices::InvoiceDocumentView;

use super::canvas::Style;
use super::fonts::Weight;
use super::palette;
use super::sheet::{BODY, LEFT, RIGHT, Sheet, WIDTH};

const NAME_WIDTH: f32 = 186.0;
const NAME_LINES_MAX: usize = 4;
/// Right edges of the columns, and the room of each, clear of the one before it.
const QUANTITY: (f32, f32) = (290.0, 50.0);
const PRICE: (f32, f32) = (386.0, 90.0);
const TAX: (f32, f32) = (442.0, 50.0);
const NET: (f32, f32) = (RIGHT, 98.0);
const ROW_PADDING: f32 = 2.0;

const HEAD: Style = Style {
    weight: Weight::Bold,
    size: 8.0,
    tint: palette::INK_SOFT,
};

/// Draws every line; nothing on an invoice without any.
pub fn table(sheet: &mut Sheet<'_>, view: &InvoiceDocumentView) {
    if view.details.lines.is_empty() {
        return;
    }
    let code = &view.receipt.total.code;
    sheet.y += 12.0;
    sheet.reserve(60.0);
    head(sheet, code);
    for line in &view.details.lines {
        row(sheet, code, line);
    }
}

fn head(sheet: &mut Sheet<'_>, code: &str) {
    sheet
        .canvas
        .text(HEAD, LEFT, sheet.y + HEAD.size, "Description");
    for ((right, width), text) in [
        (QUANTITY, "Quantity".to_owned()),
        (PRICE, format!("Unit price, {code}")),
        (TAX, "Tax".to_owned()),
        (NET, format!("Net, {code}")),
    ] {
        sheet.amount(HEAD, right, width, &text);
    }
    sheet.y += Sheet::height(HEAD, 1) + ROW_PADDING;
    sheet.rule(LEFT, WIDTH, 0.8, palette::INK);
    sheet.y += ROW_PADDING;
}

fn row(sheet: &mut Sheet<'_>, code: &str, line: &InvoiceLine) {
    let lines = sheet
        .lines(BODY, NAME_WIDTH, NAME_LINES_MAX, &line.description)
        .len();
    // The head is repeated on a page that is opened for this row.
    if sheet.reserve(Sheet::height(BODY, lines.max(1)) + 2.0 * ROW_PADDING) {
        head(sheet, code);
    }
    let percent = match line.tax_percent.as_str() {
        "" => String::new(),
        percent => format!("{percent} %"),
    };
    for ((right, width), text) in [
        (QUANTITY, line.quantity.to_string()),
        (PRICE, line.unit_price.clone()),
        (TAX, percent),
        (NET, line.net.clone()),
    ] {
        sheet.amount(BODY, right, width, &text);
    }
    // A description of invisible characters only must not leave the row without a name.
    let name = if lines == 0 {
        "Line without a description"
    } else {
        line.description.as_str()
    };
    sheet.paragraph(BODY, LEFT, NAME_WIDTH, NAME_LINES_MAX, name);
    sheet.y += ROW_PADDING;
    sheet.rule(LEFT, WIDTH, 0.4, palette::LINE);
    sheet.y += ROW_PADDING;
}
