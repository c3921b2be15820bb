//! Pixels as a PNG of ours: header, palette where there is one, rows, end. Nothing else.

use std::collections::BTreeSet;
use std::io::{Result, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::chunks::SIGNATURE;
use super::decode::predict;
use super::pixels::{Pixel, Pixels};

/// Colours that a palette can hold.
const PALETTE_MAX: usize = 256;

/// Filters of a row (PNG, §9.2). Entries of a palette are no amounts, so nothing is guessed of them.
const FILTERS: [u8; 5] = [0, 1, 2, 3, 4];
const NO_FILTER: [u8; 1] = [0];

/// Colour types of a header.
const RGB: u8 = 2;
const PALETTE: u8 = 3;
const RGBA: u8 = 6;

/// The same pixels give the same bytes.
pub(super) fn encode(pixels: &Pixels) -> Result<Vec<u8>> {
    let mut png = SIGNATURE.to_vec();
    if let Some(palette) = palette(&pixels.pixels) {
        chunk(&mut png, b"IHDR", &header(pixels, PALETTE));
        let colors = palette
            .iter()
            .flat_map(|[red, green, blue, _]| [*red, *green, *blue]);
        chunk(&mut png, b"PLTE", &colors.collect::<Vec<u8>>());
        if !pixels.is_opaque() {
            let alphas = palette.iter().map(|[.., alpha]| *alpha);
            chunk(&mut png, b"tRNS", &alphas.collect::<Vec<u8>>());
        }
        let entries = entries(&pixels.pixels, &palette);
        let rows = rows(&entries, width(pixels), 1, &NO_FILTER);
        chunk(&mut png, b"IDAT", &deflated(&rows)?);
    } else {
        let (kind, step) = if pixels.is_opaque() {
            (RGB, 3)
        } else {
            (RGBA, 4)
        };
        chunk(&mut png, b"IHDR", &header(pixels, kind));
        let row_bytes = width(pixels) * step;
        let rows = rows(&pixels.samples(), row_bytes, step, &FILTERS);
        chunk(&mut png, b"IDAT", &deflated(&rows)?);
    }
    chunk(&mut png, b"IEND", &[]);
    Ok(png)
}

/// As small as zlib makes it.
pub(super) fn deflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn width(pixels: &Pixels) -> usize {
    usize::try_from(pixels.width).unwrap_or(usize::MAX)
}

/// Eight bits a sample, not interlaced.
fn header(pixels: &Pixels, kind: u8) -> Vec<u8> {
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&pixels.width.to_be_bytes());
    header.extend_from_slice(&pixels.height.to_be_bytes());
    header.extend_from_slice(&[8, kind, 0, 0, 0]);
    header
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    // A logo has far fewer bytes than would not fit.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(body);
    png.extend_from_slice(&length.to_be_bytes());
    png.extend_from_slice(kind);
    png.extend_from_slice(body);
    png.extend_from_slice(&crc.sum().to_be_bytes());
}

/// The colours in the order of their values; `None` when they are too many.
fn palette(pixels: &[Pixel]) -> Option<Vec<Pixel>> {
    let mut colors = BTreeSet::new();
    for pixel in pixels {
        colors.insert(*pixel);
        if colors.len() > PALETTE_MAX {
            return None;
        }
    }
    Some(colors.into_iter().collect())
}

/// Each pixel as its place in the palette.
fn entries(pixels: &[Pixel], palette: &[Pixel]) -> Vec<u8> {
    pixels
        .iter()
        .map(|pixel| {
            let entry = palette.binary_search(pixel).unwrap_or_default();
            u8::try_from(entry).unwrap_or(u8::MAX)
        })
        .collect()
}

/// Every row with the filter in front that leaves the least of it. `step` is the size of a pixel.
fn rows(bytes: &[u8], row_bytes: usize, step: usize, filters: &[u8]) -> Vec<u8> {
    let mut rows = Vec::with_capacity(bytes.len() + bytes.len() / row_bytes.max(1));
    let mut above = vec![0; row_bytes];
    for row in bytes.chunks_exact(row_bytes.max(1)) {
        let best = filters
            .iter()
            .map(|filter| filtered(*filter, row, &above, step))
            .min_by_key(|coded| coded.iter().skip(1).map(|byte| size(*byte)).sum::<u64>());
        rows.extend(best.unwrap_or_default());
        above.copy_from_slice(row);
    }
    rows
}

/// The filter's number, and the row less what the filter guesses of it.
fn filtered(filter: u8, row: &[u8], above: &[u8], step: usize) -> Vec<u8> {
    let mut coded = Vec::with_capacity(row.len() + 1);
    coded.push(filter);
    for (at, (byte, up)) in row.iter().zip(above).enumerate() {
        let before = at.checked_sub(step);
        let left = before.map_or(0, |at| row[at]);
        let corner = before.map_or(0, |at| above[at]);
        // Every filter here exists.
        let guess = predict(filter, left, *up, corner).unwrap_or(0);
        coded.push(byte.wrapping_sub(guess));
    }
    coded
}

/// How far a byte is from zero, either way round.
fn size(byte: u8) -> u64 {
    u64::from(byte.min(byte.wrapping_neg()))
}
