//! The certificates of `AWS_CA_BUNDLE`, which everything that speaks TLS here trusts besides the machine's own.

use crate::error::{Error, Result};
use crate::files;
use aws_smithy_http_client::tls::TrustStore;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Display;
use std::path::Path;

/// The bundles of whole distributions have a quarter of a megabyte.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Certificates of which each can be used.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    pem: Vec<u8>,
    roots: Vec<CertificateDer<'static>>,
}

impl Certificates {
    /// # Errors
    /// A file that cannot be read, that has no certificate, or one of whose certificates cannot be used.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let unusable = |why: &dyn Display| {
            Error::usage(format!("cannot use AWS_CA_BUNDLE {}: {why}", path.display()))
                .hint("AWS_CA_BUNDLE names a file of certificates in PEM form, one after the other.")
        };
        let pem = files::read(path, LONGEST).map_err(|e| unusable(&e))?;
        Self::parse(pem).map_err(|why| unusable(&why))
    }

    fn parse(pem: Vec<u8>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        let mut roots = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let number = roots.len() + 1;
            let wrong = |why: &dyn Display| format!("certificate {number} cannot be read: {why}");
            let certificate = certificate.map_err(|e| wrong(&e))?;
            store.add(certificate.clone()).map_err(|e| wrong(&e))?;
            roots.push(certificate);
        }
        if roots.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self { pem, roots })
    }

    /// For the SDK's connector, which trusts the machine's certificates too.
    pub(super) fn trust_store(&self) -> TrustStore {
        TrustStore::default().with_pem_certificate(self.pem.clone())
    }

    /// The certificates themselves, for another TLS client.
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
    fn a_bundle_without_a_usable_certificate_is_refused() {
        let good = rcgen::generate_simple_self_signed(["x.example".to_owned()]).unwrap().cert.pem();
        assert_eq!(Certificates::parse(good.repeat(2).into_bytes()).unwrap().roots.len(), 2);
        for nothing in ["", "no PEM at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
        {
            assert_eq!(problem(nothing), "there is no certificate in it");
        }
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(problem(format!("{good}{junk}")).starts_with("certificate 2 cannot be read: "));
        let cut = &good[..good.len() - 30];
        assert!(!problem(cut).is_empty());
        let garbled = good.replacen("MII", "!!!", 1);
        assert!(problem(garbled).starts_with("certificate 1 cannot be read: "));
    }

    #[test]
    fn a_bundle_that_is_no_regular_file_is_refused() {
        let error = Certificates::read(Path::new("/dev/zero")).unwrap_err();
        assert!(error.to_string().contains("only regular files are read"), "{error}");
        let error = Certificates::read(Path::new("/nowhere.pem")).unwrap_err();
        assert!(error.to_string().starts_with("cannot use AWS_CA_BUNDLE /nowhere.pem: "), "{error}");
    }
}
