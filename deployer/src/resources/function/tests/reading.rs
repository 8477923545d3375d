use super::*;

async fn read(world: &World, function: &Function) -> Vec<Change> {
    let seen = world.observe(function).await.unwrap();
    function.diff(Some(&needs()), seen.as_ref())
}

#[tokio::test]
async fn what_lambda_fills_in_by_itself_is_no_difference() {
    assert_eq!(read(&world([found(|_| ())], [], vec![]), &function()).await, []);
}

#[tokio::test]
async fn what_lambda_leaves_out_is_its_default() {
    let bare = found(|function| {
        let function = function.as_object_mut().unwrap();
        for key in [
            "Description",
            "Timeout",
            "MemorySize",
            "TracingConfig",
            "State",
            "LastUpdateStatus",
            "Architectures",
        ] {
            function.remove(key).expect(key);
        }
    });
    let declared = declaring(|function| {
        function.description = String::new();
        function.timeout = 3;
        function.memory = 128;
    });
    assert_eq!(read(&world([bare], [], vec![]), &declared).await, []);
}

#[tokio::test]
async fn everything_that_is_set_is_read() {
    let set = done(json!({
        "Configuration": configured(|function| {
            function["Environment"] = json!({ "Variables": { "A": "1" } });
            function["TracingConfig"]["Mode"] = json!("Active");
            function["Architectures"] = json!(["arm64"]);
        }),
        "Concurrency": { "ReservedConcurrentExecutions": 5 },
        "Tags": tags(),
    }));
    let declared = declaring(|function| {
        function.environment = environment(&[("A", "1")]);
        function.tracing = true;
        function.architecture = Architecture::Arm64;
        function.reserved_concurrency = Some(5);
    });
    assert_eq!(read(&world([set], [], vec![]), &declared).await, []);
}

#[tokio::test]
async fn no_function_is_read_as_none() {
    assert!(world([no_such()], [], vec![]).observe(&function()).await.unwrap().is_none());
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_not_taken_for_none() {
    let hidden = done(json!({
        "Configuration": configured(|_| ()),
        "TagsError": { "ErrorCode": "AccessDeniedException", "Message": "not authorized to perform: lambda:ListTags" },
    }));
    let error = world([hidden], [], vec![]).observe(&function()).await.unwrap_err();
    assert_eq!(error.hints(), ["Your own permissions lack lambda:ListTags."]);
}
