//! Builds what the browser gets: `cargo xtask site [--release]` fills `target/site`.
//!
//! The layout is the one cargo-leptos makes (`pkg/exchequer.{js,wasm,css}` beside the files of
//! `public/`), without installing cargo-leptos or wasm-bindgen's command line.

mod compress;
mod site;
mod style;
mod wasm;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::site::Site;

const USAGE: &str = "usage: cargo xtask site [--release]";

/// The sheets and the folders of `style/` they are joined from: customers' pages stay light.
const SHEETS: [(&str, &[&str]); 2] = [
    ("pkg/pay.css", &["shared", "pay"]),
    ("pkg/exchequer.css", &["shared", "pay", "app"]),
];

/// The two ways to build the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Fast to build, about 5 MB of wasm.
    Dev,
    /// Small, optimised and with `.br` files beside it.
    Release,
}

/// The folders of the workspace.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["site"] => build_site(Mode::Dev),
        ["site", "--release"] => build_site(Mode::Release),
        _ => bail!(USAGE),
    }
}

fn build_site(mode: Mode) -> Result<()> {
    let workspace = Workspace::find()?;
    let bundle = wasm::build(&workspace, mode)?;

    let mut site = Site::new(workspace.root.join("target/site"));
    site.copy_folder(&workspace.root.join("public"), Path::new(""))?;
    site.copy_folder(&bundle, Path::new("pkg"))?;
    for (name, folders) in SHEETS {
        let mut css = String::new();
        for folder in folders {
            css.push_str(&style::join(&workspace.root.join("style").join(folder))?);
        }
        site.put(Path::new(name), css.as_bytes())?;
    }
    if mode == Mode::Release {
        site.compress()?;
    }
    site.remove_strays()?;
    site.report()
}

impl Workspace {
    fn find() -> Result<Workspace> {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = xtask
            .parent()
            .context("xtask lies in the workspace")?
            .to_owned();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), |dir| root.join(dir));
        Ok(Workspace { root, target })
    }
}
