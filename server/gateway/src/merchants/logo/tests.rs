#![allow(clippy::unwrap_used)]

use super::chunks::SIGNATURE;
use super::encode::{deflated, encode};
use super::*;

/// A chunk with a true checksum.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(body);
    let length = u32::try_from(body.len()).unwrap();
    [
        &length.to_be_bytes()[..],
        kind,
        body,
        &crc.sum().to_be_bytes(),
    ]
    .concat()
}

fn header(width: u32, height: u32, rest: [u8; 5]) -> Vec<u8> {
    let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &rest].concat();
    chunk(b"IHDR", &body)
}

/// A file of these chunks with `rows` as its data.
fn file(header: Vec<u8>, before: &[Vec<u8>], rows: &[u8]) -> Vec<u8> {
    let mut file = SIGNATURE.to_vec();
    file.extend(header);
    file.extend(before.concat());
    file.extend(chunk(b"IDAT", &deflated(rows).unwrap()));
    file.extend(chunk(b"IEND", &[]));
    file
}

fn refusal(file: &[u8]) -> Option<LogoRefusal> {
    prepare(file).unwrap().err()
}

/// Colours that no palette holds and no filter guesses.
fn noise(width: u32, height: u32) -> Pixels {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [red, green, blue, ..] = state.to_be_bytes();
        [red, green, blue, 255]
    };
    let count = usize::try_from(width * height).unwrap();
    Pixels {
        width,
        height,
        pixels: (0..count).map(|_| next()).collect(),
    }
}

#[test]
fn what_is_written_is_read_back() {
    let soft: Vec<[u8; 4]> = (0..=255u8)
        .flat_map(|x| [[x, 255 - x, 7, 255], [x, x, x, x]])
        .collect();
    let pictures = [
        noise(7, 5),
        // More than a palette holds, partly transparent.
        Pixels {
            width: 32,
            height: 16,
            pixels: soft,
        },
        Pixels {
            width: 3,
            height: 2,
            pixels: [[9, 8, 7, 255], [1, 2, 3, 128]].repeat(3),
        },
    ];
    for picture in pictures {
        let png = encode(&picture).unwrap();
        assert_eq!(decode::decode(&png).unwrap(), picture);
        assert_eq!(encode(&picture).unwrap(), png);
    }
}

#[test]
fn every_kind_of_pixel_is_read() {
    let transparent = |body: &[u8]| vec![chunk(b"tRNS", body)];
    let palette = vec![chunk(b"PLTE", &[1, 2, 3, 4, 5, 6]), chunk(b"tRNS", &[0])];
    let cases = [
        // Width, depth and colour type; chunks before the data; one row; its first two pixels.
        (
            1,
            0,
            vec![],
            vec![0, 0b0100_0000],
            [[0, 0, 0, 255], [255; 4]],
        ),
        (
            2,
            0,
            vec![],
            vec![0, 0b0110_0000],
            [[85, 85, 85, 255], [170, 170, 170, 255]],
        ),
        (
            4,
            0,
            transparent(&[0, 1]),
            vec![0, 0x12],
            [[17, 17, 17, 0], [34, 34, 34, 255]],
        ),
        (
            8,
            0,
            vec![],
            vec![1, 10, 5],
            [[10, 10, 10, 255], [15, 15, 15, 255]],
        ),
        (
            16,
            0,
            vec![],
            vec![0, 10, 99, 20, 99],
            [[10, 10, 10, 255], [20, 20, 20, 255]],
        ),
        (
            8,
            2,
            vec![],
            vec![1, 1, 2, 3, 1, 1, 1],
            [[1, 2, 3, 255], [2, 3, 4, 255]],
        ),
        (
            8,
            2,
            transparent(&[0, 1, 0, 2, 0, 3]),
            vec![0, 1, 2, 3, 1, 1, 1],
            [[1, 2, 3, 0], [1, 1, 1, 255]],
        ),
        (
            1,
            3,
            palette,
            vec![0, 0b0100_0000],
            [[1, 2, 3, 0], [4, 5, 6, 255]],
        ),
        (
            8,
            4,
            vec![],
            vec![2, 7, 128, 9, 0],
            [[7, 7, 7, 128], [9, 9, 9, 0]],
        ),
        (
            8,
            6,
            vec![],
            vec![4, 1, 2, 3, 4, 1, 1, 1, 1],
            [[1, 2, 3, 4], [2, 3, 4, 5]],
        ),
    ];
    for (depth, kind, before, row, expected) in cases {
        let file = file(header(2, 1, [depth, kind, 0, 0, 0]), &before, &row);
        let read = decode::decode(&file).unwrap();
        assert_eq!(read.pixels, expected, "depth {depth} of kind {kind}");
    }
}

