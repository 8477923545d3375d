//! `schema`: the JSON Schema of the manifest. It needs neither AWS nor a manifest.

use crate::app::session::Session;
use crate::error::ExitStatus;
use crate::manifest;

pub(crate) fn run(session: &Session<'_>) -> ExitStatus {
    session.console.data(&format!("{:#}", manifest::schema()));
    ExitStatus::Success
}
