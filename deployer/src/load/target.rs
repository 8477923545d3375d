//! Where the load goes: one host, at which the stack's API answers.

use crate::error::{Error, Result};
use crate::http::Certificates;
use hyper::Uri;
use hyper::header::HeaderValue;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// A host, and what every path begins with.
#[derive(Clone)]
pub(crate) struct Target {
    /// As people see it: everything before the route's path.
    url: String,
    host: String,
    port: u16,
    host_header: HeaderValue,
    base_path: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// `url` is what comes before the paths of routes, without a slash at its end.
    ///
    /// # Errors
    /// A URL that cannot be used.
    pub(crate) fn new(url: &str, certificates: Option<&Certificates>) -> Result<Self> {
        let wrong = |why: &str| Error::usage(format!("{url} cannot be loaded: {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
            return Err(wrong("it names no host"));
        };
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it is neither http nor https")),
        };
        // An IPv6 address stands in brackets in a URL, and nowhere else.
        let host = host.trim_matches(['[', ']']).to_owned();
        let tls = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| wrong("its host is no name"))?;
            Some((TlsConnector::from(trusting(certificates)?), name))
        } else {
            None
        };
        Ok(Self {
            url: url.to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            host_header: HeaderValue::try_from(authority.as_str())
                .map_err(|_| wrong("its host is no name"))?,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            host,
            tls,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn host_header(&self) -> HeaderValue {
        self.host_header.clone()
    }

    pub(super) fn base_path(&self) -> &str {
        &self.base_path
    }

    /// What to connect to.
    pub(super) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(super) fn tls(&self) -> Option<&(TlsConnector, ServerName<'static>)> {
        self.tls.as_ref()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The machine's certificates and those of `AWS_CA_BUNDLE`, as for everything else that speaks TLS here.
fn trusting(certificates: Option<&Certificates>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // Some of a machine's certificates may be odd; what counts is the one of the target.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(certificates) = certificates {
        certificates.add_to(&mut roots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(format!("TLS cannot be set up: {e}")))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_what_paths_begin_with() {
        let target = Target::new("http://127.0.0.1:4566/restapis/x1/Prod/_user_request_", None).unwrap();
        assert_eq!(target.address(), ("127.0.0.1", 4566));
        assert_eq!(target.base_path(), "/restapis/x1/Prod/_user_request_");
        assert_eq!(target.host_header(), "127.0.0.1:4566");
        assert!(target.tls().is_none());
        let target = Target::new("https://x1.execute-api.eu-west-1.amazonaws.com/Prod", None).unwrap();
        assert_eq!(target.address(), ("x1.execute-api.eu-west-1.amazonaws.com", 443));
        assert_eq!(target.base_path(), "/Prod");
        assert_eq!(target.host_header(), "x1.execute-api.eu-west-1.amazonaws.com");
        assert!(target.tls().is_some());
        assert_eq!(Target::new("http://[::1]:80/x", None).unwrap().address(), ("::1", 80));
        for wrong in ["", "ftp://x/", "x", "/x"] {
            assert!(Target::new(wrong, None).is_err(), "{wrong}");
        }
    }
}
