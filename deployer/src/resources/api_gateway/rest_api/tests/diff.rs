use super::*;
use crate::resources::api_gateway::rest_api::settings::Tls;
use crate::resources::api_gateway::rest_api::stage::short;
use aws_sdk_apigateway::types::EndpointType;

pub(super) fn seen() -> Observed {
    let api = api();
    Observed {
        id: "api1".to_owned(),
        name: api.existing.name,
        tags: scope().tags(),
        settings: Settings {
            endpoint: EndpointType::Regional,
            disabled: false,
            additions: BTreeMap::new(),
            tls: Tls::default(),
        },
        stage: Some(Stage {
            fingerprint: Some(api.definition.fingerprint()),
            throttle: None,
            variables: BTreeMap::new(),
            canary: None,
        }),
        definition: api.definition,
        old_stages: Vec::new(),
        other_stages: Vec::new(),
        old_deployments: Vec::new(),
        leftovers: Vec::new(),
        twins: Vec::new(),
        rivals: Vec::new(),
        mappings: Vec::new(),
    }
}

fn update(field: &str, from: Option<&str>, to: Option<&str>) -> Change {
    Change::Update { field: field.to_owned(), from: from.into(), to: to.into(), impact: Impact::None }
}

fn diff(api: &RestApi, seen: &Observed) -> Vec<Change> {
    plain(api.diff(Some(&()), Some(seen)).changes())
}

fn variables(value: &str) -> BTreeMap<String, String> {
    [("level".to_owned(), value.to_owned())].into()
}

#[test]
fn an_absent_api_is_created() {
    assert_eq!(api().diff(Some(&()), None).changes(), [Change::Create]);
}

#[test]
fn an_api_as_declared_does_not_differ() {
    assert_eq!(diff(&api(), &seen()), []);
}

#[test]
fn each_difference_is_one_change() {
    let limit = |rate, burst| Some(Throttle { rate, burst });
    let same: fn(&mut Observed, &mut Stage) = |_, _| ();
    let fingerprint = short(&api().definition.fingerprint());
    let cases: [(RestApi, fn(&mut Observed, &mut Stage), Change); 16] = [
        (
            api(),
            |seen, _| seen.name = "Old".to_owned(),
            update("name", Some("Old"), Some("DynamoDBOperations")),
        ),
        (
            api(),
            |seen, _| seen.settings.endpoint = EndpointType::Edge,
            update("endpoint", Some("EDGE"), Some("REGIONAL")),
        ),
        (
            api(),
            |seen, _| seen.settings.disabled = true,
            update("default-endpoint", Some("disabled"), Some("enabled")),
        ),
        (
            api(),
            |seen, _| seen.definition = Definition::default(),
            update("POST /DynamoDBManager", None, Some("declared")),
        ),
        (
            api(),
            |_, stage| stage.fingerprint = Some("0123456789abcdef".to_owned()),
            update("deployed-definition", Some("0123456789ab"), Some(&fingerprint)),
        ),
        (api(), |_, stage| stage.fingerprint = None, update("deployed-definition", None, Some(&fingerprint))),
        (
            declaring(|api| api.throttle = limit(100.0, 200)),
            same,
            update("throttle", None, Some("100 a second, 200 at once")),
        ),
        (
            declaring(|api| api.throttle = limit(0.5, 1)),
            |_, stage| stage.throttle = Some(Throttle { rate: 100.0, burst: 1 }),
            update("throttle", Some("100 a second, 1 at once"), Some("0.5 a second, 1 at once")),
        ),
        (
            api(),
            |_, stage| stage.throttle = Some(Throttle { rate: 100.0, burst: 1 }),
            update("throttle", Some("100 a second, 1 at once"), None),
        ),
        (
            declaring(|api| api.variables = variables("debug")),
            same,
            update("variables.level", None, Some("debug")),
        ),
        (
            declaring(|api| api.variables = variables("debug")),
            |_, stage| stage.variables = variables("info"),
            update("variables.level", Some("info"), Some("debug")),
        ),
        (
            api(),
            |_, stage| stage.variables = variables("info"),
            update("variables.level", Some("info"), None),
        ),
        (
            api(),
            |seen, _| seen.old_deployments = vec!["dep0".to_owned()],
            update("old-deployment", Some("dep0"), None),
        ),
        (
            api(),
            |seen, _| seen.old_stages = vec![("Old".to_owned(), false)],
            update("old-stage", Some("Old"), None),
        ),
        (
            api(),
            |seen, _| seen.leftovers = vec!["api2".to_owned()],
            update("duplicate-api", Some("api2 (of this name and never deployed; api1 stays)"), None),
        ),
        (
            api(),
            |seen, _| drop(seen.tags.insert("deployer:region".to_owned(), "eu-west-1".to_owned())),
            update("tags.deployer:region", Some("eu-west-1"), Some("us-east-1")),
        ),
    ];
    for (api, change, expected) in cases {
        let mut seen = seen();
        let mut stage = seen.stage.take().unwrap();
        change(&mut seen, &mut stage);
        seen.stage = Some(stage);
        assert_eq!(diff(&api, &seen), [expected]);
    }
    let undeployed = Observed { stage: None, ..seen() };
    assert_eq!(diff(&api(), &undeployed), [update("stage", None, Some("Prod"))]);
}

