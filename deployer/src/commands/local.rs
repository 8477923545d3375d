//! `local`: starts, stops and shows the local AWS.

use crate::app::session::Session;
use crate::cli::Local as Verb;
use crate::error::{Error, ExitStatus, Result};
use crate::files;
use crate::local_aws::{Local, credentials_file};
use crate::shell::quoted;

pub(crate) async fn run(session: &Session<'_>, verb: Verb) -> Result<ExitStatus> {
    let console = session.console;
    let local = Local::new(&session.config.local, &session.config.machine, session.stop)?;
    match verb {
        Verb::Start => {
            let (running, started) = local.start().await?;
            let already = if started { "" } else { " (it ran already)" };
            console.talk(&format!("The local AWS runs{already}. Use it with --local, or at this endpoint:"));
            console.data(&running.url());
        }
        Verb::Stop => {
            let stopped = local.stop().await?;
            console.talk(if stopped { "Stopped. What it holds is kept." } else { "It does not run." });
        }
        Verb::Status => match local.running()? {
            Some(running) => {
                let state = &session.config.local.state;
                let credentials = credentials_file(state).display().to_string();
                console.data(&format!("{} (process {})", running.url(), running.pid.as_raw_nonzero()));
                console.data(&format!("state in {}", state.display()));
                console.data(&format!("credentials in {credentials}"));
                console.talk(&format!(
                    "For other programs: export AWS_ENDPOINT_URL={} AWS_SHARED_CREDENTIALS_FILE={} AWS_PROFILE=default",
                    running.url(),
                    quoted(&credentials)
                ));
            }
            None => console.data("The local AWS does not run."),
        },
        Verb::Logs => match files::read_end(&local.log(), files::MOST_OF_A_LOG) {
            Ok(text) => console.data(text.trim_end()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => console.talk("There is no log yet."),
            Err(e) => return Err(Error::new(format!("cannot read {}: {e}", local.log().display()))),
        },
        Verb::Reset => {
            let ran = local.reset().await?;
            console.talk(if ran { "It holds nothing now, and runs on." } else { "It holds nothing now." });
        }
    }
    Ok(ExitStatus::Success)
}
