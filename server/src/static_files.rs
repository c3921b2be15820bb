//! Style sheets, scripts and the few files that live beside them.

use std::path::Path;

use axum::Router;
use axum::http::{HeaderValue, header};
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::state::AppState;

/// Files served from the root of the site.
const ROOT_FILES: [&str; 3] = ["boot.js", "favicon.svg", "robots.txt"];

/// Serves `pkg/` and the root files of a built site, compressed where the build left a `.br` beside
/// a file.
///
/// File names carry no hash, so a browser asks each time whether its copy is still the right one
/// (`no-cache`) and is told so without the bytes (`If-Modified-Since`).
pub fn router(site_root: &Path) -> Router<AppState> {
    if !site_root.join("pkg").is_dir() {
        tracing::warn!(
            folder = %site_root.display(),
            "no built site here: pages come without style and scripts (cargo xtask build makes it)"
        );
    }
    let pkg = ServeDir::new(site_root.join("pkg"))
        .append_index_html_on_directories(false)
        .precompressed_br();
    let mut router = Router::new().nest_service("/pkg", pkg);
    for name in ROOT_FILES {
        let file = ServeFile::new(site_root.join(name)).precompressed_br();
        router = router.route_service(&format!("/{name}"), file);
    }
    router.layer(SetResponseHeaderLayer::if_not_present(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache"),
    ))
}
