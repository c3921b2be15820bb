//! Invoices as documents.

use domain::invoice::{InvoiceDetails, InvoiceLine};
use domain::view::invoices::InvoiceDocumentView;
use domain::view::receipt::ReceiptView;

use super::reading::{placed, poppler, shown};
use super::views::{ADDRESS, amount, not_paid, paid};
use super::{BYTES_MAX, LEFT, RIGHT, faces};
use crate::documents::canvas::Drawing;
use crate::documents::invoice::draw;
use crate::documents::render_invoice;

const URL: &str = "https://pay.example/invoice/RB9NZv";

fn line(description: &str) -> InvoiceLine {
    InvoiceLine {
        description: description.to_owned(),
        quantity: 3,
        unit_price: "80.00".to_owned(),
        tax_percent: "21".to_owned(),
        net: "240.00".to_owned(),
        tax: "50.40".to_owned(),
    }
}

fn invoice(receipt: ReceiptView, lines: Vec<InvoiceLine>) -> InvoiceDocumentView {
    InvoiceDocumentView {
        number: "2026-0001".to_owned(),
        title: "Konsultācijas".to_owned(),
        description: String::new(),
        details: InvoiceDetails {
            number: "2026-0001".to_owned(),
            lines,
            subtotal: "240.00".to_owned(),
            tax: "50.40".to_owned(),
            total: "290.40".to_owned(),
            due_date: Some("2026-12-11".to_owned()),
            note: "Thank you".to_owned(),
            ..InvoiceDetails::default()
        },
        receipt: ReceiptView {
            total: amount("290.40", "EUR"),
            order_url: URL.to_owned(),
            ..receipt
        },
    }
}

fn drawn(view: &InvoiceDocumentView) -> Drawing {
    draw(view, faces().unwrap()).unwrap()
}

#[test]
fn an_unpaid_invoice_says_what_is_due_and_where_to_pay_it() {
    let view = invoice(not_paid(), vec![line("Stundas")]);
    let text = shown(&drawn(&view));
    for part in [
        "Invoice 2026-0001",
        "290.40 EUR due on 2026-12-11",
        "Konsultācijas",
        "Stundas",
        "21 %",
        "240.00 EUR",
        "50.40 EUR",
        "Thank you",
        URL,
    ] {
        assert!(text.contains(part), "{part:?} is missing from\n{text}");
    }
    // A rate lasts minutes, a paper does not.
    assert!(
        !text.contains(ADDRESS) && !text.contains("NOT PAID"),
        "{text}"
    );
}

#[test]
fn a_paid_invoice_says_when_and_how() {
    let text = shown(&drawn(&invoice(paid(), vec![line("Hours")])));
    assert!(text.contains("Paid on 2026-03-04 05:16:17 UTC"), "{text}");
    assert!(text.contains(ADDRESS), "{text}");
}

#[test]
fn fifty_lines_flow_over_pages_with_their_head() {
    let lines = (1..=50)
        .map(|n| line(&format!("Position {n} ").repeat(9)))
        .collect();
    let drawing = drawn(&invoice(not_paid(), lines));
    assert!(drawing.pages.len() > 1);
    for (page, number) in drawing.pages.iter().zip(1..) {
        let texts = placed(page);
        for one in &texts {
            let inside = one.left > LEFT - 0.1 && one.right < RIGHT + 0.1;
            assert!(inside, "page {number}: {:?}", one.text);
        }
        if number > 1 {
            let head = "2026-0001 · Invoice";
            assert!(
                texts.iter().any(|placed| placed.text == head),
                "page {number}"
            );
        }
    }
}

#[test]
fn the_file_is_small_and_repeatable() {
    let view = invoice(paid(), vec![line("<script>"); 50]);
    let bytes = render_invoice(&view).unwrap();
    assert!(bytes.starts_with(b"%PDF-") && bytes.len() < BYTES_MAX);
    assert!(bytes == render_invoice(&view).unwrap());
    let text = poppler("pdftotext", &bytes, &["-"]);
    assert!(text.contains("<script>"), "{text}");
}
