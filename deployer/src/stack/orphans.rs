//! Finds what has the stack's tags and is no longer declared. There is no state file.

use crate::engine::{Existing as _, Step, pages};
use crate::error::Result;
use crate::names::{Owner, REGION_TAG, STACK_TAG, Scope, function_of};
use crate::resources::dynamodb::scaling::{ExistingScaling, Expected};
use crate::resources::dynamodb::table::ExistingTable;
use crate::resources::iam::policy::ExistingPolicy;
use crate::resources::iam::role::ExistingRole;
use crate::resources::lambda::function::ExistingFunction;
use crate::resources::logs::log_group::ExistingLogGroup;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// The largest pages of IAM and of the tagging service.
const IAM_PAGE: i32 = 1000;
const TAGGING_PAGE: i32 = 100;

/// Resources of the stack that are no longer declared. The REST API is not among them, because it is always found by
/// its tags.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    pub(crate) functions: Vec<ExistingFunction>,
    pub(crate) log_groups: Vec<ExistingLogGroup>,
    pub(crate) tables: Vec<ExistingTable>,
    /// One for each table.
    pub(crate) scalings: Vec<ExistingScaling>,
    pub(crate) roles: Vec<ExistingRole>,
    pub(crate) policies: Vec<ExistingPolicy>,
}

/// Declared names, which are no orphans. A policy is named after its role.
#[derive(Debug, Default)]
pub(crate) struct DeclaredNames {
    pub(crate) functions: BTreeSet<String>,
    pub(crate) log_groups: BTreeSet<String>,
    pub(crate) tables: BTreeSet<String>,
    pub(crate) roles: BTreeSet<String>,
}

/// Asks the tagging service, and IAM for roles, which that service does not list. Both may be some seconds out of
/// date, so each find is observed again before anything is deleted.
pub(crate) async fn find(step: &Step<'_>, declared: &DeclaredNames, scope: &Scope) -> Result<Orphans> {
    let (tagged, roles) = tokio::join!(tagged_arns(step, scope), role_names(step, scope));
    let mut orphans = Orphans::default();
    for arn in tagged? {
        let Some((service, resource)) = parts(&arn) else { continue };
        match (service, resource.split_once([':', '/'])) {
            ("lambda", Some(("function", name))) if !declared.functions.contains(name) => {
                orphans.functions.push(existing_function(name, scope));
            }
            ("dynamodb", Some(("table", name))) if !declared.tables.contains(name) => {
                let (name, expected) = (name.to_owned(), Expected::OnDemand);
                orphans.scalings.push(ExistingScaling { table: name.clone(), expected });
                orphans.tables.push(ExistingTable { name, scope: scope.clone() });
            }
            ("logs", Some(("log-group", name))) => {
                let name = name.trim_end_matches(":*");
                if !declared.log_groups.contains(name) {
                    let (name, scope) = (name.to_owned(), scope.clone());
                    orphans.log_groups.push(ExistingLogGroup { name, claims_unowned: false, scope });
                }
            }
            _ => {}
        }
    }
    let unlisted = unlisted_functions(&orphans, declared);
    let looks = unlisted.into_iter().map(async |name| is_ours(step, existing_function(&name, scope)).await);
    for function in join_all(looks).await {
        orphans.functions.extend(function?);
    }
    for name in roles?.into_iter().filter(|name| !declared.roles.contains(name)) {
        orphans.policies.push(ExistingPolicy::of_role(&name, scope));
        orphans.roles.push(ExistingRole { name, scope: scope.clone() });
    }
    Ok(orphans)
}

fn existing_function(name: &str, scope: &Scope) -> ExistingFunction {
    ExistingFunction { name: name.to_owned(), scope: scope.clone() }
}

/// Returns functions whose log group is an orphan but that are not listed yet: the tagging service may list one later
/// than the other. Log group, role and policy must not go without their function.
fn unlisted_functions(orphans: &Orphans, declared: &DeclaredNames) -> Vec<String> {
    let functions = orphans.log_groups.iter().filter_map(|group| function_of(&group.name));
    let listed = |name: &str| orphans.functions.iter().any(|function| function.name == name);
    let unlisted = functions.filter(|name| !declared.functions.contains(*name) && !listed(name));
    unlisted.map(str::to_owned).collect()
}

/// Returns the function if it exists and belongs to this stack.
async fn is_ours(step: &Step<'_>, function: ExistingFunction) -> Result<Option<ExistingFunction>> {
    let seen = function.observe(step).await?;
    Ok(seen.is_some_and(|seen| function.owner(&seen) == Owner::Ours).then_some(function))
}

/// Splits an ARN into service and resource: `lambda` and `function:NAME`.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2)?;
    Some((service, parts.nth(2)?))
}

async fn tagged_arns(step: &Step<'_>, scope: &Scope) -> Result<Vec<String>> {
    let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
    let get = step.aws.tagging.get_resources().tag_filters(filter(STACK_TAG, &scope.stack));
    let get = get.tag_filters(filter(REGION_TAG, &scope.region)).resources_per_page(TAGGING_PAGE);
    pages(async |token| {
        let get = get.clone().set_pagination_token(token);
        let page = step.retry(&[], || step.call("tag:GetResources", get.clone().send())).await?;
        let tagged = page.resource_tag_mapping_list.unwrap_or_default().into_iter();
        Ok((tagged.filter_map(|resource| resource.resource_arn).collect(), page.pagination_token))
    })
    .await
}

