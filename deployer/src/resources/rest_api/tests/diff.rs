use super::*;
use aws_sdk_apigateway::types::EndpointType;

fn seen() -> Observed {
    let api = api();
    Observed {
        id: "api1".to_owned(),
        name: api.name,
        tags: scope().tags(),
        settings: Settings { endpoint: EndpointType::Regional, disabled: false, additions: BTreeMap::new() },
        stage: Some(Stage {
            fingerprint: Some(api.definition.fingerprint()),
            throttle: None,
            variables: BTreeMap::new(),
        }),
        definition: api.definition,
        old_stages: Vec::new(),
        other_stages: Vec::new(),
        old_deployments: Vec::new(),
        twins: Vec::new(),
        rivals: Vec::new(),
    }
}

fn update(field: &str, from: Option<&str>, to: Option<&str>) -> Change {
    Change::Update { field: field.to_owned(), from: from.into(), to: to.into() }
}

fn diff(api: &RestApi, seen: &Observed) -> Vec<Change> {
    api.diff(Some(&()), Some(seen))
}

fn variables(value: &str) -> BTreeMap<String, String> {
    [("level".to_owned(), value.to_owned())].into()
}

#[test]
fn an_absent_api_is_created() {
    assert_eq!(api().diff(Some(&()), None), [Change::Create]);
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
        (api(), |seen, _| seen.old_stages = vec!["Old".to_owned()], update("old-stage", Some("Old"), None)),
        (
            api(),
            |seen, _| seen.twins = vec!["api2".to_owned()],
            update("duplicate-api", Some("api2 (made after api1, which stays)"), None),
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
    let owner = api().owner(&Observed { tags, ..seen() });
    assert_eq!(owner, Owner::Foreign("(API api1) belongs to stack other in us-east-1".to_owned()));
    assert_eq!(api().owner(&Observed { tags: Tags::new(), ..seen() }), Owner::Unclaimed);
    assert_eq!(api().owner(&seen()), Owner::Ours);
}

#[test]
fn its_state_is_its_id_and_stage() {
    assert_eq!(api().state(&seen()), "api1, stage Prod");
    assert_eq!(api().state(&Observed { stage: None, ..seen() }), "api1, no stage Prod");
}
