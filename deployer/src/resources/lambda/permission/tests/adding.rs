//! Letting the API in.

use super::*;

const ADDED: [&str; 1] = ["AddPermission"];

fn conflict(message: &'static str) -> impl Fn() -> HttpResponse + Send + Sync + 'static {
    move || wire::json(409, "ResourceConflictException", message)
}

fn taken() -> HttpResponse {
    let message = "The statement id (x) provided already exists. Please provide a new statement id, or remove the \
                   existing statement.";
    conflict(message)()
}

fn lost() -> HttpResponse {
    wire::json(500, "ServiceException", "down")
}

#[tokio::test(start_paused = true)]
async fn an_absent_statement_is_added_for_this_api_method_and_path() {
    let wanted = source(API);
    let world =
        World::new().with_lambda(&[absent(1), present(&[ours(&wanted)]), added(id_of(&wanted), wanted)]);
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ADDED);
}

#[tokio::test(start_paused = true)]
async fn statements_as_declared_are_left_alone() {
    let world = World::new().with_lambda(&[present(&[ours(&source(API))])]);
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Unchanged);
    assert_eq!(world.calls(), ["GetPolicy"]);
}

#[tokio::test(start_paused = true)]
async fn the_statement_of_a_new_api_stands_before_that_of_the_old_one_goes() {
    let (wanted, stale) = (source(API), source("gone"));
    let (before, after) = (shown(&[ours(&stale)]), present(&[ours(&stale), ours(&wanted)]));
    let rules = [before, after, added(id_of(&wanted), wanted), removed(&id_of(&stale))];
    let world = World::new().with_lambda(&rules);
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["AddPermission", "RemovePermission"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_statement_is_replaced_under_an_id_that_is_free() {
    let wanted = source(API);
    let id = id_of(&wanted);
    let elsewhere = source("elsewhere");
    let taken: [(&[&str], String); 3] = [
        (&[&id], format!("{id}-2")),
        (&[&id, &format!("{id}-2")], format!("{id}-3")),
        (&[&format!("{id}-2")], id.clone()),
    ];
    for (ids, free) in taken {
        let tampered: Vec<Value> = ids.iter().map(|id| statement(id, &elsewhere)).collect();
        let after = [&tampered[..], &[statement(&free, &wanted)]].concat();
        let mut rules = vec![shown(&tampered), present(&after), added(free, wanted.clone())];
        rules.extend(ids.iter().map(|id| removed(id)));
        let world = World::new().with_lambda(&rules);
        let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
        assert_eq!(record.result.unwrap(), Outcome::Updated);
        assert_eq!(world.mutations()[..2], ["AddPermission", "RemovePermission"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_in_progress_is_waited_for() {
    let messages = [
        "The operation cannot be performed at this time. An update is in progress for resource: lab",
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        "The function could not be updated due to a concurrent update operation.",
    ];
    for message in messages {
        let wanted = source(API);
        let busy = mock!(Client::add_permission).sequence().http_response(conflict(message)).times(3).build();
        let world = World::new().with_lambda(&[
            absent(1),
            busy,
            present(&[ours(&wanted)]),
            added(id_of(&wanted), wanted),
        ]);
        let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
        assert_eq!(record.result.unwrap(), Outcome::Created);
        assert_eq!(world.recorder.waits(), ["Lambda to finish the previous change of the function"; 3]);
        assert_eq!(world.mutations(), ["AddPermission"; 4]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_was_just_made_may_not_be_known_yet() {
    let wanted = source(API);
    let unknown = || wire::json(404, "ResourceNotFoundException", "Function not found: lab");
    let refused = mock!(Client::add_permission).sequence().http_response(unknown).times(2).build();
    let rules = [absent(1), refused, present(&[ours(&wanted)]), added(id_of(&wanted), wanted)];
    let world = World::new().with_lambda(&rules);
    let (_, record) = world.step(Mode::Apply, &permission(), fresh()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.recorder.waits(), ["Lambda to know the function"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_another_run_deletes_is_not_waited_for() {
    let unknown = || wire::json(404, "ResourceNotFoundException", "Function not found: lab");
    let rules = [
        absent(1),
        mock!(Client::add_permission).then_http_response(unknown),
        mock!(Client::get_function).then_http_response(unknown),
    ];
    let world = World::new().with_lambda(&rules);
    let begun = tokio::time::Instant::now();
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap_err().to_string(), "the function lab was deleted meanwhile");
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn statements_of_a_functions_predecessor_count_for_nothing() {
    let wanted = source(API);
    let rules = [present(&[ours(&wanted), ours(&source("gone"))]), added(id_of(&wanted), wanted)];
    let world = World::new().with_lambda(&rules);
    let (_, record) = world.step(Mode::Apply, &permission(), fresh()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ADDED);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_it_looks_before_anything_else() {
    for answer in [lost, taken] {
        let refused = mock!(Client::add_permission).sequence().http_response(answer).build();
        let world = World::new().with_lambda(&[absent(1), present(&[ours(&source(API))]), refused]);
        let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
        assert_eq!(record.result.unwrap(), Outcome::Created);
        assert_eq!(world.calls(), ["GetPolicy", "AddPermission", "GetPolicy"]);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_a_new_functions_statement_stands() {
    let refused = mock!(Client::add_permission).sequence().http_response(lost).http_response(taken).build();
    let world = World::new().with_lambda(&[absent(1), present(&[ours(&source(API))]), refused]);
    let (_, record) = world.step(Mode::Apply, &permission(), fresh()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    let expected = ["GetPolicy", "AddPermission", "GetPolicy", "AddPermission", "GetPolicy"];
    assert_eq!(world.calls(), expected);
}

/// Lambda said yes, and somebody else's change of the same policy took it back.
#[tokio::test(start_paused = true)]
async fn a_statement_that_lambda_lost_is_added_again() {
    let (wanted, theirs) = (source(API), statement("theirs", &source("elsewhere")));
    let rules = [
        absent(1),
        shown(std::slice::from_ref(&theirs)),
        present(&[theirs, ours(&wanted)]),
        added(id_of(&wanted), wanted),
    ];
    let world = World::new().with_lambda(&rules);
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    let expected = ["GetPolicy", "AddPermission", "GetPolicy", "AddPermission", "GetPolicy"];
    assert_eq!(world.calls(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_is_not_shown_yet_is_not_made_twice() {
    let wanted = source(API);
    let add = mock!(Client::add_permission).sequence().output(|| AddPermissionOutput::builder().build());
    let add = add.http_response(taken).times(2).build();
    let world = World::new().with_lambda(&[absent(3), present(&[ours(&wanted)]), add]);
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(world.mutations(), ["AddPermission"; 3]);
    assert_eq!(world.recorder.waits(), [ANSWER_UNCLEAR.reason; 2]);
}

#[tokio::test(start_paused = true)]
async fn the_old_statement_stays_while_the_new_one_does_not_stand() {
    let (wanted, stale) = (source(API), source("gone"));
    let rules = [present(&[ours(&stale)]), added(id_of(&wanted), wanted)];
    let world = World::new().with_lambda(&rules);
    let begun = tokio::time::Instant::now();
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    let error = record.result.unwrap_err();
    assert!(error.to_string().ends_with("AWS to show whether the last call was applied"), "{error}");
    assert!((50..=60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(world.mutations().iter().all(|call| call == "AddPermission"));
}

#[tokio::test(start_paused = true)]
async fn forty_routes_get_one_statement_each() {
    let paths: Vec<String> = (0..40).map(|n| format!("/items/{n}")).collect();
    let routes: Vec<(&str, &str)> = paths.iter().map(|path| ("GET", path.as_str())).collect();
    let forty = with_routes(&routes);
    let (done, open): (Vec<String>, Vec<String>) =
        forty.wanted(&api(API)).into_iter().partition(|source| source.ends_with('7'));
    let standing: Vec<Value> = done.iter().map(|source| ours(source)).collect();
    let after: Vec<Value> = done.iter().chain(&open).map(|source| ours(source)).collect();
    let mut rules = vec![shown(&standing), present(&after)];
    rules.extend(open.iter().map(|source| added(id_of(source), source.clone())));
    let world = World::new().with_lambda(&rules);
    let (_, record) = world.step(Mode::Apply, &forty, needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["AddPermission"; 36]);
    assert!(rules[2..].iter().all(|rule| rule.num_calls() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_full_makes_room_from_what_is_stale() {
    let too_long = || {
        wire::json(
            400,
            "PolicyLengthExceededException",
            "The final policy size (20700) is bigger than the limit (20480).",
        )
    };
    let full = || mock!(Client::add_permission).sequence().http_response(too_long).build();
    let two = with_routes(&[("GET", "/a"), ("GET", "/b")]);
    let [a, b] = two.wanted(&api(API)).try_into().unwrap();
    let [old_a, old_b] = two.wanted(&api("gone")).try_into().unwrap();
    let stale = [ours(&old_a), ours(&old_b)];
    let added_once = |source: &String| {
        let output = || AddPermissionOutput::builder().build();
        let source = source.clone();
        mock!(Client::add_permission)
            .match_requests(move |request| request.source_arn() == Some(&source))
            .sequence()
            .output(output)
            .build()
    };
    let rules = [
        shown(&stale),
        present(&[ours(&a), ours(&b), stale[1].clone()]),
        full(),
        added_once(&a),
        added_once(&b),
        removed(&id_of(&old_a)),
        removed(&id_of(&old_b)),
    ];
    let world = World::new().with_lambda(&rules);
    let (_, record) = world.step(Mode::Apply, &two, needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    let expected =
        ["AddPermission", "RemovePermission", "AddPermission", "AddPermission", "RemovePermission"];
    assert_eq!(world.mutations(), expected);

    let world = World::new().with_lambda(&[absent(1), full()]);
    let (_, record) = world.step(Mode::Apply, &two, needs()).await;
    let error = record.result.unwrap_err();
    assert!(error.has_code("PolicyLengthExceededException"));
    assert!(crate::testing::hints(&error).concat().contains("ANY with a path like /{proxy+}"));
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_as_long_as_lambda_asks() {
    let slow_down = || {
        let mut answer = wire::json(429, "TooManyRequestsException", "Rate exceeded");
        answer.headers_mut().insert("retry-after", "9");
        answer
    };
    let wanted = source(API);
    let throttled = mock!(Client::add_permission).sequence().http_response(slow_down).times(2).build();
    let rules = [absent(1), throttled, present(&[ours(&wanted)]), added(id_of(&wanted), wanted)];
    let world = World::new().with_lambda(&rules);
    let begun = tokio::time::Instant::now();
    let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
    assert_eq!(record.result.unwrap(), Outcome::Created);
    assert_eq!(begun.elapsed().as_secs(), 18);
}

#[tokio::test(start_paused = true)]
async fn what_lambda_refuses_for_good_is_asked_for_once() {
    let cases = [
        (403, "AccessDeniedException", "User: x is not authorized to perform: lambda:AddPermission"),
        (403, "AccessDeniedException", "not authorized … with an explicit deny in a service control policy"),
        (400, "PublicPolicyException", "Lambda prevents policies that are public."),
        (400, "InvalidParameterValueException", "1 validation error detected"),
    ];
    for (status, code, message) in cases {
        let add = mock!(Client::add_permission).then_http_response(move || wire::json(status, code, message));
        let world = World::new().with_lambda(&[absent(1), add]);
        let (_, record) = world.step(Mode::Apply, &permission(), needs()).await;
        assert!(record.result.unwrap_err().has_code(code));
        assert_eq!(world.mutations(), ADDED, "{message}");
        assert!(world.recorder.waits().is_empty(), "{message}");
    }
}
