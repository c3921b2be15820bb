//! Colours of printed documents: the light theme of `style/` on white paper.
#![expect(clippy::float_arithmetic, reason = "colour components, not money")]

use printpdf::color::{Color, Rgb};

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tint {
    red: u8,
    green: u8,
    blue: u8,
}

pub const INK: Tint = Tint::new(0x12, 0x24, 0x1D);
pub const INK_SOFT: Tint = Tint::new(0x43, 0x53, 0x49);
pub const LINE: Tint = Tint::new(0xDC, 0xD3, 0xBF);
pub const WHITE: Tint = Tint::new(0xFF, 0xFF, 0xFF);
/// Ink green, where a merchant has no colour of its own.
pub const ACCENT: Tint = Tint::new(0x14, 0x52, 0x3D);
pub const PAID: Tint = Tint::new(0x0E, 0x5A, 0x33);
pub const PAID_SOFT: Tint = Tint::new(0xE0, 0xF1, 0xE4);
pub const DANGER: Tint = Tint::new(0x8C, 0x1D, 0x1A);
pub const DANGER_SOFT: Tint = Tint::new(0xFB, 0xE5, 0xE1);
pub const LATE: Tint = Tint::new(0x57, 0x38, 0x7B);
pub const LATE_SOFT: Tint = Tint::new(0xEF, 0xE7, 0xF6);
pub const WARN: Tint = Tint::new(0x74, 0x47, 0x00);
pub const WARN_SOFT: Tint = Tint::new(0xFB, 0xEC, 0xCD);

impl Tint {
    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Reads `#RRGGBB`; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self { red, green, blue })
    }

    /// The colour as the PDF library wants it: components from 0 to 1.
    pub fn to_color(self) -> Color {
        let [red, green, blue] = [self.red, self.green, self.blue].map(component);
        Color::Rgb(Rgb::new(red, green, blue, None))
    }
}

/// Three decimals tell 256 steps apart and keep page streams short.
fn component(byte: u8) -> f32 {
    (f32::from(byte) / 255.0 * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hex_colour_is_read_and_anything_else_refused() {
        assert_eq!(Tint::from_hex("#14523D"), Some(ACCENT));
        assert_eq!(Tint::from_hex("#14523d"), Some(ACCENT));
        for text in [
            "",
            "#",
            "14523D",
            "#14523",
            "#14523DFF",
            "#+4523D",
            "red",
            "#ķ23D",
        ] {
            assert_eq!(Tint::from_hex(text), None, "{text:?}");
        }
    }
}
