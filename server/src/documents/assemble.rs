//! Pages, fonts and metadata put together into one PDF file.

use lopdf::{Dictionary, Object};
use printpdf::PdfDocument;
use printpdf::date::DateTime;
use printpdf::deserialize::PdfParseErrorSeverity;
use printpdf::font::PdfFont;
use printpdf::serialize::{PdfSaveOptions, to_lopdf_doc};
use printpdf::xobject::XObject;
use time::OffsetDateTime;

use super::DocumentError;
use super::canvas::Drawing;
use super::fonts::Faces;

const PRODUCER: &str = "Exchequer";

/// What the file says of itself.
pub struct About {
    pub title: String,
    /// The merchant.
    pub author: String,
    /// Creation and modification date; an instant of the order, never the clock's.
    pub made_at: OffsetDateTime,
}

/// Writes the file: fonts as subsets, streams compressed, no links, no actions.
///
/// # Errors
/// [`DocumentError::Font`] or [`DocumentError::Write`] when the PDF library refuses.
pub fn assemble(drawing: Drawing, faces: &Faces, about: &About) -> Result<Vec<u8>, DocumentError> {
    let mut document = PdfDocument::new(&about.title);
    describe(&mut document, about)?;
    for (weight, used) in &drawing.used {
        if !used.is_empty() {
            let font = PdfFont::new(faces.get(*weight).subset(used)?);
            document.resources.fonts.map.insert(weight.font_id(), font);
        }
    }
    for (id, picture) in drawing.pictures {
        let xobjects = &mut document.resources.xobjects.map;
        xobjects.insert(id, XObject::Image(picture));
    }
    document.pages = drawing.pages;

    let mut warnings = Vec::new();
    let mut file = to_lopdf_doc(&document, &PdfSaveOptions::default(), &mut warnings);
    // A font or a text that the library had to leave out would make a wrong document.
    if let Some(error) = warnings
        .iter()
        .find(|w| w.severity == PdfParseErrorSeverity::Error)
    {
        return Err(DocumentError::Write(error.msg.clone()));
    }
    finish(&mut file).map_err(|error| DocumentError::Write(error.to_string()))?;
    file.compress();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes)
        .map_err(|error| DocumentError::Write(error.to_string()))?;
    Ok(bytes)
}

fn describe(document: &mut PdfDocument, about: &About) -> Result<(), DocumentError> {
    let made_at = DateTime::from_unix_timestamp(about.made_at.unix_timestamp())
        .map_err(|error| DocumentError::Write(error.to_owned()))?;
    let info = &mut document.metadata.info;
    info.author.clone_from(&about.author);
    info.creator = PRODUCER.to_owned();
    info.producer = PRODUCER.to_owned();
    info.creation_date = made_at;
    info.modification_date = made_at;
    info.metadata_date = made_at;
    Ok(())
}

/// What printpdf leaves out: language, title in the window bar, a file version that allows both.
fn finish(file: &mut lopdf::Document) -> Result<(), lopdf::Error> {
    file.version = "1.5".to_owned();
    // Drawn from a process-wide counter, it would make every file differ; it is optional.
    file.trailer.remove(b"ID");
    let mut viewer = Dictionary::new();
    viewer.set("DisplayDocTitle", true);
    let catalog = file.catalog_mut()?;
    catalog.set("Lang", Object::string_literal("en"));
    catalog.set("ViewerPreferences", viewer);
    Ok(())
}
