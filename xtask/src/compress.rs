//! Brotli copies of the site's files, for a server that sends them as they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;

/// Kinds of files that are not compressed already.
const EXTENSIONS: [&str; 12] = [
    "css",
    "html",
    "ico",
    "js",
    "json",
    "map",
    "svg",
    "ttf",
    "txt",
    "wasm",
    "webmanifest",
    "xml",
];

/// Below this a second file costs more than the bytes it saves.
const BYTES_MIN: u64 = 256;

/// Whether a `.br` beside `path` pays.
pub fn is_worthwhile(path: &Path) -> bool {
    let known = path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension));
    known && fs::metadata(path).is_ok_and(|file| file.len() >= BYTES_MIN)
}

/// `name.js` → `name.js.br`.
pub fn path_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".br");
    PathBuf::from(name)
}

/// Whether `compressed` was written after `path` changed last.
pub fn is_fresh(compressed: &Path, path: &Path) -> bool {
    let changed_at = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    match (changed_at(compressed), changed_at(path)) {
        (Ok(compressed), Ok(original)) => compressed >= original,
        _ => false,
    }
}

/// The smallest form; 11 and 22 are the highest quality and the largest standard window.
pub fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let params = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &params).context("brotli failed")?;
    Ok(compressed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_can_be_read_back() {
        let text = "exchequer ".repeat(100);
        let compressed = brotli(text.as_bytes()).unwrap();
        assert!(compressed.len() < text.len() / 10);

        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &*compressed, &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
    }

    #[test]
    fn the_copy_keeps_the_whole_name() {
        assert_eq!(
            path_beside(Path::new("pkg/a.min.js")),
            Path::new("pkg/a.min.js.br")
        );
    }
}
