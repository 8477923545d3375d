use super::*;
use std::time::Duration;
use tokio::time::Instant;

async fn down(world: &World) -> Result<Outcome> {
    world.remove(Mode::Apply, &api()).await.result
}

#[tokio::test]
async fn an_api_is_deleted_in_one_call() {
    let world = Gateway::new().world(vec![deleted([ok()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert_eq!(world.mutations(), ["DeleteRestApi"]);
}

#[tokio::test]
async fn no_api_is_no_work() {
    assert_eq!(down(&empty(vec![])).await.unwrap(), Outcome::Absent);
}

#[tokio::test]
async fn an_api_of_our_name_that_is_not_ours_stays() {
    let world = Gateway::with(|gateway| gateway.apis = vec![listed("x9", 0, &Tags::new())]).world(vec![]);
    assert!(matches!(down(&world).await.unwrap(), Outcome::Kept { .. }));
    assert!(world.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_api_of_ours_goes_at_the_pace_that_api_gateway_allows() {
    let tags = scope().tags();
    let gateway = Gateway::with(|gateway| {
        gateway.apis = (0..4).map(|age| listed(&format!("api{age}"), age, &tags)).collect();
    });
    // Without a word of how long, as it usually comes.
    let slower = || refused(429, "TooManyRequestsException", "Too Many Requests");
    let deletions = (0..4).flat_map(|_| [slower(), slower(), slower(), slower(), slower(), ok()]);
    let world = gateway.world(vec![deleted(deletions)]);
    let begun = Instant::now();
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
    assert!(begun.elapsed() > Duration::from_secs(4 * 20), "{:?}", begun.elapsed());
}

fn domains(names: &[&str]) -> Rule {
    let domains: Vec<Value> = names.iter().map(|name| json!({ "domainName": name })).collect();
    always(mock!(Client::get_domain_names), done(json!({ "item": domains })))
}

fn mapped(domain: &'static str, mappings: Value) -> Rule {
    mock!(Client::get_base_path_mappings)
        .match_requests(move |request| request.domain_name() == Some(domain))
        .then_http_response(move || wire::done(&json!({ "item": mappings })))
}

async fn blockers(rules: Vec<Rule>) -> Vec<String> {
    let world = Gateway::new().world(rules);
    let seen = world.at(async |step| api().existing.observe(step).await).await.unwrap().unwrap();
    api().existing.blockers(&seen)
}

/// API Gateway refuses to delete it then, and by that time everything else would be gone.
#[tokio::test]
async fn a_custom_domain_in_front_of_it_blocks_down() {
    let rules = vec![
        domains(&["a.example.com", "b.example.com", "c.example.com"]),
        mapped("a.example.com", json!([{ "basePath": "(none)", "restApiId": "api1", "stage": "Prod" }])),
        mapped("b.example.com", json!([{ "basePath": "v1", "restApiId": "other", "stage": "Prod" }])),
        always(
            mock!(Client::get_base_path_mappings),
            refused(404, "NotFoundException", "Invalid domain name identifier specified"),
        ),
    ];
    assert_eq!(
        blockers(rules).await,
        [
            "is behind the custom domain a.example.com/(none): remove that base path mapping first, if you mean it"
        ]
    );
}

#[tokio::test]
async fn who_may_not_look_at_domains_is_not_stopped_by_them() {
    let denied =
        || refused(403, "AccessDeniedException", "User: x is not authorized to perform: apigateway:GET");
    assert_eq!(blockers(vec![always(mock!(Client::get_domain_names), denied())]).await, [""; 0]);
    let mappings = always(mock!(Client::get_base_path_mappings), denied());
    assert_eq!(blockers(vec![domains(&["a.example.com"]), mappings]).await, [""; 0]);
}

/// An account may have a hundred of them, and only a deletion fails for them.
#[tokio::test]
async fn domains_are_looked_at_for_a_deletion_only() {
    let world = Gateway::new().world(vec![]);
    world.observe(&api()).await.unwrap();
    assert!(world.sent.of("GetDomainNames").is_empty());
}

#[tokio::test]
async fn a_deletion_that_came_second_is_success() {
    let world = Gateway::new().world(vec![deleted([no_such_api()])]);
    assert_eq!(down(&world).await.unwrap(), Outcome::Deleted);
}
