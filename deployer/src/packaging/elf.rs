//! Reads from an executable whether Lambda can start it.

use crate::error::{Error, Result};
use crate::manifest::Architecture;

/// The version of glibc that `provided.al2023` has.
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// Where an ELF file names its processor, and the numbers of those that Lambda offers (the ELF specification's `e_machine`).
const MACHINE: std::ops::Range<usize> = 18..20;
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

/// Refuses an executable for another processor, or one that needs a newer glibc than Lambda has: both show only as failed
/// requests. What is no ELF file, such as a script, passes.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn require_startable(binary: &[u8], what: &str, architecture: Architecture) -> Result<()> {
    if !binary.starts_with(b"\x7fELF") {
        return Ok(());
    }
    require_processor(binary, what, architecture)?;
    require_glibc(binary, what)
}

fn require_processor(binary: &[u8], what: &str, architecture: Architecture) -> Result<()> {
    let machine = binary.get(MACHINE).and_then(|bytes| Some(u16::from_le_bytes(bytes.try_into().ok()?)));
    let built_for = match machine {
        Some(X86_64) => Some(Architecture::X86_64),
        Some(AARCH64) => Some(Architecture::Arm64),
        _ => None,
    };
    if built_for == Some(architecture) {
        return Ok(());
    }
    let built_for = built_for.map_or("another processor", Architecture::name);
    Err(Error::usage(format!(
        "{what} is built for {built_for}, and the manifest declares {}",
        architecture.name()
    ))
    .hint("Build it for the declared processor, or change architecture in the manifest."))
}

fn require_glibc(binary: &[u8], what: &str) -> Result<()> {
    match newest_glibc(binary) {
        Some((major, minor)) if (major, minor) > NEWEST_GLIBC => {
            let (newest_major, newest_minor) = NEWEST_GLIBC;
            Err(Error::usage(format!(
                "{what} needs glibc {major}.{minor}, and Lambda's provided.al2023 has {newest_major}.{newest_minor}"
            ))
            .hint("Build it with `cargo lambda build` and zig as the linker, which is the default there."))
        }
        _ => Ok(()),
    }
}

/// The newest `GLIBC_x.y` that the binary's symbol versions name. `None` for a static binary.
fn newest_glibc(binary: &[u8]) -> Option<(u32, u32)> {
    let marker = b"GLIBC_";
    let mut newest = None;
    for start in (0..binary.len().saturating_sub(marker.len())).filter(|&i| binary[i..].starts_with(marker)) {
        let text: String = binary[start + marker.len()..]
            .iter()
            .take(8)
            .map(|&b| char::from(b))
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let mut parts = text.split('.').map(str::parse);
        if let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) {
            newest = newest.max(Some((major, minor)));
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(machine: u16, glibc: &str) -> Vec<u8> {
        let mut binary = b"\x7fELF".to_vec();
        binary.resize(18, 0);
        binary.extend(machine.to_le_bytes());
        binary.extend(format!("\0GLIBC_2.2.5\0GLIBC_{glibc}\0GLIBC_2.17\0GLIBC_PRIVATE\0").bytes());
        binary
    }

    fn refusal(binary: &[u8], architecture: Architecture) -> Option<String> {
        require_startable(binary, "bootstrap", architecture).err().map(|e| e.to_string())
    }

    #[test]
    fn refuses_a_newer_glibc_than_lambda_has() {
        assert_eq!(newest_glibc(&binary(X86_64, "2.28")), Some((2, 28)));
        assert_eq!(refusal(&binary(X86_64, "2.34"), Architecture::X86_64), None);
        assert_eq!(
            refusal(&binary(X86_64, "2.38"), Architecture::X86_64).as_deref(),
            Some("bootstrap needs glibc 2.38, and Lambda's provided.al2023 has 2.34")
        );
    }

    #[test]
    fn refuses_another_processor() {
        assert_eq!(refusal(&binary(AARCH64, "2.17"), Architecture::Arm64), None);
        assert_eq!(
            refusal(&binary(AARCH64, "2.17"), Architecture::X86_64).as_deref(),
            Some("bootstrap is built for arm64, and the manifest declares x86_64")
        );
        assert_eq!(
            refusal(&binary(3, "2.17"), Architecture::Arm64).as_deref(),
            Some("bootstrap is built for another processor, and the manifest declares arm64")
        );
    }

    #[test]
    fn takes_scripts() {
        assert_eq!(refusal(b"#!/bin/sh", Architecture::Arm64), None);
        assert_eq!(refusal(b"", Architecture::Arm64), None);
    }
}
