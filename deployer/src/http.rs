//! One connector for everything that speaks HTTP: the SDK's clients, the smoke test, the local AWS's own pages. So
//! there is one pool, one trust store, one way through a proxy, and one bound on what an answer may be.

mod answer;
mod certificates;
mod markup;
mod proxies;
mod url;

pub(crate) use answer::Expected;
pub(crate) use certificates::Certificates;
pub(crate) use proxies::proxy_problem;
pub(crate) use url::{host, is_loopback};

use crate::error::{Error, Result, root_causes};
use crate::time::answer_within;
use answer::Limit;
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
use std::time::Duration;

/// A whole exchange with a URL that is not one of AWS's services. API Gateway answers within 29 s.
const EXCHANGED_WITHIN: Duration = Duration::from_secs(60);

/// The code of a function: 50 MB, on a slow line.
const DOWNLOADED_WITHIN: Duration = Duration::from_secs(600);

/// The largest zip that Lambda takes in a request, so that a larger one is of no use here.
const LONGEST_DOWNLOAD: usize = 50 * 1024 * 1024;

/// How HTTP is spoken from this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Certificates to trust besides the machine's (`AWS_CA_BUNDLE`).
    pub certificates: Option<Certificates>,
    /// Whether a variable names a proxy.
    pub has_proxy: bool,
}

/// The connector, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    connector: SharedHttpConnector,
    /// `None` over a connector that somebody else made.
    settings: Option<Settings>,
}

/// What connectors are made of.
#[derive(Clone, Debug)]
struct Settings {
    connect_timeout: Duration,
    has_proxy: bool,
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
    /// A TLS context that cannot be built.
    pub(crate) fn new(connect_timeout: Duration, network: &Network) -> Result<Self> {
        let settings = Settings { connect_timeout, has_proxy: network.has_proxy, tls: tls(network)? };
        Ok(Self::build(settings, None))
    }

    /// The same, which opens a connection for each request: behind one name there are many servers.
    pub(crate) fn with_new_connections(&self) -> Self {
        match &self.settings {
            Some(settings) => Self::build(settings.clone(), Some(0)),
            None => self.clone(),
        }
    }

    /// `kept` is how many connections wait for the next request; `None` is no limit.
    fn build(settings: Settings, kept: Option<usize>) -> Self {
        let connector = |proxy| {
            let timeouts = HttpConnectorSettings::builder().connect_timeout(settings.connect_timeout).build();
            let mut builder = Connector::builder()
                .connector_settings(timeouts)
                .sleep_impl(TokioSleep::new())
                .proxy_config(proxy);
            builder.set_pool_max_idle_per_host(kept);
            let connector = builder
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(settings.tls.clone())
                .build();
            SharedHttpConnector::new(connector)
        };
        let proxied = settings.has_proxy.then(|| connector(ProxyConfig::from_env()));
        let route = Route { direct: connector(ProxyConfig::disabled()), proxied };
        Self { settings: Some(settings), ..Self::over(route) }
    }

    /// Over another connector, whose answers are held to the same bounds.
    pub(crate) fn over(connector: impl HttpConnector + 'static) -> Self {
        let bounded = Bounded(SharedHttpConnector::new(connector));
        Self { connector: SharedHttpConnector::new(bounded), settings: None }
    }

    /// The same connector for every SDK client. Its timeouts are the SDK's per attempt.
    pub(crate) fn sdk_client(&self) -> SharedHttpClient {
        let connector = self.connector.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// # Errors
    /// What the transport says, as text.
    pub(crate) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.exchange("GET", url, "").await.map(Answer::from)
    }

    /// The code of a function, from where Lambda says that it is.
    ///
    /// # Errors
    /// What the transport says, or the status, as text.
    pub(crate) async fn download(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut request = request("GET", url, "")?;
        request.add_extension(Limit(LONGEST_DOWNLOAD));
        let (status, body) = self.send(request, DOWNLOADED_WITHIN).await?;
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
        self.exchange("POST", url, body).await.map(Answer::from)
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
        self.send(request(method, url, body)?, EXCHANGED_WITHIN).await
    }

    async fn send(&self, request: HttpRequest, within: Duration) -> Result<(u16, Vec<u8>), String> {
        let exchange = async {
            let response = self.connector.call(request).await.map_err(|e| root_causes(&e))?;
            let status = response.status().as_u16();
            let body = ByteStream::new(response.into_body()).collect().await.map_err(|e| e.to_string())?;
            Ok((status, body.into_bytes().to_vec()))
        };
        let silent = || Err(format!("nothing within {} s", within.as_secs()));
        answer_within(within, exchange).await.unwrap_or_else(silent)
    }
}

impl From<(u16, Vec<u8>)> for Answer {
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

fn tls(network: &Network) -> Result<TlsContext> {
    let store = network.certificates.as_ref().map(Certificates::trust_store).unwrap_or_default();
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|e| Error::usage(format!("cannot use the certificates of AWS_CA_BUNDLE: {e}")))
}

/// Takes each request the right way: no proxy can reach this machine's loopback.
#[derive(Debug)]
struct Route {
    direct: SharedHttpConnector,
    proxied: Option<SharedHttpConnector>,
}

impl HttpConnector for Route {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match &self.proxied {
            Some(proxied) if !is_loopback(request.uri()) => proxied.call(request),
            _ => self.direct.call(request),
        }
    }
}

/// Hands over whole answers only, of a length that a program can hold.
#[derive(Debug)]
struct Bounded(SharedHttpConnector);

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let expected = request.extension::<Expected>().copied();
        let (limit, permits) = match request.extension::<Limit>() {
            Some(limit) => (*limit, &answer::DOWNLOADS),
            None => (Limit::default(), &answer::LONG_ANSWERS),
        };
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { answer::read(answer.await?, expected, limit, permits).await })
    }
}