fn with_paths(count: usize, length: usize) -> RestApi {
    declaring(|api| {
        let path = |n: usize| format!("/{n:0>length$}");
        let of = |n| Route { method: "GET".to_owned(), path: path(n), ..route() };
        api.definition = Definition::of(&(0..count).map(of).collect::<Vec<_>>(), "", &scope());
    })
}

fn refusals(changes: &[Change]) -> Vec<&str> {
    let field = |change: &'_ Change| matches!(change, Change::Refused { .. });
    let refused = changes.iter().filter(|change| field(change));
    refused
        .map(|change| match change {
            Change::Refused { field, .. } => field.as_str(),
            _ => "",
        })
        .collect()
}

/// API Gateway would refuse it after everything else was made.
#[test]
fn more_resources_than_a_new_api_may_have_are_refused() {
    let refused = |api: &RestApi| refusals(&api.diff(Some(&()), None).changes()).len();
    assert_eq!((refused(&with_paths(299, 3)), refused(&with_paths(300, 3))), (0, 1));
    // AWS raises the quota of one API, and does not say so.
    let many = with_paths(300, 3);
    assert_eq!(refusals(&many.diff(Some(&()), Some(&seen())).changes()), [""; 0]);
}

#[test]
fn a_method_whose_arn_is_too_long_is_refused() {
    // arn:aws:execute-api:us-east-1:123456789012:0123456789/Prod/GET/
    let rest = 63;
    let (fits, is_too_long) = (with_paths(1, 1_600 - rest), with_paths(1, 1_601 - rest));
    assert_eq!(refusals(&fits.diff(Some(&()), None).changes()), [""; 0]);
    assert_eq!(refusals(&is_too_long.diff(Some(&()), None).changes()), ["route"]);
    assert_eq!(refusals(&is_too_long.diff(Some(&()), Some(&seen())).changes()).len(), 0, "its id is shorter");
}

#[test]
fn a_stage_that_goes_says_when_its_web_acl_does_not_come_along() {
    for (has_web_acl, said) in [(true, true), (false, false)] {
        let seen = Observed { old_stages: vec![("Old".to_owned(), has_web_acl)], ..seen() };
        let changes = api().diff(Some(&()), Some(&seen)).changes();
        assert_eq!(changes[0].loss(&api().existing.id()).as_deref(), Some("stage Old"));
        assert_eq!(changes[0].means(Kind::RestApi).unwrap().contains("web ACL"), said);
    }
}

#[test]
fn foreign_tags_and_stages_stay() {
    let mut seen = seen();
    seen.tags.insert("cost-centre".to_owned(), "42".to_owned());
    seen.other_stages = vec!["canary".to_owned()];
    assert_eq!(diff(&api(), &seen), [], "and so do foreign stages");
}

#[test]
fn an_api_of_another_stack_is_named_by_its_id() {
    let mut tags = scope().tags();
    tags.insert("deployer:stack".to_owned(), "other".to_owned());
    let owner = api().existing.owner(&Observed { tags, ..seen() });
    assert_eq!(owner, Owner::Foreign("(API api1) belongs to stack other in us-east-1".to_owned()));
    assert_eq!(api().existing.owner(&Observed { tags: Tags::new(), ..seen() }), Owner::Unclaimed);
    assert_eq!(api().existing.owner(&seen()), Owner::Ours);
}

#[test]
fn its_state_is_its_id_and_stage() {
    assert_eq!(api().existing.state(&seen()), "api1, stage Prod");
    assert_eq!(api().existing.state(&Observed { stage: None, ..seen() }), "api1, no stage Prod");
}
