//! The whole matrix.

use crate::cell::{Cell, FAULTS, Verb, command, prepare};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::lab::Lab;
use support::proxy::{Call, mutating};

/// How many cells run side by side, each in an AWS of its own. Most of a cell is waiting.
const AT_ONCE: usize = 4;

/// A call of a command that gets through in peace: the command, the operation, and which one of that name.
type Row = (Verb, String, u32);

type Outcome = Result<Duration, String>;

#[test]
#[ignore = "takes four minutes: make crash-matrix"]
fn full_matrix() {
    let started = Instant::now();
    let rows = rows().unwrap();
    assert!(rows.len() > 18, "up makes eleven mutating calls, down seven, and a change some: {rows:?}");
    let queue: Vec<Cell> = rows
        .iter()
        .flat_map(|(verb, operation, nth)| {
            FAULTS.map(|fault| Cell { verb: *verb, operation: operation.clone(), nth: *nth, fault })
        })
        .collect();
    let queue = Mutex::new(queue.into_iter());
    let outcomes = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut lab = Lab::new();
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(cell) = next else { return };
                    let outcome = cell.run(&lab);
                    if outcome.is_err() {
                        // Whatever is wrong with this one is not the next one's.
                        lab = Lab::new();
                    }
                    println!("{cell}: {}", outcome.as_ref().map_or("FAILED", |_| "ok"));
                    let row = (cell.verb, cell.operation, cell.nth);
                    outcomes.lock().unwrap().insert((row, cell.fault.to_string()), outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    println!("{}", table(&rows, &outcomes));
    println!("{} cells in {} s", outcomes.len(), started.elapsed().as_secs());
    let failed: Vec<String> = outcomes
        .iter()
        .filter_map(|(((verb, operation, nth), fault), outcome)| {
            let wrong = outcome.as_ref().err()?;
            Some(format!("{verb} × {operation} ({nth}) × {fault}: {wrong}"))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cells failed\n\n{}",
        failed.len(),
        outcomes.len(),
        failed.join("\n\n")
    );
    assert_eq!(outcomes.len(), rows.len() * FAULTS.len(), "every cell ran");
}

/// What there is to spoil: the mutating calls of both commands, as they are when nothing goes wrong.
fn rows() -> Result<Vec<Row>, String> {
    let lab = Lab::new();
    let mut rows = Vec::new();
    for verb in [Verb::Up, Verb::Change, Verb::Down] {
        lab.aws.reset();
        prepare(verb, &lab)?;
        lab.proxy.take_calls();
        let _ = command(verb, &lab).run().succeeds();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for Call { service, operation, .. } in mutating(lab.proxy.take_calls()) {
            let operation = format!("{service}:{operation}");
            let nth = seen.entry(operation.clone()).or_default();
            *nth += 1;
            rows.push((verb, operation, *nth));
        }
    }
    Ok(rows)
}

fn table(rows: &[Row], outcomes: &BTreeMap<(Row, String), Outcome>) -> String {
    let mut text = format!("\n{:<41}", "");
    for fault in FAULTS {
        let _ = write!(text, " {:>14}", fault.to_string());
    }
    for row in rows {
        let (verb, operation, nth) = row;
        let name =
            if *nth > 1 { format!("{verb} {operation} ({nth})") } else { format!("{verb} {operation}") };
        let _ = write!(text, "\n{name:<41}");
        for fault in FAULTS {
            let shown = match outcomes.get(&(row.clone(), fault.to_string())) {
                Some(Ok(took)) => format!("{:.1} s", took.as_secs_f64()),
                Some(Err(_)) => "FAILED".to_owned(),
                None => "not run".to_owned(),
            };
            let _ = write!(text, " {shown:>14}");
        }
    }
    text
}
