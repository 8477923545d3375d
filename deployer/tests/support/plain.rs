//! A plain HTTP server in place of a deployed API: it answers requests to invoke URLs at once, and passes everything else
//! on to an AWS. What a load generator reaches against it is its own limit.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::net::TcpListener;

/// One thread for each processor of a small machine.
const THREADS: usize = 2;

/// A server that runs until the process ends.
#[derive(Debug)]
pub struct PlainServer {
    url: String,
}

impl PlainServer {
    /// In front of the AWS at this endpoint.
    pub fn before(aws: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        for _ in 0..THREADS {
            let (listener, aws) = (listener.try_clone().unwrap(), aws.to_owned());
            std::thread::spawn(move || serve(listener, &aws));
        }
        Self { url }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn serve(listener: TcpListener, aws: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (client, aws) = (client.clone(), aws.to_owned());
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(client.clone(), aws.clone(), request));
                let connection = hyper::server::conn::http1::Builder::new();
                let _ = connection.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answer(
    client: Client<HttpConnector, Full<Bytes>>,
    aws: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if parts.uri.path().contains("/_user_request_") {
        return Ok(Response::new(Full::new(Bytes::from_static(b"\"pong\""))));
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{aws}{path}").parse().unwrap();
    let answered = client.request(Request::from_parts(parts, Full::new(body))).await.unwrap();
    let (mut parts, body) = answered.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    for header in ["transfer-encoding", "connection", "content-length"] {
        parts.headers.remove(header);
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}