#[test]
fn nothing_but_the_pixels_is_kept() {
    let text = chunk(b"tEXt", b"Comment\0<script>alert(1)</script>");
    let profile = chunk(b"iCCP", b"secret profile");
    let mut upload = file(
        header(2, 1, [8, 2, 0, 0, 0]),
        &[text, profile],
        &[0, 1, 2, 3, 4, 5, 6],
    );
    upload.extend_from_slice(b"PK\x03\x04 <html><script>alert(2)</script>");
    let logo = prepare(&upload).unwrap().unwrap();
    for picture in [&logo.screen, &logo.print] {
        let kept = String::from_utf8_lossy(&picture.png);
        for part in ["script", "tEXt", "iCCP", "PK\u{3}"] {
            assert!(!kept.contains(part), "{part}");
        }
        assert!(picture.png.ends_with(b"IEND\xAE\x42\x60\x82"));
        assert_eq!((picture.width, picture.height), (2, 1));
    }
}

#[test]
fn what_is_no_png_of_ours_is_refused_by_name() {
    let rows = [0, 1, 2, 3];
    let png = |rest| file(header(1, 1, rest), &[], &rows);
    let fine = png([8, 2, 0, 0, 0]);
    assert_eq!(refusal(&fine), None);
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    assert_eq!(refusal(b""), Some(LogoRefusal::Missing));
    assert_eq!(refusal(svg), Some(LogoRefusal::NotPng));
    assert_eq!(refusal(b"\xFF\xD8\xFF\xE0"), Some(LogoRefusal::NotPng));
    let heavy = vec![0; LOGO_UPLOAD_BYTES_MAX + 1];
    assert_eq!(refusal(&heavy), Some(LogoRefusal::TooHeavy));
    assert_eq!(
        refusal(&png([8, 2, 0, 0, 1])),
        Some(LogoRefusal::Interlaced)
    );
    for rest in [
        [8, 5, 0, 0, 0],
        [3, 0, 0, 0, 0],
        [8, 2, 1, 0, 0],
        [8, 2, 0, 0, 2],
    ] {
        assert_eq!(refusal(&png(rest)), Some(LogoRefusal::Damaged), "{rest:?}");
    }
    let mut flipped = fine.clone();
    flipped[18] ^= 1;
    assert_eq!(refusal(&flipped), Some(LogoRefusal::Damaged));
    for length in 0..fine.len() {
        assert!(refusal(&fine[..length]).is_some(), "{length} bytes");
    }
    let unknown = file(header(1, 1, [8, 2, 0, 0, 0]), &[chunk(b"XXXX", &[])], &rows);
    assert_eq!(refusal(&unknown), Some(LogoRefusal::Damaged));
    let no_entry = file(header(1, 1, [8, 3, 0, 0, 0]), &[], &[0, 7]);
    assert_eq!(refusal(&no_entry), Some(LogoRefusal::Damaged));
    let no_filter = file(header(1, 1, [8, 2, 0, 0, 0]), &[], &[5, 1, 2, 3]);
    assert_eq!(refusal(&no_filter), Some(LogoRefusal::Damaged));
}

#[test]
fn a_bomb_is_not_unpacked() {
    for (width, height) in [(1_025, 1), (1, 1_025), (u32::MAX, u32::MAX)] {
        let wide = file(header(width, height, [8, 2, 0, 0, 0]), &[], &[0]);
        assert_eq!(
            refusal(&wide),
            Some(LogoRefusal::TooLarge),
            "{width}x{height}"
        );
    }
    // Says one pixel, unpacks to a megabyte: no more than the pixel is read.
    let bomb = file(header(1, 1, [8, 2, 0, 0, 0]), &[], &vec![0; 1_024 * 1_024]);
    assert_eq!(refusal(&bomb), None);
    // Says much, holds little.
    let empty = file(header(1_024, 1_024, [16, 6, 0, 0, 0]), &[], &[0]);
    assert_eq!(refusal(&empty), Some(LogoRefusal::Damaged));
}

#[test]
fn pictures_fit_their_places() {
    let upload = encode(&noise(400, 200)).unwrap();
    assert!(upload.len() <= LOGO_UPLOAD_BYTES_MAX);
    let logo = prepare(&upload).unwrap().unwrap();
    assert!(logo.screen.png.len() <= SCREEN_BYTES_MAX);
    assert!(logo.screen.width <= SCREEN_BOX.0 && logo.screen.height <= SCREEN_BOX.1);
    let print = drawable(&logo.print.png).unwrap();
    assert!(print.is_whole());
    assert!(deflated(&print.samples).unwrap().len() <= PRINT_BYTES_MAX);
    assert_eq!(shown_size(320, 96), (160, 48));
    assert_eq!(shown_size(96, 96), (48, 48));
    assert_eq!(shown_size(20, 10), (20, 10));
    assert_eq!(shown_size(1_024, 1), (160, 1));
}

#[test]
fn a_smaller_picture_is_the_mean_of_the_larger_one() {
    let picture = Pixels {
        width: 3,
        height: 1,
        // What does not show has no colour to give.
        pixels: vec![[0, 0, 0, 255], [90, 90, 90, 255], [255, 0, 0, 0]],
    };
    let whole = picture.shrunk((1, 1));
    assert_eq!(whole.pixels, [[45, 45, 45, 170]]);
    let halves = picture.shrunk((2, 1));
    assert_eq!(halves.pixels, [[30, 30, 30, 255], [90, 90, 90, 85]]);
    assert_eq!(picture.fitted((3, 1)), picture);
}
