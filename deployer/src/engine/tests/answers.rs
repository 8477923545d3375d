//! Answers that say too little: they were lost, or something of the name exists after all.

use super::*;
use crate::error::Transport;

/// The connection broke, and the call may have been applied.
fn lost() -> Error {
    AwsError { transport: Some(Transport::Unknown), status: None, ..refusal("", "connection reset") }.into()
}

fn taken() -> Error {
    refusal("EntityAlreadyExists", "a exists already").into()
}

#[tokio::test(start_paused = true)]
async fn only_unclear_answers_are_looked_at_again() {
    let broken = AwsError { status: Some(503), ..refusal("ServiceUnavailable", "down") };
    let not_sent = AwsError { transport: Some(Transport::NotSent), status: None, ..refusal("", "no route") };
    let cases = [
        (lost(), true),
        (broken.into(), true),
        (taken(), true),
        (refusal("ResourceAlreadyExistsException", "The specified log group already exists").into(), true),
        (refusal("ResourceInUseException", "Table already exists: a").into(), true),
        (refusal("ResourceInUseException", "Table is being created: a").into(), false),
        (refusal("ResourceConflictException", "Function already exist: a").into(), true),
        (refusal("ResourceConflictException", "The statement id (a) provided already exists.").into(), true),
        (refusal("ResourceConflictException", "An update is in progress").into(), false),
        (refusal("AccessDenied", "with an explicit deny").into(), false),
        (refusal("MalformedPolicyDocument", "Syntax errors").into(), false),
        (refusal("LimitExceeded", "Cannot exceed quota").into(), false),
        (not_sent.into(), false),
        (Error::new("not AWS's"), false),
    ];
    for (error, again) in cases {
        let cloud = Cloud::new();
        let message = error.to_string();
        let first = RefCell::new(Some(error));
        let fake = Fake::answering(&cloud, |cloud, _| {
            cloud.put("a", 1, Owner::Ours);
            first.borrow_mut().take().map_or(Ok(()), Err)
        });
        let (output, record) = step(Mode::Apply, &fake).await;
        assert_eq!(cloud.count("observe a"), if again { 2 } else { 1 }, "{message}");
        assert_eq!(cloud.count("apply a"), 1, "{message}");
        assert_eq!(output.is_some(), again, "{message}");
        assert_eq!(
            record.result.map_err(|e| e.to_string()),
            if again { Ok(Outcome::Created) } else { Err(message) }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_that_was_not_applied_is_made_again_after_a_look() {
    let cloud = Cloud::new();
    let fake = Fake::answering(&cloud, |cloud, earlier| {
        if earlier < 2 {
            return Err(lost());
        }
        cloud.put("a", 1, Owner::Ours);
        Ok(())
    });
    let (_, record) = step(Mode::Apply, &fake).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    let done: Vec<String> = cloud.log.borrow().iter().map(|(_, what)| what.clone()).collect();
    let expected = ["observe a", "apply a", "observe a", "apply a", "observe a", "apply a", "applied a"];
    assert_eq!(done, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_took_minutes_is_looked_at_too() {
    for applied_by in [0, 1] {
        let cloud = Cloud::new();
        let fake = Fake::answering(&cloud, |cloud, earlier| {
            if earlier == applied_by {
                cloud.put("a", 1, Owner::Ours);
            }
            Err(lost())
        });
        let (_, record) = step(Mode::Apply, &Fake { takes: Duration::from_secs(600), ..fake }).await;
        assert_eq!(record.result.unwrap(), Outcome::Created);
        assert_eq!(cloud.count("apply a"), applied_by + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_in_part_is_finished_from_what_is_there() {
    let cloud = Cloud::new();
    let fake = Fake::answering(&cloud, |cloud, earlier| {
        cloud.put("a", if earlier == 0 { 7 } else { 1 }, Owner::Ours);
        if earlier == 0 { Err(taken()) } else { Ok(()) }
    });
    let (output, record) = step(Mode::Apply, &fake).await;
    assert_eq!(output, Some("a"));
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(cloud.value("a"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_made_meanwhile_is_refused() {
    for owner in [Owner::Unclaimed, Owner::Foreign("belongs to stack x".to_owned())] {
        let cloud = Cloud::new();
        let theirs = owner.clone();
        let fake = Fake::answering(&cloud, move |cloud, _| {
            cloud.put("a", 7, theirs.clone());
            Err(taken())
        });
        let (output, record) = step(Mode::Apply, &fake).await;
        assert_eq!(output, None);
        let error = record.result.unwrap_err();
        let why = format!("role a is not of this stack: it {}: lab:Make failed", owner.objection().unwrap());
        assert!(error.to_string().starts_with(&why), "{error}");
        assert!(error.has_code("EntityAlreadyExists"));
        assert_eq!(cloud.count("apply a"), 1);
        assert_eq!(cloud.value("a"), Some(7));
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_unclear_ends_with_awss_last_answer() {
    let cloud = Cloud::new();
    let fake = Fake::answering(&cloud, |_, earlier| {
        Err(refusal("EntityAlreadyExists", &format!("answer {earlier}")).into())
    });
    let (_, record) = step(Mode::Apply, &fake).await;
    let error = record.result.unwrap_err();
    let last = cloud.count("apply a") - 1;
    assert!(error.aws().unwrap().message == format!("answer {last}"), "{error}");
    let told = error.to_string();
    assert!(told.starts_with("gave up after "), "{told}");
    assert!(told.contains("of waiting for AWS to show whether the last call was applied: "), "{told}");
    assert!(cloud.begun.elapsed() < Duration::from_secs(90));
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_ends_the_wait_for_clarity() {
    let (cloud, world) = (Cloud::new(), World::new());
    let fake = Fake::answering(&cloud, |_, _| {
        world.stop.set();
        Err(lost())
    });
    let (_, record) = world.step(Mode::Apply, &fake, Vec::new()).await;
    assert_eq!(record.result.unwrap_err().to_string(), "interrupted");
    assert_eq!(cloud.count("apply a"), 1);
}
