//! How a merchant looks to its customers: name, colour and logo, on pages and documents
//! (`60-pages.md`, checkout; `10-orders-api.md`, receipt).
//!
//! Invariant: files are named after what is in them, so they may be kept for ever, and a name gives
//! nothing but what it was made for.

use domain::brand::{Accent, Rgb, Theme, stylesheet};
use domain::view::{Brand, BrandFiles, LogoFile, LogoPixels};
use sha2::{Digest, Sha256};

use super::brand_store::{self as store, FaceRow};
use super::logo;
use crate::{Error, Gateway, Result};

/// Bytes of a hash that a file is named after.
const NAME_BYTES: usize = 8;

/// A file that pages about a merchant load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrandFile {
    /// CSS.
    Stylesheet(String),
    /// A PNG.
    Logo(Vec<u8>),
}

impl Gateway {
    /// How a merchant looks to its customers.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown merchant.
    pub async fn brand(&self, merchant_id: i64) -> Result<Brand> {
        let face = store::face(self.pool(), merchant_id)
            .await?
            .ok_or(Error::NotFound)?;
        let chosen = face.accent.as_deref().and_then(Rgb::parse);
        let accent = chosen.map(Accent::guard);
        let files = BrandFiles {
            logo: logo_file(merchant_id, &face),
            stylesheet: accent.map(|accent| {
                let name = name_of(stylesheet(&accent).as_bytes());
                format!("/brand/{merchant_id}/{name}.css")
            }),
        };
        Ok(Brand {
            // Guarded when it is read: a change of our own colours reaches every merchant.
            accent: accent.map(|accent| accent.shades(Theme::Light).accent.to_string()),
            name: face.name,
            support_email: face.support_email,
            files,
        })
    }

    /// The file `name` of a merchant, as [`Gateway::brand`] has named it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for the names of files that were replaced.
    pub async fn brand_file(&self, merchant_id: i64, name: &str) -> Result<BrandFile> {
        let found = match name.rsplit_once('.') {
            Some((version, "css")) => {
                let face = store::face(self.pool(), merchant_id).await?;
                face.and_then(|face| Rgb::parse(face.accent.as_deref()?))
                    .map(|chosen| stylesheet(&Accent::guard(chosen)))
                    .filter(|css| name_of(css.as_bytes()) == version)
                    .map(BrandFile::Stylesheet)
            }
            Some((version, "png")) => {
                let logo = store::screen_logo(self.pool(), merchant_id).await?;
                logo.filter(|(_, sha256)| short(sha256) == version)
                    .map(|(content, _)| BrandFile::Logo(content))
            }
            _ => None,
        };
        found.ok_or(Error::NotFound)
    }

    /// The logo as documents draw it; `None` without one.
    pub(crate) async fn drawn_logo(&self, merchant_id: i64) -> Result<Option<LogoPixels>> {
        let png = store::print_logo(self.pool(), merchant_id).await?;
        Ok(png.and_then(|png| logo::drawable(&png)))
    }
}

pub(super) fn logo_file(merchant_id: i64, face: &FaceRow) -> Option<LogoFile> {
    let side = |side: Option<i32>| side.and_then(|side| u32::try_from(side).ok());
    let (width, height) = logo::shown_size(side(face.width)?, side(face.height)?);
    let name = short(face.sha256.as_deref()?);
    Some(LogoFile {
        path: format!("/brand/{merchant_id}/{name}.png"),
        width,
        height,
    })
}

fn name_of(bytes: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    short(&hash)
}

/// The beginning of a hash in hexadecimal digits.
fn short(hash: &[u8]) -> String {
    hex::encode(hash.get(..NAME_BYTES).unwrap_or(hash))
}
