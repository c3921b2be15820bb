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

/// What rustc 1.95 switches on for the target; older versions of wasm-opt reject a module that
/// uses a feature they were not told of.
const WASM_OPT_FLAGS: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Returns the folder that holds `exchequer.js` and `exchequer.wasm`. Its products are kept as
/// long as the compiled module stays the same, because wasm-opt takes longer than the rest.
pub fn build(workspace: &Workspace, mode: Mode) -> Result<PathBuf> {
    require_target()?;
    let compiled = compile(workspace, mode)?;
    let folder = workspace.target.join("xtask").join(profile_folder(mode));
    let stamp = folder.with_extension("stamp");
    let wasm_opt = if mode == Mode::Release {
        find_wasm_opt()
    } else {
        None
    };

    let fingerprint = fingerprint(&compiled, wasm_opt.as_deref())?;
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
    match wasm_opt {
        Some(wasm_opt) => shrink(&wasm_opt, &wasm)?,
        None if mode == Mode::Release => {
            eprintln!("wasm-opt (Debian's package `binaryen`) not found: the bundle stays larger");
        }
        None => {}
    }
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

fn find_wasm_opt() -> Option<PathBuf> {
    if let Some(chosen) = env::var_os("WASM_OPT") {
        return Some(PathBuf::from(chosen));
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join("wasm-opt"))
        .find(|file| file.is_file())
}

/// A version of wasm-opt that cannot read the module costs size, not the build.
fn shrink(wasm_opt: &Path, wasm: &Path) -> Result<()> {
    let smaller = wasm.with_extension("smaller");
    let status = Command::new(wasm_opt)
        .args(WASM_OPT_FLAGS)
        .arg(wasm)
        .arg("-o")
        .arg(&smaller)
        .status()
        .with_context(|| format!("cannot run {}", wasm_opt.display()))?;
    if status.success() {
        fs::rename(&smaller, wasm).context("cannot keep what wasm-opt made")
    } else {
        eprintln!("wasm-opt failed: the bundle stays larger");
        Ok(())
    }
}

fn fingerprint(compiled: &Path, wasm_opt: Option<&Path>) -> Result<String> {
    let module = fs::read(compiled).with_context(|| format!("no {}", compiled.display()))?;
    let mut hasher = DefaultHasher::new();
    module.hash(&mut hasher);
    WASM_OPT_FLAGS.hash(&mut hasher);
    wasm_opt.hash(&mut hasher);
    Ok(format!(
        "{} bytes, hash {:016x}\n",
        module.len(),
        hasher.finish()
    ))
}
