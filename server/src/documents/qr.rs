//! A QR code as rectangles: one for each run of dark modules in a row.

use qrcode::{Color, EcLevel, QrCode};

use super::DocumentError;
use super::canvas::Run;

/// Light modules that must surround a code (ISO/IEC 18004, quiet zone).
pub const QUIET_MODULES: u16 = 4;

/// The dark runs of one code.
pub struct Matrix {
    /// Modules along one side, quiet zone not counted.
    pub side: u16,
    pub runs: Vec<Run>,
}

/// Encodes `text` byte for byte, error correction M.
///
/// # Errors
/// [`DocumentError::Qr`] when `text` is longer than a code can hold (2 331 bytes).
pub fn encode(text: &str) -> Result<Matrix, DocumentError> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)?;
    let modules = code.to_colors();
    let mut runs = Vec::new();
    for (line, row) in modules.chunks(code.width()).zip(0u16..) {
        let mut column = 0;
        for run in line.chunk_by(|left, right| left == right) {
            // A code has at most 177 modules a side, so this never saturates.
            let length = u16::try_from(run.len()).unwrap_or(u16::MAX);
            if run.first() == Some(&Color::Dark) {
                runs.push(Run {
                    column,
                    row,
                    length,
                });
            }
            column += length;
        }
    }
    Ok(Matrix {
        side: u16::try_from(code.width()).unwrap_or(u16::MAX),
        runs,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_draw_exactly_the_dark_modules() {
        let url = "https://pay.example/pay/EX-ABCDE23456?t=0123456789abcdef0123456789abcdef";
        let matrix = encode(url).unwrap();
        let side = usize::from(matrix.side);
        let mut drawn = vec![Color::Light; side * side];
        for run in &matrix.runs {
            let start = usize::from(run.row) * side + usize::from(run.column);
            drawn[start..start + usize::from(run.length)].fill(Color::Dark);
        }
        let code = QrCode::with_error_correction_level(url, EcLevel::M).unwrap();
        assert_eq!(drawn, code.to_colors());
        assert!(
            matrix.runs.len() < drawn.len() / 3,
            "{} runs",
            matrix.runs.len()
        );
    }

    #[test]
    fn too_long_an_address_is_refused() {
        assert!(matches!(
            encode(&"x".repeat(10_000)),
            Err(DocumentError::Qr(_))
        ));
    }
}
