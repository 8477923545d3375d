//! `plan`: what `up` would change.

use super::{DIFFERENT, Session, Stack, Survey};
use crate::aws::Access;
use crate::cli::Plan;
use crate::error::Result;
use crate::report::json::Document;

pub(crate) async fn run(session: &Session<'_>, args: &Plan, document: &mut Document) -> Result<u8> {
    let packages = Stack::packages(session.config)?;
    let at = session.connect(Access::ReadOnly, document).await?.adopting(&args.adopt);
    let Survey { records, api, .. } = at.plan(&packages, args.delete_data).await?;
    document.found(&records);
    document.state = Some(super::state(&records));
    document.url = api.as_ref().and_then(|api| at.stack.invoke_url(&at.aws, api));
    session.console.plan(&records, super::Console::data);
    super::refuse(&records, args.adopt.any())?;
    let differs = records.iter().any(|record| !record.changes.is_empty());
    Ok(if differs && args.exit_code { DIFFERENT } else { 0 })
}
