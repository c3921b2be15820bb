//! Marks on A4 pages: text, rectangles, runs of modules, pictures.
//!
//! Positions are points from the left and from the **top** of the page; this file alone turns
//! them into PDF's upward axis. Text must have gone through `text` before it comes here.
#![expect(
    clippy::float_arithmetic,
    reason = "page coordinates in points, not money"
)]

use std::collections::BTreeSet;

use printpdf::XObjectId;
use printpdf::graphics::{LinePoint, PaintMode, Point, Polygon, PolygonRing, Rect, WindingOrder};
use printpdf::image_types::RawImage;
use printpdf::matrix::{CurTransMat, TextMatrix};
use printpdf::ops::{Op, PdfFontHandle, PdfPage};
use printpdf::text::TextItem;
use printpdf::units::{Mm, Pt};
use printpdf::xobject::XObjectTransform;

use super::fonts::{Face, Weight};
use super::palette::Tint;

/// A4 (ISO 216) in millimetres.
const PAGE_MM: (f32, f32) = (210.0, 297.0);
/// A4 in points.
pub const PAGE_WIDTH: f32 = 595.28;
pub const PAGE_HEIGHT: f32 = 841.89;

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    pub weight: Weight,
    /// Points.
    pub size: f32,
    pub tint: Tint,
}

/// Dark modules side by side, counted from the top left corner of their grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub column: u16,
    pub row: u16,
    pub length: u16,
}

/// Finished pages and the characters they use in each face.
pub struct Drawing {
    pub pages: Vec<PdfPage>,
    pub used: [(Weight, BTreeSet<char>); 2],
    /// Under the names that the pages call them by.
    pub pictures: Vec<(XObjectId, RawImage)>,
}

/// Font and colour in force at the end of the current page's stream.
#[derive(Default)]
struct Pen {
    font: Option<(Weight, f32)>,
    tint: Option<Tint>,
}

/// Pages being drawn; marks go to the selected one.
#[derive(Default)]
pub struct Canvas {
    pages: Vec<Vec<Op>>,
    selected: usize,
    pen: Pen,
    regular: BTreeSet<char>,
    bold: BTreeSet<char>,
    pictures: Vec<(XObjectId, RawImage)>,
}

impl Canvas {
    /// Adds an empty page and selects it.
    pub fn add_page(&mut self) {
        self.pages.push(Vec::new());
        self.select(self.pages.len() - 1);
    }

    pub fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// Further marks go to page `index`, over what is there.
    pub fn select(&mut self, index: usize) {
        self.selected = index;
        self.pen = Pen::default();
    }

    /// Writes `text` with its baseline `baseline` points below the top of the page.
    pub fn text(&mut self, style: Style, x: f32, baseline: f32, text: &str) {
        let position = Op::SetTextCursor {
            pos: point(x, PAGE_HEIGHT - baseline),
        };
        self.show(style, position, text);
    }

    /// Writes `text` rising across the middle of the page, `length` points long at most.
    pub fn diagonal(&mut self, face: &Face, style: Style, length: f32, text: &str) {
        const DEGREES: f32 = 52.0;
        let size = style
            .size
            .min(length / face.width(text, 1.0).max(1.0))
            .floor();
        let (sin, cos) = DEGREES.to_radians().sin_cos();
        let half = face.width(text, size) / 2.0;
        // Capitals are 0.7 em tall: the middle of their height goes through the centre.
        let (right, up) = (size * 0.35 * sin, size * 0.35 * cos);
        let matrix = TextMatrix::TranslateRotate(
            Pt(hundredths(PAGE_WIDTH / 2.0 - half * cos + right)),
            Pt(hundredths(PAGE_HEIGHT / 2.0 - half * sin - up)),
            DEGREES,
        );
        self.show(Style { size, ..style }, Op::SetTextMatrix { matrix }, text);
    }

    /// Fills a rectangle whose upper left corner is at (`x`, `top`).
    pub fn fill(&mut self, tint: Tint, x: f32, top: f32, width: f32, height: f32) {
        let rectangle = Rect {
            x: Pt(hundredths(x)),
            y: Pt(hundredths(PAGE_HEIGHT - top - height)),
            width: Pt(hundredths(width)),
            height: Pt(hundredths(height)),
            mode: Some(PaintMode::Fill),
            winding_order: None,
        };
        self.set_tint(tint);
        self.push(Op::DrawRectangle { rectangle });
    }

