//! Two commands at once, from two machines as it were: both end with a clear outcome, and there is one stack or none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use support::deployer::{Done, Running};
use support::lab::Lab;
use support::proxy::{At, Moment, mutating};
use support::{pause, wait_for};

const PING: &str = r#"{"operation":"ping"}"#;

/// One call is held until it is let go: then the other command has done what the test wants it to have done.
struct Gate {
    reached: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    fn at(lab: &Lab, operation: &str, moment: Moment) -> Self {
        let (reach, reached) = channel();
        let (open, opened) = channel::<()>();
        lab.proxy.on_call(At::operation(operation, 1), moment, move || {
            let _ = reach.send(());
            // A test that fails never opens it, and then the sender is gone.
            let _ = opened.recv_timeout(Duration::from_secs(60));
        });
        Self { reached, open }
    }

    fn wait(&self) {
        self.reached.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    fn open(self) {
        self.open.send(()).unwrap();
    }
}

fn spawn(lab: &Lab, verb: &str) -> Running {
    lab.deployer(&[verb, "--yes"]).spawn()
}

/// Either it is done, or it says what happened and what to do.
fn is_clear(done: &Done) {
    let says_what_to_do = done.stderr.contains("error: ") && done.stderr.contains("hint: ");
    let clear = match done.code {
        Some(0) => true,
        Some(1 | 3) => says_what_to_do,
        _ => false,
    };
    assert!(clear, "no clear outcome: {done}");
}

/// Exactly one of everything, which answers at this URL.
fn is_one_stack(lab: &Lab, url: &str) {
    let all = lab.lookup().list();
    assert_eq!(all.len(), 6, "{all:?}");
    assert_eq!(lab.lookup().everything().len(), 6, "{all:?}");
    assert_eq!(lab.lookup().post(url, PING), (200, r#""pong""#.to_owned()));
}

/// What was left can be taken on, and can be removed without a trace.
fn converges(lab: &Lab) {
    lab.proxy.heal();
    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    is_one_stack(lab, up.last_line());
    lab.proxy.take_calls();
    let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(lab.lookup().list(), [""; 0]);
}

/// After both, without another run, there is one stack.
fn end_as_one_stack(lab: &Lab, one: Running, two: Running) {
    let ends = [one.wait(), two.wait()];
    ends.iter().for_each(is_clear);
    let won: Vec<&Done> = ends.iter().filter(|done| done.code == Some(0)).collect();
    assert!(!won.is_empty(), "nobody got through: {}\n{}", ends[0], ends[1]);
    for done in &won {
        is_one_stack(lab, done.last_line());
    }
    converges(lab);
}

#[test]
fn two_ups_started_together() {
    let lab = Lab::new();
    for delay in [0, 30, 150] {
        let one = spawn(&lab, "up");
        pause(Duration::from_millis(delay));
        let two = spawn(&lab, "up");
        end_as_one_stack(&lab, one, two);
    }
}

/// The worst moment for each thing: both have seen that it is not there, and both make it.
#[test]
fn two_ups_that_make_the_same_thing() {
    let lab = Lab::new();
    for operation in ["CreateRestApi", "CreateRole", "CreatePolicy", "CreateTable", "CreateFunction"] {
        let gate = Gate::at(&lab, operation, Moment::Before);
        let one = spawn(&lab, "up");
        gate.wait();
        let two = spawn(&lab, "up");
        second_call(&lab, operation);
        gate.open();
        end_as_one_stack(&lab, one, two);
    }
}

/// API Gateway makes two of one name without a word.
#[test]
fn two_ups_that_both_made_an_api() {
    let lab = Lab::new();
    let gate = Gate::at(&lab, "CreateRestApi", Moment::After);
    let one = spawn(&lab, "up");
    gate.wait();
    // Its list, which looked for twins, was empty when it was asked: the first one is made, but not yet known.
    let two = spawn(&lab, "up");
    pause(Duration::from_millis(500));
    gate.open();
    end_as_one_stack(&lab, one, two);
}

/// The later one makes its own when the other has looked and has seen nobody. AWS dates APIs by the second, so whose is
/// the older cannot be told from it.
#[test]
fn two_ups_of_which_one_has_not_seen_the_other() {
    let lab = Lab::new();
    // Ids break the tie, and are random.
    for _ in 0..4 {
        let making = Gate::at(&lab, "CreateRestApi", Moment::Before);
        let later = spawn(&lab, "up");
        making.wait();
        let defining = Gate::at(&lab, "PutRestApi", Moment::Before);
        let earlier = spawn(&lab, "up");
        defining.wait();
        making.open();
        wait_for("two APIs", Duration::from_secs(60), || {
            let calls = lab.proxy.calls();
            let made = calls.iter().filter(|call| call.operation == "CreateRestApi" && call.status.is_some());
            (made.count() == 2).then_some(())
        });
        defining.open();
        let (earlier, later) = (earlier.wait().succeeds(), later.wait().succeeds());
        assert_eq!(earlier.last_line(), later.last_line());
        assert!(later.stderr.contains("another run made it at the same moment: "), "{later}");
        is_one_stack(&lab, later.last_line());
        converges(&lab);
    }
}

fn second_call(lab: &Lab, operation: &str) {
    wait_for(operation, Duration::from_secs(60), || {
        (lab.proxy.calls().iter().filter(|call| call.operation == operation).count() >= 2).then_some(())
    });
    lab.proxy.take_calls();
}

/// `down` stands still in the middle of it, and a whole `up` passes.
#[test]
fn an_up_during_a_down() {
    let lab = Lab::new();
    for (operation, moment) in [
        ("DeleteRestApi", Moment::Before),
        ("DeleteFunction", Moment::After),
        ("DeletePolicy", Moment::Before),
        ("DeleteRole", Moment::After),
        ("DeleteTable", Moment::After),
    ] {
        let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
        let gate = Gate::at(&lab, operation, moment);
        // What `up` holds on to is not let go; and a second API may not be deleted within 30 s of the first.
        let down = lab.deployer(&["down", "--yes", "--timeout", "8s"]).spawn();
        gate.wait();
        let up = lab.deployer(&["up", "--yes"]).run();
        gate.open();
        is_clear(&up);
        is_clear(&down.wait());
        converges(&lab);
    }
}

/// `up` stands still in the middle of it, and a whole `down` passes.
#[test]
fn a_down_during_an_up() {
    let lab = Lab::new();
    for (operation, moment) in [
        ("CreateRole", Moment::After),
        ("CreateRestApi", Moment::After),
        ("CreateFunction", Moment::Before),
        ("CreateDeployment", Moment::Before),
        ("AddPermission", Moment::Before),
    ] {
        let gate = Gate::at(&lab, operation, moment);
        // What `down` took away does not come back.
        let up = lab.deployer(&["up", "--yes", "--timeout", "8s"]).spawn();
        gate.wait();
        let down = lab.deployer(&["down", "--yes"]).run();
        gate.open();
        is_clear(&down);
        is_clear(&up.wait());
        converges(&lab);
    }
}

#[test]
fn two_downs_started_together() {
    let lab = Lab::new();
    for delay in [0, 30, 150] {
        let _ = lab.deployer(&["up", "--yes"]).run().succeeds();
        let one = spawn(&lab, "down");
        pause(Duration::from_millis(delay));
        let two = spawn(&lab, "down");
        let ends = [one.wait(), two.wait()];
        ends.iter().for_each(is_clear);
        assert_eq!(lab.lookup().list(), [""; 0], "{}\n{}", ends[0], ends[1]);
    }
}
