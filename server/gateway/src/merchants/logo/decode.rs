//! Pixels from the compressed rows of a PNG: inflate, undo the filters, widen to eight bits.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::LogoRefusal;
use super::chunks::{self, Chunks, Color, Header};
use super::pixels::{Pixel, Pixels};

/// Reads a whole file. Memory is bounded by the header's size, whatever the rows inflate to.
pub(super) fn decode(file: &[u8]) -> Result<Pixels, LogoRefusal> {
    let chunks = chunks::read(file)?;
    let Header { width, height, .. } = chunks.header;
    let shape = Shape::of(chunks.header)?;
    let rows = rows(&chunks.data, shape)?;
    let mut pixels = Vec::with_capacity(shape.width * shape.height);
    for row in rows.chunks_exact(shape.row_bytes) {
        for at in 0..shape.width {
            pixels.push(pixel(&chunks, row, at).ok_or(LogoRefusal::Damaged)?);
        }
    }
    Ok(Pixels {
        width,
        height,
        pixels,
    })
}

/// Sizes as they are counted in memory.
#[derive(Debug, Clone, Copy)]
struct Shape {
    width: usize,
    height: usize,
    row_bytes: usize,
    /// Bytes from a sample to the one of the same kind to its left, at least one.
    step: usize,
}

impl Shape {
    fn of(header: Header) -> Result<Self, LogoRefusal> {
        let side = |side: u32| usize::try_from(side).map_err(|_| LogoRefusal::TooLarge);
        let bits = header.color.samples() * usize::from(header.depth);
        let width = side(header.width)?;
        Ok(Self {
            width,
            height: side(header.height)?,
            row_bytes: (width * bits).div_ceil(8),
            step: bits.div_ceil(8),
        })
    }
}

/// The rows without their filters.
fn rows(data: &[u8], shape: Shape) -> Result<Vec<u8>, LogoRefusal> {
    let expected = (shape.row_bytes + 1) * shape.height;
    let limit = u64::try_from(expected).map_err(|_| LogoRefusal::TooLarge)?;
    let mut filtered = Vec::new();
    ZlibDecoder::new(data)
        .take(limit)
        .read_to_end(&mut filtered)
        .map_err(|_| LogoRefusal::Damaged)?;
    if filtered.len() != expected {
        return Err(LogoRefusal::Damaged);
    }
    let mut rows = Vec::with_capacity(shape.row_bytes * shape.height);
    let mut above = vec![0; shape.row_bytes];
    for line in filtered.chunks_exact(shape.row_bytes + 1) {
        let (filter, coded) = line.split_first().ok_or(LogoRefusal::Damaged)?;
        let mut row = coded.to_vec();
        for at in 0..row.len() {
            let before = at.checked_sub(shape.step);
            let left = before.map_or(0, |at| row[at]);
            let corner = before.map_or(0, |at| above[at]);
            let guess = predict(*filter, left, above[at], corner).ok_or(LogoRefusal::Damaged)?;
            row[at] = row[at].wrapping_add(guess);
        }
        rows.extend_from_slice(&row);
        above = row;
    }
    Ok(rows)
}

/// What a filter guesses of a byte (PNG, §9.2); `None` for a filter that does not exist.
pub(super) fn predict(filter: u8, left: u8, up: u8, corner: u8) -> Option<u8> {
    match filter {
        0 => Some(0),
        1 => Some(left),
        2 => Some(up),
        3 => Some(left.midpoint(up)),
        4 => Some(paeth(left, up, corner)),
        _ => None,
    }
}

/// The neighbour that is closest to `left + up - corner`; the first of them when two are.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |byte: u8| (guess - i16::from(byte)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(corner) {
        left
    } else if distance(up) <= distance(corner) {
        up
    } else {
        corner
    }
}

fn pixel(chunks: &Chunks<'_>, row: &[u8], at: usize) -> Option<Pixel> {
    let Header { depth, color, .. } = chunks.header;
    let first = at * color.samples();
    let raw = |offset: usize| sample(row, depth, first + offset);
    let wide = |offset: usize| raw(offset).map(|sample| widened(sample, depth));
    let hidden = is_hidden(chunks, &raw);
    let alpha = if hidden { 0 } else { 255 };
    match color {
        Color::Grey => wide(0).map(|grey| [grey, grey, grey, alpha]),
        Color::GreyAlpha => Some([wide(0)?, wide(0)?, wide(0)?, wide(1)?]),
        Color::Rgb => Some([wide(0)?, wide(1)?, wide(2)?, alpha]),
        Color::Rgba => Some([wide(0)?, wide(1)?, wide(2)?, wide(3)?]),
        Color::Palette => {
            let entry = usize::from(raw(0)?);
            let colors = chunks.palette.get(entry * 3..)?;
            let &[red, green, blue] = colors.first_chunk::<3>()?;
            let alpha = chunks.transparency.get(entry).copied().unwrap_or(255);
            Some([red, green, blue, alpha])
        }
    }
}

/// Whether a pixel has the one colour that the file says is transparent. Of 16 bits only eight are
/// read, which cannot tell it from its neighbours: such files lose their transparency.
fn is_hidden(chunks: &Chunks<'_>, raw: &impl Fn(usize) -> Option<u8>) -> bool {
    let Header { depth, color, .. } = chunks.header;
    let single = matches!(color, Color::Grey | Color::Rgb);
    let said = chunks.transparency;
    single
        && depth <= 8
        && said.len() == 2 * color.samples()
        && said
            .chunks_exact(2)
            .enumerate()
            .all(|(offset, pair)| pair.first() == Some(&0) && pair.last().copied() == raw(offset))
}

/// A sample as it is stored; of 16 bits the upper eight.
fn sample(row: &[u8], depth: u8, index: usize) -> Option<u8> {
    let depth = usize::from(depth);
    if depth == 16 {
        return row.get(2 * index).copied();
    }
    let bit = index * depth;
    let byte = u16::from(*row.get(bit / 8)?);
    let mask = (1u16 << depth) - 1;
    u8::try_from((byte >> (8 - depth - bit % 8)) & mask).ok()
}

/// A sample of fewer bits spread over eight.
fn widened(sample: u8, depth: u8) -> u8 {
    match depth {
        1 => sample * 255,
        2 => sample * 85,
        4 => sample * 17,
        _ => sample,
    }
}
