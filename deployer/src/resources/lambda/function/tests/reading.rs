use super::*;

async fn read(world: &World, function: &Function) -> Vec<Change> {
    let seen = world.observe(function).await.unwrap();
    function.diff(Some(&needs()), seen.as_ref()).changes()
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

/// As Lambda answers whoever has no `kms:Decrypt`.
fn encrypted() -> Answer {
    found(|function| {
        let message =
            "Lambda was unable to decrypt your environment variables because the KMS access was denied.";
        function["Environment"] =
            json!({ "Error": { "ErrorCode": "AccessDeniedException", "Message": message } });
        function["MemorySize"] = json!(512);
    })
}

#[tokio::test]
async fn variables_that_cannot_be_read_are_no_difference_and_are_not_written() {
    let declared = declaring(|function| function.environment = environment(&[("A", "1")]));
    let update = answers(mock!(Client::update_function_configuration), [ok()]);
    let world = world([encrypted()], [ready()], vec![update]);
    let (_, record) = world.step(Mode::Apply, &declared, needs()).await;
    assert!(matches!(&record.changes[..], [memory] if is_about(memory, "memory")), "{:?}", record.changes);
    assert_eq!(record.found.unwrap().state, "active, 512 MB, x86_64, variables unreadable");
    let [sent] = &world.sent.bodies("UpdateFunctionConfiguration")[..] else { panic!("one update") };
    assert_eq!((&sent["MemorySize"], sent.get("Environment")), (&json!(128), None));
    let said = format!("{:?}", world.recorder.events());
    assert!(said.contains("cannot be read, so they stay as they are"), "{said}");
}

#[tokio::test]
async fn variables_that_cannot_be_read_are_not_lost_with_the_function() {
    let again = (role("AROA2", true), Some(package()));
    let world = world([encrypted()], [], vec![]);
    let (_, record) = world.step(Mode::Apply, &function(), again).await;
    let error = record.result.unwrap_err().to_string();
    assert!(error.contains("would lose its environment variables"), "{error}");
    assert_eq!(world.mutations(), [""; 0]);
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_not_taken_for_none() {
    let hidden = done(json!({
        "Configuration": configured(|_| ()),
        "TagsError": { "ErrorCode": "AccessDeniedException", "Message": "not authorized to perform: lambda:ListTags" },
    }));
    let error = world([hidden], [], vec![]).observe(&function()).await.unwrap_err();
    assert_eq!(crate::testing::hints(&error), ["Your own permissions lack lambda:ListTags."]);
}

/// A proxy on the way may answer anything.
#[tokio::test]
async fn an_empty_answer_is_no_function_that_is_absent() {
    let world = world([done(json!({}))], [], vec![]);
    let (_, record) = world.step(Mode::Apply, &function(), needs()).await;
    let error = record.result.unwrap_err().to_string();
    assert_eq!(error, format!("Lambda answered without the function {}", function().existing.name));
    assert_eq!(world.mutations(), [""; 0]);
}