    /// Fills runs of square modules, `module` points wide, in a grid that starts at (`x`, `top`).
    ///
    /// All runs are one path, so that viewers leave no seams between neighbours.
    pub fn modules(&mut self, tint: Tint, x: f32, top: f32, module: f32, runs: &[Run]) {
        self.set_tint(tint);
        self.push(Op::SaveGraphicsState);
        // Modules become whole numbers counted downwards, which keeps the stream short.
        let grid = [
            module,
            0.0,
            0.0,
            -module,
            hundredths(x),
            hundredths(PAGE_HEIGHT - top),
        ];
        self.push(Op::SetTransformationMatrix {
            matrix: CurTransMat::Raw(grid),
        });
        let polygon = Polygon {
            rings: runs.iter().map(|run| outline(*run)).collect(),
            mode: PaintMode::Fill,
            winding_order: WindingOrder::NonZero,
        };
        self.push(Op::DrawPolygon { polygon });
        self.push(Op::RestoreGraphicsState);
    }

    /// Draws a picture in a rectangle whose upper left corner is at (`x`, `top`).
    pub fn picture(&mut self, picture: RawImage, x: f32, top: f32, width: f32, height: f32) {
        // Ours and not random, so that the same view gives the same bytes.
        let id = XObjectId(format!("Picture{}", self.pictures.len() + 1));
        // A picture is one unit wide and high until it is told otherwise.
        let place = [
            hundredths(width),
            0.0,
            0.0,
            hundredths(height),
            hundredths(x),
            hundredths(PAGE_HEIGHT - top - height),
        ];
        self.push(Op::SaveGraphicsState);
        self.push(Op::SetTransformationMatrix {
            matrix: CurTransMat::Raw(place),
        });
        self.push(Op::UseXobject {
            id: id.clone(),
            transform: XObjectTransform {
                no_auto_scale: true,
                ..XObjectTransform::default()
            },
        });
        self.push(Op::RestoreGraphicsState);
        self.pictures.push((id, picture));
    }

    /// The pages as the PDF library takes them.
    pub fn finish(self) -> Drawing {
        let (width, height) = PAGE_MM;
        Drawing {
            pages: self
                .pages
                .into_iter()
                .map(|ops| PdfPage::new(Mm(width), Mm(height), ops))
                .collect(),
            used: [(Weight::Regular, self.regular), (Weight::Bold, self.bold)],
            pictures: self.pictures,
        }
    }

    fn show(&mut self, style: Style, position: Op, text: &str) {
        if text.is_empty() {
            return;
        }
        match style.weight {
            Weight::Regular => self.regular.extend(text.chars()),
            Weight::Bold => self.bold.extend(text.chars()),
        }
        self.set_tint(style.tint);
        self.push(Op::StartTextSection);
        if self.pen.font != Some((style.weight, style.size)) {
            self.pen.font = Some((style.weight, style.size));
            let font = PdfFontHandle::External(style.weight.font_id());
            self.push(Op::SetFont {
                font,
                size: Pt(style.size),
            });
        }
        self.push(position);
        self.push(Op::ShowText {
            items: vec![TextItem::Text(text.to_owned())],
        });
        self.push(Op::EndTextSection);
    }

    fn set_tint(&mut self, tint: Tint) {
        if self.pen.tint != Some(tint) {
            self.pen.tint = Some(tint);
            self.push(Op::SetFillColor {
                col: tint.to_color(),
            });
        }
    }

    fn push(&mut self, op: Op) {
        if let Some(page) = self.pages.get_mut(self.selected) {
            page.push(op);
        }
    }
}

fn outline(run: Run) -> PolygonRing {
    let (left, right) = (
        f32::from(run.column),
        f32::from(run.column) + f32::from(run.length),
    );
    let (top, bottom) = (f32::from(run.row), f32::from(run.row) + 1.0);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    PolygonRing {
        points: corners
            .into_iter()
            .map(|(x, y)| LinePoint {
                p: Point { x: Pt(x), y: Pt(y) },
                bezier: false,
            })
            .collect(),
    }
}

fn point(x: f32, y: f32) -> Point {
    Point {
        x: Pt(hundredths(x)),
        y: Pt(hundredths(y)),
    }
}

/// Finer than any printer, and short in the page stream.
fn hundredths(points: f32) -> f32 {
    (points * 100.0).round() / 100.0
}
