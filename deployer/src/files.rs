//! Reading the files that people name. A named pipe would block, a device might never end, and either would do so while
//! Ctrl-C waits for the step to finish: only regular files are read, and each kind of them up to a size.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Many times what a stack of API Gateway's 300 resources takes.
pub(crate) const LARGEST_MANIFEST: u64 = 512 * KIB;

/// IAM takes 6,144 characters, and white space does not count.
pub(crate) const LARGEST_POLICY: u64 = 512 * KIB;

/// Some requests with bodies. Lambda takes 6 MB of one.
pub(crate) const LARGEST_MIX: u64 = 8 * MIB;

/// What `local logs` shows, and more than anybody reads.
pub(crate) const MOST_OF_A_LOG: u64 = 8 * MIB;

/// A result of `load`: the longest run comes to some hundred kilobytes.
pub(crate) const LARGEST_RESULT: u64 = 4 * MIB;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Reads a regular file.
///
/// # Errors
/// The system's own; what is no regular file; what is larger than `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    open_and_read(path, most).map(|(_, bytes)| bytes)
}

/// As `read`; the file stays open.
pub(crate) fn open_and_read(path: &Path, most: u64) -> io::Result<(File, Vec<u8>)> {
    // Opening a named pipe waits for its writer otherwise.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let kind = file.metadata()?.file_type();
    if !kind.is_file() {
        let what = format!("it is {}, and only regular files are read", named(kind));
        return Err(io::Error::new(ErrorKind::InvalidInput, what));
    }
    let bytes = read_bounded(&file, most)?;
    Ok((file, bytes))
}

/// Reads a regular file of text in UTF-8. A byte order mark is no part of the text.
///
/// # Errors
/// As `read`; text in another encoding.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    decode(read(path, most)?)
}

/// The end of a file, beginning with a whole line where the file is longer than `most` bytes. What is not UTF-8 in it is
/// replaced.
///
/// # Errors
/// The system's own.
pub(crate) fn read_end(path: &Path, most: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(match text.split_once('\n') {
        Some((_, whole)) if skipped > 0 => whole.to_owned(),
        _ => text,
    })
}

/// Reads to the end.
///
/// # Errors
/// The system's own; more than `most` bytes.
pub(crate) fn read_bounded(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {}", size(most))));
    }
    Ok(bytes)
}

/// The text of these bytes, which are UTF-8, with a byte order mark or without.
///
/// # Errors
/// Text in another encoding.
pub(crate) fn decode(bytes: Vec<u8>) -> io::Result<String> {
    let invalid = |why: String| io::Error::new(ErrorKind::InvalidData, why);
    // Without a mark, every other byte of its first characters is zero. No text in UTF-8 has such a byte.
    let is_utf16 = match bytes[..] {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [first, second, ..] => (first == 0) != (second == 0),
        _ => false,
    };
    if is_utf16 {
        return Err(invalid("it is in UTF-16; save it as UTF-8".to_owned()));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|e| invalid(format!("byte {} is not UTF-8", e.utf8_error().valid_up_to() + 1)))?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

fn named(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Whole units, as the limits are.
fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        bytes if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: impl AsRef<Path>) -> String {
        read_text(path.as_ref(), 4).unwrap_err().to_string()
    }

    #[test]
    fn refuses_what_is_no_regular_file_without_waiting_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(refusal(&pipe), "it is a named pipe, and only regular files are read");
        assert_eq!(refusal("/dev/zero"), "it is a device, and only regular files are read");
        assert_eq!(refusal(folder.path()), "it is a folder, and only regular files are read");
        assert_eq!(read(&folder.path().join("none"), 4).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn the_end_of_a_file_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        std::fs::write(&file, b"first\nsecond\nthird\xff\n").unwrap();
        assert_eq!(read_end(&file, 100).unwrap(), "first\nsecond\nthird\u{fffd}\n");
        assert_eq!(read_end(&file, 10).unwrap(), "third\u{fffd}\n");
        assert_eq!(read_end(&file, 3).unwrap(), "");
    }

    #[test]
    fn reads_up_to_its_bound_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "1234").unwrap();
        assert_eq!(read(&file, 4).unwrap(), b"1234");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(refusal(&file), "it is larger than 4 bytes");
        let endless = read_bounded(io::repeat(b'x'), LARGEST_MANIFEST).unwrap_err();
        assert_eq!(endless.to_string(), "it is larger than 512 KiB");
        assert_eq!(size(LARGEST_MIX), "8 MiB");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_utf_16_is_named() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        assert_eq!(decode("\u{feff}name = 1".into()).unwrap(), "name = 1");
        assert_eq!(decode(Vec::new()).unwrap(), "");
        for bytes in [
            utf16("\u{feff}a = 1", u16::to_le_bytes),
            utf16("\u{feff}a = 1", u16::to_be_bytes),
            utf16("a = 1", u16::to_le_bytes),
            utf16("a = 1", u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes).unwrap_err().to_string(), "it is in UTF-16; save it as UTF-8");
        }
        assert_eq!(decode(b"ab\xffc".to_vec()).unwrap_err().to_string(), "byte 3 is not UTF-8");
    }
}
