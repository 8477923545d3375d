//! Names, ARNs and ownership tags: everything that AWS does not hand out can be computed, and is computed here.

use crate::printable::one_line;
use std::collections::BTreeMap;

/// Tags of one resource.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tag that names the stack a resource belongs to.
pub(crate) const STACK_TAG: &str = "deployer:stack";

/// The tag that names the stack's region. IAM is global, so without it two regions would share a role, and the
/// `down` of one would break the other.
pub(crate) const REGION_TAG: &str = "deployer:region";

/// Whose a resource is, by its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It carries our stack's tags.
    Ours,
    /// It carries no stack's tags: made by hand, or by another tool. It can be adopted.
    Unclaimed,
    /// Another stack's. The text, to follow "it", says whose.
    Foreign(String),
}

impl Owner {
    /// Why it is not to be touched, to follow "it"; `None` when it is ours.
    pub(crate) fn objection(&self) -> Option<&str> {
        match self {
            Self::Ours => None,
            Self::Unclaimed => Some("carries no ownership tag"),
            Self::Foreign(why) => Some(why),
        }
    }
}

/// Where a stack lives: all that ARNs and ownership are made of.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// Like `us-east-1`.
    pub region: String,
    /// The stack's name, which is the value of its ownership tag.
    pub stack: String,
    /// More tags for everything, from the manifest.
    pub more_tags: Tags,
}

impl Scope {
    /// The tags that every resource of the stack gets in the call that creates it.
    pub(crate) fn tags(&self) -> Tags {
        let mut tags = self.more_tags.clone();
        tags.insert(STACK_TAG.to_owned(), self.stack.clone());
        tags.insert(REGION_TAG.to_owned(), self.region.clone());
        tags
    }

    pub(crate) fn owner(&self, tags: &Tags) -> Owner {
        match (tags.get(STACK_TAG), tags.get(REGION_TAG)) {
            (Some(stack), Some(region)) if *stack == self.stack && *region == self.region => Owner::Ours,
            (Some(stack), Some(region)) => {
                Owner::Foreign(one_line(&format!("belongs to stack {stack} in {region}")))
            }
            (Some(stack), None) => Owner::Foreign(one_line(&format!("claims stack {stack}, but no region"))),
            (None, _) => Owner::Unclaimed,
        }
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.account)
    }

    pub(crate) fn policy_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:policy/{name}", self.partition, self.account)
    }

    pub(crate) fn table_arn(&self, name: &str) -> String {
        self.arn("dynamodb", &format!("table/{name}"))
    }

    pub(crate) fn function_arn(&self, name: &str) -> String {
        self.arn("lambda", &format!("function:{name}"))
    }

    /// Without the `:*` that `DescribeLogGroups` appends: the tagging calls refuse it.
    pub(crate) fn log_group_arn(&self, name: &str) -> String {
        self.arn("logs", &format!("log-group:{name}"))
    }

    /// API Gateway's control-plane ARNs name no account.
    pub(crate) fn rest_api_arn(&self, id: &str) -> String {
        format!("arn:{}:apigateway:{}::/restapis/{id}", self.partition, self.region)
    }

    /// What a Lambda permission names as its source: one method and path of one API, at any stage, so that the
    /// console's "Test" works too.
    pub(crate) fn execute_api_arn(&self, api_id: &str, method: &str, path: &str) -> String {
        self.arn("execute-api", &format!("{api_id}/*/{method}{}", path_pattern(path)))
    }

    /// The ARN of one method at one stage, whose length API Gateway limits.
    pub(crate) fn arn_of_route(&self, api_id: &str, stage: &str, method: &str, path: &str) -> String {
        self.arn("execute-api", &format!("{api_id}/{stage}/{method}{path}"))
    }

    /// The URI of a Lambda integration. The date is that of Lambda's API version, and fixed.
    pub(crate) fn integration_uri(&self, function: &str) -> String {
        format!(
            "arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations",
            self.partition,
            self.region,
            self.function_arn(function)
        )
    }

    /// The host name of a deployed API. The suffix is the partition's, as the SDK knows it for AWS's own endpoints.
    pub(crate) fn execute_api_host(&self, api_id: &str) -> String {
        let suffix = match self.partition.as_str() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            "aws-iso" => "c2s.ic.gov",
            "aws-iso-b" => "sc2s.sgov.gov",
            "aws-iso-e" => "cloud.adc-e.uk",
            "aws-iso-f" => "csp.hci.ic.gov",
            _ => "amazonaws.com",
        };
        format!("{api_id}.execute-api.{}.{suffix}", self.region)
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }
}

