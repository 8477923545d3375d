//! The target of a load: one host, and the base path of all requests.

use crate::error::{Error, Result};
use hyper::Uri;
use hyper::header::HeaderValue;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// A host that speaks HTTP/1.1, with or without TLS, and the base path of all requests.
#[derive(Clone)]
pub struct Target {
    /// The URL as the caller wrote it.
    url: String,
    host: String,
    port: u16,
    host_header: HeaderValue,
    base_path: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Parses an `http` or `https` URL. TLS trusts the machine's certificates and `trusted`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a URL that cannot be used, [`Error::System`] if TLS cannot be set up.
    pub fn new(url: &str, trusted: &[CertificateDer<'static>]) -> Result<Self> {
        let invalid =
            |reason: &str| Error::Invalid(format!("{url} cannot be the target of a load: {reason}"));
        let uri: Uri = url.parse().map_err(|_| invalid("it is not a URL"))?;
        let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
            return Err(invalid("it has no host"));
        };
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid("it is neither http nor https")),
        };
        // An IPv6 address has brackets only in a URL.
        let host = host.trim_matches(['[', ']']).to_owned();
        let tls = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| invalid("its host name is invalid"))?;
            Some((TlsConnector::from(tls_config(trusted)?), name))
        } else {
            None
        };
        Ok(Self {
            url: url.to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            host_header: HeaderValue::try_from(authority.as_str())
                .map_err(|_| invalid("its host name is invalid"))?,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            host,
            tls,
        })
    }

    /// Returns the URL as the caller wrote it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn host_header(&self) -> HeaderValue {
        self.host_header.clone()
    }

    pub(crate) fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Returns the host and the port to connect to.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(crate) fn tls(&self) -> Option<&(TlsConnector, ServerName<'static>)> {
        self.tls.as_ref()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

fn tls_config(trusted: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // A machine may have certificates that cannot be parsed. They are ignored, because most targets do not need them.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(trusted.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::System(format!("TLS cannot be set up: {e}")))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_a_base_path() {
        let target = Target::new("http://127.0.0.1:4566/restapis/x1/Prod/_user_request_", &[]).unwrap();
        assert_eq!(target.address(), ("127.0.0.1", 4566));
        assert_eq!(target.base_path(), "/restapis/x1/Prod/_user_request_");
        assert_eq!(target.host_header(), "127.0.0.1:4566");
        assert!(target.tls().is_none());
        let target = Target::new("https://x1.execute-api.eu-west-1.amazonaws.com/Prod", &[]).unwrap();
        assert_eq!(target.address(), ("x1.execute-api.eu-west-1.amazonaws.com", 443));
        assert_eq!(target.base_path(), "/Prod");
        assert_eq!(target.host_header(), "x1.execute-api.eu-west-1.amazonaws.com");
        assert!(target.tls().is_some());
        assert_eq!(Target::new("http://[::1]:80/x", &[]).unwrap().address(), ("::1", 80));
        for invalid in ["", "ftp://x/", "x", "/x"] {
            assert!(Target::new(invalid, &[]).is_err(), "{invalid}");
        }
    }
}
