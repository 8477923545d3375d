//! Reads the package that the deployer uploads: its size, its `bootstrap`, and the version of glibc that it needs.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The function's package for Lambda.
pub(crate) struct Package {
    /// The path of the unpacked `bootstrap`.
    pub(crate) bootstrap: PathBuf,
    /// The size of the zip, in bytes.
    pub(crate) zip_size: u64,
    /// The size of the `bootstrap`, in bytes.
    pub(crate) bootstrap_size: u64,
    /// The newest version of glibc that a symbol of the `bootstrap` needs, or `None` if it is static.
    pub(crate) glibc: Option<(u32, u32)>,
}

impl Package {
    /// Reads the package that `deployer plan` has built in Cargo's target folder, and unpacks it into `scratch`.
    pub(crate) fn read(target: &Path, scratch: &Path) -> Result<Self, String> {
        let architecture = if cfg!(target_arch = "x86_64") { "x86_64" } else { "arm64" };
        let path = target.join(format!("deployer/function.bootstrap.{architecture}.zip"));
        let read_error = |e: std::io::Error| {
            format!("{}: {e}. Run `deployer plan --local --release` to build it.", path.display())
        };
        let zip_size = fs::metadata(&path).map_err(read_error)?.len();
        let mut zip =
            zip::ZipArchive::new(File::open(&path).map_err(read_error)?).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        let mut entry = zip.by_name("bootstrap").map_err(|e| e.to_string())?;
        entry.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        let bootstrap = scratch.join("bootstrap");
        fs::write(&bootstrap, &bytes).map_err(|e| e.to_string())?;
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
        let bootstrap_size = bytes.len() as u64;
        Ok(Self { bootstrap, zip_size, bootstrap_size, glibc: newest_glibc(&bytes) })
    }
}

/// Returns the newest of all symbol versions in the binary, such as 2.17 for `GLIBC_2.17`.
fn newest_glibc(binary: &[u8]) -> Option<(u32, u32)> {
    let text = String::from_utf8_lossy(binary);
    let versions = text.split("GLIBC_").skip(1).filter_map(|rest| {
        let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let (major, minor) = number.split_once('.')?;
        let minor = minor.split('.').next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    versions.max()
}
