//! Manifests that are right.

use super::*;

#[test]
fn an_empty_manifest_is_the_lab() {
    let lab = parse("").unwrap();
    assert_eq!(format!("{lab:?}"), format!("{:?}", Manifest::default()));
    assert_eq!(lab.name, "lambda-apigateway");
    assert_eq!(lab.tables.keys().collect::<Vec<_>>(), ["lambda-apigateway"]);
    let table = &lab.tables["lambda-apigateway"];
    assert_eq!((table.partition_key.name.as_str(), table.partition_key.r#type), ("id", KeyType::S));
    assert_eq!(table.billing, Billing::OnDemand);
    assert_eq!(lab.functions.keys().collect::<Vec<_>>(), ["LambdaFunctionOverHttps"]);
    let function = &lab.functions["LambdaFunctionOverHttps"];
    assert_eq!((function.memory, function.timeout, function.log_retention_days), (128, 10, 14));
    assert_eq!(function.role, "lambda-apigateway-role");
    assert_eq!((lab.api.name.as_str(), lab.api.stage.as_str()), ("DynamoDBOperations", "Prod"));
    let [route] = &lab.api.routes[..] else { panic!("one route: {:?}", lab.api.routes) };
    assert_eq!((route.method.as_str(), route.path.as_str()), ("POST", "/DynamoDBManager"));
    assert_eq!((route.integration, route.auth, route.timeout_ms), (IntegrationKind::Aws, Auth::None, 29_000));
}

#[test]
fn the_manifest_of_this_project_is_the_lab_too() {
    let ours = parse(project()).unwrap();
    assert_eq!(format!("{ours:?}"), format!("{:?}", Manifest::default()));
}

#[test]
fn each_example_of_it_can_be_used_alone() {
    let lines: Vec<&str> = project().lines().collect();
    let mut tried = 0;
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| is_example(line)) {
        // What follows a section header belongs to it.
        let in_section = lines[..index]
            .iter()
            .rev()
            .take_while(|line| line.starts_with('#'))
            .any(|l| l.starts_with("# ["));
        if in_section {
            continue;
        }
        let end = if line.starts_with("# [") {
            lines[index..].iter().position(|line| !line.starts_with('#')).map_or(lines.len(), |n| index + n)
        } else {
            index + 1
        };
        let text = [&lines[..index], &[&uncommented(&lines[index..end].join("\n"))], &lines[end..]]
            .concat()
            .join("\n");
        let read = parse(&text).unwrap_or_else(|e| panic!("{line}\n{e}"));
        let same = format!("{read:?}") == format!("{:?}", Manifest::default());
        // Three of them show a default, for what there is to know beside it.
        let shows_default = ["# timeout-ms", "# package", "# lab"].iter().any(|key| line.starts_with(key));
        assert!(!same || shows_default, "{line} changes nothing");
        tried += 1;
    }
    assert_eq!(tried, 24);
}

#[test]
fn all_examples_of_it_can_be_used_together() {
    let all = parse(&uncommented(project())).unwrap();
    assert_eq!(all.region.as_deref(), Some("us-east-1"));
    assert_eq!(all.allowed_accounts, ["123456789012"]);
    assert_eq!(all.tags, BTreeMap::from([("team".to_owned(), "shop".to_owned())]));
    let table = &all.tables["lambda-apigateway"];
    assert_eq!(table.sort_key, Some(Key { name: "at".to_owned(), r#type: KeyType::N }));
    assert_eq!(table.billing, Billing::Provisioned(Provisioned { read: 5, write: 5, max: Some(50) }));
    assert_eq!((table.ttl.as_deref(), table.deletion_protection), (Some("expires"), Some(true)));
    assert!(table.point_in_time_recovery);
    let function = &all.functions["LambdaFunctionOverHttps"];
    assert_eq!(function.package.as_deref(), Some("function"));
    assert_eq!(function.tables.as_deref(), Some(&["lambda-apigateway".to_owned()][..]));
    assert_eq!(function.permissions_boundary.as_deref(), Some("arn:aws:iam::123456789012:policy/boundary"));
    assert_eq!(function.environment, BTreeMap::from([("LOG_LEVEL".to_owned(), "info".to_owned())]));
    assert_eq!((function.reserved_concurrency, function.tracing), (Some(10), true));
    let zip = &all.functions["Thumbnails"];
    assert_eq!(zip.zip.as_deref(), Some(Path::new("thumbnails.zip")));
    assert_eq!((zip.runtime.as_deref(), zip.handler.as_deref()), (Some("nodejs24.x"), Some("index.handler")));
    assert_eq!(all.api.throttle, Some(Throttle { rate: 100.0, burst: 200 }));
    assert_eq!(all.api.variables, BTreeMap::from([("level".to_owned(), "debug".to_owned())]));
    assert_eq!(all.api.proof.unwrap().name, "POST /DynamoDBManager");
    let [first, route] = &all.api.routes[..] else { panic!("two routes: {:?}", all.api.routes) };
    let statuses: Vec<&String> = first.error_responses.iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, ["500"], "the route's, not the API's");
    assert!(function.lab && !zip.lab);
    assert_eq!((route.path.as_str(), route.function.as_str()), ("/thumbnails/{id}", "Thumbnails"));
    assert_eq!((route.integration, route.auth), (IntegrationKind::AwsProxy, Auth::Iam));
}

/// Three tables, five functions, forty routes.
#[test]
fn a_large_stack() {
    let mut text = "name = \"shop\"\n".to_owned();
    for table in ["orders", "customers", "stock"] {
        text.push_str(&format!("[tables.{table}]\n"));
    }
    for function in 0..5 {
        text.push_str(&format!("[functions.f{function}]\ntables = [\"orders\", \"stock\"]\ntimeout = 29\n"));
    }
    for route in 0..40 {
        let (method, place) = (["GET", "PUT", "DELETE", "ANY"][route % 4], route / 4);
        text.push_str(&format!(
            "[[api.routes]]\nmethod = \"{method}\"\npath = \"/p{place}/{{id}}/{{rest+}}\"\nfunction = \"f{}\"\n",
            route % 5
        ));
    }
    let large = parse(&text).unwrap();
    assert_eq!((large.tables.len(), large.functions.len(), large.api.routes.len()), (3, 5, 40));
}

#[test]
fn a_stack_of_one_other_function_has_the_route_of_the_lab() {
    for text in ["[functions.mine]", "[functions.mine]\n[api]\nstage = \"v1\"", "functions = { mine = {} }"] {
        let [route] = &parse(text).unwrap().api.routes[..] else { panic!("{text}") };
        assert_eq!((route.path.as_str(), route.function.as_str()), ("/DynamoDBManager", "mine"));
    }
}

#[test]
fn a_function_without_a_route_may_take_its_time() {
    let text = "[functions.worker]\ntimeout = 1800\n[functions.api]\n[[api.routes]]\n\
                method = \"ANY\"\npath = \"/\"\nfunction = \"api\"";
    assert_eq!(parse(text).unwrap().functions["worker"].timeout, 1800);
}

#[test]
fn paths_and_regions_of_every_form() {
    for path in ["/", "/a", "/A-b_c.d:e/{id}", "/{a}/{b}/{rest+}", "/ping"] {
        assert!(parse(&route("GET", path, "")).is_ok(), "{path}");
    }
    for region in ["us-east-1", "us-gov-west-1", "cn-northwest-1", "us-isob-east-1", "eusc-de-east-1"] {
        assert!(parse(&format!("region = \"{region}\"")).is_ok(), "{region}");
    }
    let siblings =
        ["/items", "/items/{id}", "/items/all", "/items/{id}/tags"].map(|path| route("GET", path, ""));
    assert!(parse(&siblings.concat()).is_ok());
}

#[test]
fn the_defaults_have_room_for_the_longest_suffix() {
    let suffix = format!("-{}", "a".repeat(20));
    let spelled_out = uncommented(project());
    assert!(Manifest::parse(&spelled_out, Path::new("stack.toml"), &suffix).is_ok());
}

#[test]
fn variables_are_measured_as_lambda_does() {
    // {"TOKEN":""} is 12 bytes.
    let of =
        |bytes: usize| parse(&format!("[functions.f.environment]\nTOKEN = \"{}\"", "x".repeat(bytes - 12)));
    assert!(of(4096).is_ok());
    assert!(of(4097).is_err());
}

#[test]
fn a_mark_of_the_byte_order_is_no_mistake() {
    assert!(parse("\u{feff}name = \"lab\"").is_ok());
}
