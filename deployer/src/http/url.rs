//! The host of a URL.

use std::net::IpAddr;

/// Whether a URL leads to this machine, by its host as it is written: a name that merely resolves here may not
/// tomorrow.
pub(crate) fn is_loopback(url: &str) -> bool {
    host(url)
        .is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// The host of a URL, as it is written.
pub(crate) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:4566", "http://localhost", "http://[::1]:80/x", "https://127.8.8.8/"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:4566",
            "http://localhost.example.com",
            "http://127.0.0.1@evil.example",
            "http://127.0.0.1.nip.io",
            "127.0.0.1:4566",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
