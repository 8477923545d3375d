//! `plan`: shows what `up` would change.

use crate::app::session::Session;
use crate::app::survey::Survey;
use crate::aws::AccessMode;
use crate::cli::Plan;
use crate::engine::StackState;
use crate::error::{ExitStatus, Result};
use crate::output::console::Stream;
use crate::output::json::Document;
use crate::stack::Stack;

pub(crate) async fn run(session: &Session<'_>, args: &Plan, document: &mut Document) -> Result<ExitStatus> {
    let packages = Stack::packages(session.config)?;
    let at = session.connect(AccessMode::ReadOnly, document).await?.adopting(&args.adopt);
    let Survey { records, api, .. } = at.plan(&packages, args.delete_data).await?;
    document.found(&records);
    document.state = Some(StackState::from_records(&records));
    document.url = api.as_ref().and_then(|api| at.stack.invoke_url(&at.aws, api));
    session.console.plan(&records, Stream::Data);
    crate::app::refusals::refuse(&records, args.adopt.any())?;
    let differs = records.iter().any(|record| !record.changes.is_empty());
    Ok(if differs && args.exit_code { ExitStatus::Different } else { ExitStatus::Success })
}
