//! A picture in memory, and smaller ones of it.

/// Red, green, blue, alpha.
pub(super) type Pixel = [u8; 4];

/// Each step to a smaller picture keeps seven eighths of its sides.
const STEP: (u32, u32) = (7, 8);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pixels {
    /// One or more, as is the height.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Rows from the top.
    pub(super) pixels: Vec<Pixel>,
}

impl Pixels {
    pub(super) fn is_opaque(&self) -> bool {
        self.pixels.iter().all(|[.., alpha]| *alpha == 255)
    }

    /// Three samples a pixel where nothing shines through, four elsewhere.
    pub(super) fn samples(&self) -> Vec<u8> {
        let each = if self.is_opaque() { 3 } else { 4 };
        self.pixels
            .iter()
            .flat_map(|pixel| pixel.iter().take(each))
            .copied()
            .collect()
    }

    /// Within `bounds`, as it is when it fits.
    pub(super) fn fitted(&self, bounds: (u32, u32)) -> Self {
        self.shrunk(fit((self.width, self.height), bounds))
    }

    /// The next size to try; `None` when there is none.
    pub(super) fn next_smaller(&self) -> Option<(u32, u32)> {
        let (kept, of) = STEP;
        let less = |side: u32| (side * kept / of).max(1);
        let size = (less(self.width), less(self.height));
        (size != (self.width, self.height)).then_some(size)
    }

    /// Every new pixel is the mean of what it covers, weighed by how much of it and by alpha: what
    /// does not show has no colour. `size` is not larger than this.
    pub(super) fn shrunk(&self, size: (u32, u32)) -> Self {
        let (width, height) = size;
        if size == (self.width, self.height) {
            return self.clone();
        }
        let columns = covers(self.width, width);
        let rows = covers(self.height, height);
        let mut pixels = Vec::with_capacity(columns.len() * rows.len());
        for row in &rows {
            for column in &columns {
                pixels.push(self.mean(column, row));
            }
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    fn mean(&self, columns: &[Cover], rows: &[Cover]) -> Pixel {
        let mut color = [0u64; 3];
        let (mut alpha, mut area) = (0u64, 0u64);
        for row in rows {
            for column in columns {
                let [red, green, blue, opacity] = self.at(column.index, row.index);
                let weight = row.weight * column.weight;
                let shows = weight * u64::from(opacity);
                for (sum, sample) in color.iter_mut().zip([red, green, blue]) {
                    *sum += shows * u64::from(sample);
                }
                alpha += shows;
                area += weight;
            }
        }
        let [red, green, blue] = color.map(|sum| rounded(sum, alpha));
        [red, green, blue, rounded(alpha, area)]
    }

    fn at(&self, column: usize, row: usize) -> Pixel {
        let width = usize::try_from(self.width).unwrap_or(usize::MAX);
        self.pixels
            .get(row * width + column)
            .copied()
            .unwrap_or_default()
    }
}

/// A row or column of the larger picture, and how much of it lies below one of the smaller picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cover {
    index: usize,
    weight: u64,
}

/// For each of `to` parts, which of `from` parts it covers. Both are counted in a grid so fine that
/// both have whole numbers there.
fn covers(from: u32, to: u32) -> Vec<Vec<Cover>> {
    let one = |part: u32| {
        let (start, end) = (part * from, (part + 1) * from);
        let touched = start / to..end.div_ceil(to);
        touched
            .map(|index| {
                let overlap = end.min((index + 1) * to) - start.max(index * to);
                Cover {
                    index: usize::try_from(index).unwrap_or(usize::MAX),
                    weight: u64::from(overlap),
                }
            })
            .collect()
    };
    (0..to).map(one).collect()
}

/// To the nearest; zero of nothing.
fn rounded(sum: u64, count: u64) -> u8 {
    let mean = (sum + count / 2).checked_div(count).unwrap_or(0);
    // A mean of bytes is one.
    u8::try_from(mean).unwrap_or(u8::MAX)
}

/// The largest size of the same shape within `bounds`, never larger than `size`.
pub(super) fn fit(size: (u32, u32), bounds: (u32, u32)) -> (u32, u32) {
    let ((width, height), (width_max, height_max)) = (size, bounds);
    if width <= width_max && height <= height_max {
        size
    } else if width * height_max >= height * width_max {
        (width_max, (height * width_max / width).max(1))
    } else {
        ((width * height_max / height).max(1), height_max)
    }
}
