//! Over TLS, with the machine's certificates and those that a caller adds.

use super::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server with a self-signed certificate for this host, and the certificate.
fn server(host: &str) -> (Server, CertificateDer<'static>) {
    let own = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
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
    (server, own.cert.der().clone())
}

#[tokio::test]
async fn an_added_certificate_is_trusted_and_connections_are_kept() {
    let (server, certificate) = server("127.0.0.1");
    let mut plan = plan(&server, 100, 1_000);
    plan.target = Target::new(&server.url, &[certificate]).unwrap();
    let measured = measured(plan).await;
    assert_eq!(measured.counts.ok, 100, "{measured:?}");
    assert_eq!(server.requests(), 100);
    assert!(server.connections.load(Ordering::Relaxed) <= 20);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_no_connection() {
    let (unknown, _) = server("127.0.0.1");
    let (other, certificate) = server("other.example");
    for (server, trusted) in [(unknown, Vec::new()), (other, vec![certificate])] {
        let mut plan = plan(&server, 20, 500);
        plan.target = Target::new(&server.url, &trusted).unwrap();
        let measured = measured(plan).await;
        assert_eq!(measured.failures, [("no TLS connection".to_owned(), 10)].into(), "{measured:?}");
        assert_eq!(server.requests(), 0);
    }
}
