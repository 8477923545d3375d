//! Tests against small servers on this machine. Counts are exact. Durations are asserted only if a server is slow on purpose.

use super::*;
use crate::request_mix::RequestKind;
use crate::request_template::RequestTemplate;
use std::collections::BTreeMap;
use std::future::pending;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

mod tls;

/// A minimal HTTP server with one thread for each connection.
struct Server {
    url: String,
    requests: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

/// Returns the answer to the n-th request of a server.
type Answer = dyn Fn(u64) -> &'static str + Send + Sync;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\"pong\"";
const OK_AND_CLOSE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
const THROTTLED: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
const SERVER_ERROR: &str = "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n";
const HANG_UP: &str = "";

impl Server {
    fn start(answer: impl Fn(u64) -> &'static str + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/Prod", listener.local_addr().unwrap());
        let (requests, connections) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let answer: Arc<Answer> = Arc::new(answer);
        let (request_count, connection_count) = (Arc::clone(&requests), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                connection_count.fetch_add(1, Ordering::Relaxed);
                let (request_count, answer) = (Arc::clone(&request_count), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &request_count, &*answer));
            }
        });
        Self { url, requests, connections }
    }

    fn request_count(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: impl std::io::Read + std::io::Write, requests: &AtomicU64, answer: &Answer) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        // The generator sends head and body in one packet.
        while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            }
        }
        bytes.clear();
        let answer = answer(requests.fetch_add(1, Ordering::Relaxed));
        if answer == HANG_UP || stream.write_all(answer.as_bytes()).is_err() || answer == OK_AND_CLOSE {
            return;
        }
    }
}

/// Blocks the thread.
fn sleep(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a test server is slow on purpose")]
    std::thread::sleep(duration);
}

/// Returns a mix of these kinds with their shares. The kind `create` creates an item and has an undo.
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
        timeout: Duration::from_secs(5),
        user_agent: HeaderValue::from_static("test"),
        run: RunId::random(),
    }
}

async fn measure(plan: LoadPlan) -> Measurement {
    run(plan, pending(), |_| {}).await.unwrap()
}

#[tokio::test]
async fn sends_and_counts_all_requests_of_the_schedule() {
    let server = Server::start(|_| OK);
    let mut plan = plan(&server, 200, 1_000);
    plan.schedule.warmup = Duration::from_millis(500);
    let seconds = Mutex::new(Vec::new());
    let measured = run(plan, pending(), |progress| seconds.lock().unwrap().push(progress.ok)).await.unwrap();
    let counts = &measured.counts;
    assert_eq!((counts.planned, counts.sent, counts.ok, counts.warmup), (200, 200, 200, 100));
    assert_eq!(server.request_count(), 300);
    assert_eq!(measured.statuses, [(200, 200)].into());
    assert_eq!(measured.requests[0].ok, 200);
    assert_eq!(measured.blocks.iter().map(|block| block.ok).sum::<u64>(), 200);
    assert_eq!(measured.series.iter().map(|entry| entry.ok).sum::<u64>(), 200);
    assert_eq!(seconds.into_inner().unwrap().last(), Some(&200));
    assert!(!measured.interrupted && measured.failures.is_empty());
}

/// The server stalls for one second. A closed-loop generator would see one slow request, but an open-loop generator counts
/// the wait of all requests that become due meanwhile.
#[tokio::test]
async fn a_stall_delays_all_requests_that_become_due_meanwhile() {
    let server = Server::start(|n| {
        if n == 100 {
            sleep(Duration::from_secs(1));
        }
        OK
    });
    let mut plan = plan(&server, 100, 3_000);
    plan.concurrency = 1;
    let measured = measure(plan).await;
    let latency = measured.latency_ms.unwrap();
    assert_eq!(measured.counts.ok, 300, "{measured:?}");
    // 100 of 300 requests became due during the stall, and waited for half of it on average.
    assert!(latency.p90 > 500.0, "{latency:?}");
    assert!(latency.p99 > 900.0, "{latency:?}");
    // The server had only one slow answer.
    assert!(measured.service_ms.unwrap().p90 < latency.p90, "{measured:?}");
    assert!(measured.counts.late >= 90, "{:?}", measured.counts);
    assert!(measured.counts.late_by_ms >= 900);
}

#[tokio::test]
async fn counts_throttled_failed_and_unanswered_requests_separately() {
    let server = Server::start(|n| match n % 10 {
        0 => THROTTLED,
        1 => SERVER_ERROR,
        2 => HANG_UP,
        _ => OK,
    });
    let measured = measure(plan(&server, 500, 1_000)).await;
    let counts = &measured.counts;
    assert_eq!((counts.sent, counts.ok, counts.throttled, counts.errors), (500, 350, 50, 50), "{measured:?}");
    assert_eq!(counts.unanswered, 50);
    assert_eq!(measured.statuses, [(200, 350), (429, 50), (500, 50)].into());
    assert_eq!(measured.failures, [("the connection was closed".to_owned(), 50)].into());
    assert!(
        measured.connections.opened >= 50,
        "each closed connection is replaced by a new one: {:?}",
        measured.connections
    );
    let latencies: u64 =
        measured.blocks.iter().flat_map(|block| &block.latency_us).map(|(_, count)| count).sum();
    assert_eq!(latencies, 350, "only successful requests have a latency");
}

