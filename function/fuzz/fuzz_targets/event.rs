//! Fuzzes the handler with any bytes as an event. It must not panic, and must return JSON or an error that matches exactly
//! one pattern.
//!
//! `cargo +nightly fuzz run event -- -dict=fuzz/event.dict -max_total_time=600`

#![no_main]

use std::{
    future::{Future, ready},
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use function::{
    Action, ERROR_RESPONSES, Exchange, Outcome, StoreError, Reply, Store, handle,
    json::{Json, parse},
};
use libfuzzer_sys::fuzz_target;
use regex_lite::Regex;

/// A store that answers each request with the request itself, so that parsing answers is fuzzed too.
struct Mirror;

impl Store for Mirror {
    fn perform(&self, _: Action, _: &str, body: Vec<u8>) -> impl Future<Output = Result<Reply, StoreError>> {
        let text = String::from_utf8(body).expect("requests are text");
        parse(text.as_bytes()).expect("requests are JSON");
        let body = text.replacen("\"Key\":", "\"Item\":", 1).into();
        ready(Ok(Reply { status: 200, headers: Vec::new(), body, exchange: Exchange::default() }))
    }
}

static PATTERNS: LazyLock<Vec<(u16, Regex)>> = LazyLock::new(|| {
    let full = |pattern| Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
    ERROR_RESPONSES.iter().map(|(status, pattern)| (*status, full(pattern))).collect()
});

fuzz_target!(|event: &[u8]| {
    if let Ok(json) = parse(event) {
        check_round_trip(&json);
    }
    let mut future = pin!(handle(&Mirror, event));
    let Poll::Ready(Outcome { response, .. }) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        unreachable!("the mirror answers at once");
    };
    match response {
        Ok(answer) => drop(parse(answer.as_bytes()).expect("answers are JSON")),
        Err(failure) => {
            let line_end = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            assert!(!failure.message.contains(line_end), "{failure:?}");
            let matching = PATTERNS.iter().filter(|(_, pattern)| pattern.is_match(&failure.message));
            let statuses: Vec<u16> = matching.map(|(status, _)| *status).collect();
            assert_eq!(statuses, [failure.status], "{failure:?}");
        }
    }
});

/// Checks that a value does not change when it is serialized and parsed.
fn check_round_trip(json: &Json<'_>) {
    let text = serde_json::to_vec(json).expect("JSON can be written");
    assert_eq!(&parse(&text).expect("the serialized value is JSON"), json);
}