/// Lists roles by the description that ours have, because the list has no tags. Each role's tags are read later, and
/// decide.
async fn role_names(step: &Step<'_>, scope: &Scope) -> Result<Vec<String>> {
    pages(async |marker| {
        let list = step.aws.iam.list_roles().max_items(IAM_PAGE).set_marker(marker);
        let page = step.retry(&[], || step.call("iam:ListRoles", list.clone().send())).await?;
        let description = ExistingRole::description_of(scope);
        let ours = page.roles.into_iter().filter(|role| role.description() == Some(&description));
        Ok((ours.map(|role| role.role_name).collect(), page.marker))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::script::{Answer, answers, done, refused};
    use crate::testing::{World, scope};
    use aws_sdk_iam::operation::list_roles::ListRolesOutput;
    use aws_sdk_iam::primitives::DateTime;
    use aws_smithy_mocks::mock;
    use serde_json::{Value, json};

    fn page(arns: &[&str], next: &str) -> Value {
        let tagged: Vec<Value> = arns.iter().map(|arn| json!({ "ResourceARN": arn })).collect();
        json!({ "ResourceTagMappingList": tagged, "PaginationToken": next })
    }

    fn roles(name: &'static str, description: &str, marker: Option<&str>) -> ListRolesOutput {
        let role = aws_sdk_iam::types::Role::builder().path("/").role_name(name).role_id("AROA1");
        let role = role.arn(scope().role_arn(name)).create_date(DateTime::from_secs(0));
        let role = role.description(description).build().unwrap();
        ListRolesOutput::builder().roles(role).set_marker(marker.map(str::to_owned)).build().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn both_lists_are_read_to_the_last_page() {
        let scope = scope();
        let pages = [
            refused(400, "ThrottlingException", "Rate exceeded"),
            done(page(&[&scope.function_arn("old"), &scope.function_arn("kept")], "2")),
            done(page(
                &[&scope.table_arn("old"), &format!("{}:*", scope.log_group_arn("/aws/lambda/old"))],
                "",
            )),
        ];
        let tagged = answers(mock!(aws_sdk_resourcegroupstagging::Client::get_resources), pages);
        let ours = ExistingRole::description_of(&scope);
        let listed = mock!(aws_sdk_iam::Client::list_roles)
            .sequence()
            .output(|| roles("somebody-elses", "Runs something", Some("2")))
            .output(move || roles("old-role", &ours, None))
            .build();
        let world = World::new().with_tagging(&[tagged]).with_iam(&[listed]);
        let declared = DeclaredNames { functions: ["kept".to_owned()].into(), ..DeclaredNames::default() };
        let orphans = world.at(async |step| find(step, &declared, &scope).await).await.unwrap();
        let names = |all: Vec<&String>| all.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(names(orphans.functions.iter().map(|f| &f.name).collect()), ["old"]);
        assert_eq!(names(orphans.tables.iter().map(|t| &t.name).collect()), ["old"]);
        assert_eq!(names(orphans.log_groups.iter().map(|g| &g.name).collect()), ["/aws/lambda/old"]);
        assert_eq!(names(orphans.roles.iter().map(|r| &r.name).collect()), ["old-role"]);
        assert_eq!(names(orphans.policies.iter().map(|p| &p.name).collect()), ["old-policy"]);
    }

    /// Tagged and stack of these, as `GetFunction` answers.
    fn function_of_stack(stack: &str) -> Value {
        let configuration = json!({ "FunctionName": "x", "Runtime": "python3.13", "State": "Active" });
        let tags = json!({ STACK_TAG: stack, REGION_TAG: scope().region });
        json!({ "Configuration": configuration, "Tags": tags })
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_is_not_listed_yet_goes_with_its_log_group() {
        let scope = scope();
        let groups = ["ours", "theirs", "gone", "kept", "listed"]
            .map(|name| scope.log_group_arn(&format!("/aws/lambda/{name}")));
        let mut arns: Vec<&str> = groups.iter().map(String::as_str).collect();
        let listed = scope.function_arn("listed");
        arns.push(&listed);
        let tagged =
            answers(mock!(aws_sdk_resourcegroupstagging::Client::get_resources), [done(page(&arns, ""))]);
        let found = |name: &'static str, answer: Answer| {
            answers(
                mock!(aws_sdk_lambda::Client::get_function)
                    .match_requests(move |request| request.function_name() == Some(name)),
                [answer],
            )
        };
        let no_such = refused(404, "ResourceNotFoundException", "Function not found");
        let functions = [
            found("ours", done(function_of_stack("lab"))),
            found("theirs", done(function_of_stack("other"))),
            found("gone", no_such),
        ];
        let none = mock!(aws_sdk_iam::Client::list_roles)
            .then_output(|| ListRolesOutput::builder().set_roles(Some(Vec::new())).build().unwrap());
        let world = World::new().with_tagging(&[tagged]).with_iam(&[none]).with_lambda(&functions);
        let declared = DeclaredNames { functions: ["kept".to_owned()].into(), ..DeclaredNames::default() };
        let orphans = world.at(async |step| find(step, &declared, &scope).await).await.unwrap();
        let names: Vec<&str> = orphans.functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["listed", "ours"]);
    }

    #[test]
    fn an_arn_names_its_service_and_its_resource() {
        let arn = "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/f:*";
        assert_eq!(parts(arn), Some(("logs", "log-group:/aws/lambda/f:*")));
        assert_eq!(parts("arn:aws:dynamodb:eu-west-1:1:table/t"), Some(("dynamodb", "table/t")));
        assert_eq!(parts("nonsense"), None);
    }
}
