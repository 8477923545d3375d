//! The smoke test, as a step of `up`.

use super::session::Connected;
use crate::engine::{Id, Kind, Mode, Outcome};
use crate::error::{Error, ErrorKind, Hint, Result, Verb};
use crate::proof::Proof;
use crate::smoke;

/// Sends the proof to its URL. `changed` says whether the stack was just changed.
///
/// # Errors
/// Fails for an unexpected answer, and after Ctrl-C.
pub(crate) async fn prove(connected: &Connected<'_>, url: &str, proof: &Proof, changed: bool) -> Result<()> {
    let engine = connected.engine(Mode::Apply);
    engine
        .task(Id::new(Kind::SmokeTest, &proof.name), async |step| {
            smoke::test(step, url, proof, changed).await?;
            Ok((Outcome::Passed, ()))
        })
        .await;
    match engine.finish().pop().map(|record| record.result) {
        Some(Err(error)) if error.kind() == ErrorKind::Partial => Err(error),
        Some(Err(error)) => Err(error.hint(
            Hint::from("Everything stands as declared; only the proof failed. ")
                .command(Verb::Up)
                .text(" tries it again."),
        )),
        Some(Ok(_)) => Ok(()),
        None => Err(Error::new("the smoke test did not run")),
    }
}
