//! Deprecated runtimes (the table in "Lambda runtimes" of Lambda's developer guide).

/// Runtimes with which Lambda creates no functions any more.
const NO_LONGER_CREATED: [&str; 21] = [
    "dotnet5.0",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
];

/// Runtimes that are deprecated, some of them for years. Lambda has repeatedly postponed the days from which it
/// refuses to create functions with them.
const DEPRECATED: [&str; 7] =
    ["dotnet6", "nodejs16.x", "nodejs18.x", "nodejs20.x", "python3.8", "python3.9", "ruby3.2"];

/// Returns what somebody who declares this runtime should know.
pub(super) fn warning(function: &str, runtime: &str) -> Option<String> {
    let what = if NO_LONGER_CREATED.contains(&runtime) {
        "Lambda makes no functions with it any more, and changes none"
    } else if DEPRECATED.contains(&runtime) {
        "Lambda does not patch it any more, and will refuse new functions with it"
    } else {
        return None;
    };
    Some(format!("Warning: the function {function} has the runtime {runtime}, which is deprecated: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_of_runtimes_that_lambda_gives_up() {
        let refused = warning("orders", "nodejs14.x").unwrap();
        assert!(refused.contains("orders") && refused.contains("makes no functions"), "{refused}");
        assert!(warning("orders", "python3.9").unwrap().contains("will refuse new functions"));
        for runtime in ["provided.al2023", "nodejs24.x", "python3.13", "java21"] {
            assert_eq!(warning("orders", runtime), None);
        }
    }
}
