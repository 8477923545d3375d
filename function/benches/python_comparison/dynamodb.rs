//! A fake DynamoDB that answers every PutItem immediately, over HTTPS with a self-signed certificate.
//!
//! An emulator takes some milliseconds for each call. Both functions would wait for it, so their ratio would mostly measure
//! the emulator.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::http::{Request, Response, serve_with};

/// A running fake of DynamoDB.
pub(crate) struct DynamoDb {
    /// The URL of the server.
    pub(crate) endpoint: String,
    /// A file with the trusted certificates: those of `bundle`, as many as a function in Lambda reads, and the server's own.
    pub(crate) trusted_certificates: PathBuf,
    last: Arc<Mutex<Option<Request>>>,
}

impl DynamoDb {
    /// Starts the server and writes the file of trusted certificates into `scratch`.
    pub(crate) fn start(bundle: &Path, scratch: &Path) -> Self {
        let (config, authority) = generate_certificates();
        let trusted_certificates = scratch.join("trusted.pem");
        let bundle = fs::read_to_string(bundle).expect("botocore's certificates");
        fs::write(&trusted_certificates, bundle + "\n" + &authority).expect("a scratch folder");
        let (config, last) = (Arc::new(config), Arc::new(Mutex::new(None)));
        let recorded = Arc::clone(&last);
        let open_tls = move |stream: TcpStream| {
            Some(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).ok()?, stream))
        };
        let address = serve_with(open_tls, move |request| {
            *recorded.lock().expect("no thread panics") = Some(request);
            Response::from_dynamodb(200, "{}")
        });
        Self { endpoint: format!("https://{address}"), trusted_certificates, last }
    }

    /// Returns the operation and the body of the last request.
    pub(crate) fn last_request(&self) -> (String, serde_json::Value) {
        let last = self.last.lock().expect("no thread panics");
        let request = last.as_ref().expect("a request was sent");
        let target = request.header("x-amz-target").unwrap_or_default().to_owned();
        (target, serde_json::from_slice(&request.body).expect("JSON"))
    }
}

/// Returns a server configuration with a certificate for 127.0.0.1, and the certificate of the authority that signed it.
fn generate_certificates() -> (ServerConfig, String) {
    let key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "measurement");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = authority.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(authority, key);

    let key = KeyPair::generate().expect("a key");
    let mut server = CertificateParams::new(["127.0.0.1".to_owned()]).expect("an address");
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions().and_then(|config| {
            config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)
        });
    (config.expect("a configuration"), root)
}
