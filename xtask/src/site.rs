//! The folder the server serves files from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::compress;

/// `target/site` while it is filled. Files that did not change are not written again, so their
/// modification times keep telling the truth.
pub struct Site {
    root: PathBuf,
    /// Files of this build, relative to the root.
    files: BTreeSet<PathBuf>,
}

impl Site {
    pub fn new(root: PathBuf) -> Site {
        Site {
            root,
            files: BTreeSet::new(),
        }
    }

    /// Puts one file at `name`, relative to the site.
    pub fn put(&mut self, name: &Path, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(name);
        write_if_changed(&path, bytes)?;
        self.files.insert(name.to_owned());
        Ok(())
    }

    /// Puts everything in `folder`, which may be missing, under `prefix`.
    pub fn copy_folder(&mut self, folder: &Path, prefix: &Path) -> Result<()> {
        for file in files_below(folder)? {
            let bytes = fs::read(folder.join(&file))
                .with_context(|| format!("cannot read {}", file.display()))?;
            self.put(&prefix.join(&file), &bytes)?;
        }
        Ok(())
    }

    /// Writes a `.br` beside each file that gets smaller by it.
    pub fn compress(&mut self) -> Result<()> {
        for name in self.files.clone() {
            let path = self.root.join(&name);
            if !compress::is_worthwhile(&path) {
                continue;
            }
            let compressed = compress::path_beside(&path);
            if !compress::is_fresh(&compressed, &path) {
                let bytes = fs::read(&path)?;
                fs::write(&compressed, compress::brotli(&bytes)?)
                    .with_context(|| format!("cannot write {}", compressed.display()))?;
            }
            self.files.insert(compress::path_beside(&name));
        }
        Ok(())
    }

    /// Removes what earlier builds left, above all a `.br` older than the file beside it.
    pub fn remove_strays(&self) -> Result<()> {
        for name in files_below(&self.root)? {
            if !self.files.contains(&name) {
                let path = self.root.join(&name);
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Prints each file's size in bytes.
    pub fn report(&self) -> Result<()> {
        for name in &self.files {
            let bytes = fs::metadata(self.root.join(name))?.len();
            eprintln!("{bytes:>9} {}", name.display());
        }
        Ok(())
    }
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// The files of `folder`, which may be missing, and of the folders in it: sorted, relative to
/// `folder`, without hidden ones.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        let here = folder.join(&below);
        if !here.is_dir() {
            continue;
        }
        let entries =
            fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = below.join(entry.file_name());
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.path().is_dir() {
                waiting.push(name);
            } else {
                files.push(name);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_build_replaces_what_the_last_one_left() {
        let root = std::env::temp_dir().join(format!("xtask-site-{}", std::process::id()));
        let mut release = Site::new(root.clone());
        release
            .put(
                Path::new("pkg/app.js"),
                "let a = 1;\n".repeat(50).as_bytes(),
            )
            .unwrap();
        release.put(Path::new("old.txt"), b"x").unwrap();
        release.compress().unwrap();
        release.remove_strays().unwrap();
        assert_eq!(
            files_below(&root).unwrap(),
            ["old.txt", "pkg/app.js", "pkg/app.js.br"].map(PathBuf::from),
            "one byte does not get smaller"
        );

        let mut dev = Site::new(root.clone());
        dev.put(Path::new("pkg/app.js"), b"let a = 2;\n").unwrap();
        dev.remove_strays().unwrap();
        assert_eq!(
            files_below(&root).unwrap(),
            ["pkg/app.js"].map(PathBuf::from)
        );
        fs::remove_dir_all(&root).unwrap();
    }
}
