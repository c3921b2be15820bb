#![allow(clippy::unwrap_used, clippy::float_arithmetic)]

mod invoice;
mod logo;
mod reading;
mod views;

use domain::view::receipt::{ReceiptRefund, ReceiptState, ReceiptView};
use lopdf::Object;
use time::macros::datetime;

use super::fonts::faces;
use super::sheet::{LEFT, RIGHT};
use super::{DocumentError, render_receipt, text};
use reading::{drawn, placed, poppler, shown};
use views::{ADDRESS, TXID, amount, hostile, item, many_items, not_paid, paid};

/// A receipt stays under 150 KB (`10-orders-api.md`).
const BYTES_MAX: usize = 150_000;

#[test]
fn a_receipt_is_a_small_pdf() {
    for view in [paid(), not_paid(), hostile()] {
        let bytes = render_receipt(&view).unwrap();
        assert!(bytes.starts_with(b"%PDF-"));
        assert!(
            bytes.len() < BYTES_MAX,
            "{:?}: {} bytes",
            view.state,
            bytes.len()
        );
    }
}

#[test]
fn the_same_view_gives_the_same_bytes() {
    assert!(render_receipt(&paid()).unwrap() == render_receipt(&paid()).unwrap());
    assert!(render_receipt(&paid()).unwrap() != render_receipt(&not_paid()).unwrap());
}

#[test]
fn a_paid_order_shows_what_the_contract_asks_for() {
    let text = shown(&drawn(&paid()));
    for part in [
        "Receipt",
        "EX-ABCDE23456",
        "2026-03-04 05:06:07 UTC",
        "Paid on 2026-03-04 05:16:17 UTC",
        "Žanete Bērziņa",
        "Книга «Щит и меч», 2-е изд.",
        "Price tag ₹ 1 200 or € 12",
        "Other charges",
        "149.98 EUR",
        "1.50 EUR",
        "0.00288412 BTC",
        "1 BTC = 52002.33 EUR",
        ADDRESS,
        TXID,
        "Page 1/1",
    ] {
        assert!(text.contains(part), "{part:?} is missing from\n{text}");
    }
    assert!(
        !text.contains("NOT PAID") && !text.contains("TEST"),
        "{text}"
    );
}

#[test]
fn a_pending_order_says_on_every_page_that_it_is_not_paid() {
    let view = ReceiptView {
        items: many_items(100).items,
        ..not_paid()
    };
    let drawing = drawn(&view);
    assert!(drawing.pages.len() > 1);
    for page in &drawing.pages {
        let texts = placed(page);
        assert!(texts.iter().any(|placed| placed.text.contains("NOT PAID")));
    }
    let text = shown(&drawing);
    assert!(text.contains("Payment request — NOT PAID"), "{text}");
    assert!(
        text.contains("This is not a receipt and no proof of payment."),
        "{text}"
    );
}

#[test]
fn refunds_are_listed_and_test_mode_is_marked() {
    let refund = ReceiptRefund {
        at: datetime!(2026-03-05 06:07:08 UTC),
        amount: amount("0.00288412", "BTC"),
        address: Some(ADDRESS.to_owned()),
        txid: Some(TXID.to_owned()),
    };
    let view = ReceiptView {
        state: ReceiptState::Refunded,
        refunds: vec![refund],
        test_mode: true,
        ..paid()
    };
    let text = shown(&drawn(&view));
    assert!(
        text.contains("0.00288412 BTC on 2026-03-05 06:07:08 UTC"),
        "{text}"
    );
    assert!(
        text.contains("Paid, then refunded") && text.contains("TEST"),
        "{text}"
    );
    assert_eq!(text.matches(TXID).count(), 2);
}

#[test]
fn what_was_refunded_without_having_been_paid_is_not_called_paid() {
    let view = ReceiptView {
        state: ReceiptState::Refunded,
        paid_at: None,
        amount_paid: amount("25.00", "EUR"),
        ..paid()
    };
    let text = shown(&drawn(&view));
    assert!(
        text.contains("Refunded") && text.contains("Amount received"),
        "{text}"
    );
    for part in ["Paid, then refunded", "Amount paid", "NOT PAID"] {
        assert!(!text.contains(part), "{part:?} is in\n{text}");
    }
}

#[test]
fn a_thousand_items_flow_over_numbered_pages() {
    let view = many_items(1_000);
    let drawing = drawn(&view);
    let count = drawing.pages.len();
    assert!((10..=40).contains(&count), "{count} pages");
    for (page, number) in drawing.pages.iter().zip(1..) {
        let texts = placed(page);
        assert!(texts.len() < 250, "{} texts on page {number}", texts.len());
        let foot = format!("Page {number}/{count}");
        assert!(
            texts.iter().any(|placed| placed.text == foot),
            "no {foot:?}"
        );
    }
    let text = shown(&drawing);
    assert!((1..=1_000).all(|n| text.contains(&format!("Position {n}\n"))));
    let bytes = render_receipt(&view).unwrap();
    assert!(bytes.len() < BYTES_MAX, "{} bytes", bytes.len());
}

