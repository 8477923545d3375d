//! Looking at a policy, creating it, attaching it.

use super::*;
use aws_sdk_iam::operation::tag_policy::TagPolicyOutput;
use aws_sdk_iam::types::{PolicyGroup, PolicyScopeType, PolicyUser};

/// Creating begins with a look.
const LOOK: [&str; 2] = ["GetPolicy", "ListEntitiesForPolicy"];

fn created() -> Rule {
    mock!(Client::create_policy)
        .match_requests(|request| {
            request.policy_name() == Some("lab-policy")
                && request.policy_document() == Some(&document().to_string())
                && tags(request.tags()) == scope().tags()
        })
        .then_output(|| CreatePolicyOutput::builder().build())
}

fn not_created(answer: fn() -> HttpResponse) -> Rule {
    mock!(Client::create_policy).sequence().http_response(answer).build()
}

fn taken() -> HttpResponse {
    wire::xml(409, "EntityAlreadyExists", "A policy called lab-policy already exists.")
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_absent_is_created_with_its_tags_and_attached() {
    let world = World::new().with_iam(&[absent(1), vec![created(), attached()]].concat());
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.calls(), [&LOOK[..], &["ListPolicies", "CreatePolicy", "AttachRolePolicy"]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_policy_as_declared_is_left_alone() {
    let world = World::new().with_iam(&present(&seen()));
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Unchanged);
    assert_eq!(world.calls(), [&LOOK[..], &["GetPolicyVersion"]].concat());
}

#[tokio::test(start_paused = true)]
async fn the_policies_of_an_account_are_listed_once_for_all_that_are_absent() {
    let world = World::new().with_iam(&absent(20));
    let go = world.engine(Mode::Plan);
    let policies: Vec<Policy> = (0..20).map(|number| named(&format!("policy-{number}"))).collect();
    let steps = policies.iter().map(|policy| go.step(policy, async { Some(needs()) }));
    futures_util::future::join_all(steps).await;
    let lists = world.calls().into_iter().filter(|call| call == "ListPolicies").count();
    assert_eq!(lists, 1);
}

#[tokio::test(start_paused = true)]
async fn characters_that_iam_does_not_take_are_escaped() {
    let statement = json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/für/🦀/日"});
    let policy = Policy { document: json!({"Version": "2012-10-17", "Statement": [statement]}), ..policy() };
    let created = mock!(Client::create_policy)
        .match_requests(|request| {
            request.policy_document().is_some_and(|text| text.contains(r"b/für/\ud83e\udd80/\u65e5"))
        })
        .then_output(|| CreatePolicyOutput::builder().build());
    let world = World::new().with_iam(&[absent(1), vec![created, attached()]].concat());
    let (_, record) = world.step(Mode::Apply, &policy, needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_deleted_while_it_is_looked_at_is_absent() {
    let gone = mock!(Client::get_policy_version).sequence().http_response(no_such).times(2).build();
    let rules = [shown(2, &seen()), absent(1), vec![gone]].concat();
    let world = World::new().with_iam(&rules);
    let (_, record) = world.step(Mode::Plan, &policy(), needs()).await;
    assert_eq!(record.changes, [Change::Create]);
    assert_eq!(
        world.recorder.waits(),
        ["IAM to know what was just created"],
        "known later is the other reason"
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_iam_does_not_know_yet_is_attached_again() {
    let unknown = || wire::xml(404, "NoSuchEntity", "Policy lab-policy does not exist or is not attachable.");
    let refused = mock!(Client::attach_role_policy).sequence().http_response(unknown).times(5).build();
    let world = World::new().with_iam(&[absent(1), vec![created(), refused, attached()]].concat());
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), ["IAM to know what was just created"; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_stays_unknown_ends_with_iams_last_answer() {
    let refused = mock!(Client::attach_role_policy).then_http_response(no_such);
    let world = World::new().with_iam(&[absent(1), vec![created(), refused]].concat());
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    let error = record.result.unwrap_err();
    assert!(error.has_code("NoSuchEntity"));
    assert!(error.to_string().starts_with("gave up after "), "{error}");
    assert_eq!(world.mutations()[..2], ["CreatePolicy", "AttachRolePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_before_the_attachment_is_finished_by_the_next() {
    let seen = Observed { attached: Vec::new(), ..seen() };
    let world = World::new().with_iam(&[present(&seen), vec![attached()]].concat());
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["AttachRolePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_it_looks_and_only_attaches() {
    for answer in [|| wire::xml(503, "ServiceUnavailable", "down"), taken] {
        let seen = Observed { attached: Vec::new(), ..seen() };
        let world = World::new()
            .with_iam(&[absent(1), present(&seen), vec![not_created(answer), attached()]].concat());
        let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
        assert_eq!(record.result.unwrap(), Outcome::Created);
        let expected =
            [&LOOK[..], &["ListPolicies", "CreatePolicy"], &LOOK, &["GetPolicyVersion", "AttachRolePolicy"]]
                .concat();
        assert_eq!(world.calls(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_somebody_else_made_meanwhile_is_refused_and_left_alone() {
    let mut theirs = seen();
    theirs.tags.insert("deployer:stack".to_owned(), "other".to_owned());
    let world = World::new().with_iam(&[absent(1), present(&theirs), vec![not_created(taken)]].concat());
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    let error = record.result.unwrap_err().to_string();
    let why = "policy lab-policy is not of this stack: it belongs to stack other in us-east-1: ";
    assert!(error.starts_with(why), "{error}");
    assert_eq!(world.mutations(), ["CreatePolicy"]);
}

/// IAM would say `EntityAlreadyExists` of a policy that it does not find under our ARN.
#[tokio::test(start_paused = true)]
async fn a_policy_of_our_name_at_another_path_is_found_on_any_page_and_refused() {
    let page = |marker: Option<&'static str>, page: fn() -> ListPoliciesOutput| {
        mock!(Client::list_policies)
            .match_requests(move |request| {
                request.marker() == marker && request.scope() == Some(&PolicyScopeType::Local)
            })
            .then_output(page)
    };
    let pages = vec![
        page(None, || policies(&[("/team/", "lab-policy-2"), ("/", "lab-policy")], Some("2"))),
        page(Some("2"), || policies(&[("/team/", "Lab-Policy")], None)),
    ];
    let world = World::new().with_iam(&[pages, absent(2)].concat());
    let seen = world.observe(&policy()).await.unwrap().unwrap();
    let Owner::Foreign(why) = policy().existing.owner(&seen) else { panic!("{seen:?}") };
    assert!(why.starts_with("stands at the path /team/, and IAM takes a name only once: "), "{why}");
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    assert!(record.result.unwrap_err().to_string().contains("stands at the path /team/"));
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_uses_it_is_listed_to_the_last_page() {
    let page = |marker: Option<&'static str>, page: fn() -> ListEntitiesForPolicyOutput| {
        mock!(Client::list_entities_for_policy)
            // Both as a permissions policy and as a boundary.
            .match_requests(move |request| {
                request.marker() == marker && request.policy_usage_filter().is_none()
            })
            .then_output(page)
    };
    let first = page(None, || {
        let group = PolicyGroup::builder().group_name("ops").build();
        let role = PolicyRole::builder().role_name("lab-role").build();
        ListEntitiesForPolicyOutput::builder().policy_groups(group).policy_roles(role).marker("2").build()
    });
    let second = page(Some("2"), || {
        let user = PolicyUser::builder().user_name("eve").build();
        ListEntitiesForPolicyOutput::builder().policy_users(user).build()
    });
    let world = World::new().with_iam(&[vec![first, second], present(&seen())].concat());
    let seen = world.observe(&policy()).await.unwrap().unwrap();
    assert_eq!(
        seen.attached,
        [role_named("lab-role"), Entity::Group("ops".to_owned()), Entity::User("eve".to_owned())]
    );
}

#[tokio::test(start_paused = true)]
async fn versions_are_listed_to_the_last_page() {
    let page = |marker: Option<&'static str>, one: &'static str, next: Option<&'static str>| {
        mock!(Client::list_policy_versions)
            .match_requests(move |request| request.marker() == marker)
            .then_output(move || {
                let page = ListPolicyVersionsOutput::builder().set_marker(next.map(str::to_owned));
                page.set_versions(Some(listed(&[version(one, one == "v1")]))).build()
            })
    };
    let pages = vec![page(None, "v2", Some("2")), page(Some("2"), "v1", None)];
    let world = World::new().with_iam(&[pages, present(&seen())].concat());
    let seen = world.at(async |step| policy().existing.observe(step).await).await.unwrap().unwrap();
    assert_eq!(seen.versions, [version("v2", false), version("v1", true)]);
}

#[tokio::test(start_paused = true)]
async fn missing_tags_are_set() {
    let tag = mock!(Client::tag_policy)
        .match_requests(|request| tags(request.tags()) == scope().tags())
        .then_output(|| TagPolicyOutput::builder().build());
    let untagged = Observed { tags: Tags::new(), ..seen() };
    let world = World::new().with_iam(&[tag]);
    world.apply(&policy(), needs(), Some(untagged)).await.unwrap();
    assert_eq!(world.mutations(), ["TagPolicy"]);
}

#[tokio::test(start_paused = true)]
async fn another_change_of_iams_is_waited_for() {
    let busy = || wire::xml(409, "ConcurrentModification", "The request was rejected; wait a few minutes.");
    let rules = vec![not_created(busy), created(), attached()];
    let world = World::new().with_iam(&[absent(1), rules].concat());
    let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), ["IAM to finish another change"]);
    assert_eq!(world.mutations(), ["CreatePolicy", "CreatePolicy", "AttachRolePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn what_iam_refuses_for_good_is_asked_for_once() {
    let cases = [
        (403, "AccessDenied", "User: x is not authorized to perform: iam:CreatePolicy"),
        (403, "AccessDenied", "not authorized to perform: iam:TagPolicy with an explicit deny"),
        (400, "MalformedPolicyDocument", "Syntax errors in policy."),
        (409, "LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: 1500"),
    ];
    for (status, code, message) in cases {
        let create =
            mock!(Client::create_policy).then_http_response(move || wire::xml(status, code, message));
        let world = World::new().with_iam(&[absent(1), vec![create]].concat());
        let (_, record) = world.step(Mode::Apply, &policy(), needs()).await;
        assert_eq!(
            record.result.unwrap_err().to_string(),
            format!("iam:CreatePolicy failed: {code}: {message}")
        );
        assert_eq!(world.mutations(), ["CreatePolicy"], "{message}");
    }
}
