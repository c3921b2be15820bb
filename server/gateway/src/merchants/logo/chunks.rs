//! The chunks of a PNG file that are needed for its pixels (PNG 3rd edition, §5); all others are
//! passed over.

use flate2::Crc;

use super::{LOGO_SIDE_MAX, LogoRefusal};

pub(super) const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];

/// How samples are packed and what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Grey,
    Rgb,
    Palette,
    GreyAlpha,
    Rgba,
}

impl Color {
    /// Samples a pixel.
    pub(super) fn samples(self) -> usize {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// The colour type of a header, when it goes with the depth (PNG, table 12).
    fn read(kind: u8, depth: u8) -> Option<Self> {
        match (kind, depth) {
            (0, 1 | 2 | 4 | 8 | 16) => Some(Self::Grey),
            (2, 8 | 16) => Some(Self::Rgb),
            (3, 1 | 2 | 4 | 8) => Some(Self::Palette),
            (4, 8 | 16) => Some(Self::GreyAlpha),
            (6, 8 | 16) => Some(Self::Rgba),
            _ => None,
        }
    }
}

/// The first chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// 1 to [`LOGO_SIDE_MAX`].
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits a sample: 1, 2, 4, 8 or 16.
    pub(super) depth: u8,
    pub(super) color: Color,
}

/// What a file says about its pixels.
#[derive(Debug)]
pub(super) struct Chunks<'a> {
    pub(super) header: Header,
    /// Red, green and blue of each entry; empty when there is none.
    pub(super) palette: &'a [u8],
    /// Empty when there is none.
    pub(super) transparency: &'a [u8],
    /// Compressed rows.
    pub(super) data: Vec<u8>,
}

/// Walks the file up to its end chunk; what follows is not looked at.
pub(super) fn read(file: &[u8]) -> Result<Chunks<'_>, LogoRefusal> {
    let mut rest = file.strip_prefix(&SIGNATURE).ok_or(LogoRefusal::NotPng)?;
    let (kind, body) = chunk(&mut rest).ok_or(LogoRefusal::Damaged)?;
    if kind != b"IHDR" {
        return Err(LogoRefusal::Damaged);
    }
    let mut chunks = Chunks {
        header: header(body)?,
        palette: &[],
        transparency: &[],
        data: Vec::new(),
    };
    loop {
        let (kind, body) = chunk(&mut rest).ok_or(LogoRefusal::Damaged)?;
        match kind {
            b"PLTE" => chunks.palette = body,
            b"tRNS" => chunks.transparency = body,
            b"IDAT" => chunks.data.extend_from_slice(body),
            b"IEND" => return Ok(chunks),
            // A capital means that the picture cannot be understood without it.
            [first, ..] if first.is_ascii_uppercase() => return Err(LogoRefusal::Damaged),
            _ => {}
        }
    }
}

/// Kind and body of the next chunk; `None` when it is cut off or its checksum is wrong.
fn chunk<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8; 4], &'a [u8])> {
    let length = usize::try_from(u32::from_be_bytes(*array(rest)?)).ok()?;
    let covered: &'a [u8] = (*rest).get(..length.checked_add(4)?)?;
    let kind = array(rest)?;
    let (body, after) = (*rest).split_at_checked(length)?;
    *rest = after;
    let sum = u32::from_be_bytes(*array(rest)?);
    let mut crc = Crc::new();
    crc.update(covered);
    (crc.sum() == sum).then_some((kind, body))
}

fn array<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8; 4]> {
    let (first, after) = (*rest).split_first_chunk::<4>()?;
    *rest = after;
    Some(first)
}

fn header(body: &[u8]) -> Result<Header, LogoRefusal> {
    let (width, rest) = body.split_first_chunk::<4>().ok_or(LogoRefusal::Damaged)?;
    let (height, rest) = rest.split_first_chunk::<4>().ok_or(LogoRefusal::Damaged)?;
    let &[depth, kind, 0, 0, interlace] = rest else {
        return Err(LogoRefusal::Damaged);
    };
    let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
    let color = Color::read(kind, depth).ok_or(LogoRefusal::Damaged)?;
    if width == 0 || height == 0 {
        return Err(LogoRefusal::Damaged);
    }
    if width > LOGO_SIDE_MAX || height > LOGO_SIDE_MAX {
        return Err(LogoRefusal::TooLarge);
    }
    match interlace {
        0 => Ok(Header {
            width,
            height,
            depth,
            color,
        }),
        1 => Err(LogoRefusal::Interlaced),
        _ => Err(LogoRefusal::Damaged),
    }
}
