//! The variables that name proxies. What is wrong with one is said: the connector leaves out what it cannot read, and
//! requests would go around the proxy that somebody wants them to go through.

use hyper::Uri;
use hyper::http::uri::Authority;

/// Why a variable's value is no proxy that can be used, to follow its name; `None` when it is one.
///
/// The value itself is not repeated: it may hold a password.
pub(crate) fn proxy_problem(value: &str) -> Option<&'static str> {
    let Ok(uri) = value.parse::<Uri>() else { return Some("is no URL") };
    match uri.scheme_str() {
        None | Some("http" | "https") => {}
        Some("socks4" | "socks4a" | "socks5" | "socks5h") => {
            return Some("names a SOCKS proxy; only HTTP proxies can be used");
        }
        Some(_) => return Some("is neither http nor https"),
    }
    match uri.authority() {
        Some(authority) if has_odd_port(authority) => Some("has a port that is no number"),
        Some(authority) if !authority.host().is_empty() => None,
        _ => Some("names no host"),
    }
}

/// The parser of URLs takes anything behind the colon.
fn has_odd_port(authority: &Authority) -> bool {
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    let after = host.rsplit(']').next().unwrap_or_default();
    after.contains(':') && authority.port_u16().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_proxy() {
        for fine in [
            "http://proxy:3128",
            "https://user:word@proxy.example:8080/",
            "proxy.example:3128",
            "proxy",
            "http://[::1]",
            "http://[::1]:3128",
        ] {
            assert_eq!(proxy_problem(fine), None, "{fine}");
        }
        for (wrong, why) in [
            ("http://", "is no URL"),
            ("http://proxy example:3128", "is no URL"),
            ("http://proxy:port", "no number"),
            ("http://me:word@proxy:x", "no number"),
            ("socks5://proxy:1080", "SOCKS"),
            ("ftp://proxy", "neither http nor https"),
            ("/proxy", "names no host"),
        ] {
            let problem = proxy_problem(wrong).unwrap_or_default();
            assert!(problem.contains(why), "{wrong}: {problem}");
        }
    }
}
