//! `status`: the condition of each resource, then the URL.

use super::{DIFFERENT, Session, Stack, Survey, state};
use crate::aws::Access;
use crate::cli::Status;
use crate::error::{Error, Result};
use crate::report::json::Document;

pub(crate) async fn run(session: &Session<'_>, args: &Status, document: &mut Document) -> Result<u8> {
    let at = session.connect(Access::ReadOnly, document).await?;
    // Code is not compared: that would mean building it, and a look should not take minutes.
    let packages = Stack::packages(session.config).not_compared();
    let Survey { records, api, .. } = at.plan(&packages, false).await?;
    document.found(&records);
    let state = state(&records);
    document.state = Some(state);
    document.url = api.as_ref().and_then(|api| at.stack.invoke_url(&at.aws, api));
    let scope = &at.aws.scope;
    let place = format!("{} in {} (account {})", scope.stack, scope.region, scope.account);
    if args.url {
        let url = document.url.as_ref().ok_or_else(|| {
            Error::new(format!("the stack {place} has no URL: it is not up")).hint("Run deployer up.")
        })?;
        session.console.data(url);
    } else if state == "absent" {
        session.console.data(&format!("The stack {place} does not exist."));
    } else {
        session.console.data(&format!("The stack {place}:"));
        session.console.conditions(&records);
        session.console.data(if state == "in_sync" {
            "Everything is as declared. The function's code was not compared; deployer plan does."
        } else {
            "Not as declared: deployer plan shows the changes, deployer up makes them."
        });
        if let Some(url) = &document.url {
            session.console.data(url);
        }
    }
    Ok(if state != "in_sync" && args.exit_code { DIFFERENT } else { 0 })
}