#[test]
fn no_text_leaves_the_margins_or_covers_another() {
    for view in [paid(), not_paid(), hostile(), many_items(200)] {
        for (page, number) in drawn(&view).pages.iter().zip(1..) {
            let texts = placed(page);
            for (index, one) in texts.iter().enumerate() {
                let inside = one.left > LEFT - 0.1 && one.right < RIGHT + 0.1 && one.bottom > 20.0;
                assert!(
                    inside,
                    "page {number}: {:?} at {}..{}",
                    one.text, one.left, one.right
                );
                for other in texts.iter().skip(index + 1) {
                    let beside = one.right < other.left + 0.1 || other.right < one.left + 0.1;
                    let apart = one.top < other.bottom + 0.1 || other.top < one.bottom + 0.1;
                    let clear = beside || apart;
                    assert!(
                        clear,
                        "page {number}: {:?} covers {:?}",
                        one.text, other.text
                    );
                }
            }
        }
    }
}

#[test]
fn hostile_text_comes_out_inert() {
    let drawing = drawn(&hostile());
    for (weight, used) in &drawing.used {
        let face = faces().unwrap().get(*weight);
        for c in used {
            assert_eq!(
                text::clean(face, &format!("a{c}a")),
                format!("a{c}a"),
                "{c:?} is drawn"
            );
        }
        assert!(
            used.contains(&'\u{FFFD}') && used.contains(&'…'),
            "{used:?}"
        );
    }
    assert!(shown(&drawing).contains("<script>alert(1)</script>"));
}

#[test]
fn the_longest_amount_is_never_cut() {
    let longest = "1000000000000000.123456789012345678";
    let view = ReceiptView {
        items: vec![item("x", longest, 1, longest)],
        total: amount(longest, "ETH"),
        ..paid()
    };
    let text = shown(&drawn(&view));
    assert_eq!(text.matches(longest).count(), 3, "{text}");
}

#[test]
fn a_page_address_no_code_can_hold_is_refused() {
    let view = ReceiptView {
        order_url: "x".repeat(10_000),
        ..paid()
    };
    assert!(matches!(render_receipt(&view), Err(DocumentError::Qr(_))));
}

#[test]
fn the_file_has_no_links_actions_or_scripts() {
    let file = lopdf::Document::load_mem(&render_receipt(&hostile()).unwrap()).unwrap();
    for object in file.objects.values() {
        let dictionary = match object {
            Object::Dictionary(dictionary) => dictionary,
            Object::Stream(stream) => &stream.dict,
            _ => continue,
        };
        for key in [
            "A",
            "AA",
            "OpenAction",
            "JS",
            "JavaScript",
            "URI",
            "Names",
            "AcroForm",
        ] {
            assert!(!dictionary.has(key.as_bytes()), "{key} in {dictionary:?}");
        }
        if let Ok(links) = dictionary.get(b"Annots") {
            assert!(links.as_array().unwrap().is_empty());
        }
    }
    assert!(file.catalog().unwrap().has(b"Lang"));
}

#[test]
fn a_reader_gets_the_text_back_in_every_script() {
    let text = poppler("pdftotext", &render_receipt(&paid()).unwrap(), &["-"]);
    for part in [
        "Žanete Bērziņa",
        "Ābolu čipsi",
        "Книга «Щит и меч»",
        "₹ 1 200 or € 12",
        TXID,
    ] {
        assert!(text.contains(part), "{part:?} is missing from\n{text}");
    }
    let text = poppler("pdftotext", &render_receipt(&not_paid()).unwrap(), &["-"]);
    assert!(text.contains("Payment request — NOT PAID"), "{text}");
    let hostile = poppler("pdftotext", &render_receipt(&hostile()).unwrap(), &["-"]);
    assert!(hostile.contains('\u{FFFD}') && !hostile.contains('\u{202E}'));
}

#[test]
fn both_fonts_are_embedded_as_subsets_and_the_file_is_titled() {
    let bytes = render_receipt(&paid()).unwrap();
    let table = poppler("pdffonts", &bytes, &[]);
    let fonts: Vec<&str> = table.lines().skip(2).collect();
    assert_eq!(fonts.len(), 2, "{table}");
    for font in fonts {
        let columns: Vec<&str> = font.split_whitespace().collect();
        assert!(font.contains("+NotoSans-"), "{table}");
        // Embedded, subset, with a way back to Unicode.
        assert!(
            columns
                .windows(3)
                .any(|three| three == ["yes", "yes", "yes"]),
            "{table}"
        );
    }
    let info = poppler("pdfinfo", &bytes, &[]);
    assert!(
        info.contains("Receipt EX-ABCDE23456") && info.contains("Ķiršu Dārzs SIA"),
        "{info}"
    );
}
