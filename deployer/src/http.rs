//! One connector for everything that speaks HTTP: the SDK's clients, the smoke test, the local AWS's own pages. So
//! there is one pool, one trust store and one way through a proxy.

use crate::aws::Target;
use crate::error::{Error, Result, root_causes};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use std::time::Duration;

/// The connector, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    connector: SharedHttpConnector,
    settings: Settings,
}

/// What connectors are made of.
#[derive(Clone, Debug)]
struct Settings {
    connect_timeout: Duration,
    proxy: ProxyConfig,
    tls: TlsContext,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Http {
    /// TLS is rustls with ring: the SDK's default provider gathers entropy for 30 to 40 ms at every start.
    ///
    /// # Errors
    /// A bundle of certificates that cannot be used.
    pub(crate) fn new(connect_timeout: Duration, target: &Target) -> Result<Self> {
        // A proxy cannot reach this machine's loopback.
        let proxy = if target.is_local() { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
        Ok(Self::build(Settings { connect_timeout, proxy, tls: trust(target)? }, None))
    }

    /// The same, which opens a connection for each request: behind one name there are many servers.
    pub(crate) fn with_new_connections(&self) -> Self {
        Self::build(self.settings.clone(), Some(0))
    }

    /// `kept` is how many connections wait for the next request; `None` is no limit.
    fn build(settings: Settings, kept: Option<usize>) -> Self {
        let timeouts = HttpConnectorSettings::builder().connect_timeout(settings.connect_timeout).build();
        let mut builder = Connector::builder()
            .connector_settings(timeouts)
            .sleep_impl(TokioSleep::new())
            .proxy_config(settings.proxy.clone());
        builder.set_pool_max_idle_per_host(kept);
        let connector = builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(settings.tls.clone())
            .build();
        Self { connector: SharedHttpConnector::new(connector), settings }
    }

    /// The same connector for every SDK client. Its timeouts are the SDK's per attempt.
    pub(crate) fn sdk_client(&self) -> SharedHttpClient {
        let connector = self.connector.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// # Errors
    /// What the transport says, as text.
    pub(crate) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.send("GET", url, SdkBody::empty()).await.map(Answer::from)
    }

    /// The bytes behind a URL.
    ///
    /// # Errors
    /// What the transport says, or the status, as text.
    pub(crate) async fn download(&self, url: &str) -> Result<Vec<u8>, String> {
        let (status, body) = self.send("GET", url, SdkBody::empty()).await?;
        if status == 200 { Ok(body) } else { Err(format!("HTTP {status}")) }
    }

    /// Asks for the first byte behind a URL, to find out whether the rest could be downloaded.
    ///
    /// # Errors
    /// What the transport says, or the status, as text.
    pub(crate) async fn is_there(&self, url: &str) -> Result<(), String> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url).map_err(|e| e.to_string())?;
        request.headers_mut().insert("range", "bytes=0-0");
        let response = self.connector.call(request).await.map_err(|e| root_causes(&e))?;
        match response.status().as_u16() {
            200 | 206 => Ok(()),
            status => Err(format!("HTTP {status}")),
        }
    }

    /// Sends a JSON body.
    ///
    /// # Errors
    /// What the transport says, as text.
    pub(crate) async fn post(&self, url: &str, body: &str) -> Result<Answer, String> {
        self.send("POST", url, SdkBody::from(body)).await.map(Answer::from)
    }

    /// Sends a JSON body by any method, and takes any answer as it is: status and bytes.
    ///
    /// # Errors
    /// What the transport says, as text.
    pub(crate) async fn exchange(
        &self,
        method: &str,
        url: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>), String> {
        self.send(method, url, SdkBody::from(body)).await
    }

    async fn send(&self, method: &str, url: &str, body: SdkBody) -> Result<(u16, Vec<u8>), String> {
        let mut request = HttpRequest::new(body);
        request.set_method(method).map_err(|e| e.to_string())?;
        request.set_uri(url).map_err(|e| e.to_string())?;
        request.headers_mut().insert("content-type", "application/json");
        let response = self.connector.call(request).await.map_err(|e| root_causes(&e))?;
        let status = response.status().as_u16();
        let body = ByteStream::new(response.into_body()).collect().await.map_err(|e| e.to_string())?;
        Ok((status, body.into_bytes().to_vec()))
    }
}

impl From<(u16, Vec<u8>)> for Answer {
    fn from((status, body): (u16, Vec<u8>)) -> Self {
        Self { status, body: String::from_utf8_lossy(&body).into_owned() }
    }
}

fn trust(target: &Target) -> Result<TlsContext> {
    let mut store = TrustStore::default();
    if let Some(path) = &target.ca_bundle {
        let pem = std::fs::read(path)
            .map_err(|e| Error::usage(format!("cannot read AWS_CA_BUNDLE {}: {e}", path.display())))?;
        store = store.with_pem_certificate(pem);
    }
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|e| Error::usage(format!("cannot use the certificates of AWS_CA_BUNDLE: {e}")))
}