#[tokio::test]
async fn reuses_connections_and_respects_their_limit() {
    let server = Server::start(|_| OK);
    let reused = measure(plan(&server, 100, 500)).await;
    assert_eq!(reused.counts.ok, 50);
    assert!(server.connections.load(Ordering::Relaxed) < 20, "{:?}", reused.connections);

    let slow = Server::start(|_| {
        sleep(Duration::from_millis(50));
        OK
    });
    let mut plan = plan(&slow, 100, 1_000);
    plan.concurrency = 3;
    let measured = measure(plan).await;
    assert_eq!(measured.connections.most, 3);
    assert_eq!(slow.connections.load(Ordering::Relaxed), 3);
    // Three connections with answers after 50 ms carry 60 requests per second. The others are sent later.
    assert_eq!(measured.counts.sent, 100);
    assert!(measured.latency_ms.unwrap().max > 300.0, "{measured:?}");
}

#[tokio::test]
async fn sends_every_request_to_a_server_that_closes_after_each_answer() {
    let server = Server::start(|_| OK_AND_CLOSE);
    let measured = measure(plan(&server, 100, 1_000)).await;
    assert_eq!(measured.counts.ok, 100, "{measured:?}");
    assert!(server.connections.load(Ordering::Relaxed) >= 100);
}

#[tokio::test]
async fn an_unreachable_target_fails_every_request() {
    let free_address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server {
        url: format!("http://{free_address}"),
        requests: Arc::default(),
        connections: Arc::default(),
    };
    let measured = measure(plan(&server, 50, 500)).await;
    assert_eq!(measured.counts.unanswered, 25, "{measured:?}");
    assert_eq!(measured.failures, [("no connection".to_owned(), 25)].into());
    assert!(measured.latency_ms.is_none());
}

#[tokio::test]
async fn a_request_without_an_answer_times_out() {
    let server = Server::start(|n| {
        if n == 3 {
            sleep(Duration::from_secs(20));
        }
        OK
    });
    let mut plan = plan(&server, 20, 500);
    plan.timeout = Duration::from_millis(300);
    let measured = measure(plan).await;
    assert_eq!((measured.counts.ok, measured.counts.unanswered), (9, 1), "{measured:?}");
    assert_eq!(measured.failures, [("no answer in time".to_owned(), 1)].into());
}

/// One slow answer belongs to the tail of the latencies and does not lower the throughput.
#[tokio::test]
async fn a_slow_last_answer_does_not_extend_the_measurement() {
    let server = Server::start(|n| {
        if n == 18 {
            sleep(Duration::from_secs(4));
        }
        OK
    });
    let measured = measure(plan(&server, 20, 1_000)).await;
    assert_eq!(measured.counts.ok, 20, "{measured:?}");
    assert!(measured.until_last_answer >= Duration::from_secs(4), "{measured:?}");
    assert!(measured.seconds < 4.0 && measured.throughput > 5.0, "{measured:?}");
    let blocks = f64::from(u32::try_from(measured.blocks.len()).unwrap());
    assert!(blocks <= measured.seconds.ceil(), "the late answer has no block of its own: {measured:?}");
}

/// Three connections with answers after 100 ms carry 30 requests per second. Late requests make the run longer.
#[tokio::test]
async fn a_target_that_does_not_keep_up_has_a_lower_throughput() {
    let server = Server::start(|_| {
        sleep(Duration::from_millis(100));
        OK
    });
    let mut plan = plan(&server, 60, 1_000);
    plan.concurrency = 3;
    let measured = measure(plan).await;
    assert_eq!(measured.counts.ok, 60, "{measured:?}");
    assert!(measured.seconds > 1.5 && measured.throughput < 35.0, "{measured:?}");
}

/// One connection with answers after 500 ms carries 2 requests per second, so about 12 of 100 are sent within the grace
/// period.
#[tokio::test]
async fn counts_requests_that_are_never_sent() {
    let server = Server::start(|_| {
        sleep(Duration::from_millis(500));
        OK
    });
    let mut plan = plan(&server, 100, 1_000);
    plan.concurrency = 1;
    let counts = measure(plan).await.counts;
    assert_eq!((counts.planned, counts.sent), (100, server.request_count()), "{counts:?}");
    assert!(counts.sent < 20, "{counts:?}");
    assert_eq!(counts.unsent, 100 - counts.sent);
}

