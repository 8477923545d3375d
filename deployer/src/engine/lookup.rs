//! Lookups in AWS: things that may be missing, and lists that come in pages.

use crate::error::{Error, Result};

/// Turns an error with one of these codes into `None`.
pub(crate) fn absent<T>(result: Result<T>, not_found: &[&str]) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_any(&error, not_found) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The most pages that are read of one list. A thousand of the smallest pages hold more than any account quota allows.
const MOST_PAGES: usize = 1000;

/// Reads a whole list. `page` takes a page token and returns the items of that page and the next token.
///
/// # Errors
/// Fails with the errors of `page`, and for a list that does not end.
pub(crate) async fn pages<T>(
    mut page: impl AsyncFnMut(Option<String>) -> Result<(Vec<T>, Option<String>)>,
) -> Result<Vec<T>> {
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (items, next) = page(token.clone()).await?;
        all.extend(items);
        // Some services end with an empty token instead of none.
        let next = next.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(all);
        }
        if next == token {
            return Err(Error::new("AWS returned the same page of a list twice"));
        }
        token = next;
    }
    Err(Error::new(format!("a list in AWS did not end after {MOST_PAGES} pages")))
}

fn is_any(error: &Error, codes: &[&str]) -> bool {
    codes.iter().any(|code| error.has_code(code))
}
