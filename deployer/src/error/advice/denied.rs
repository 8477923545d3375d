//! What to do about "not authorized". AWS names the kind of policy that stands in the way, and each kind is somebody
//! else's to change:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use crate::error::AwsError;
use crate::names::is_read;

/// What limits a caller beside their own permissions: AWS's words, and what to do.
const LIMITS: [(&str, &str); 6] = [
    (
        "service control policy",
        "A service control policy of the organisation does not let this account do it. Whoever manages the organisation \
         has to allow it; permissions of your own change nothing.",
    ),
    (
        "resource control policy",
        "A resource control policy of the organisation does not let anybody do it to this account's resources. Whoever \
         manages the organisation has to allow it; permissions of your own change nothing.",
    ),
    (
        "permissions boundary",
        "The permissions boundary of your user or role does not allow it. Whoever has set the boundary has to add it there; \
         another policy attached to you changes nothing.",
    ),
    (
        "session policy",
        "This session was given a policy that allows less than its role. Start a session without it, or have whoever gives \
         out sessions (a permission set, a federation, a CI system) allow it.",
    ),
    (
        "VPC endpoint policy",
        "The policy of the VPC endpoint that your calls go through does not allow it. Whoever manages that network has to \
         allow it; permissions of your own change nothing.",
    ),
    (
        "resource-based policy",
        "The policy of the resource itself does not allow it. Whoever owns the resource has to change its policy.",
    ),
];

/// The advice that fits AWS's words.
pub(super) fn advice(error: &AwsError) -> String {
    let message = error.message.as_str();
    // "because no … policy allows the … action" and "with an explicit deny in a … policy".
    let reason = ["because ", "with an explicit deny"].iter().filter_map(|marker| message.find(marker)).min();
    let reason = reason.map_or("", |at| &message[at..]);
    if let Some((_, advice)) = LIMITS.iter().find(|(words, _)| reason.contains(words)) {
        return (*advice).to_owned();
    }
    if message.contains("explicit deny") {
        return "A policy denies this outright, and no permission that is added outweighs that: find the Deny in the \
                policies of your user, its groups or your role."
            .to_owned();
    }
    format!(
        "Your own permissions lack this: {}. policies/deployer-policy.json holds all that deployer needs.",
        statement(error)
    )
}

/// The statement to add: AWS's own words where they are exact, otherwise what was asked.
fn statement(error: &AwsError) -> String {
    let message = error.message.as_str();
    let word_after = |marker: &str| {
        let word = message.split_once(marker)?.1.split(|c: char| c.is_whitespace() || c == ',').next()?;
        Some(word.trim_end_matches('.'))
    };
    let action = word_after("to perform: ").filter(|word| is_action(word));
    let action = action.map_or_else(|| action_of(error.operation), str::to_owned);
    // IAM names a thing in words ("policy NAME"), which no policy understands.
    let named = word_after("on resource: ").filter(|word| word.starts_with("arn:") || *word == "*");
    // What was asked may be about another resource, as when a function is given a role.
    let asked = error.resource.as_deref().filter(|_| action == action_of(error.operation));
    let resource = named.or(asked).unwrap_or("*");
    serde_json::json!({ "Effect": "Allow", "Action": action, "Resource": resource }).to_string()
}

fn is_action(word: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    word.split_once(':').is_some_and(|(service, name)| is_name(service) && is_name(name))
}

