//! The flow of one document down its pages: margins, page breaks, running head and foot.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use domain::view::receipt::{ReceiptState, ReceiptView};

use super::canvas::{Canvas, Drawing, PAGE_HEIGHT, PAGE_WIDTH, Run, Style};
use super::fonts::{Faces, Weight};
use super::palette::{self, Tint};
use super::text;

pub const LEFT: f32 = 48.0;
pub const RIGHT: f32 = PAGE_WIDTH - LEFT;
pub const WIDTH: f32 = RIGHT - LEFT;
/// The flow ends here; the foot is below.
const BOTTOM: f32 = PAGE_HEIGHT - 66.0;
const FOOT_BASELINE: f32 = PAGE_HEIGHT - 40.0;
/// Distance of two baselines, in font sizes.
const LEADING: f32 = 1.35;
/// Side of one square of the chequer strip.
const CHEQUER: f32 = 4.0;
const CHEQUER_ROWS: u16 = 2;
/// Enough squares to cross the page.
const CHEQUER_COLUMNS: u16 = 149;
const WATERMARK_LENGTH: f32 = 640.0;

const FOOT: Style = Style {
    weight: Weight::Regular,
    size: 8.0,
    tint: palette::INK_SOFT,
};
const RUNNING_HEAD: Style = Style {
    weight: Weight::Bold,
    size: 9.0,
    tint: palette::INK_SOFT,
};
const HEADING: Style = Style {
    weight: Weight::Bold,
    size: 10.0,
    tint: palette::INK,
};
pub const BODY: Style = Style {
    weight: Weight::Regular,
    size: 9.0,
    tint: palette::INK,
};
pub const LABEL: Style = Style {
    weight: Weight::Regular,
    size: 9.0,
    tint: palette::INK_SOFT,
};

/// Where facts stand: labels from `x`, values from `x + label`, up to `x + width`.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub x: f32,
    pub label: f32,
    pub width: f32,
}

/// What a document calls itself on every page.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a> {
    pub title: &'a str,
    pub number: &'a str,
    /// `NOT PAID` stands across every page.
    pub says_not_paid: bool,
}

/// A document being laid out.
pub struct Sheet<'a> {
    pub view: &'a ReceiptView,
    heading: Heading<'a>,
    pub canvas: Canvas,
    /// Where the next line goes, in points from the top of the page.
    pub y: f32,
    faces: &'static Faces,
    accent: Tint,
}

impl<'a> Sheet<'a> {
    /// Opens the first page of a receipt.
    pub fn new(view: &'a ReceiptView, faces: &'static Faces) -> Self {
        let heading = Heading {
            title: view.state.title(),
            number: &view.public_id,
            says_not_paid: view.state == ReceiptState::NotPaid,
        };
        Self::with_heading(view, heading, faces)
    }

    /// Opens the first page of a document with another name.
    pub fn with_heading(
        view: &'a ReceiptView,
        heading: Heading<'a>,
        faces: &'static Faces,
    ) -> Self {
        let accent = view
            .merchant
            .brand
            .accent
            .as_deref()
            .and_then(Tint::from_hex);
        let mut sheet = Self {
            view,
            heading,
            canvas: Canvas::default(),
            y: 0.0,
            faces,
            accent: accent.unwrap_or(palette::ACCENT),
        };
        sheet.canvas.add_page();
        sheet.watermark();
        sheet.chequer();
        sheet.y = 34.0;
        sheet
    }

