//! Tests of TLS with the machine's certificates and with certificates that the caller adds.

use super::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Starts a server with a self-signed certificate for this host, and returns both.
fn start_tls_server(host: &str) -> (Server, CertificateDer<'static>) {
    let certified = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    let config =
        config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server {
        url: format!("https://127.0.0.1:{}/Prod", listener.local_addr().unwrap().port()),
        requests: Arc::default(),
        connections: Arc::default(),
    };
    let (requests, connections) = (Arc::clone(&server.requests), Arc::clone(&server.connections));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            connections.fetch_add(1, Ordering::Relaxed);
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let stream = StreamOwned::new(connection, stream.unwrap());
            let requests = Arc::clone(&requests);
            std::thread::spawn(move || serve(stream, &requests, &|_| OK));
        }
    });
    (server, certified.cert.der().clone())
}

#[tokio::test]
async fn trusts_an_added_certificate_and_reuses_connections() {
    let (server, certificate) = start_tls_server("127.0.0.1");
    let mut plan = plan(&server, 100, 1_000);
    plan.target = Target::new(&server.url, &[certificate]).unwrap();
    let measured = measure(plan).await;
    assert_eq!(measured.counts.ok, 100, "{measured:?}");
    assert_eq!(server.request_count(), 100);
    assert!(server.connections.load(Ordering::Relaxed) <= 20);
}

#[tokio::test]
async fn refuses_an_untrusted_certificate() {
    let (unknown, _) = start_tls_server("127.0.0.1");
    let (other, certificate) = start_tls_server("other.example");
    for (server, trusted) in [(unknown, Vec::new()), (other, vec![certificate])] {
        let mut plan = plan(&server, 20, 500);
        plan.target = Target::new(&server.url, &trusted).unwrap();
        let measured = measure(plan).await;
        assert_eq!(measured.failures, [("no TLS connection".to_owned(), 10)].into(), "{measured:?}");
        assert_eq!(server.request_count(), 0);
    }
}
