//! Looks into a zip for what Lambda would find wrong with it. Some of it Lambda says at the upload; most of it shows only when
//! every request fails.

use super::elf;
use crate::error::{Error, Result};
use crate::manifest::Architecture;
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

const MB: usize = 1 << 20;

/// The largest zip that Lambda takes in an upload, in bytes (AWS's limits of Lambda).
pub(crate) const LARGEST_ZIP: usize = 50 * MB;

/// The largest sum of all files of a zip, in bytes (AWS's limits of Lambda).
pub(super) const LARGEST_CODE: u64 = 250 << 20;

/// What decides whether a function can run what is in a zip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needs {
    /// Lambda's name of the runtime.
    pub(super) runtime: String,
    pub(super) handler: String,
    pub(super) architecture: Architecture,
}

/// A file of the zip, as far as it was looked at.
struct Entry {
    /// The permissions, if the zip has any: zips made on Windows have none.
    mode: Option<u32>,
    /// What `bootstrap` holds; nothing of other files.
    contents: Vec<u8>,
}

/// Refuses code that Lambda would refuse or could not start, before anything is sent. `what` names the zip in messages.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn zip(zip: &[u8], what: &str, needs: &Needs) -> Result<()> {
    size(zip, what)?;
    let entries = entries(zip, what)?;
    if needs.runtime.starts_with("provided") {
        return bootstrap(entries.get("bootstrap"), what, needs);
    }
    let Some(candidates) = handler_files(&needs.runtime, &needs.handler) else { return Ok(()) };
    if candidates.iter().any(|name| entries.contains_key(name)) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{what} has no {}, where the handler {} of the runtime {} would be",
        candidates[0], needs.handler, needs.runtime
    ))
    .hint("Put the file at the top of the zip (zip the folder's contents, not the folder), or change handler in the manifest."))
}

/// Refuses a zip that is too large to upload, which Lambda may answer by closing the connection.
///
/// # Errors
/// How large it is.
pub(super) fn size(zip: &[u8], what: &str) -> Result<()> {
    if zip.len() <= LARGEST_ZIP {
        return Ok(());
    }
    Err(Error::usage(format!("{what} has {} MB, and Lambda takes 50", zip.len().div_ceil(MB)))
        .hint("Leave out what the function does not need, or strip the binary of its symbols."))
}

/// Every file of the zip. All of it is decompressed: the sizes that a zip declares may be wrong, and only so does a damaged
/// file show.
fn entries(zip: &[u8], what: &str) -> Result<BTreeMap<String, Entry>> {
    let unreadable =
        |e: &dyn std::fmt::Display| Error::usage(format!("{what} cannot be opened as a zip: {e}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(|e| unreadable(&e))?;
    let mut entries = BTreeMap::new();
    let mut left = LARGEST_CODE;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|e| unreadable(&e))?;
        let name = file.name().map_err(|e| unreadable(&e))?.into_owned();
        if file.is_dir() {
            continue;
        }
        let mode = file.unix_mode();
        let mut contents = Vec::new();
        let read = if name == "bootstrap" {
            file.by_ref().take(left + 1).read_to_end(&mut contents).map(|bytes| bytes as u64)
        } else {
            std::io::copy(&mut file.by_ref().take(left + 1), &mut std::io::sink())
        };
        let read =
            read.map_err(|e| Error::usage(format!("{what} is damaged: {name} cannot be read: {e}")))?;
        left = left.checked_sub(read).ok_or_else(|| {
            Error::usage(format!(
                "{what} has more than {} MB when it is unzipped, and Lambda takes no more",
                LARGEST_CODE >> 20
            ))
        })?;
        entries.insert(name, Entry { mode, contents });
    }
    if entries.is_empty() {
        return Err(Error::usage(format!("{what} holds no files")));
    }
    Ok(entries)
}

/// What the runtimes `provided.*` start: an executable file `bootstrap` at the top of the zip.
fn bootstrap(entry: Option<&Entry>, what: &str, needs: &Needs) -> Result<()> {
    let runtime = &needs.runtime;
    let Some(entry) = entry else {
        return Err(Error::usage(format!(
            "{what} has no file bootstrap, which the runtime {runtime} starts"
        ))
        .hint("Name the binary bootstrap, and put it at the top of the zip."));
    };
    // Lambda runs it as another user than the owner of the file.
    if entry.mode.is_none_or(|mode| mode & 0o005 != 0o005) {
        return Err(Error::usage(format!(
            "{what} has a bootstrap that is not executable for everybody, so Lambda cannot start it"
        ))
        .hint(
            "Before zipping: chmod 755 bootstrap. On Windows, use a zip program that keeps Unix permissions.",
        ));
    }
    if entry.contents.is_empty() {
        return Err(Error::usage(format!("{what} has an empty bootstrap")));
    }
    elf::require_startable(&entry.contents, &format!("the bootstrap of {what}"), needs.architecture)
}

/// The files in which a runtime looks for a handler, the usual one first. `None` where the rule is not known for sure.
///
/// Source: AWS's developer guide of Lambda, the handler's page of each language.
fn handler_files(runtime: &str, handler: &str) -> Option<Vec<String>> {
    let with = |stem: &str, endings: &[&str]| {
        endings.iter().map(|ending| format!("{}{ending}", stem.trim_start_matches("./"))).collect()
    };
    if runtime.starts_with("python") {
        let (module, _) = handler.rsplit_once('.')?;
        return Some(with(&module.replace('.', "/"), &[".py", "/__init__.py", ".pyc", ".so"]));
    }
    if runtime.starts_with("nodejs") {
        // The handler's name begins after the first dot of the last part of the path.
        let (folder, file) = handler.rsplit_once('/').map_or(("", handler), |(folder, file)| (folder, file));
        let (stem, _) = file.split_once('.')?;
        let stem = if folder.is_empty() { stem.to_owned() } else { format!("{folder}/{stem}") };
        return Some(with(&stem, &[".js", ".mjs", ".cjs", "/index.js", ""]));
    }
    if runtime.starts_with("ruby") {
        let (file, _) = handler.split_once('.')?;
        return Some(with(file, &[".rb"]));
    }
    if runtime.starts_with("dotnet") {
        let assembly = handler.split("::").next()?;
        return Some(with(assembly, &[".dll"]));
    }
    // Java finds classes in the zip and in any jar of its folder lib.
    None
}

#[cfg(test)]
mod tests;
