//! The secret of a local AWS, and requests that are signed with it.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use std::path::Path;
use std::time::SystemTime;

/// An access key and its secret.
#[derive(Clone, Debug)]
pub struct Access(Credentials);

impl Access {
    /// What the local AWS of a state folder takes.
    pub fn of(state: &Path) -> Self {
        let text = std::fs::read_to_string(state.join("credentials")).expect("the local AWS has run");
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        let key = value("aws_access_key_id").expect("the file has a key");
        let secret = value("aws_secret_access_key").expect("the file has a secret");
        Self(Credentials::new(key, secret, None, None, "local AWS"))
    }

    /// The access key.
    pub fn key(&self) -> &str {
        self.0.access_key_id()
    }

    /// Its secret.
    pub fn secret(&self) -> &str {
        self.0.secret_access_key()
    }

    /// For clients of AWS's.
    pub fn credentials(&self) -> Credentials {
        self.0.clone()
    }

    /// The headers that make this a signed request.
    pub fn sign(
        &self,
        (service, region): (&str, &str),
        (method, url): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<(&'static str, String)> {
        let identity = self.0.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method, url, headers.iter().copied(), body).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let (headers, _) = instructions.into_parts();
        headers.into_iter().map(|header| (header.name(), header.value().to_owned())).collect()
    }
}
