//! The two faces of every document: measured whole, embedded as subsets.
//!
//! printpdf cuts fonts down only together with its layout engine, which we leave out, so a face
//! is subset here and handed over as if it were the whole font. Noto Sans has one character per
//! glyph, which keeps the way back from glyphs to text (`ToUnicode`) exact.
#![expect(clippy::float_arithmetic, reason = "text widths in points, not money")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use allsorts::binary::read::ReadScope;
use allsorts::font_data::FontData;
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use printpdf::FontId;
use printpdf::font::ParsedFont;

use super::DocumentError;

const REGULAR_TTF: &[u8] = include_bytes!("../../assets/fonts/NotoSans-Regular.ttf");
const BOLD_TTF: &[u8] = include_bytes!("../../assets/fonts/NotoSans-Bold.ttf");

/// Which of the two faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

impl Weight {
    /// Fixed resource name, so that the same view gives the same bytes.
    pub fn font_id(self) -> FontId {
        FontId(match self {
            Self::Regular => "Text".to_owned(),
            Self::Bold => "Strong".to_owned(),
        })
    }
}

/// Both faces, read once.
pub struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    fn load() -> Option<Self> {
        // Six capitals and a plus sign mark a subset (ISO 32000-1, 9.6.4).
        Some(Self {
            regular: Face::load(REGULAR_TTF, "EXCHQR+NotoSans-Regular")?,
            bold: Face::load(BOLD_TTF, "EXCHQB+NotoSans-Bold")?,
        })
    }

    pub fn get(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

/// The faces compiled into the binary.
///
/// # Errors
/// [`DocumentError::Font`] when they cannot be read, which only a damaged build does.
pub fn faces() -> Result<&'static Faces, DocumentError> {
    static FACES: OnceLock<Option<Faces>> = OnceLock::new();
    FACES
        .get_or_init(Faces::load)
        .as_ref()
        .ok_or_else(|| DocumentError::Font("embedded face cannot be read".to_owned()))
}

/// One face with its widths and its character map.
pub struct Face {
    bytes: &'static [u8],
    name: &'static str,
    parsed: ParsedFont,
}

impl Face {
    fn load(bytes: &'static [u8], name: &'static str) -> Option<Self> {
        let mut warnings = Vec::new();
        let mut parsed = ParsedFont::from_bytes(bytes, 0, &mut warnings)?;
        // The whole font is never embedded; do not keep a second copy of it.
        parsed.original_bytes = Vec::new();
        Some(Self {
            bytes,
            name,
            parsed,
        })
    }

    /// Whether the face can draw `c`.
    pub fn has(&self, c: char) -> bool {
        self.glyph(c).is_some()
    }

    /// Advance of `c` in font units; 0 for combining marks and for what the face cannot draw.
    pub fn advance(&self, c: char) -> u16 {
        self.glyph(c)
            .and_then(|glyph| self.parsed.get_glyph_width(glyph))
            .unwrap_or(0)
    }

    /// Width of `text` in points at `size` points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let units: f32 = text.chars().map(|c| f32::from(self.advance(c))).sum();
        units * size / f32::from(self.parsed.units_per_em.max(1))
    }

    fn glyph(&self, c: char) -> Option<u16> {
        self.parsed
            .lookup_glyph_index(u32::from(c))
            .filter(|glyph| *glyph != 0)
    }

    /// The face cut down to `used`, ready to be embedded.
    ///
    /// # Errors
    /// [`DocumentError::Font`] when the font tables cannot be rewritten.
    pub fn subset(&self, used: &BTreeSet<char>) -> Result<ParsedFont, DocumentError> {
        let wanted: BTreeSet<u16> = used.iter().filter_map(|c| self.glyph(*c)).collect();
        // Glyph 0 must lead; every other glyph is renumbered to its place in this list.
        let glyphs: Vec<u16> = std::iter::once(0).chain(wanted).collect();
        let places: BTreeMap<u16, u16> = glyphs.iter().copied().zip(0u16..).collect();
        let codepoints = used
            .iter()
            .filter_map(|c| Some((u32::from(*c), *places.get(&self.glyph(*c)?)?)))
            .collect();
        let widths = places
            .iter()
            .map(|(glyph, place)| (*place, self.parsed.get_glyph_width(*glyph).unwrap_or(0)))
            .collect();

        let mut parsed = ParsedFont::with_glyph_data(
            self.cut(&glyphs)?,
            0,
            Some(self.name.to_owned()),
            codepoints,
            widths,
            self.parsed.units_per_em,
            self.parsed.font_metrics.clone(),
        );
        parsed.pdf_font_metrics = self.parsed.pdf_font_metrics.clone();
        Ok(parsed)
    }

    fn cut(&self, glyphs: &[u16]) -> Result<Vec<u8>, DocumentError> {
        let font = ReadScope::new(self.bytes)
            .read::<FontData<'_>>()
            .map_err(font_error)?;
        let provider = font.table_provider(0).map_err(font_error)?;
        subset(&provider, glyphs, &SubsetProfile::Pdf, CmapTarget::Unicode).map_err(font_error)
    }
}

fn font_error(error: impl std::fmt::Debug) -> DocumentError {
    DocumentError::Font(format!("{error:?}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NEEDED: &str = "AZaz09 āčēģīķļņšūž ĀČĒĢĪĶĻŅŠŪŽ ЖжЩщЪъЭэЯя ₹ € £ ¥ ₿ – — · … № \u{FFFD}";

    #[test]
    fn both_faces_draw_every_script_we_promise() {
        let faces = faces().unwrap();
        for weight in [Weight::Regular, Weight::Bold] {
            for c in NEEDED.chars() {
                assert!(faces.get(weight).has(c), "{weight:?} lacks {c:?}");
            }
            assert!(!faces.get(weight).has('漢'));
        }
    }

    #[test]
    fn digits_have_one_width() {
        let face = faces().unwrap().get(Weight::Regular);
        let widths: BTreeSet<u16> = ('0'..='9').map(|digit| face.advance(digit)).collect();
        assert_eq!(widths.len(), 1);
    }

    #[test]
    fn a_subset_is_small_and_keeps_widths() {
        let face = faces().unwrap().get(Weight::Bold);
        let part = face.subset(&NEEDED.chars().collect()).unwrap();
        assert!(
            part.original_bytes.len() < 40_000,
            "{}",
            part.original_bytes.len()
        );
        for c in NEEDED.chars() {
            let glyph = part.lookup_glyph_index(u32::from(c)).unwrap();
            assert_ne!(glyph, 0, "{c:?}");
            assert_eq!(part.get_glyph_width(glyph), Some(face.advance(c)), "{c:?}");
        }
        assert_eq!(part.lookup_glyph_index(u32::from('Q')), None);
    }
}