/// A path parameter matches anything in an ARN pattern.
fn path_pattern(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "*" } else { part }).collect::<Vec<_>>().join("/")
}

/// `lambda-apigateway-role` has `lambda-apigateway-policy`, whatever the document's file is called.
pub(crate) fn policy_of_role(role: &str) -> String {
    match role.rsplit_once("-role") {
        Some((before, after)) => format!("{before}-policy{after}"),
        None => format!("{role}-policy"),
    }
}

/// What Lambda's names for log groups begin with.
const LOG_GROUPS: &str = "/aws/lambda/";

/// Lambda's name for a function's log group.
pub(crate) fn log_group_of(function: &str) -> String {
    format!("{LOG_GROUPS}{function}")
}

/// The function that a log group of this name would be of.
pub(crate) fn function_of(log_group: &str) -> Option<&str> {
    log_group.strip_prefix(LOG_GROUPS)
}

/// What an AWS operation that changes nothing is called.
const READS: [&str; 5] = ["Get", "List", "Describe", "Filter", "Scan"];

/// Whether an operation changes nothing, by its name; `lambda:GetFunction` or `GetFunction`.
pub(crate) fn is_read(operation: &str) -> bool {
    let name = operation.rsplit(':').next().unwrap_or(operation);
    READS.iter().any(|read| name.starts_with(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_apigateway::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    fn scope() -> Scope {
        Scope {
            partition: "aws".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            stack: "lab".to_owned(),
            more_tags: Tags::new(),
        }
    }

    #[test]
    fn arns_follow_each_services_form() {
        let scope = scope();
        assert_eq!(scope.role_arn("r"), "arn:aws:iam::123456789012:role/r");
        assert_eq!(scope.table_arn("t"), "arn:aws:dynamodb:eu-west-1:123456789012:table/t");
        assert_eq!(scope.rest_api_arn("x1"), "arn:aws:apigateway:eu-west-1::/restapis/x1");
        assert_eq!(
            scope.execute_api_arn("x1", "POST", "/items/{id}/tags"),
            "arn:aws:execute-api:eu-west-1:123456789012:x1/*/POST/items/*/tags"
        );
        assert_eq!(
            scope.execute_api_arn("x1", "GET", "/"),
            "arn:aws:execute-api:eu-west-1:123456789012:x1/*/GET/"
        );
        assert_eq!(
            scope.integration_uri("f"),
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
             arn:aws:lambda:eu-west-1:123456789012:function:f/invocations"
        );
    }

    #[tokio::test]
    async fn the_invoke_host_follows_the_partition() {
        assert_eq!(scope().execute_api_host("x1"), "x1.execute-api.eu-west-1.amazonaws.com");
        let one_of_each = [
            ("aws", "eu-west-1"),
            ("aws-cn", "cn-north-1"),
            ("aws-eusc", "eusc-de-east-1"),
            ("aws-iso", "us-iso-east-1"),
            ("aws-iso-b", "us-isob-east-1"),
            ("aws-iso-e", "eu-isoe-west-1"),
            ("aws-iso-f", "us-isof-south-1"),
            ("aws-us-gov", "us-gov-west-1"),
        ];
        for (partition, region) in one_of_each {
            let scope = Scope { partition: partition.to_owned(), region: region.to_owned(), ..scope() };
            let control_plane = scope.execute_api_host("x1").replace("x1.execute-api", "https://apigateway");
            let params = Params::builder().region(region).build().unwrap();
            let of_sdk = DefaultResolver::new();
            let of_sdk = ResolveEndpoint::resolve_endpoint(&of_sdk, &params).await.unwrap();
            assert_eq!(of_sdk.url(), control_plane, "{partition}");
        }
    }

    #[test]
    fn only_our_stack_in_our_region_is_ours() {
        let scope = scope();
        assert_eq!(scope.owner(&scope.tags()), Owner::Ours);
        let cases: [(&[(&str, &str)], &str); 4] = [
            (&[], "carries no ownership tag"),
            (&[("Name", "x")], "carries no ownership tag"),
            (&[(STACK_TAG, "lab")], "claims stack lab, but no region"),
            (&[(STACK_TAG, "lab"), (REGION_TAG, "us-east-1")], "belongs to stack lab in us-east-1"),
        ];
        for (tags, why) in cases {
            let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(scope.owner(&tags).objection(), Some(why));
        }
    }
}
