//! The HTTP connector of the whole program: the SDK's clients, the smoke test and requests to the local AWS share one pool,
//! one trust store, one proxy configuration and the same limits on responses.

mod certificates;
mod proxies;
mod response;
mod url;
mod xml;

pub(crate) use certificates::Certificates;
pub(crate) use proxies::proxy_problem;
pub(crate) use response::ExpectedResponse;
pub(crate) use url::{host, is_loopback};

use crate::error::{Error, Result, root_causes};
use crate::time::answer_within;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use response::LengthLimit;
use std::time::Duration;

/// The limit for a request to a URL that is not an AWS service, with its response. API Gateway answers within 29 s.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// The limit for downloading the code of a function: 50 MB over a slow connection.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// The largest zip that Lambda accepts in a request, in bytes. A larger download could not be uploaded again.
const MAX_DOWNLOAD: usize = 50 * 1024 * 1024;

/// HTTP settings of this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkSettings {
    /// Certificates to trust in addition to the machine's (`AWS_CA_BUNDLE`).
    pub certificates: Option<Certificates>,
    /// Whether an environment variable names a proxy.
    pub has_proxy: bool,
}

/// An HTTP client that is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    connector: SharedHttpConnector,
    /// How to build the connector again; `None` for a connector from outside.
    settings: Option<ConnectorSettings>,
}

/// The settings to build a connector from.
#[derive(Clone, Debug)]
struct ConnectorSettings {
    connect_timeout: Duration,
    has_proxy: bool,
    tls: TlsContext,
}

/// A response of any status, with its body as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Http {
    /// Builds the connector. TLS is rustls with ring, because the SDK's default provider gathers entropy for 30 to 40 ms at
    /// every start.
    ///
    /// # Errors
    /// A TLS context that cannot be built.
    pub(crate) fn new(connect_timeout: Duration, network: &NetworkSettings) -> Result<Self> {
        let settings =
            ConnectorSettings { connect_timeout, has_proxy: network.has_proxy, tls: tls(network)? };
        Ok(Self::build(settings, None))
    }

    /// Returns a client that opens a connection for each request, so that requests reach different servers behind one
    /// name.
    pub(crate) fn with_new_connections(&self) -> Self {
        match &self.settings {
            Some(settings) => Self::build(settings.clone(), Some(0)),
            None => self.clone(),
        }
    }

    /// `max_idle` limits the idle connections for each host; `None` is no limit.
    fn build(settings: ConnectorSettings, max_idle: Option<usize>) -> Self {
        let connector = |proxy| {
            let timeouts = HttpConnectorSettings::builder().connect_timeout(settings.connect_timeout).build();
            let mut builder = Connector::builder()
                .connector_settings(timeouts)
                .sleep_impl(TokioSleep::new())
                .proxy_config(proxy);
            builder.set_pool_max_idle_per_host(max_idle);
            let connector = builder
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(settings.tls.clone())
                .build();
            SharedHttpConnector::new(connector)
        };
        let proxied = settings.has_proxy.then(|| connector(ProxyConfig::from_env()));
        let router = ProxyRouter { direct: connector(ProxyConfig::disabled()), proxied };
        Self { settings: Some(settings), ..Self::from_connector(router) }
    }

    /// Wraps a connector. Its responses have the same limits.
    pub(crate) fn from_connector(connector: impl HttpConnector + 'static) -> Self {
        let bounded = BoundedConnector(SharedHttpConnector::new(connector));
        Self { connector: SharedHttpConnector::new(bounded), settings: None }
    }

    /// Returns the client for the SDK. All SDK clients share the connector; the SDK's attempt timeouts apply.
    pub(crate) fn sdk_client(&self) -> SharedHttpClient {
        let connector = self.connector.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// Sends a `GET` request.
    ///
    /// # Errors
    /// The transport error, as text.
    pub(crate) async fn get(&self, url: &str) -> Result<TextResponse, String> {
        self.exchange("GET", url, "").await.map(TextResponse::from)
    }

    /// Downloads the code of a function from the URL that Lambda gave.
    ///
    /// # Errors
    /// The transport error, or a status other than 200, as text.
    pub(crate) async fn download(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut request = request("GET", url, "")?;
        request.add_extension(LengthLimit(MAX_DOWNLOAD));
        let (status, body) = self.send(request, DOWNLOAD_TIMEOUT).await?;
        if status == 200 { Ok(body) } else { Err(format!("HTTP {status}")) }
    }

    /// Requests the first byte of a URL, to find out whether the rest can be downloaded.
    ///
    /// # Errors
    /// The transport error, or a status other than success, as text.
    pub(crate) async fn check_download(&self, url: &str) -> Result<(), String> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url).map_err(|e| e.to_string())?;
        request.headers_mut().insert("range", "bytes=0-0");
        let response = self.connector.call(request).await.map_err(|e| root_causes(&e))?;
        match response.status().as_u16() {
            200 | 206 => Ok(()),
            status => Err(format!("HTTP {status}")),
        }
    }

    /// Sends a `POST` request with a JSON body.
    ///
    /// # Errors
    /// The transport error, as text.
    pub(crate) async fn post(&self, url: &str, body: &str) -> Result<TextResponse, String> {
        self.exchange("POST", url, body).await.map(TextResponse::from)
    }

    /// Sends a JSON body by any method and returns the status and the body of the response, whatever the status.
    ///
    /// # Errors
    /// The transport error, as text.
    pub(crate) async fn exchange(
        &self,
        method: &str,
        url: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>), String> {
        self.send(request(method, url, body)?, EXCHANGE_TIMEOUT).await
    }

    async fn send(&self, request: HttpRequest, timeout: Duration) -> Result<(u16, Vec<u8>), String> {
        let exchange = async {
            let response = self.connector.call(request).await.map_err(|e| root_causes(&e))?;
            let status = response.status().as_u16();
            let body = ByteStream::new(response.into_body()).collect().await.map_err(|e| e.to_string())?;
            Ok((status, body.into_bytes().to_vec()))
        };
        let timed_out = || Err(format!("nothing within {} s", timeout.as_secs()));
        answer_within(timeout, exchange).await.unwrap_or_else(timed_out)
    }
}

