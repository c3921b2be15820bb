//! A merchant's logo, from what somebody uploads to what is kept.
//!
//! Invariant: nothing of an upload is kept but its pixels. The file is read, decoded, scaled and
//! written anew, so text, profiles, trailing bytes and whatever else a PNG can carry are gone
//! (security rule 51). PNG alone is taken; decision 014 says why SVG is not.

mod chunks;
mod decode;
mod encode;
mod pixels;
#[cfg(test)]
mod tests;

use domain::view::LogoPixels;

use self::pixels::Pixels;

/// Largest upload.
pub const LOGO_UPLOAD_BYTES_MAX: usize = 256 * 1024;

/// Pixels a side of an upload.
pub const LOGO_SIDE_MAX: u32 = 1_024;

/// What pages show: twice the CSS pixels of the place, for dense screens.
const SCREEN_BOX: (u32, u32) = (320, 96);
/// The checkout's first view has 15 KB for everything (ux §3).
const SCREEN_BYTES_MAX: usize = 3 * 1024;
/// The place on a page, in CSS pixels.
const PLACE: (u32, u32) = (160, 48);

/// What documents draw.
const PRINT_BOX: (u32, u32) = (640, 192);
/// What a logo may add to a receipt, which has 150 KB (`10-orders-api.md`).
const PRINT_BYTES_MAX: usize = 32 * 1024;

/// Why an upload is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogoRefusal {
    Missing,
    TooHeavy,
    NotPng,
    Damaged,
    TooLarge,
    Interlaced,
}

impl LogoRefusal {
    /// What has to be different, without the field's name.
    pub(super) fn message(self) -> String {
        match self {
            Self::Missing => "is missing: choose a PNG file first".to_owned(),
            Self::TooHeavy => format!("must be at most {} KB", LOGO_UPLOAD_BYTES_MAX / 1_024),
            Self::NotPng => {
                "must be a PNG picture; no other kind is taken, SVG among them".to_owned()
            }
            Self::Damaged => "cannot be read: the file is damaged. Save it again".to_owned(),
            Self::TooLarge => {
                format!("must be at most {LOGO_SIDE_MAX} pixels wide and {LOGO_SIDE_MAX} high")
            }
            Self::Interlaced => "must be saved without interlacing".to_owned(),
        }
    }
}

/// A PNG of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) png: Vec<u8>,
    /// 1 to [`LOGO_SIDE_MAX`].
    pub(super) width: u32,
    pub(super) height: u32,
}

/// What is kept of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logo {
    /// At most [`SCREEN_BYTES_MAX`].
    pub(super) screen: Picture,
    pub(super) print: Picture,
}

/// Reads an upload and makes the two pictures of it. Takes a moment: not for the threads that
/// answer requests.
///
/// # Errors
/// The inner one says what is wrong with the file; the outer one is ours.
pub(super) fn prepare(upload: &[u8]) -> std::io::Result<Result<Logo, LogoRefusal>> {
    let decoded = match judged(upload) {
        Ok(pixels) => pixels,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let print = small_enough(&decoded.fitted(PRINT_BOX), |pixels| {
        Ok(encode::deflated(&pixels.samples())?.len() <= PRINT_BYTES_MAX)
    })?;
    let screen = small_enough(&print.fitted(SCREEN_BOX), |pixels| {
        Ok(encode::encode(pixels)?.len() <= SCREEN_BYTES_MAX)
    })?;
    Ok(Ok(Logo {
        screen: picture(&screen)?,
        print: picture(&print)?,
    }))
}

fn judged(upload: &[u8]) -> Result<Pixels, LogoRefusal> {
    if upload.is_empty() {
        return Err(LogoRefusal::Missing);
    }
    if upload.len() > LOGO_UPLOAD_BYTES_MAX {
        return Err(LogoRefusal::TooHeavy);
    }
    decode::decode(upload)
}

/// The largest of ever smaller pictures that `fits`; the smallest one is taken as it is.
fn small_enough(
    pixels: &Pixels,
    fits: impl Fn(&Pixels) -> std::io::Result<bool>,
) -> std::io::Result<Pixels> {
    let mut tried = pixels.clone();
    while !fits(&tried)? {
        let Some(size) = tried.next_smaller() else {
            break;
        };
        // From the whole picture each time, so that it is not blurred step by step.
        tried = pixels.shrunk(size);
    }
    Ok(tried)
}

fn picture(pixels: &Pixels) -> std::io::Result<Picture> {
    Ok(Picture {
        png: encode::encode(pixels)?,
        width: pixels.width,
        height: pixels.height,
    })
}

/// How large a page shows a picture, in CSS pixels: within its place, never blown up.
pub(super) fn shown_size(width: u32, height: u32) -> (u16, u16) {
    let (width, height) = pixels::fit((width, height), PLACE);
    let narrow = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    (narrow(width), narrow(height))
}

/// A stored picture as a document draws it; `None` for one that is damaged.
pub(super) fn drawable(png: &[u8]) -> Option<LogoPixels> {
    let pixels = decode::decode(png).ok()?;
    Some(LogoPixels {
        width: u16::try_from(pixels.width).ok()?,
        height: u16::try_from(pixels.height).ok()?,
        has_alpha: !pixels.is_opaque(),
        samples: pixels.samples(),
    })
}
