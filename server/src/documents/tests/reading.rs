//! What a drawing says and where, read back from its marks or by poppler.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::view::receipt::ReceiptView;
use printpdf::ops::{Op, PdfFontHandle, PdfPage};
use printpdf::text::TextItem;

use crate::documents::canvas::Drawing;
use crate::documents::fonts::{Weight, faces};
use crate::documents::receipt::draw;

pub fn drawn(view: &ReceiptView) -> Drawing {
    draw(view, faces().unwrap()).unwrap()
}

/// Level text on a page, measured in points from the lower left corner.
pub struct Placed {
    pub text: String,
    pub left: f32,
    pub right: f32,
    pub bottom: f32,
    pub top: f32,
}

pub fn placed(page: &PdfPage) -> Vec<Placed> {
    let (mut font, mut at) = (None, None);
    let mut texts = Vec::new();
    for op in &page.ops {
        match op {
            Op::SetFont {
                font: PdfFontHandle::External(id),
                size,
            } => {
                let bold = *id == Weight::Bold.font_id();
                font = Some((if bold { Weight::Bold } else { Weight::Regular }, size.0));
            }
            Op::SetTextCursor { pos } => at = Some((pos.x.0, pos.y.0)),
            Op::SetTextMatrix { .. } => at = None,
            Op::ShowText { items } => {
                let ((weight, size), Some((left, baseline))) = (font.unwrap(), at) else {
                    continue;
                };
                let text: String = items.iter().map(plain).collect();
                let right = left + faces().unwrap().get(weight).width(&text, size);
                let (bottom, top) = (baseline - 0.2 * size, baseline + 0.72 * size);
                texts.push(Placed {
                    text,
                    left,
                    right,
                    bottom,
                    top,
                });
            }
            _ => {}
        }
    }
    texts
}

fn plain(item: &TextItem) -> &str {
    match item {
        TextItem::Text(text) => text,
        _ => "",
    }
}

pub fn shown(drawing: &Drawing) -> String {
    let texts = drawing
        .pages
        .iter()
        .flat_map(placed)
        .map(|placed| placed.text);
    texts.collect::<Vec<_>>().join("\n")
}

/// Runs a tool of poppler-utils on `bytes`.
pub fn poppler(tool: &str, bytes: &[u8], after: &[&str]) -> String {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let name = format!("exchequer-receipt-{}-{number}.pdf", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, bytes).unwrap();
    let output = Command::new(tool).arg(&path).args(after).output();
    std::fs::remove_file(&path).unwrap();
    let output = output.unwrap_or_else(|error| panic!("{tool} of poppler-utils: {error}"));
    assert!(
        output.status.success(),
        "{tool}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
