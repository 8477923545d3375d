//! The host of a URL.

use std::net::IpAddr;

/// Returns whether the host of a URL is written as a loopback address or `localhost`. Names are not resolved, because
/// they may resolve differently later.
pub(crate) fn is_loopback(url: &str) -> bool {
    host(url)
        .is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Returns the host of a URL, as it is written.
pub(crate) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next(),
        None => host.split(':').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_localhost_are_loopback() {
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
