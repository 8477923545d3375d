//! The certificates of `AWS_CA_BUNDLE`. All TLS connections trust them in addition to the machine's certificates.

use crate::error::{Error, Result};
use crate::files;
use aws_smithy_http_client::tls::TrustStore;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Display;
use std::path::Path;

/// The largest bundle to read, in bytes. The bundles of Linux distributions have a quarter of a megabyte.
const MAX_BUNDLE_SIZE: u64 = 8 * 1024 * 1024;

/// Certificates that are all valid as trust anchors.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    pem: Vec<u8>,
    roots: Vec<CertificateDer<'static>>,
}

impl Certificates {
    /// Reads and checks a PEM file.
    ///
    /// # Errors
    /// A file that cannot be read, has no certificate, or has an invalid one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let unusable = |why: &dyn Display| {
            Error::usage(format!("cannot use AWS_CA_BUNDLE {}: {why}", path.display()))
                .hint("AWS_CA_BUNDLE names a file of certificates in PEM form, one after the other.")
        };
        let pem = files::read(path, MAX_BUNDLE_SIZE).map_err(|e| unusable(&e))?;
        Self::parse(pem).map_err(|why| unusable(&why))
    }

    fn parse(pem: Vec<u8>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        let mut roots = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let number = roots.len() + 1;
            let invalid = |why: &dyn Display| format!("certificate {number} cannot be read: {why}");
            let certificate = certificate.map_err(|e| invalid(&e))?;
            store.add(certificate.clone()).map_err(|e| invalid(&e))?;
            roots.push(certificate);
        }
        if roots.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self { pem, roots })
    }

    /// Returns the trust store for the SDK's connector: these certificates and the machine's.
    pub(super) fn trust_store(&self) -> TrustStore {
        TrustStore::default().with_pem_certificate(self.pem.clone())
    }

    /// Returns the certificates, for other TLS clients.
    pub(crate) fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(pem: impl Into<Vec<u8>>) -> String {
        Certificates::parse(pem.into()).unwrap_err()
    }

    #[test]
    fn refuses_a_bundle_without_a_certificate_or_with_an_invalid_one() {
        let valid = rcgen::generate_simple_self_signed(["x.example".to_owned()]).unwrap().cert.pem();
        assert_eq!(Certificates::parse(valid.repeat(2).into_bytes()).unwrap().roots.len(), 2);
        for empty in ["", "no PEM at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(problem(empty), "there is no certificate in it");
        }
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(problem(format!("{valid}{junk}")).starts_with("certificate 2 cannot be read: "));
        let truncated = &valid[..valid.len() - 30];
        assert!(!problem(truncated).is_empty());
        let garbled = valid.replacen("MII", "!!!", 1);
        assert!(problem(garbled).starts_with("certificate 1 cannot be read: "));
    }

    #[test]
    fn refuses_a_bundle_that_is_not_a_regular_file() {
        let error = Certificates::read(Path::new("/dev/zero")).unwrap_err();
        assert!(error.to_string().contains("only regular files are read"), "{error}");
        let error = Certificates::read(Path::new("/nowhere.pem")).unwrap_err();
        assert!(error.to_string().starts_with("cannot use AWS_CA_BUNDLE /nowhere.pem: "), "{error}");
    }
}
