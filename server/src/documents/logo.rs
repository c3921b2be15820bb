//! The merchant's logo at the head of a document, from pixels: no picture file is read here.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use domain::view::LogoPixels;
use printpdf::image_types::{RawImage, RawImageData, RawImageFormat};

use super::sheet::{LEFT, Sheet};

/// The place of a logo, in points.
const WIDTH_MAX: f32 = 180.0;
const HEIGHT_MAX: f32 = 44.0;
/// Between the logo and what follows.
const GAP: f32 = 8.0;

/// Draws the logo, if there is one, and moves below it.
pub fn logo(sheet: &mut Sheet<'_>) {
    let view = sheet.view;
    let Some(logo) = view.merchant.logo.as_ref().filter(|logo| logo.is_whole()) else {
        return;
    };
    let (width, height) = size(logo);
    sheet
        .canvas
        .picture(raw(logo), LEFT, sheet.y, width, height);
    sheet.y += height + GAP;
}

/// In points: within its place, and at most one point a pixel.
fn size(logo: &LogoPixels) -> (f32, f32) {
    let (width, height) = (f32::from(logo.width), f32::from(logo.height));
    let scale = (WIDTH_MAX / width).min(HEIGHT_MAX / height).min(1.0);
    (width * scale, height * scale)
}

fn raw(logo: &LogoPixels) -> RawImage {
    RawImage {
        pixels: RawImageData::U8(logo.samples.clone()),
        width: usize::from(logo.width),
        height: usize::from(logo.height),
        data_format: if logo.has_alpha {
            RawImageFormat::RGBA8
        } else {
            RawImageFormat::RGB8
        },
        tag: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_fits_its_place_and_is_not_blown_up() {
        let sized = |width, height| {
            size(&LogoPixels {
                width,
                height,
                has_alpha: false,
                samples: Vec::new(),
            })
        };
        assert_eq!(sized(640, 64), (180.0, 18.0));
        assert_eq!(sized(88, 88), (44.0, 44.0));
        assert_eq!(sized(20, 10), (20.0, 10.0));
    }
}
