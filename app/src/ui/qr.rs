//! QR codes as one SVG path; the same code runs on the server and in the browser.

use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

/// Modules a side above which the code drops from error correction M to L, to stay scannable
/// (ux §4.9).
const MODULES_MAX_AT_M: usize = 73;

/// Modules of white around the code that scanners need (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// A QR code on a white card. Draws nothing when the text does not fit any code: whatever a code
/// holds stands beside it as text too.
#[component]
pub fn Qr(
    /// What a scanner reads.
    #[prop(into)]
    text: String,
    /// Accessible name.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    draw(&text).map(|drawing| {
        let view_box = drawing.view_box();
        view! {
            <svg class="qr" role="img" viewBox=view_box shape-rendering="crispEdges">
                {leptos::svg::title().child(label)}
                <path d=drawing.path></path>
            </svg>
        }
    })
}

/// The dark modules of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Drawing {
    /// Modules a side, without the quiet zone.
    modules: usize,
    /// Path data: one rectangle for each horizontal run.
    path: String,
}

impl Drawing {
    fn view_box(&self) -> String {
        let side = self.modules + 2 * QUIET_ZONE;
        format!("-{QUIET_ZONE} -{QUIET_ZONE} {side} {side}")
    }
}

fn draw(text: &str) -> Option<Drawing> {
    let at_m = QrCode::with_error_correction_level(text, EcLevel::M).ok();
    let code = match at_m {
        Some(code) if code.width() <= MODULES_MAX_AT_M => code,
        _ => QrCode::with_error_correction_level(text, EcLevel::L).ok()?,
    };
    let modules = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(modules).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                path.push_str(&format!("M{x} {y}h{}v1H{x}z", run.len()));
            }
            x += run.len();
        }
    }
    Some(Drawing { modules, path })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Draws the path back into modules.
    fn modules_of(drawing: &Drawing) -> Vec<Vec<bool>> {
        let mut grid = vec![vec![false; drawing.modules]; drawing.modules];
        for rectangle in drawing.path.split_terminator('z') {
            let (from, rest) = rectangle.trim_start_matches('M').split_once('h').unwrap();
            let (x, y) = from.split_once(' ').unwrap();
            let (length, _) = rest.split_once('v').unwrap();
            let x: usize = x.parse().unwrap();
            let y: usize = y.parse().unwrap();
            let length: usize = length.parse().unwrap();
            grid[y][x..x + length].fill(true);
        }
        grid
    }

    #[test]
    fn the_path_is_the_code() {
        let text = "BITCOIN:BC1QUFGY354J3KMVUCH987XE4S40836X3H0LG8F5NQ?amount=0.00123456";
        let drawing = draw(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        for (y, row) in modules_of(&drawing).iter().enumerate() {
            for (x, dark) in row.iter().enumerate() {
                assert_eq!(*dark, code[(x, y)] == Color::Dark, "module {x},{y}");
            }
        }
    }

    #[test]
    fn long_texts_take_the_lower_level() {
        let text = "x".repeat(700);
        let at_m = QrCode::with_error_correction_level(&text, EcLevel::M).unwrap();
        assert!(at_m.width() > MODULES_MAX_AT_M);
        assert!(draw(&text).unwrap().modules < at_m.width());
        assert_eq!(draw(&"x".repeat(5000)), None);
    }

    #[test]
    fn the_quiet_zone_is_part_of_the_picture() {
        assert_eq!(draw("A").unwrap().view_box(), "-4 -4 29 29");
    }
}
