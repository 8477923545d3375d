//! Handles any bytes as an event: never panics, and answers with JSON or with an error that matches exactly one pattern.
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
    Action, ERROR_RESPONSES, Exchange, Outcome, Refusal, Reply, Store, handle,
    json::{Json, parse},
};
use libfuzzer_sys::fuzz_target;
use regex_lite::Regex;

/// Answers each request with the request itself, so that reading answers is fuzzed too.
struct Mirror;

impl Store for Mirror {
    fn perform(&self, _: Action, _: &str, body: Vec<u8>) -> impl Future<Output = Result<Reply, Refusal>> {
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
        rewritten(&json);
    }
    let mut handled = pin!(handle(&Mirror, event));
    let Poll::Ready(Outcome { response, .. }) = handled.as_mut().poll(&mut Context::from_waker(Waker::noop()))
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

/// Checks that a value is read back as it was written.
fn rewritten(json: &Json<'_>) {
    let text = serde_json::to_vec(json).expect("JSON can be written");
    assert_eq!(&parse(&text).expect("what was written is JSON"), json);
}
