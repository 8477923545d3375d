//! The proof at the end of `up`: a request through the URL that people will use.

use crate::engine::Step;
use crate::error::{Error, Hint, Result, Verb};
use crate::http::{Http, TextResponse};
use crate::proof::Proof;
use crate::time::{Cadence, at_most, ms, secs};
use std::time::Duration;

/// A deployed API answers 403 or the old way until every edge knows it. AWS names no figure; tools allow a minute.
static API_ANSWERS: Cadence =
    Cadence { reason: "the deployed API to answer", first: ms(250), longest: secs(2), within: secs(90) };

/// How API Gateway turns requests away that are too many.
const TOO_MANY: u16 = 429;

/// Edges learn of a deployment one by one, so that a good answer may be followed by a bad one.
const GOOD_IN_A_ROW: u32 = 3;

/// Somebody waits for `status`.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// A request that is sent has so long to be answered, also at the end of `--timeout`.
const LEAST: Duration = Duration::from_secs(5);

/// One answer may take a cold start, and no longer than API Gateway waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Asks until the URL answers as it should: once if nothing was changed, several times in a row otherwise, each time by a
/// new connection, because one connection leads to one of API Gateway's servers.
///
/// What it proves: the stage, the method, the permission and the function work together. After a change it does not tell
/// which deployment answered: a server that has not heard of the new one answers as well.
///
/// A request that the stage's own limit turns away has reached the stage, and counts, beside one that was answered.
///
/// # Errors
/// When the time is up, what the URL answers instead, and what that usually means.
pub(crate) async fn test(step: &Step<'_>, url: &str, proof: &Proof, changed: bool) -> Result<()> {
    let wanted = if changed { GOOD_IN_A_ROW } else { 1 };
    let http = step.aws.http.with_new_connections();
    let (mut reached, mut answered) = (0, false);
    let mut last = String::new();
    let asked = step.until(&API_ANSWERS, async || {
        while reached < wanted || !answered {
            match ask(&http, url, proof, step.time_left().clamp(LEAST, ANSWER_WITHIN)).await {
                None => (reached, answered) = (reached + 1, true),
                Some(instead) => {
                    reached = if instead.is_throttled() { reached + 1 } else { 0 };
                    last = instead.said;
                    if reached < wanted || !answered {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(()))
    });
    match asked.await {
        // Somebody else uses up the limit.
        Err(_) if reached >= wanted && !step.stop.is_set() => {
            step.note(format!(
                "the stage turned every request away as one too many; the function was not reached ({last})"
            ));
            Ok(())
        }
        asked => asked.map_err(|error| explain(error, url, proof, &last)),
    }
}

/// What a URL answers instead of what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instead {
    /// Of HTTP, if it answers at all.
    pub(crate) status: Option<u16>,
    pub(crate) said: String,
}

impl Instead {
    /// Whether the stage turned the request away for its own limit, which it must have been reached for.
    pub(crate) fn is_throttled(&self) -> bool {
        self.status == Some(TOO_MANY)
    }
}

/// Asks once, for those who wait for `status`: what the URL answers instead of what it should, if so.
pub(crate) async fn look(http: &Http, url: &str, proof: &Proof) -> Option<Instead> {
    ask(http, url, proof, LOOK_WITHIN).await
}

/// `None` is the good answer.
async fn ask(http: &Http, url: &str, proof: &Proof, within: Duration) -> Option<Instead> {
    let answer = async { http.exchange(&proof.method, url, &proof.body).await.map(TextResponse::from) };
    match at_most(within, answer).await {
        Some(Ok(answer)) if proof.accepts(answer.status, &answer.body) => None,
        Some(Ok(answer)) => Some(Instead { status: Some(answer.status), said: said(&answer) }),
        Some(Err(said)) => Some(Instead { status: None, said }),
        None => Some(Instead { status: None, said: format!("nothing within {} s", within.as_secs()) }),
    }
}

/// On one line: what answers may be a page of somebody's.
fn said(answer: &TextResponse) -> String {
    let words = answer.body.chars().take(2000).collect::<String>();
    let line: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    format!("HTTP {} {line}", answer.status)
}

fn explain(error: Error, url: &str, proof: &Proof, last: &str) -> Error {
    let error = error.context(&format!("{url} does not answer as it should; it says: {last}"));
    if last.contains("Internal server error") {
        error.hint("API Gateway may not invoke the function, or the function breaks: look at its log group.")
    } else if last.contains("Missing Authentication Token") {
        error.hint(
            Hint::from("The stage does not know the path yet: run ")
                .command(Verb::Up)
                .text(" again in a minute."),
        )
    } else {
        error.hint(proof.advice)
    }
}

#[cfg(test)]
mod tests;
