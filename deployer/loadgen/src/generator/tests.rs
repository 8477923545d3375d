//! Against small servers on this machine. Counts and orders are exact; how long things take is not asserted but where a
//! server makes it long.

use super::*;
use crate::request_mix::RequestKind;
use crate::request_template::RequestTemplate;
use std::collections::BTreeMap;
use std::future::pending;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

mod tls;

/// A server of a few lines: each connection has a thread, each request an answer.
struct Server {
    url: String,
    requests: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

/// How a server answers its n-th request.
type Answer = dyn Fn(u64) -> &'static str + Send + Sync;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\"pong\"";
const LAST: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
const TOO_MANY: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n";
const HANG_UP: &str = "";

impl Server {
    fn start(answer: impl Fn(u64) -> &'static str + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/Prod", listener.local_addr().unwrap());
        let (requests, connections) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let answer: Arc<Answer> = Arc::new(answer);
        let (all, open) = (Arc::clone(&requests), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                open.fetch_add(1, Ordering::Relaxed);
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &all, &*answer));
            }
        });
        Self { url, requests, connections }
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: impl std::io::Read + std::io::Write, requests: &AtomicU64, answer: &Answer) {
    let mut bytes = Vec::new();
    let mut more = [0; 4096];
    loop {
        // A body follows its head in one packet here.
        while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut more) {
                Ok(0) | Err(_) => return,
                Ok(n) => bytes.extend_from_slice(&more[..n]),
            }
        }
        bytes.clear();
        let answer = answer(requests.fetch_add(1, Ordering::Relaxed));
        if answer == HANG_UP || stream.write_all(answer.as_bytes()).is_err() || answer == LAST {
            return;
        }
    }
}

/// Stands still.
fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a server of a test is slow on purpose")]
    std::thread::sleep(duration);
}

