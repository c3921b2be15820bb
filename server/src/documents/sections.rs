//! The parts of a receipt around its table: masthead, parties, totals, payment, verification.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use domain::view::AmountText;
use domain::view::receipt::{ReceiptPayment, ReceiptRefund, ReceiptState};
use time::{OffsetDateTime, UtcOffset};

use super::canvas::Style;
use super::fonts::Weight;
use super::palette::{self, Tint};
use super::qr::{Matrix, QUIET_MODULES};
use super::sheet::{BODY, Column, LABEL, LEFT, RIGHT, Sheet, WIDTH};

const MERCHANT: Style = Style {
    weight: Weight::Bold,
    size: 17.0,
    tint: palette::INK,
};
const TOTAL: Style = Style {
    weight: Weight::Bold,
    size: 13.0,
    tint: palette::INK,
};
/// Transactions and refunds listed one by one; the order page has the rest.
const LIST_MAX: usize = 40;
const PARTY_WIDTH: f32 = 235.0;
const TOTALS_LEFT: f32 = 280.0;
const TOTALS_AMOUNT_WIDTH: f32 = 140.0;
/// Side of the QR code with its quiet zone.
pub const QR_SIDE: f32 = 104.0;
const PAYMENT: Column = Column {
    x: LEFT,
    label: 90.0,
    width: WIDTH,
};

/// Who sends the document and what it is.
pub fn masthead(sheet: &mut Sheet<'_>) {
    sender(sheet);
    band(sheet);
    test_line(sheet);
}

/// Who sends the document.
pub fn sender(sheet: &mut Sheet<'_>) {
    let merchant = &sheet.view.merchant;
    sheet.paragraph(MERCHANT, LEFT, WIDTH, 2, &merchant.brand.name);
    if let Some(address) = &merchant.address {
        sheet.paragraph(LABEL, LEFT, WIDTH, 3, address);
    }
    if let Some(tax_id) = &merchant.tax_id {
        sheet.paragraph(LABEL, LEFT, WIDTH, 1, &format!("Tax ID {tax_id}"));
    }
    if let Some(email) = &merchant.brand.support_email {
        sheet.paragraph(LABEL, LEFT, WIDTH, 1, email);
    }
    sheet.y += 12.0;
}

/// Says that no real money is involved, where none is.
pub fn test_line(sheet: &mut Sheet<'_>) {
    if sheet.view.test_mode {
        let style = Style {
            tint: palette::WARN,
            weight: Weight::Bold,
            ..BODY
        };
        sheet.y += 6.0;
        sheet.paragraph(style, LEFT, WIDTH, 1, "TEST: no real money is involved.");
    }
}

fn band(sheet: &mut Sheet<'_>) {
    let state = sheet.view.state;
    let tints = match state {
        ReceiptState::Paid => (palette::PAID, palette::PAID_SOFT),
        ReceiptState::Refunded => (palette::LATE, palette::LATE_SOFT),
        ReceiptState::NotPaid => (palette::DANGER, palette::DANGER_SOFT),
    };
    let says = match (state, sheet.view.paid_at) {
        (ReceiptState::Paid, Some(at)) => format!("Paid on {}", utc(at)),
        (ReceiptState::Paid, None) => "Paid".to_owned(),
        (ReceiptState::Refunded, _) => sheet.view.refunded_text().to_owned(),
        (ReceiptState::NotPaid, _) => "This is not a receipt and no proof of payment.".to_owned(),
    };
    banner(sheet, tints, state.title(), &says);
}

/// A band in a colour on its soft ground, with a title and one sentence.
pub fn banner(sheet: &mut Sheet<'_>, (tint, ground): (Tint, Tint), title: &str, says: &str) {
    let top = sheet.y;
    sheet.canvas.fill(ground, LEFT, top, WIDTH, 46.0);
    sheet.canvas.fill(tint, LEFT, top, 4.0, 46.0);
    sheet.y = top + 7.0;
    let style = Style {
        weight: Weight::Bold,
        size: 14.0,
        tint,
    };
    sheet.paragraph(style, LEFT + 14.0, WIDTH - 20.0, 1, title);
    sheet.paragraph(Style { tint, ..BODY }, LEFT + 14.0, WIDTH - 20.0, 1, says);
    sheet.y = top + 46.0;
}

/// The customer on the left, the order on the right.
pub fn parties(sheet: &mut Sheet<'_>) {
    let view = sheet.view;
    sheet.y += 16.0;
    let top = sheet.y;

    let column = Column {
        x: RIGHT - PARTY_WIDTH,
        label: 54.0,
        width: PARTY_WIDTH,
    };
    sheet.heading_at(column.x, column.width, "Order");
    sheet.fact(column, 2, "Number", &view.public_id);
    sheet.fact(column, 1, "Created", &utc(view.created_at));
    if let Some(at) = view.paid_at {
        sheet.fact(column, 1, "Paid", &utc(at));
    }
    sheet.fact(column, 1, "Status", view.state.label());
    let order_end = sheet.y;

    sheet.y = top;
    let customer = &view.customer;
    let known = [
        (&customer.name, 2),
        (&customer.email, 2),
        (&customer.phone, 1),
        (&customer.address, 4),
    ];
    if known.iter().any(|(value, _)| value.is_some()) {
        sheet.heading_at(LEFT, PARTY_WIDTH, "Customer");
        for (value, lines_max) in known {
            sheet.paragraph(
                BODY,
                LEFT,
                PARTY_WIDTH,
                lines_max,
                value.as_deref().unwrap_or(""),
            );
        }
    }
    sheet.y = sheet.y.max(order_end);
}

