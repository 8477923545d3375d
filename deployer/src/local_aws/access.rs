//! The secret of a local AWS: what it answers to, and how it proves who it is.

use crate::error::{Error, Result};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a signed URL is good.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// What is signed for is not one of AWS's services.
const SERVICE: &str = "ministack";

/// Any will do.
const REGION: &str = "us-east-1";

/// The key and the secret of a state folder.
#[derive(Clone, Debug)]
pub(crate) struct Access(Credentials);

/// Where a state folder keeps the secret.
pub(crate) fn file(state: &Path) -> PathBuf {
    state.join("credentials")
}

impl Access {
    /// Reads the credentials file that the launcher has made.
    ///
    /// # Errors
    /// There is none, or it holds no credentials.
    pub(crate) fn read(state: &Path) -> Result<Self> {
        let path = file(state);
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::new(format!("cannot read the credentials of the local AWS, {}: {e}", path.display()))
        })?;
        let value = |name: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            let mut found = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
            found.next().filter(|value| !value.is_empty())
        };
        match (value("aws_access_key_id"), value("aws_secret_access_key")) {
            (Some(key), Some(secret)) => Ok(Self(Credentials::new(key, secret, None, None, "local AWS"))),
            _ => Err(Error::new(format!("{} holds no credentials", path.display()))
                .hint("Stop the local AWS and remove the file: the next start makes another one.")),
        }
    }

    /// For clients of AWS's services.
    pub(crate) fn credentials(&self) -> Credentials {
        self.0.clone()
    }

    /// Whether this answer to a challenge shows that who gave it has the secret.
    pub(crate) fn is_proven(&self, challenge: &str, proof: &str) -> bool {
        v4::calculate_signature(self.0.secret_access_key(), format!("local AWS {challenge}").as_bytes())
            == proof
    }

    /// The URL with a signature for one request without a body, which does not show the secret.
    ///
    /// # Errors
    /// None for URLs that are URLs.
    pub(crate) fn signed_url(&self, method: &str, url: &str) -> Result<String> {
        let failed = |e: &dyn std::error::Error| Error::new(format!("cannot sign a request to {url}: {e}"));
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(GOOD_FOR);
        let identity = self.0.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|e| failed(&e))?
            .into();
        let request = SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(b""))
            .map_err(|e| failed(&e))?;
        let (instructions, _) = sign(request, &params).map_err(|e| failed(&e))?.into_parts();
        let mut signed = url.to_owned();
        for (number, (name, value)) in instructions.params().iter().enumerate() {
            let separator = if number == 0 { '?' } else { '&' };
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            let _ = write!(signed, "{separator}{name}={value}");
        }
        Ok(signed)
    }
}

/// What nobody can have asked for before.
///
/// # Errors
/// The machine has no source of randomness.
pub(crate) fn challenge() -> Result<String> {
    let mut bytes = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|e| Error::new(format!("cannot read /dev/urandom: {e}")))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(text: &str) -> Result<Access> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), text).unwrap();
        Access::read(folder.path())
    }

    #[test]
    fn reads_what_the_launcher_writes_and_shows_no_secret() {
        let read = access("# a comment\n[default]\naws_access_key_id = 0\naws_secret_access_key = hidden=\n")
            .unwrap();
        assert_eq!(read.credentials().secret_access_key(), "hidden=");
        assert!(!format!("{read:?}").contains("hidden"), "{read:?}");
        assert!(!read.signed_url("POST", "http://127.0.0.1:4566/x").unwrap().contains("hidden"));
        assert!(access("[default]\naws_access_key_id =\n").is_err());
    }

    /// The proof is that of `test_authentication.py`: HMAC-SHA256 under the secret.
    #[test]
    fn a_proof_needs_the_secret_and_fits_one_challenge() {
        let access = access("aws_access_key_id = 0\naws_secret_access_key = key\n").unwrap();
        // printf 'local AWS 00' | openssl dgst -sha256 -hmac key
        let proof = "67f823d350de72692490f55477fb75bef71c6be8311afee59ba5c7e4a23a5c33";
        assert!(access.is_proven("00", proof));
        assert!(!access.is_proven("01", proof));
        assert!(!access.is_proven("00", ""));
    }

    #[test]
    fn challenges_differ() {
        assert_ne!(challenge().unwrap(), challenge().unwrap());
        assert_eq!(challenge().unwrap().len(), 64);
    }
}