#[tokio::test]
async fn a_stopped_run_returns_the_measurement_so_far() {
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
    assert_eq!(measured.counts.unsent, 0, "a stopped run has no unsent requests");
    assert!((150..1_000).contains(&measured.counts.ok), "{:?}", measured.counts);
    assert_eq!(measured.counts.planned, 6_000);
    assert_eq!(measured.counts.ok, server.request_count());
    assert_eq!(measured.sent.iter().map(|sent| sent.count).sum::<u64>(), server.request_count());
}

/// Threads end in any order, but the clean-up undoes exactly the sent requests.
#[tokio::test]
async fn undoes_the_requests_of_several_threads() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|_| OK);
    let mut plan = plan(&server, 8_000, 200);
    plan.mix = mix(&[("create", 1), ("ping", 2)]);
    plan.concurrency = 7;
    let measured = run(plan.clone(), pending(), |_| {}).await.unwrap();
    let sent = measured.sent.iter().map(|sent| sent.count).sum::<u64>();
    assert_eq!(server.request_count(), sent);
    let cleaned_up = clean_up(&plan, &measured, |_| {}, async |_| false).await.unwrap();
    let created = measured.requests[0].ok;
    assert_eq!(cleaned_up, CleanupResult { done: created, left: 0 });
    assert_eq!(server.request_count(), sent + created);
}

#[tokio::test]
async fn retries_failed_undo_requests_and_reports_the_rest() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|n| {
        if n < 20 {
            OK
        } else if n % 2 == 0 {
            THROTTLED
        } else {
            OK
        }
    });
    let mut plan = plan(&server, 20, 1_000);
    plan.mix = mix(&[("create", 1)]);
    plan.concurrency = 1;
    let measured = measure(plan.clone()).await;
    let mut rounds = 0;
    let again = async |_| {
        rounds += 1;
        rounds < 3
    };
    // Every second undo request is throttled, so after the rounds 10, then 5, then 2 or 3 of 20 are left.
    let cleaned_up = clean_up(&plan, &measured, |_| {}, again).await.unwrap();
    assert_eq!(cleaned_up.done + cleaned_up.left, 20);
    assert!((2..=3).contains(&cleaned_up.left), "{cleaned_up:?}");
    let all = clean_up(&plan, &measured, |_| {}, async |_| true).await.unwrap();
    assert_eq!(all, CleanupResult { done: 20, left: 0 });
}

/// Every fifth of 60 requests succeeds, and every fifth undo request.
#[tokio::test]
async fn does_not_undo_refused_requests() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|n| match n % 5 {
        0 => OK,
        1 => FORBIDDEN,
        _ => THROTTLED,
    });
    let mut plan = plan(&server, 300, 200);
    plan.mix = mix(&[("create", 1)]);
    let measured = measure(plan.clone()).await;
    assert_eq!((measured.counts.ok, measured.counts.throttled), (12, 36), "{measured:?}");
    let mut round_results = Vec::new();
    let again = async |has_undone_some| {
        round_results.push(has_undone_some);
        true
    };
    let cleaned_up = clean_up(&plan, &measured, |_| {}, again).await.unwrap();
    assert_eq!(cleaned_up, CleanupResult { done: 12, left: 0 });
    assert_eq!(server.request_count(), 60 + 12 * 5 - 4, "one of five requests in a row succeeds");
    assert!(round_results[0], "{round_results:?}");
}

/// The throughput of a throttled run is the rate that the target allows.
#[tokio::test]
async fn undoes_no_faster_than_the_throughput_of_a_throttled_run() {
    use crate::cleanup::{CleanupResult, clean_up};
    let server = Server::start(|n| if n < 100 && n % 2 == 1 { THROTTLED } else { OK });
    let mut plan = plan(&server, 500, 200);
    plan.mix = mix(&[("create", 1)]);
    let measured = measure(plan.clone()).await;
    assert_eq!(measured.counts.ok, 50, "{measured:?}");
    let started = Instant::now();
    let cleaned_up = clean_up(&plan, &measured, |_| {}, async |_| false).await.unwrap();
    assert_eq!(cleaned_up, CleanupResult { done: 50, left: 0 });
    // There are 49 intervals of 1/throughput each.
    let minimum = 49.0 / measured.throughput;
    assert!(started.elapsed().as_secs_f64() >= minimum, "{:?} is less than {minimum} s", started.elapsed());
}

#[test]
fn the_size_of_a_record_does_not_depend_on_the_number_of_requests() {
    let mut record = ThreadRecord::new(4).unwrap();
    let size = |record: &ThreadRecord| record.tallies.iter().map(|tally| tally.latency.size()).sum::<usize>();
    for n in 0..1_000_000_u64 {
        let done = Duration::from_micros(n % 30_000_000 * 30);
        let times = crate::thread_record::RequestTimes { due: Duration::ZERO, sent: Duration::ZERO, done };
        record.record(usize::try_from(n % 4).unwrap(), crate::thread_record::Outcome::Status(200), times);
    }
    assert!(size(&record) < 4 * 100_000, "{} bytes", size(&record));
}