/// What was asked for against what was paid.
pub fn totals(sheet: &mut Sheet<'_>) {
    let view = sheet.view;
    sheet.y += 10.0;
    sheet.reserve(80.0);
    for _ in 0..2 {
        sheet.rule(TOTALS_LEFT, RIGHT - TOTALS_LEFT, 0.8, palette::INK);
        sheet.y += 1.6;
    }
    sheet.y += 4.0;
    total(sheet, TOTAL, "Order total", &view.total);
    if let Some(fees) = &view.fees {
        total(sheet, BODY, "Fees shown at checkout", fees);
    }
    let tint = match view.state {
        ReceiptState::Paid => palette::PAID,
        ReceiptState::Refunded => palette::LATE,
        ReceiptState::NotPaid => palette::DANGER,
    };
    let style = Style {
        weight: Weight::Bold,
        size: 10.0,
        tint,
    };
    let never_paid = view.state == ReceiptState::Refunded && view.paid_at.is_none();
    let label = if never_paid {
        "Amount received"
    } else {
        "Amount paid"
    };
    total(sheet, style, label, &view.amount_paid);
    if view.state == ReceiptState::NotPaid {
        sheet.amount(style, RIGHT, TOTALS_AMOUNT_WIDTH, "NOT PAID");
        sheet.y += Sheet::height(style, 1);
    }
}

fn total(sheet: &mut Sheet<'_>, style: Style, label: &str, amount: &AmountText) {
    sheet
        .canvas
        .text(style, TOTALS_LEFT, sheet.y + style.size, label);
    sheet.amount(style, RIGHT, TOTALS_AMOUNT_WIDTH, &amount.to_string());
    sheet.y += Sheet::height(style, 1) + 2.0;
}

/// How it is or was paid, addresses and transaction ids in full.
pub fn payment(sheet: &mut Sheet<'_>, payment: &ReceiptPayment) {
    let unpaid = sheet.view.state == ReceiptState::NotPaid;
    sheet.heading(
        60.0,
        if unpaid {
            "Payment requested"
        } else {
            "Payment"
        },
    );
    sheet.fact(PAYMENT, 1, "Method", &payment.method);
    sheet.fact(PAYMENT, 2, "Amount", &payment.amount.to_string());
    sheet.fact(
        PAYMENT,
        2,
        "Rate",
        payment.rate_text.as_deref().unwrap_or(""),
    );
    sheet.fact(
        PAYMENT,
        4,
        "Address",
        payment.address.as_deref().unwrap_or(""),
    );
    sheet.fact(
        PAYMENT,
        2,
        "Reference",
        payment.tag.as_deref().unwrap_or(""),
    );
    for txid in payment.txids.iter().take(LIST_MAX) {
        sheet.fact(PAYMENT, 4, "Transaction", txid);
    }
    more(sheet, payment.txids.len());
}

/// What went back.
pub fn refunds(sheet: &mut Sheet<'_>, refunds: &[ReceiptRefund]) {
    if refunds.is_empty() {
        return;
    }
    sheet.heading(40.0, "Refunds");
    for refund in refunds.iter().take(LIST_MAX) {
        let when = format!("{} on {}", refund.amount, utc(refund.at));
        sheet.fact(PAYMENT, 2, "Refunded", &when);
        sheet.fact(PAYMENT, 4, "To", refund.address.as_deref().unwrap_or(""));
        sheet.fact(
            PAYMENT,
            4,
            "Transaction",
            refund.txid.as_deref().unwrap_or(""),
        );
        sheet.y += 3.0;
    }
    more(sheet, refunds.len());
}

/// Says that a list of `count` entries was cut short.
fn more(sheet: &mut Sheet<'_>, count: usize) {
    let hidden = count.saturating_sub(LIST_MAX);
    if hidden > 0 {
        sheet.fact(
            PAYMENT,
            1,
            "",
            &format!("… and {hidden} more, see the order page"),
        );
    }
}

/// Where the document can be checked: the order page as a QR code and in letters.
pub fn verification(sheet: &mut Sheet<'_>, code: &Matrix) {
    sheet.heading(QR_SIDE, "Check this document");
    let top = sheet.y;
    let width = WIDTH - QR_SIDE - 20.0;
    let says = match sheet.view.state {
        ReceiptState::NotPaid => "Pay, or see the current state of this order, on its page:",
        ReceiptState::Paid | ReceiptState::Refunded => {
            "The page of this order shows its current state:"
        }
    };
    sheet.paragraph(LABEL, LEFT, width, 2, says);
    sheet.y += 2.0;
    sheet.paragraph(BODY, LEFT, width, 5, &sheet.view.order_url);
    draw_code(sheet, code, palette::INK, RIGHT - QR_SIDE, top);
    sheet.y = sheet.y.max(top + QR_SIDE);
}

/// Draws a QR code with its quiet zone, its upper left corner at (`x`, `top`).
pub fn draw_code(sheet: &mut Sheet<'_>, code: &Matrix, tint: Tint, x: f32, top: f32) {
    let module = QR_SIDE / f32::from(code.side.saturating_add(2 * QUIET_MODULES));
    let quiet = module * f32::from(QUIET_MODULES);
    // A watermark must not run through the quiet zone.
    sheet.canvas.fill(palette::WHITE, x, top, QR_SIDE, QR_SIDE);
    sheet
        .canvas
        .modules(tint, x + quiet, top + quiet, module, &code.runs);
}

/// An instant with its zone, to the second.
pub fn utc(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (date, time) = (at.date(), at.time());
    format!(
        "{date} {:02}:{:02}:{:02} UTC",
        time.hour(),
        time.minute(),
        time.second(),
    )
}
