//! The table of what was ordered.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use domain::view::checkout::ItemLine;

use super::canvas::Style;
use super::fonts::Weight;
use super::palette;
use super::sheet::{BODY, LEFT, RIGHT, Sheet, WIDTH};

const NAME_WIDTH: f32 = 218.0;
const PRICE_RIGHT: f32 = 383.0;
const QUANTITY_RIGHT: f32 = 433.0;
/// Room of an amount, left of its right edge; clear of the column before it.
const AMOUNT_WIDTH: f32 = 108.0;
const QUANTITY_WIDTH: f32 = 44.0;
const NAME_LINES_MAX: usize = 2;
/// Rows drawn; a request body cannot carry more items than this.
const ROWS_MAX: usize = 3_000;
const ROW_PADDING: f32 = 2.0;

const HEAD: Style = Style {
    weight: Weight::Bold,
    size: 8.0,
    tint: palette::INK_SOFT,
};

/// Draws every item, then the other charges; nothing when the order lists no items.
pub fn table(sheet: &mut Sheet<'_>) {
    let view = sheet.view;
    if view.items.is_empty() {
        return;
    }
    sheet.y += 16.0;
    sheet.reserve(60.0);
    head(sheet);
    for item in view.items.iter().take(ROWS_MAX) {
        row(sheet, item);
    }
    let hidden = view.items.len().saturating_sub(ROWS_MAX);
    if hidden > 0 {
        note(sheet, &format!("… and {hidden} more items"), "");
    }
    if let Some(charges) = &view.other_charges {
        note(sheet, "Other charges", charges);
    }
}

fn head(sheet: &mut Sheet<'_>) {
    let code = &sheet.view.total.code;
    sheet.canvas.text(HEAD, LEFT, sheet.y + HEAD.size, "Item");
    sheet.amount(
        HEAD,
        PRICE_RIGHT,
        AMOUNT_WIDTH,
        &format!("Unit price, {code}"),
    );
    sheet.amount(HEAD, QUANTITY_RIGHT, QUANTITY_WIDTH, "Quantity");
    sheet.amount(HEAD, RIGHT, AMOUNT_WIDTH, &format!("Total, {code}"));
    sheet.y += Sheet::height(HEAD, 1) + ROW_PADDING;
    sheet.rule(LEFT, WIDTH, 0.8, palette::INK);
    sheet.y += ROW_PADDING;
}

fn row(sheet: &mut Sheet<'_>, item: &ItemLine) {
    let lines = sheet
        .lines(BODY, NAME_WIDTH, NAME_LINES_MAX, &item.name)
        .len();
    break_page(sheet, lines.max(1));
    sheet.amount(BODY, PRICE_RIGHT, AMOUNT_WIDTH, &item.price);
    sheet.amount(
        BODY,
        QUANTITY_RIGHT,
        QUANTITY_WIDTH,
        &item.quantity.to_string(),
    );
    sheet.amount(BODY, RIGHT, AMOUNT_WIDTH, &item.total);
    // A name of invisible characters only must not leave the row without a name.
    let name = if lines == 0 {
        "Item without a name"
    } else {
        item.name.as_str()
    };
    sheet.paragraph(BODY, LEFT, NAME_WIDTH, NAME_LINES_MAX, name);
    end_row(sheet);
}

/// A row with only a name and a total.
fn note(sheet: &mut Sheet<'_>, name: &str, total: &str) {
    break_page(sheet, 1);
    sheet.amount(BODY, RIGHT, AMOUNT_WIDTH, total);
    sheet.paragraph(BODY, LEFT, NAME_WIDTH, 1, name);
    end_row(sheet);
}

/// Repeats the head of the table on a page that was opened for a row of `lines` lines.
fn break_page(sheet: &mut Sheet<'_>, lines: usize) {
    if sheet.reserve(Sheet::height(BODY, lines) + 2.0 * ROW_PADDING) {
        head(sheet);
    }
}

fn end_row(sheet: &mut Sheet<'_>) {
    sheet.y += ROW_PADDING;
    sheet.rule(LEFT, WIDTH, 0.4, palette::LINE);
    sheet.y += ROW_PADDING;
}
