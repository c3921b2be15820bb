//! Links to the neighbouring pages of a list. Lists are never scrolled endlessly (ux §0).

use domain::view::dashboard::Paging;
use leptos::prelude::*;

/// Previous, next, and the export of exactly what is listed.
#[component]
pub fn PageLinks(
    of: Paging,
    /// What is listed, e.g. `charges`; names the landmark.
    what: &'static str,
    /// Path of the CSV export, without query; `None` where a list has none.
    #[prop(optional, into)]
    export: Option<String>,
) -> impl IntoView {
    let Paging {
        previous,
        next,
        export: query,
    } = of;
    let previous =
        previous.map(|href| view! { <a class="btn-2" rel="prev" href=href>"Previous page"</a> });
    let next = next.map(|href| view! { <a class="btn-2" rel="next" href=href>"Next page"</a> });
    let neighbours = (previous.is_some() || next.is_some()).then(|| {
        let label = format!("Pages of {what}");
        view! { <nav class="pages" aria-label=label>{previous} {next}</nav> }
    });
    let export = export.map(|path| {
        let href = format!("{path}{query}");
        view! { <a class="export" href=href download="">{format!("Export these {what} (CSV)")}</a> }
    });
    view! { <div class="paging">{neighbours} {export}</div> }
}