    /// Opens a further page when less than `height` is left on this one; says whether it did.
    pub fn reserve(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return false;
        }
        self.canvas.add_page();
        self.watermark();
        self.canvas.fill(self.accent, 0.0, 0.0, PAGE_WIDTH, 3.0);
        self.y = 28.0;
        let head = format!("{} · {}", self.heading.number, self.heading.title);
        self.paragraph(RUNNING_HEAD, LEFT, WIDTH, 1, &head);
        self.y += 8.0;
        true
    }

    /// Height of `lines` lines in `style`.
    pub fn height(style: Style, lines: usize) -> f32 {
        style.size * LEADING * lines as f32
    }

    /// `text` broken into lines as [`Sheet::paragraph`] would draw it.
    pub fn lines(&self, style: Style, width: f32, lines_max: usize, text: &str) -> Vec<String> {
        text::wrap(
            self.faces.get(style.weight),
            text,
            style.size,
            width,
            lines_max,
        )
    }

    /// Draws `text` in at most `lines_max` lines and moves below it.
    pub fn paragraph(&mut self, style: Style, x: f32, width: f32, lines_max: usize, text: &str) {
        for line in self.lines(style, width, lines_max, text) {
            self.canvas.text(style, x, self.y + style.size, &line);
            self.y += Self::height(style, 1);
        }
    }

    /// Draws `text` on the current line with its right edge at `right`, shrunk to fit `width`.
    pub fn amount(&mut self, style: Style, right: f32, width: f32, text: &str) {
        let face = self.faces.get(style.weight);
        let (text, size) = text::shrink(face, text, style.size, width);
        let x = right - face.width(&text, size);
        self.canvas
            .text(Style { size, ..style }, x, self.y + style.size, &text);
    }

    /// Starts a section that needs `height` below its heading.
    pub fn heading(&mut self, height: f32, text: &str) {
        self.y += 16.0;
        self.reserve(Self::height(HEADING, 1) + 6.0 + height);
        self.heading_at(LEFT, WIDTH, text);
    }

    /// Draws a heading over one column, here and now.
    pub fn heading_at(&mut self, x: f32, width: f32, text: &str) {
        self.paragraph(HEADING, x, width, 1, text);
        self.rule(x, width, 0.5, palette::LINE);
        self.y += 5.0;
    }

    /// Draws a label with its value beside it; nothing when the value has nothing to show.
    pub fn fact(&mut self, column: Column, lines_max: usize, label: &str, value: &str) {
        let width = column.width - column.label;
        let lines = self.lines(BODY, width, lines_max, value).len();
        if lines == 0 {
            return;
        }
        self.reserve(Self::height(BODY, lines));
        let label = text::one_line(
            self.faces.get(LABEL.weight),
            label,
            LABEL.size,
            column.label - 6.0,
        );
        self.canvas
            .text(LABEL, column.x, self.y + LABEL.size, &label);
        self.paragraph(BODY, column.x + column.label, width, lines_max, value);
    }

    /// Draws a horizontal rule and moves below it.
    pub fn rule(&mut self, x: f32, width: f32, thickness: f32, tint: Tint) {
        self.canvas.fill(tint, x, self.y, width, thickness);
        self.y += thickness;
    }

    /// Writes the foot of every page and gives up the drawing.
    pub fn finish(mut self) -> Drawing {
        let face = self.faces.get(FOOT.weight);
        let origin = format!(
            "{} · {}",
            self.heading.number, self.view.merchant.brand.name
        );
        let origin = text::one_line(face, &origin, FOOT.size, WIDTH - 80.0);
        let count = self.canvas.page_count();
        for index in 0..count {
            self.canvas.select(index);
            self.canvas
                .fill(palette::LINE, LEFT, FOOT_BASELINE - 14.0, WIDTH, 0.5);
            self.canvas.text(FOOT, LEFT, FOOT_BASELINE, &origin);
            let number = format!("Page {}/{count}", index + 1);
            let x = RIGHT - face.width(&number, FOOT.size);
            self.canvas.text(FOOT, x, FOOT_BASELINE, &number);
        }
        self.canvas.finish()
    }

    fn chequer(&mut self) {
        let squares: Vec<Run> = (0..CHEQUER_ROWS)
            .flat_map(|row| (0..CHEQUER_COLUMNS).map(move |column| (column, row)))
            .filter(|(column, row)| (column + row) % 2 == 0)
            .map(|(column, row)| Run {
                column,
                row,
                length: 1,
            })
            .collect();
        self.canvas
            .modules(self.accent, 0.0, 0.0, CHEQUER, &squares);
    }

    /// Says across the whole page that it is no receipt, or not about real money.
    fn watermark(&mut self) {
        let (tint, text) = match (self.heading.says_not_paid, self.view.test_mode) {
            (true, true) => (palette::DANGER_SOFT, "TEST — NOT PAID"),
            (true, false) => (palette::DANGER_SOFT, "NOT PAID"),
            (false, true) => (palette::WARN_SOFT, "TEST"),
            (false, false) => return,
        };
        let style = Style {
            weight: Weight::Bold,
            size: 150.0,
            tint,
        };
        self.canvas
            .diagonal(self.faces.get(Weight::Bold), style, WATERMARK_LENGTH, text);
    }
}