/// The action that an operation needs. Those of API Gateway are methods of HTTP.
fn action_of(operation: &str) -> String {
    let Some(name) = operation.strip_prefix("apigateway:") else { return operation.to_owned() };
    let methods =
        [("Put", "PUT"), ("Update", "PATCH"), ("Delete", "DELETE"), ("Untag", "DELETE"), ("Tag", "PUT")];
    let method = methods.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, method)| *method);
    let default = if is_read(name) { "GET" } else { "POST" };
    format!("apigateway:{}", method.unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::refusal;

    const WHO: &str = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: iam:CreateRole on resource: \
                       arn:aws:iam::123456789012:role/r";

    fn denied(operation: &'static str, message: &str, resource: Option<&str>) -> AwsError {
        let resource = resource.map(str::to_owned);
        AwsError { operation, resource, ..refusal("AccessDenied", message) }
    }

    /// The ends of messages are AWS's own, from its documentation.
    #[test]
    fn each_kind_of_policy_has_its_own_advice() {
        let cases = [
            (
                "because no service control policy allows the iam:CreateRole action",
                "manages the organisation",
            ),
            ("with an explicit deny in a service control policy", "manages the organisation"),
            (
                "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
                "manages the organisation",
            ),
            ("with an explicit deny in a resource control policy", "resource control policy"),
            ("because no permissions boundary allows the iam:CreateRole action", "The permissions boundary"),
            ("with an explicit deny in a permissions boundary", "The permissions boundary"),
            ("because no session policy allows the iam:CreateRole action", "This session"),
            ("with an explicit deny in a session policy", "This session"),
            ("because no VPC endpoint policy allows the iam:CreateRole action", "VPC endpoint"),
            ("with an explicit deny in a VPC endpoint policy", "VPC endpoint"),
            (
                "because no resource-based policy allows the iam:CreateRole action",
                "The policy of the resource",
            ),
            ("with an explicit deny in an identity-based policy", "denies this outright"),
            ("with an explicit deny", "denies this outright"),
            (
                "because no identity-based policy allows the iam:CreateRole action",
                "Your own permissions lack",
            ),
            ("", "Your own permissions lack"),
        ];
        for (end, words) in cases {
            let advice = advice(&denied("iam:CreateRole", &format!("{WHO} {end}"), None));
            assert!(advice.contains(words), "{end}: {advice}");
            let statement = advice.contains("\"Effect\":\"Allow\"");
            assert_eq!(statement, words.starts_with("Your own"), "{end}: {advice}");
        }
    }

    #[test]
    fn the_reason_is_not_looked_for_in_names() {
        let named = "User: arn:aws:iam::1:role/session policy is not authorized to perform: iam:CreateRole on resource: \
                     role service control policy because no identity-based policy allows the iam:CreateRole action";
        assert!(advice(&denied("iam:CreateRole", named, None)).starts_with("Your own permissions lack"));
    }

    #[test]
    fn the_statement_is_built_from_what_was_asked_where_aws_is_not_exact() {
        let role = "arn:aws:iam::123456789012:role/r";
        let policy = "arn:aws:iam::123456789012:policy/p";
        let cases = [
            ("iam:CreateRole", WHO, None, "iam:CreateRole", role),
            (
                "iam:CreatePolicy",
                "User: x is not authorized to perform: iam:CreatePolicy on resource: policy p because no \
                 identity-based policy allows the iam:CreatePolicy action",
                Some(policy),
                "iam:CreatePolicy",
                policy,
            ),
            // It is about the role, not about the function.
            (
                "lambda:CreateFunction",
                "User: x is not authorized to perform: iam:PassRole on resource: role r because …",
                Some("arn:aws:lambda:us-east-1:1:function:f"),
                "iam:PassRole",
                "*",
            ),
            ("lambda:GetFunction", "no", Some("arn:f"), "lambda:GetFunction", "arn:f"),
            (
                "lambda:GetFunction",
                "not authorized to perform: that, on resource: it.",
                None,
                "lambda:GetFunction",
                "*",
            ),
            ("apigateway:PutRestApi", "no", None, "apigateway:PUT", "*"),
            ("apigateway:GetRestApis", "no", None, "apigateway:GET", "*"),
            ("apigateway:CreateDeployment", "no", None, "apigateway:POST", "*"),
            ("apigateway:UpdateStage", "no", None, "apigateway:PATCH", "*"),
            ("apigateway:DeleteRestApi", "no", None, "apigateway:DELETE", "*"),
        ];
        for (operation, message, resource, action, named) in cases {
            let statement: serde_json::Value =
                serde_json::from_str(&statement(&denied(operation, message, resource))).unwrap();
            assert_eq!(
                (&statement["Action"], &statement["Resource"]),
                (&action.into(), &named.into()),
                "{message}"
            );
        }
    }
}
