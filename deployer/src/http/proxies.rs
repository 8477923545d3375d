//! Checks the environment variables that name proxies. The connector ignores values that it cannot parse, so requests
//! would silently bypass the proxy.

use hyper::Uri;
use hyper::http::uri::Authority;

/// Returns why the value of a variable cannot be used as a proxy, to follow the variable's name; `None` if it can.
///
/// The text does not repeat the value, which may contain a password.
pub(crate) fn proxy_problem(value: &str) -> Option<&'static str> {
    let Ok(uri) = value.parse::<Uri>() else { return Some("is not a URL") };
    match uri.scheme_str() {
        None | Some("http" | "https") => {}
        Some("socks4" | "socks4a" | "socks5" | "socks5h") => {
            return Some("names a SOCKS proxy; only HTTP proxies can be used");
        }
        Some(_) => return Some("is neither http nor https"),
    }
    match uri.authority() {
        Some(authority) if has_invalid_port(authority) => Some("has a port that is not a number"),
        Some(authority) if !authority.host().is_empty() => None,
        _ => Some("names no host"),
    }
}

/// The URL parser accepts any text after the colon.
fn has_invalid_port(authority: &Authority) -> bool {
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    let port = host.rsplit(']').next().unwrap_or_default();
    port.contains(':') && authority.port_u16().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_problem_of_an_unusable_proxy() {
        for valid in [
            "http://proxy:3128",
            "https://user:word@proxy.example:8080/",
            "proxy.example:3128",
            "proxy",
            "http://[::1]",
            "http://[::1]:3128",
        ] {
            assert_eq!(proxy_problem(valid), None, "{valid}");
        }
        for (invalid, expected) in [
            ("http://", "is not a URL"),
            ("http://proxy example:3128", "is not a URL"),
            ("http://proxy:port", "not a number"),
            ("http://me:word@proxy:x", "not a number"),
            ("socks5://proxy:1080", "SOCKS"),
            ("ftp://proxy", "neither http nor https"),
            ("/proxy", "names no host"),
        ] {
            let problem = proxy_problem(invalid).unwrap_or_default();
            assert!(problem.contains(expected), "{invalid}: {problem}");
        }
    }
}
