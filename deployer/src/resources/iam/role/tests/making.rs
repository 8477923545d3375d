//! Looking at a role and creating it.

use super::*;

/// Creating begins with a look.
const LOOK: [&str; 1] = ["GetRole"];

#[tokio::test(start_paused = true)]
async fn a_role_that_is_absent_is_created_with_its_tags() {
    let create = mock!(Client::create_role)
        .match_requests(|request| {
            request.role_name() == Some("lab-role")
                && request.description() == Some("Runs the functions of lab + more")
                && request.max_session_duration() == Some(3600)
                && request.assume_role_policy_document() == Some(&role().trust.to_string())
                && request.permissions_boundary() == Some(&boundary())
                && tags(request.tags()) == scope().tags()
        })
        .then_output(|| CreateRoleOutput::builder().build());
    let world = World::new().with_iam(&[absent(1), vec![create]].concat());
    let bounded = Role { boundary: Some(boundary()), ..role() };
    let (output, record) = world.step(Mode::Apply, &bounded, ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert!(output.unwrap().fresh);
    assert_eq!(world.mutations(), ["CreateRole"]);
}

#[tokio::test(start_paused = true)]
async fn a_role_as_declared_is_left_alone() {
    let world = World::new().with_iam(&present(seen()));
    let (output, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Unchanged);
    let arn = scope().role_arn("lab-role");
    assert_eq!(output.unwrap(), Output { arn, role_id: "AROA1".to_owned(), fresh: false });
    assert_eq!(world.calls(), LOOK);
}

#[tokio::test(start_paused = true)]
async fn percent_encoded_documents_are_read_with_their_plus_signs() {
    let declared = Role { trust: json!({"Condition": {"StringEquals": {"x": "a+b c/ü"}}}), ..role() };
    let world = World::new().with_iam(&present(Observed { trust: declared.trust.clone(), ..seen() }));
    let seen = world.observe(&declared).await.unwrap().unwrap();
    assert_eq!(seen.trust, declared.trust);
}

#[tokio::test(start_paused = true)]
async fn what_holds_on_to_it_is_listed_to_the_last_page() {
    let pages = [("1", None, Some("2")), ("2", Some("2"), Some("3")), ("3", Some("3"), None)];
    let policies = pages.map(|(arn, marker, next)| {
        mock!(Client::list_attached_role_policies)
            .match_requests(move |request| request.marker() == marker)
            .then_output(move || attachments(&[arn.to_owned()], next))
    });
    let profiles = pages.map(|(name, marker, next)| {
        mock!(Client::list_instance_profiles_for_role)
            .match_requests(move |request| request.marker() == marker)
            .then_output(move || holding(&[name.to_owned()], next))
    });
    let get = present(seen()).remove(0);
    let world = World::new().with_iam(&[vec![get], policies.to_vec(), profiles.to_vec()].concat());
    let seen = world.at(async |step| role().existing.observe(step).await).await.unwrap().unwrap();
    assert_eq!(
        (seen.attached, seen.instance_profiles),
        (["1", "2", "3"].map(str::to_owned).into(), ["1", "2", "3"].map(str::to_owned).into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_that_another_run_made_meanwhile_is_adopted() {
    let taken =
        not_created(1, || wire::xml(409, "EntityAlreadyExists", "Role with name lab-role already exists."));
    let world = World::new().with_iam(&[absent(1), present(seen()), vec![taken]].concat());
    let (output, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(output.unwrap().role_id, "AROA1");
    assert_eq!(world.calls(), [&LOOK[..], &["CreateRole"], &LOOK].concat());
}

#[tokio::test(start_paused = true)]
async fn a_role_that_somebody_else_made_meanwhile_is_refused_and_left_alone() {
    let taken =
        not_created(1, || wire::xml(409, "EntityAlreadyExists", "Role with name lab-role already exists."));
    let foreign = Observed { tags: Tags::new(), ..seen() };
    let world = World::new().with_iam(&[absent(1), present(foreign), vec![taken]].concat());
    let (output, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(output, None);
    let error = record.result.unwrap_err();
    assert!(error.has_code("EntityAlreadyExists"));
    assert_eq!(
        error.to_string(),
        "role lab-role is not of this stack: it carries no ownership tag: iam:CreateRole failed: \
         EntityAlreadyExists: Role with name lab-role already exists."
    );
    assert_eq!(world.mutations(), ["CreateRole"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_role_that_iam_does_not_show_yet_is_looked_for_again() {
    let taken =
        not_created(3, || wire::xml(409, "EntityAlreadyExists", "Role with name lab-role already exists."));
    let world = World::new().with_iam(&[absent(3), present(seen()), vec![taken]].concat());
    let (_, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), ["AWS to show whether the last call was applied"; 3]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_it_looks_before_anything_else() {
    let lost = || not_created(1, || wire::xml(500, "ServiceFailure", "The request processing has failed."));
    let applied = World::new().with_iam(&[absent(1), present(seen()), vec![lost()]].concat());
    let (_, record) = applied.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(applied.calls(), [&LOOK[..], &["CreateRole"], &LOOK].concat());

    let not_applied = World::new().with_iam(&[absent(2), vec![lost(), created()]].concat());
    let (output, _) = not_applied.step(Mode::Apply, &role(), ()).await;
    assert!(output.unwrap().fresh);
    assert_eq!(not_applied.calls(), [&LOOK[..], &["CreateRole"], &LOOK, &["CreateRole"]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_role_of_the_last_minutes_counts_as_fresh_whoever_made_it() {
    let now = SystemTime::now();
    let ago = |seconds| now - Duration::from_secs(seconds);
    let this_clock_is_behind = now + Duration::from_secs(60);
    for (created, fresh) in
        [(this_clock_is_behind, true), (ago(1), true), (ago(170), true), (ago(200), false)]
    {
        let world = World::new().with_iam(&made_at(seen(), created));
        let (output, _) = world.step(Mode::Apply, &role(), ()).await;
        assert_eq!(output.unwrap().fresh, fresh, "{created:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_change_of_iams_is_waited_for() {
    let busy = || wire::xml(409, "ConcurrentModification", "The request was rejected; wait a few minutes.");
    let world = World::new().with_iam(&[absent(1), vec![not_created(2, busy), created()]].concat());
    let (_, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), ["IAM to finish another change"; 2]);
    assert_eq!(world.mutations(), ["CreateRole"; 3]);
}

/// A boundary, say, that there is not.
#[tokio::test(start_paused = true)]
async fn what_a_new_role_names_and_iam_does_not_know_is_not_waited_for() {
    let unknown =
        || wire::xml(404, "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/b does not exist.");
    let world = World::new().with_iam(&[absent(1), vec![not_created(1, unknown)]].concat());
    let (_, record) = world.step(Mode::Apply, &role(), ()).await;
    assert!(record.result.unwrap_err().has_code("NoSuchEntity"));
    assert!(world.recorder.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_iam_refuses_for_good_is_asked_for_once() {
    let cases = [
        (403, "AccessDenied", "User: x is not authorized to perform: iam:CreateRole", "iam:CreateRole"),
        (
            403,
            "AccessDenied",
            "not authorized to perform: iam:TagRole with an explicit deny",
            "denies this outright",
        ),
        (400, "MalformedPolicyDocument", "Invalid principal in policy", ""),
        (409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "A quota"),
    ];
    for (status, code, message, hint) in cases {
        let create = mock!(Client::create_role).then_http_response(move || wire::xml(status, code, message));
        let world = World::new().with_iam(&[absent(1), vec![create]].concat());
        let (_, record) = world.step(Mode::Apply, &role(), ()).await;
        let error = record.result.unwrap_err();
        assert_eq!(error.to_string(), format!("iam:CreateRole failed: {code}: {message}"));
        assert!(crate::testing::hints(&error).concat().contains(hint), "{:?}", crate::testing::hints(&error));
        assert_eq!(world.mutations(), ["CreateRole"], "{message}");
        assert!(world.recorder.waits().is_empty(), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_as_long_as_iam_asks() {
    let slow_down = || {
        let mut answer = wire::xml(400, "Throttling", "Rate exceeded");
        answer.headers_mut().insert("retry-after", "17");
        answer
    };
    let world = World::new().with_iam(&[absent(1), vec![not_created(2, slow_down), created()]].concat());
    let begun = tokio::time::Instant::now();
    let (_, record) = world.step(Mode::Apply, &role(), ()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), ["AWS's call rate limit"; 2]);
    assert_eq!(begun.elapsed().as_secs(), 34);
}
