//! What a merchant's looks add to pages and documents beside its name (`60-pages.md`, checkout).

use serde::{Deserialize, Serialize};

/// Files that pages about a merchant load beside ours. They stand outside of what changes on a page,
/// so they do not travel to its islands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrandFiles {
    pub logo: Option<LogoFile>,
    /// Path of a style sheet with the accent; `None` = house colours.
    pub stylesheet: Option<String>,
}

/// A logo as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoFile {
    pub path: String,
    /// In CSS pixels; the file may have more of them.
    pub width: u16,
    pub height: u16,
}

/// A logo as a document draws it: eight bits a sample, rows from the top, no padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoPixels {
    pub width: u16,
    pub height: u16,
    /// Red, green, blue and alpha; otherwise without alpha.
    pub has_alpha: bool,
    pub samples: Vec<u8>,
}

impl LogoPixels {
    /// Whether there are as many samples as the size says.
    pub fn is_whole(&self) -> bool {
        let each = if self.has_alpha { 4 } else { 3 };
        let pixels = usize::from(self.width) * usize::from(self.height);
        pixels > 0 && self.samples.len() == pixels * each
    }
}

#[cfg(test)]
mod tests {
    use super::LogoPixels;

    #[test]
    fn samples_are_counted() {
        let logo = |width, has_alpha, count| LogoPixels {
            width,
            height: 2,
            has_alpha,
            samples: vec![0; count],
        };
        assert!(logo(3, false, 18).is_whole() && logo(3, true, 24).is_whole());
        assert!(!logo(3, true, 18).is_whole() && !logo(0, false, 0).is_whole());
    }
}