/// These kinds of requests with their shares. `create` creates an item, and has an undo.
fn mix(shares: &[(&str, u16)]) -> RequestMix {
    let template = |body: &str| RequestTemplate::new("POST", "/", body, &BTreeMap::new()).unwrap();
    let kinds = shares.iter().map(|(name, share)| {
        let (body, undo) = match *name {
            "create" => (r#"{"create": "{{id}}"}"#, Some(template(r#"{"delete": "{{id}}"}"#))),
            _ => ("{}", None),
        };
        RequestKind::new(name, *share, "server", template(body), undo, "").unwrap()
    });
    RequestMix::new(kinds.collect()).unwrap()
}

fn plan(server: &Server, rate: u32, ms: u64) -> LoadPlan {
    LoadPlan {
        target: Target::new(&server.url, &[]).unwrap(),
        mix: mix(&[("ping", 1)]),
        schedule: Schedule { rate, warmup: Duration::ZERO, duration: Duration::from_millis(ms) },
        concurrency: 20,
        answer_within: Duration::from_secs(5),
        user_agent: HeaderValue::from_static("test"),
        run: RunId::random(),
    }
}

async fn measured(plan: LoadPlan) -> Measurement {
    run(plan, pending(), |_| {}).await.unwrap()
}

#[tokio::test]
async fn as_many_as_the_schedule_says_are_sent_and_counted() {
    let server = Server::start(|_| OK);
    let mut plan = plan(&server, 200, 1_000);
    plan.schedule.warmup = Duration::from_millis(500);
    let seconds = Mutex::new(Vec::new());
    let measured = run(plan, pending(), |progress| seconds.lock().unwrap().push(progress.ok)).await.unwrap();
    let counts = &measured.counts;
    assert_eq!((counts.planned, counts.sent, counts.ok, counts.warmup), (200, 200, 200, 100));
    assert_eq!(server.requests(), 300);
    assert_eq!(measured.statuses, [(200, 200)].into());
    assert_eq!(measured.requests[0].ok, 200);
    assert_eq!(measured.blocks.iter().map(|block| block.ok).sum::<u64>(), 200);
    assert_eq!(measured.series.iter().map(|entry| entry.ok).sum::<u64>(), 200);
    assert_eq!(seconds.into_inner().unwrap().last(), Some(&200));
    assert!(!measured.interrupted && measured.failures.is_empty());
}

/// The server stands still for a second, and answers at once before and after. A generator that waits for answers would
/// see one slow request in a hundred; people who come meanwhile all wait.
#[tokio::test]
async fn a_stall_is_seen_by_all_who_come_meanwhile() {
    let server = Server::start(|n| {
        if n == 100 {
            pause(Duration::from_secs(1));
        }
        OK
    });
    let mut plan = plan(&server, 100, 3_000);
    plan.concurrency = 1;
    let measured = measured(plan).await;
    let latency = measured.latency_ms.unwrap();
    assert_eq!(measured.counts.ok, 300, "{measured:?}");
    // 100 of 300 came during the stall, and waited half of it in the mean.
    assert!(latency.p90 > 500.0, "{latency:?}");
    assert!(latency.p99 > 900.0, "{latency:?}");
    // Seen from the server it was one slow answer.
    assert!(measured.service_ms.unwrap().p90 < latency.p90, "{measured:?}");
    assert!(measured.counts.late >= 90, "{:?}", measured.counts);
    assert!(measured.counts.late_by_ms >= 900);
}

#[tokio::test]
async fn what_a_limit_turns_away_is_counted_apart() {
    let server = Server::start(|n| match n % 10 {
        0 => TOO_MANY,
        1 => BROKEN,
        2 => HANG_UP,
        _ => OK,
    });
    let measured = measured(plan(&server, 500, 1_000)).await;
    let counts = &measured.counts;
    assert_eq!((counts.sent, counts.ok, counts.throttled, counts.errors), (500, 350, 50, 50), "{measured:?}");
    assert_eq!(counts.unanswered, 50);
    assert_eq!(measured.statuses, [(200, 350), (429, 50), (500, 50)].into());
    assert_eq!(measured.failures, [("the connection was closed".to_owned(), 50)].into());
    assert!(
        measured.connections.opened >= 50,
        "each hang-up takes a new connection: {:?}",
        measured.connections
    );
    let of_ok: u64 = measured.blocks.iter().flat_map(|block| &block.latency_us).map(|(_, count)| count).sum();
    assert_eq!(of_ok, 350, "only what was done has a latency");
}

#[tokio::test]
async fn connections_are_kept_and_no_more_are_opened_than_may_be() {
    let server = Server::start(|_| OK);
    let kept = measured(plan(&server, 100, 500)).await;
    assert_eq!(kept.counts.ok, 50);
    assert!(server.connections.load(Ordering::Relaxed) < 20, "{:?}", kept.connections);

    let slow = Server::start(|_| {
        pause(Duration::from_millis(50));
        OK
    });
    let mut plan = plan(&slow, 100, 1_000);
    plan.concurrency = 3;
    let measured = measured(plan).await;
    assert_eq!(measured.connections.most, 3);
    assert_eq!(slow.connections.load(Ordering::Relaxed), 3);
    // Three connections of 50 ms carry 60 a second; what is left waits, and is sent all the same.
    assert_eq!(measured.counts.sent, 100);
    assert!(measured.latency_ms.unwrap().max > 300.0, "{measured:?}");
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_gets_every_request() {
    let server = Server::start(|_| LAST);
    let measured = measured(plan(&server, 100, 1_000)).await;
    assert_eq!(measured.counts.ok, 100, "{measured:?}");
    assert!(server.connections.load(Ordering::Relaxed) >= 100);
}

#[tokio::test]
async fn a_target_that_is_not_there_is_an_error_of_each_request() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server =
        Server { url: format!("http://{free}"), requests: Arc::default(), connections: Arc::default() };
    let measured = measured(plan(&server, 50, 500)).await;
    assert_eq!(measured.counts.unanswered, 25, "{measured:?}");
    assert_eq!(measured.failures, [("no connection".to_owned(), 25)].into());
    assert!(measured.latency_ms.is_none());
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let server = Server::start(|n| {
        if n == 3 {
            pause(Duration::from_secs(20));
        }
        OK
    });
    let mut plan = plan(&server, 20, 500);
    plan.answer_within = Duration::from_millis(300);
    let measured = measured(plan).await;
    assert_eq!((measured.counts.ok, measured.counts.unanswered), (9, 1), "{measured:?}");
    assert_eq!(measured.failures, [("no answer in time".to_owned(), 1)].into());
}

/// One that takes long is one in the tail, and no sign that less is done a second.
#[tokio::test]
async fn the_last_answer_does_not_end_the_measurement() {
    let server = Server::start(|n| {
        if n == 18 {
            pause(Duration::from_secs(4));
        }
        OK
    });
    let measured = measured(plan(&server, 20, 1_000)).await;
    assert_eq!(measured.counts.ok, 20, "{measured:?}");
    assert!(measured.until_last_answer >= Duration::from_secs(4), "{measured:?}");
    assert!(measured.seconds < 4.0 && measured.throughput > 5.0, "{measured:?}");
    let blocks = f64::from(u32::try_from(measured.blocks.len()).unwrap());
    assert!(blocks <= measured.seconds.ceil(), "the late answer is none of its own: {measured:?}");
}

/// Three connections of 100 ms carry 30 a second. What is sent late makes the run longer.
#[tokio::test]
async fn what_does_not_keep_up_has_a_lower_throughput() {
    let server = Server::start(|_| {
        pause(Duration::from_millis(100));
        OK
    });
    let mut plan = plan(&server, 60, 1_000);
    plan.concurrency = 3;
    let measured = measured(plan).await;
    assert_eq!(measured.counts.ok, 60, "{measured:?}");
    assert!(measured.seconds > 1.5 && measured.throughput < 35.0, "{measured:?}");
}

/// One connection of 500 ms carries 2 a second: of 100, some 12 are sent until the end and a little after it.
#[tokio::test]
async fn what_is_never_sent_is_counted() {
    let server = Server::start(|_| {
        pause(Duration::from_millis(500));
        OK
    });
    let mut plan = plan(&server, 100, 1_000);
    plan.concurrency = 1;
    let counts = measured(plan).await.counts;
    assert_eq!((counts.planned, counts.sent), (100, server.requests()), "{counts:?}");
    assert!(counts.sent < 20, "{counts:?}");
    assert_eq!(counts.unsent, 100 - counts.sent);
}

#[tokio::test]
async fn what_was_measured_until_it_is_stopped_is_the_result() {
    let server = Server::start(|_| OK);
    let mut plan = plan(&server, 100, 60_000);
    plan.schedule.warmup = Duration::ZERO;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let stopped = async { drop(stopped.await) };
    let measured = run(plan, stopped, |progress| {
        if progress.second == 1 {
            drop(stop.take());
        }
    })
    .await
    .unwrap();
    assert!(measured.interrupted);
    assert_eq!(measured.counts.unsent, 0, "it was not to send the rest");
    assert!((150..1_000).contains(&measured.counts.ok), "{:?}", measured.counts);
    assert_eq!(measured.counts.planned, 6_000);
    assert_eq!(measured.counts.ok, server.requests());
    assert_eq!(measured.sent.iter().map(|sent| sent.count).sum::<u64>(), server.requests());
}

/// Whichever thread ends first, what is undone is exactly what was sent.
#[tokio::test]
async fn what_several_threads_have_made_is_undone_request_by_request() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|_| OK);
    let mut plan = plan(&server, 8_000, 200);
    plan.mix = mix(&[("create", 1), ("ping", 2)]);
    plan.concurrency = 7;
    let measured = run(plan.clone(), pending(), |_| {}).await.unwrap();
    let sent = measured.sent.iter().map(|sent| sent.count).sum::<u64>();
    assert_eq!(server.requests(), sent);
    let cleaned_up = clean_up(&plan, &measured, |_| {}, async |_| false).await.unwrap();
    let created = measured.requests[0].ok;
    assert_eq!(cleaned_up, CleanupResult { done: created, left: 0 });
    assert_eq!(server.requests(), sent + created);
}

