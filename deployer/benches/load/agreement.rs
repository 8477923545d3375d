//! What the generator measures, beside what a proxy on the way saw of the same requests. Neither of them can see the way
//! between the two, so that it is measured too, between two threads that do nothing else.

use super::process::Process;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use support::emulator::Emulator;
use support::proxy::{Behaviour, Proxy};
use support::{pause, repository};

const PACE: Duration = Duration::from_millis(50);

/// As long as what a load sends, about.
const MESSAGE: usize = 250;

/// The stack of this repository, at 20 requests a second.
pub(crate) fn measure(binary: &Path, longest: Duration) {
    let aws = Emulator::start();
    let proxy = Proxy::before(&aws.url());
    let run = |args: &[&str]| {
        let process = Process::new(binary, aws.folder())
            .building()
            .args(["--local", "--endpoint-url", &proxy.url()])
            .args([Path::new("--local-state"), &aws.state()])
            .args([Path::new("--manifest"), &repository().join("stack.toml")])
            .args(args);
        process.try_run(longest).unwrap_or_else(|why| panic!("{why}"));
    };
    run(&["up", "--release"]);
    println!("\n| answers take | | requests | p50 ms | p90 ms | p99 ms |");
    println!("|---|---|---|---|---|---|");
    for answer in [Duration::ZERO, Duration::from_millis(50)] {
        proxy.behave(Behaviour { answer, ..Behaviour::default() });
        proxy.take_invocations();
        let file = aws.folder().join("agreement.json");
        let load = ["load", "--rate", "20", "--duration", "20s", "--warmup", "0s", "--json"];
        run(&[&load[..], &[&file.display().to_string()]].concat());
        let result: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        // The first one is the look before the load.
        let seen: Vec<Duration> = proxy.take_invocations()[1..].iter().map(|one| one.took()).collect();
        let measured = |name: &str| ["p50", "p90", "p99"].map(|p| result[name][p].as_f64().unwrap());
        let way = round_trips(seen.len());
        let rows = [
            ("from the intended time", measured("latency_ms")),
            ("from the real one", measured("service_ms")),
            ("seen by the proxy", percentiles(&seen)),
            ("between two bare sockets", percentiles(&way)),
        ];
        for (name, [p50, p90, p99]) in rows {
            let (longer, requests) = (answer.as_millis(), seen.len());
            println!("| {longer} ms longer | {name} | {requests} | {p50:.2} | {p90:.2} | {p99:.2} |");
        }
    }
}

fn percentiles(times: &[Duration]) -> [f64; 3] {
    let mut times = times.to_vec();
    times.sort_unstable();
    [50, 90, 99].map(|percent| times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1000.0)
}

/// There and back, at the load's pace.
fn round_trips(count: usize) -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut there, _) = listener.accept().unwrap();
    here.set_nodelay(true).unwrap();
    there.set_nodelay(true).unwrap();
    let other = std::thread::spawn(move || {
        let mut message = [0; MESSAGE];
        while there.read_exact(&mut message).is_ok() && there.write_all(&message).is_ok() {}
    });
    let mut message = [0; MESSAGE];
    let mut one = || {
        pause(PACE);
        let begun = Instant::now();
        here.write_all(&message).unwrap();
        here.read_exact(&mut message).unwrap();
        begun.elapsed()
    };
    let times = (0..count).map(|_| one()).collect();
    drop(here);
    other.join().unwrap();
    times
}
