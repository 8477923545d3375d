//! Deadlines, Ctrl-C inside one step, and tasks that are no resources.

use super::*;
use crate::engine::THROTTLED;
use crate::resources::iam::waits::IAM_NOT_YET_VISIBLE;
use aws_sdk_iam::error::ErrorMetadata;
use aws_sdk_iam::operation::get_role::GetRoleError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use std::cell::Cell;

/// The command has this long.
fn engine(world: &World, within: Duration) -> Engine<'_> {
    Engine::new(&world.aws, &world.recorder, &world.stop, Mode::Apply, Instant::now() + within)
}

fn id() -> Id {
    Id::new(Kind::Role, "a")
}

#[tokio::test(start_paused = true)]
async fn a_mutation_is_not_cut_short_by_the_deadline() {
    let (cloud, world) = (Cloud::new(), World::new());
    let go = engine(&world, Duration::from_secs(3));
    let output = go.step(&Fake::new(&cloud, "a"), async { Some(Vec::new()) }).await;
    assert_eq!(output, Some("a"));
    assert_eq!(cloud.log(), ["0 observe a", "1 apply a", "11 applied a"]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_a_wait_with_awss_last_answer() {
    let world = World::new();
    let calls = Cell::new(0);
    let go = engine(&world, Duration::from_secs(20));
    let begun = Instant::now();
    let refused = async || {
        calls.set(calls.get() + 1);
        Err::<(), _>(refusal("NoSuchEntity", &format!("answer {}", calls.get())).into())
    };
    let error =
        go.read(id(), async |step| step.retry(&[&IAM_NOT_YET_VISIBLE], refused).await).await.unwrap_err();
    assert!((17..=20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(error.aws().unwrap().message, format!("answer {}", calls.get()));
    assert!(error.to_string().starts_with("gave up after "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_aws_asks_for_and_the_deadline_forbids_is_not_begun() {
    let world = World::new();
    let go = engine(&world, Duration::from_secs(20));
    let slow_down = async || {
        let asked = Some(Duration::from_secs(30));
        Err::<(), _>(AwsError { retry_after: asked, ..refusal("Throttling", "Rate exceeded") }.into())
    };
    let begun = Instant::now();
    let error = go.read(id(), async |step| step.retry(&[], slow_down).await).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(error.to_string().contains(THROTTLED.cadence.reason), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_outlasts_the_deadline_is_not_waited_for() {
    let world = World::new();
    let go = engine(&world, Duration::from_secs(20));
    let begun = Instant::now();
    let delete = async |step: &Step<'_>| {
        let request = async { Ok::<_, SdkError<GetRoleError, Response>>(7) };
        step.call("apigateway:DeleteRestApi", request).await
    };
    assert_eq!(go.read(id(), delete).await.unwrap(), 7);
    let error = go.read(id(), delete).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(error.to_string().contains("one DeleteRestApi in 30 s would delay it by 30 s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_waited_for_until_the_deadline_and_said() {
    // What changes something may be applied after all, so that it is given the time of one attempt at least.
    let cases = [
        ("iam:GetRole", 30, 30),
        ("iam:GetRole", 1, 5),
        ("iam:CreateRole", 30, 60),
        ("iam:CreateRole", 90, 90),
        ("lambda:UpdateFunctionCode", 30, 600),
    ];
    for (operation, timeout, seconds) in cases {
        let world = World::new();
        let go = engine(&world, Duration::from_secs(timeout));
        let begun = Instant::now();
        let never = std::future::pending::<Result<(), SdkError<GetRoleError, Response>>>();
        let error = go.read(id(), async |step| step.call(operation, never).await).await.unwrap_err();
        assert_eq!(begun.elapsed(), Duration::from_secs(seconds), "{operation}");
        assert_eq!(error.to_string(), format!("{operation} failed: AWS did not answer within {seconds} s"));
        assert!(error.aws().unwrap().outcome_unknown() && error.aws().unwrap().is_outage());
        let said: &[&str] = if seconds > 5 { &["AWS to answer"] } else { &[] };
        assert_eq!(world.recorder.waits(), said, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_end_is_given_up() {
    let same = pages(async |_| Ok((vec![1], Some("mark".to_owned())))).await;
    assert!(same.unwrap_err().to_string().contains("same page"));
    let count = Cell::new(0);
    let more = pages(async |_| {
        count.set(count.get() + 1);
        Ok((vec![count.get()], Some(count.get().to_string())))
    });
    assert!(more.await.unwrap_err().to_string().contains("did not end"));
    assert_eq!(count.get(), 1000);
}

#[tokio::test(start_paused = true)]
async fn no_call_starts_after_ctrl_c_unless_it_only_looks() {
    for (mode, sent) in [(Mode::Apply, false), (Mode::Plan, true)] {
        let world = World::new();
        world.stop.set();
        let was_sent = Cell::new(false);
        let request = async {
            was_sent.set(true);
            Ok::<_, SdkError<GetRoleError, Response>>(7)
        };
        let go = world.engine(mode);
        let answer = go.read(id(), async |step| step.call("iam:GetRole", request).await).await;
        assert_eq!(answer.is_ok(), sent);
        assert_eq!(was_sent.get(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_names_its_call() {
    let world = World::new();
    let request = async {
        let metadata = ErrorMetadata::builder().code("NoSuchEntity").message("no such role").build();
        let raw = Response::new(404.try_into().unwrap(), aws_smithy_types::body::SdkBody::empty());
        Err::<(), _>(SdkError::service_error(GetRoleError::generic(metadata), raw))
    };
    let error = world.at(async |step| step.call("iam:GetRole", request).await).await.unwrap_err();
    assert_eq!(error.to_string(), "iam:GetRole failed: NoSuchEntity: no such role");
    assert_eq!(absent(Err::<(), _>(error), &["Other", "NoSuchEntity"]).unwrap(), None);
    let other = absent(Err::<(), _>(refusal("AccessDenied", "no").into()), &["NoSuchEntity"]);
    assert!(other.unwrap_err().has_code("AccessDenied"));
}

/// Looks by a call, as real kinds do.
struct Looking;

impl Existing for Looking {
    type Observed = ();

    fn id(&self) -> Id {
        id()
    }

    async fn observe(&self, step: &Step<'_>) -> Result<Option<()>> {
        pause(&Stop::default(), LOOKING).await?;
        step.call("iam:GetRole", async { Ok::<_, SdkError<GetRoleError, Response>>(Some(())) }).await
    }

    fn owner(&self, (): &()) -> Owner {
        Owner::Ours
    }

    fn state(&self, (): &()) -> String {
        String::new()
    }

    async fn delete(&self, _step: &Step<'_>, (): ()) -> Result<()> {
        Err(Error::new("delete came after Ctrl-C"))
    }
}

impl Declared for Looking {
    type Existing = Self;
    type Needs = ();
    type Diff = Vec<Change>;
    type Output = ();

    fn existing(&self) -> &Self {
        self
    }

    fn diff(&self, _needs: Option<&()>, _seen: Option<&()>) -> Vec<Change> {
        vec![Change::Create]
    }

    fn output(&self, (): &()) {}

    async fn apply(
        &self,
        _step: &Step<'_>,
        (): (),
        _seen: Option<()>,
        _diff: Vec<Change>,
    ) -> Result<Applied<(), ()>> {
        Err(Error::new("apply came after Ctrl-C"))
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_only_being_looked_at_is_skipped() {
    let world = World::new();
    let (go, back) = (world.engine(Mode::Apply), world.engine(Mode::Apply));
    let ctrl_c = async { world.stop.set() };
    tokio::join!(go.step(&Looking, nothing()), back.remove(&Looking, async { true }), ctrl_c);
    assert_eq!(go.finish()[0].result.as_ref().unwrap(), &Outcome::Skipped);
    assert_eq!(back.finish()[0].result.as_ref().unwrap(), &Outcome::Skipped);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_told_in_every_mode_and_its_failure_kept() {
    let id = || Id::new(Kind::Package, "code");
    for mode in [Mode::Plan, Mode::Apply] {
        let world = World::new();
        let go = world.engine(mode);
        assert_eq!(go.task(id(), async |_| Ok((Outcome::Passed, 7))).await, Some(7));
        assert!(go.is_well());
        assert_eq!(go.task(id(), async |_| Err::<(Outcome, u32), _>(Error::new("no compiler"))).await, None);
        assert!(!go.is_well());
        let finished = |outcome| Event::Finished { id: id(), outcome, elapsed: Duration::ZERO };
        let failed = Outcome::Failed { error: "no compiler".to_owned() };
        let started = || Event::Started { id: id() };
        let expected = [started(), finished(Outcome::Passed), started(), finished(failed)];
        assert_eq!(world.recorder.events(), expected);
        let records = go.finish();
        assert!(
            records.len() == 1 && records[0].result.is_err(),
            "one thing, and its failure stays: {records:?}"
        );
    }
}
