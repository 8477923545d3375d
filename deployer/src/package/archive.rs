//! The zip that Lambda takes.

use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

/// One entry, a fixed time, mode 0755: the same binary gives the same zip on every machine.
pub(super) fn zip_of(bootstrap: &[u8]) -> Result<Vec<u8>> {
    let failed = |e: zip::result::ZipError| Error::new(format!("cannot write the zip: {e}"));
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", options).map_err(failed)?;
    writer.write_all(bootstrap).map_err(|e| Error::new(format!("cannot write the zip: {e}")))?;
    Ok(writer.finish().map_err(failed)?.into_inner())
}

const MB: usize = 1 << 20;

/// Of what is uploaded directly.
pub(crate) const LARGEST_ZIP: usize = 50 * MB;

/// Refuses code that Lambda would refuse, before anything is sent: a large upload may end in a broken connection, which
/// says nothing.
pub(super) fn require_uploadable(zip: &[u8], what: &str) -> Result<()> {
    if zip.len() > LARGEST_ZIP {
        return Err(Error::usage(format!("{what} has {} MB, and Lambda takes 50", zip.len().div_ceil(MB)))
            .hint("Leave out what the function does not need, or strip the binary of its symbols."));
    }
    let archive = zip::ZipArchive::new(Cursor::new(zip));
    let archive = archive.map_err(|e| Error::usage(format!("{what} cannot be opened as a zip: {e}")))?;
    let unzipped =
        archive.decompressed_size().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if unzipped > 250 * MB {
        let size = unzipped.div_ceil(MB);
        return Err(Error::usage(format!("{what} has {size} MB when it is unzipped, and Lambda takes 250")));
    }
    Ok(())
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
    fn the_same_binary_gives_the_same_zip() {
        let binary = b"\x7fELF and so on".repeat(1000);
        let (one, two) = (zip_of(&binary).unwrap(), zip_of(&binary).unwrap());
        assert_eq!(one, two);
        let mut archive = zip::ZipArchive::new(Cursor::new(one)).unwrap();
        assert_eq!(archive.len(), 1);
        let entry = archive.by_index(0).unwrap();
        assert_eq!(entry.name().unwrap(), "bootstrap");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        assert_eq!(entry.last_modified().map(|time| time.year()), Some(1980));
    }

    #[test]
    fn code_that_lambda_would_refuse_is_not_sent() {
        let refused = |zip: &[u8]| require_uploadable(zip, "the zip f.zip").unwrap_err().to_string();
        let large = vec![0; (50 << 20) + 1];
        assert_eq!(refused(&large), "the zip f.zip has 51 MB, and Lambda takes 50");
        assert!(refused(b"#!/bin/sh").starts_with("the zip f.zip cannot be opened as a zip: "));
        let zeros = zip_of(&vec![0; 10 << 20]).unwrap();
        let zeros_times = |times: usize| {
            let mut archive = zip::ZipArchive::new(Cursor::new(&zeros)).unwrap();
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for n in 0..times {
                let file = archive.by_index_raw(0).unwrap();
                writer.raw_copy_file_rename(file, n.to_string()).unwrap();
            }
            writer.finish().unwrap().into_inner()
        };
        assert!(require_uploadable(&zeros_times(25), "").is_ok());
        assert_eq!(
            refused(&zeros_times(26)),
            "the zip f.zip has 260 MB when it is unzipped, and Lambda takes 250"
        );
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
