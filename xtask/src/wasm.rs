//! Compiles `frontend`, makes the JavaScript glue and shrinks the result.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::{Mode, Workspace};

const TARGET: &str = "wasm32-unknown-unknown";
const NAME: &str = "exchequer";

/// Returns the folder that holds `exchequer.js` and `exchequer.wasm`. Its products are kept as
/// long as the compiled module stays the same. No wasm-opt: the versions distributions ship break
/// modules that use externref, and after brotli it gained nothing.
pub fn build(workspace: &Workspace, mode: Mode) -> Result<PathBuf> {
    require_target()?;
    let compiled = compile(workspace, mode)?;
    let folder = workspace.target.join("xtask").join(profile_folder(mode));
    let stamp = folder.with_extension("stamp");
    let fingerprint = fingerprint(&compiled)?;
    if fs::read_to_string(&stamp).is_ok_and(|made| made == fingerprint) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    bind(&compiled, &folder, mode)?;
    let wasm = folder.join(format!("{NAME}.wasm"));
    // The page's loader passes this name, so the glue's default URL is never used.
    fs::rename(folder.join(format!("{NAME}_bg.wasm")), &wasm)
        .context("wasm-bindgen made no wasm")?;
    fs::write(&stamp, fingerprint).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(folder)
}

/// Cargo's own message for this is hundreds of lines about a missing `core`.
fn require_target() -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", rustc.display()))?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    ensure!(
        output.status.success() && libdir.is_dir(),
        "the Rust target {TARGET} is not installed: run `rustup target add {TARGET}`"
    );
    Ok(())
}

fn compile(workspace: &Workspace, mode: Mode) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build.current_dir(&workspace.root);
    build.args([
        "build",
        "--package",
        "frontend",
        "--lib",
        "--target",
        TARGET,
    ]);
    if mode == Mode::Release {
        build.args(["--profile", "wasm-release"]);
    }
    let status = build.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("compiling `frontend` for {TARGET} failed");
    }
    Ok(workspace
        .target
        .join(TARGET)
        .join(profile_folder(mode))
        .join("frontend.wasm"))
}

fn profile_folder(mode: Mode) -> &'static str {
    match mode {
        Mode::Dev => "debug",
        Mode::Release => "wasm-release",
    }
}

fn bind(compiled: &Path, folder: &Path, mode: Mode) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .out_name(NAME)
        .typescript(false);
    bindgen.web(true)?;
    if mode == Mode::Release {
        bindgen
            .remove_name_section(true)
            .remove_producers_section(true);
    } else {
        bindgen.keep_debug(true);
    }
    bindgen.generate(folder).context("wasm-bindgen failed")
}

fn fingerprint(compiled: &Path) -> Result<String> {
    let module = fs::read(compiled).with_context(|| format!("no {}", compiled.display()))?;
    let mut hasher = DefaultHasher::new();
    module.hash(&mut hasher);
    Ok(format!(
        "{} bytes, hash {:016x}\n",
        module.len(),
        hasher.finish()
    ))
}