#[tokio::test]
async fn what_could_not_be_undone_is_tried_again_and_then_told() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|n| {
        if n < 20 {
            OK
        } else if n % 2 == 0 {
            TOO_MANY
        } else {
            OK
        }
    });
    let mut plan = plan(&server, 20, 1_000);
    plan.mix = mix(&[("create", 1)]);
    plan.concurrency = 1;
    let measured = measured(plan.clone()).await;
    let mut rounds = 0;
    let again = async |_| {
        rounds += 1;
        rounds < 3
    };
    // 20 to undo, of which every second is turned away: 10, 5, and 2 or 3 are left after each round.
    let cleaned_up = clean_up(&plan, &measured, |_| {}, again).await.unwrap();
    assert_eq!(cleaned_up.done + cleaned_up.left, 20);
    assert!((2..=3).contains(&cleaned_up.left), "{cleaned_up:?}");
    let all = clean_up(&plan, &measured, |_| {}, async |_| true).await.unwrap();
    assert_eq!(all, CleanupResult { done: 20, left: 0 });
}

/// Of 60 requests every fifth gets through, and of the deletions too: those of what was turned away would never end.
#[tokio::test]
async fn what_was_turned_away_is_not_undone() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|n| match n % 5 {
        0 => OK,
        1 => FORBIDDEN,
        _ => TOO_MANY,
    });
    let mut plan = plan(&server, 300, 200);
    plan.mix = mix(&[("create", 1)]);
    let measured = measured(plan.clone()).await;
    assert_eq!((measured.counts.ok, measured.counts.throttled), (12, 36), "{measured:?}");
    let mut went_well = Vec::new();
    let again = async |deleted_some| {
        went_well.push(deleted_some);
        true
    };
    let cleaned_up = clean_up(&plan, &measured, |_| {}, again).await.unwrap();
    assert_eq!(cleaned_up, CleanupResult { done: 12, left: 0 });
    assert_eq!(server.requests(), 60 + 12 * 5 - 4, "of five in a row one gets through");
    assert!(went_well[0], "{went_well:?}");
}

