//! The routes of the server, read from its sources: a router cannot be asked for them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module that makes routes, below `src`.
const MODULES: [(&str, &str); 19] = [
    (
        "dialects/orders/mod.rs",
        include_str!("../../src/dialects/orders/mod.rs"),
    ),
    (
        "dialects/processing/mod.rs",
        include_str!("../../src/dialects/processing/mod.rs"),
    ),
    ("health.rs", include_str!("../../src/health.rs")),
    ("metrics/mod.rs", include_str!("../../src/metrics/mod.rs")),
    (
        "pages/callbacks.rs",
        include_str!("../../src/pages/callbacks.rs"),
    ),
    (
        "pages/invoices.rs",
        include_str!("../../src/pages/invoices.rs"),
    ),
    (
        "pages/futures.rs",
        include_str!("../../src/pages/futures.rs"),
    ),
    ("pages/claim.rs", include_str!("../../src/pages/claim.rs")),
    (
        "pages/terminal_settings.rs",
        include_str!("../../src/pages/terminal_settings.rs"),
    ),
    ("pages/coins.rs", include_str!("../../src/pages/coins.rs")),
    (
        "pages/deliveries.rs",
        include_str!("../../src/pages/deliveries.rs"),
    ),
    ("pages/keys.rs", include_str!("../../src/pages/keys.rs")),
    ("pages/rates.rs", include_str!("../../src/pages/rates.rs")),
    ("pages/brand.rs", include_str!("../../src/pages/brand.rs")),
    (
        "pages/settings.rs",
        include_str!("../../src/pages/settings.rs"),
    ),
    (
        "pages/operate/mod.rs",
        include_str!("../../src/pages/operate/mod.rs"),
    ),
    ("pages/mod.rs", include_str!("../../src/pages/mod.rs")),
    ("sandbox/mod.rs", include_str!("../../src/sandbox/mod.rs")),
    ("static_files.rs", include_str!("../../src/static_files.rs")),
];

/// The calls that make a route.
const ROUTING: [&str; 6] = [
    ".route(",
    ".route_service(",
    ".nest(",
    ".nest_service(",
    ".fallback_service(",
    "any_service(",
];

const METHODS: [&str; 6] = ["any", "delete", "get", "patch", "post", "put"];

/// Method, in capitals, and path of each route.
pub fn routes() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for (module, source) in MODULES {
        let code = without_tests(source);
        for call in code.split(".route(").skip(1).map(up_to_its_end) {
            let path = first_literal(call);
            let methods: Vec<&str> = METHODS
                .into_iter()
                .filter(|method| calls(call, method))
                .collect();
            assert!(
                path.starts_with('/') && !methods.is_empty(),
                "{module}: {call}"
            );
            for method in methods {
                routes.insert((method.to_ascii_uppercase(), path.to_owned()));
            }
        }
        for call in code.split(".nest_service(").skip(1) {
            routes.insert(("GET".to_owned(), first_literal(call).to_owned()));
        }
        for path in root_files(code) {
            routes.insert(("GET".to_owned(), path));
        }
    }
    routes
}

/// The modules that are read here.
pub fn modules_read() -> BTreeSet<PathBuf> {
    MODULES
        .iter()
        .map(|(path, _)| PathBuf::from(path))
        .collect()
}

/// The modules that make routes.
pub fn modules_with_routes() -> BTreeSet<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                let code = without_tests(&source);
                if ROUTING.iter().any(|call| code.contains(call)) {
                    found.insert(path.strip_prefix(root).unwrap().to_owned());
                }
            }
        }
    }
    found
}

/// Tests of middleware have routes of their own.
fn without_tests(source: &str) -> &str {
    source.split("\nmod tests {").next().unwrap_or_default()
}

/// The arguments of a call, from behind its parenthesis to the one that closes it.
fn up_to_its_end(text: &str) -> &str {
    let mut open = 1;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return &text[..at];
        }
    }
    panic!("a call without an end: {text}");
}

fn first_literal(text: &str) -> &str {
    text.split('"').nth(1).unwrap_or_default()
}

fn calls(text: &str, function: &str) -> bool {
    let call = format!("{function}(");
    text.match_indices(&call)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Files that one loop of `static_files.rs` serves from the root.
fn root_files(code: &str) -> Vec<String> {
    let Some((_, list)) = code.split_once("const ROOT_FILES: [&str; ") else {
        assert!(!code.contains(".route_service("), "not the loop: {code}");
        return Vec::new();
    };
    assert_eq!(code.matches(".route_service(").count(), 1, "{code}");
    let (_, list) = list.split_once("= [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let names = list.split('"').skip(1).step_by(2);
    names.map(|name| format!("/{name}")).collect()
}
