//! Files of a merchant's looks: its colour as a style sheet, its logo. The pages' policy permits no
//! inline style, so a colour that is known only when a page is made comes as a file.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::brand::{Accent, Rgb, preview_stylesheet};
use gateway::merchants::BrandFile;

use super::errors::Refusal;
use crate::state::AppState;

/// The name says what is inside, so what is kept never gets old.
const KEPT: &str = "public, max-age=31536000, immutable";

/// Opened by itself a file is nothing but a file (security rule 51).
const POLICY: &str = "default-src 'none'; sandbox";

/// Stands for a merchant where a colour is looked at that nobody has saved.
const PREVIEW: &str = "preview";

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/brand/{merchant}/{file}", get(show))
}

async fn show(
    State(state): State<AppState>,
    Path((merchant, file)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let found = if merchant == PREVIEW {
        preview(&file)
            .map(BrandFile::Stylesheet)
            .ok_or(Refusal::NotFound)?
    } else {
        let id = merchant.parse::<i64>().map_err(|_| Refusal::NotFound)?;
        state.gateway.brand_file(id, &file).await?
    };
    let (kind, bytes) = match found {
        BrandFile::Stylesheet(css) => ("text/css; charset=utf-8", css.into_bytes()),
        BrandFile::Logo(png) => ("image/png", png),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, KEPT),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((headers, bytes).into_response())
}

/// `1D4C78.css` in both themes, or `house.css`. Made of the name alone.
fn preview(file: &str) -> Option<String> {
    let accent = match file.strip_suffix(".css")? {
        "house" => Accent::house(),
        digits => Accent::guard(Rgb::parse(&format!("#{digits}"))?),
    };
    Some(preview_stylesheet(&accent))
}

#[cfg(test)]
mod tests {
    use super::preview;

    #[test]
    fn a_preview_is_a_colour_and_nothing_else() {
        assert!(preview("1D4C78.css").is_some_and(|css| css.contains("--accent:#1D4C78")));
        assert!(preview("house.css").is_some());
        for file in [
            "",
            ".css",
            "1D4C78",
            "red.css",
            "1D4C78}.css",
            "#1D4C78.css",
        ] {
            assert_eq!(preview(file), None, "{file:?}");
        }
    }
}