/// Nothing is said about how much is let through where nothing was turned away.
#[tokio::test]
async fn deletions_go_at_the_rate_that_was_let_through() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|n| if n < 100 && n % 2 == 1 { TOO_MANY } else { OK });
    let mut plan = plan(&server, 500, 200);
    plan.mix = mix(&[("create", 1)]);
    let measured = measured(plan.clone()).await;
    assert_eq!(measured.counts.ok, 50, "{measured:?}");
    let begun = Instant::now();
    let cleaned_up = clean_up(&plan, &measured, |_| {}, async |_| false).await.unwrap();
    assert_eq!(cleaned_up, CleanupResult { done: 50, left: 0 });
    // 49 pauses, of a second over the throughput each.
    let least = 49.0 / measured.throughput;
    assert!(begun.elapsed().as_secs_f64() >= least, "{:?} is less than {least} s", begun.elapsed());
}

/// At most half a minute of the slowest target, the latencies it can show, and a name or two: not the requests.
#[test]
fn what_is_noted_down_does_not_grow_with_the_requests() {
    let mut record = ThreadRecord::new(4).unwrap();
    let size = |record: &ThreadRecord| record.tallies.iter().map(|tally| tally.latency.size()).sum::<usize>();
    for n in 0..1_000_000_u64 {
        let done = Duration::from_micros(n % 30_000_000 * 30);
        let times =
            crate::thread_record::RequestTimes { intended: Duration::ZERO, sent: Duration::ZERO, done };
        record.record(usize::try_from(n % 4).unwrap(), crate::thread_record::Outcome::Status(200), times);
    }
    assert!(size(&record) < 4 * 100_000, "{} bytes", size(&record));
}