impl From<(u16, Vec<u8>)> for TextResponse {
    fn from((status, body): (u16, Vec<u8>)) -> Self {
        Self { status, body: String::from_utf8_lossy(&body).into_owned() }
    }
}

fn request(method: &str, url: &str, body: &str) -> Result<HttpRequest, String> {
    let body = if body.is_empty() { SdkBody::empty() } else { SdkBody::from(body) };
    let mut request = HttpRequest::new(body);
    request.set_method(method).map_err(|e| e.to_string())?;
    request.set_uri(url).map_err(|e| e.to_string())?;
    request.headers_mut().insert("content-type", "application/json");
    Ok(request)
}

fn tls(network: &NetworkSettings) -> Result<TlsContext> {
    let store = network.certificates.as_ref().map(Certificates::trust_store).unwrap_or_default();
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|e| Error::usage(format!("cannot use the certificates of AWS_CA_BUNDLE: {e}")))
}

/// Sends requests to loopback addresses directly, because a proxy cannot reach them, and all others through the proxy.
#[derive(Debug)]
struct ProxyRouter {
    direct: SharedHttpConnector,
    proxied: Option<SharedHttpConnector>,
}

impl HttpConnector for ProxyRouter {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match &self.proxied {
            Some(proxied) if !is_loopback(request.uri()) => proxied.call(request),
            _ => self.direct.call(request),
        }
    }
}

/// Returns only complete responses within the length limit.
#[derive(Debug)]
struct BoundedConnector(SharedHttpConnector);

impl HttpConnector for BoundedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let expected = request.extension::<ExpectedResponse>().copied();
        let (limit, permits) = match request.extension::<LengthLimit>() {
            Some(limit) => (*limit, &response::DOWNLOAD_PERMITS),
            None => (LengthLimit::default(), &response::LONG_RESPONSE_PERMITS),
        };
        let response = self.0.call(request);
        HttpConnectorFuture::new(
            async move { response::read(response.await?, expected, limit, permits).await },
        )
    }
}
