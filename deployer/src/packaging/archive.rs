//! Writes the zip that Lambda takes.

use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

/// One file of a zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZipFile {
    /// Its path in the zip.
    pub(super) name: String,
    /// Its permissions, as in `0o755`.
    pub(super) mode: u32,
    pub(super) contents: Vec<u8>,
}

/// A zip of these files, in this order and with a fixed time: the same files give the same bytes on every machine.
/// `level` is 1 (quick) to 9 (small).
///
/// # Errors
/// Two files of one name, or more than a zip can hold.
pub(super) fn zip_of(files: &[ZipFile], level: i64) -> Result<Vec<u8>> {
    let failed = |e: zip::result::ZipError| Error::new(format!("cannot write the zip: {e}"));
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(level))
            .last_modified_time(zip::DateTime::DEFAULT)
            .unix_permissions(file.mode);
        writer.start_file(&*file.name, options).map_err(failed)?;
        writer.write_all(&file.contents).map_err(|e| failed(e.into()))?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner())
}

/// One zip with the files of both; where both have one of a name, the new one's.
pub(crate) fn merged(old: &[u8], new: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut old = zip::ZipArchive::new(Cursor::new(old))?;
    let mut new = zip::ZipArchive::new(Cursor::new(new))?;
    let newer: BTreeSet<String> =
        new.file_names().map(|name| Ok(name?.into_owned())).collect::<zip::result::ZipResult<_>>()?;
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let file = old.by_index_raw(i)?;
        if !newer.contains(&*file.name()?) {
            writer.raw_copy_file(file)?;
        }
    }
    for i in 0..new.len() {
        writer.raw_copy_file(new.by_index_raw(i)?)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_zip() {
        let files = [
            ZipFile {
                name: "bootstrap".to_owned(),
                mode: 0o755,
                contents: b"\x7fELF and so on".repeat(1000),
            },
            ZipFile { name: "assets/a.txt".to_owned(), mode: 0o644, contents: b"a".to_vec() },
        ];
        let (one, two) = (zip_of(&files, 9).unwrap(), zip_of(&files, 9).unwrap());
        assert_eq!(one, two);
        let mut archive = zip::ZipArchive::new(Cursor::new(one)).unwrap();
        assert_eq!(archive.len(), 2);
        for (file, at) in files.iter().zip(0..) {
            let entry = archive.by_index(at).unwrap();
            assert_eq!(entry.name().unwrap(), file.name);
            assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(file.mode));
            assert_eq!(entry.last_modified().map(|time| time.year()), Some(1980));
        }
    }

    #[test]
    fn merged_code_has_the_files_of_both() {
        let zip = |files: &[(&str, &str)]| {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for (name, text) in files {
                writer.start_file(*name, SimpleFileOptions::default()).unwrap();
                writer.write_all(text.as_bytes()).unwrap();
            }
            writer.finish().unwrap().into_inner()
        };
        let both =
            merged(&zip(&[("a.py", "old a"), ("bootstrap", "old")]), &zip(&[("bootstrap", "new")])).unwrap();
        let mut both = zip::ZipArchive::new(Cursor::new(both)).unwrap();
        let mut read = |name: &str| std::io::read_to_string(both.by_name(name).unwrap()).unwrap();
        assert_eq!((read("a.py").as_str(), read("bootstrap").as_str()), ("old a", "new"));
    }
}
