//! The merchant's logo on its receipts.

use domain::view::LogoPixels;
use domain::view::receipt::{ReceiptMerchant, ReceiptView};
use printpdf::ops::Op;

use super::reading::{drawn, placed, poppler};
use super::views::{many_items, paid};
use super::{BYTES_MAX, render_receipt};

/// Samples that no compression makes smaller, as many as a stored logo can have at most.
fn logo(has_alpha: bool) -> LogoPixels {
    let (width, height) = (128, 64);
    let each = if has_alpha { 4 } else { 3 };
    let mut state = 0x2545_F491_u32;
    let samples = (0..usize::from(width) * usize::from(height) * each)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_be_bytes()[0]
        })
        .collect();
    LogoPixels {
        width,
        height,
        has_alpha,
        samples,
    }
}

fn branded(view: ReceiptView, logo: LogoPixels) -> ReceiptView {
    ReceiptView {
        merchant: ReceiptMerchant {
            logo: Some(logo),
            ..view.merchant
        },
        ..view
    }
}

fn pictures(view: &ReceiptView) -> Vec<usize> {
    let count = |ops: &[Op]| {
        let drawn = ops.iter().filter(|op| matches!(op, Op::UseXobject { .. }));
        drawn.count()
    };
    let drawing = drawn(view);
    drawing.pages.iter().map(|page| count(&page.ops)).collect()
}

#[test]
fn the_logo_stands_on_the_first_page_above_the_name() {
    let view = branded(many_items(100), logo(false));
    let pages = pictures(&view);
    assert!(pages.len() > 1);
    assert_eq!(pages[0], 1);
    assert!(pages[1..].iter().all(|count| *count == 0), "{pages:?}");
    let top = |view: &ReceiptView| {
        let drawing = drawn(view);
        let texts = placed(&drawing.pages[0]);
        let name = texts
            .iter()
            .find(|placed| placed.text == view.merchant.brand.name);
        name.map(|placed| placed.top).unwrap()
    };
    assert!(top(&view) < top(&many_items(100)) - 40.0);
}

#[test]
fn a_branded_receipt_keeps_its_size_and_its_bytes() {
    for has_alpha in [false, true] {
        let view = branded(many_items(1_000), logo(has_alpha));
        let bytes = render_receipt(&view).unwrap();
        assert!(bytes.len() < BYTES_MAX, "{} bytes", bytes.len());
        let view = branded(paid(), logo(has_alpha));
        let bytes = render_receipt(&view).unwrap();
        assert!(bytes == render_receipt(&view).unwrap());
        let images = poppler("pdfimages", &bytes, &["-list"]);
        assert!(images.is_empty() || images.contains("128"), "{images}");
    }
}

#[test]
fn a_logo_whose_pixels_are_not_all_there_is_left_out() {
    let mut broken = logo(false);
    broken.samples.pop();
    assert_eq!(pictures(&branded(paid(), broken)), [0]);
}
