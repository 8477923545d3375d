//! Looks something up in AWS: what may be missing, and lists that come page by page.

use crate::error::{Error, Result};

/// `None` where AWS says that there is none.
pub(crate) fn absent<T>(result: Result<T>, not_found: &[&str]) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_any(&error, not_found) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Pages of one list. A thousand of the smallest that are asked for hold more than an account may have of anything.
const MOST_PAGES: usize = 1000;

/// All of a list that AWS gives page by page: `page` reads the one that begins at a mark, and says where the next begins.
///
/// # Errors
/// Those of `page`; a list that does not end.
pub(crate) async fn pages<T>(
    mut page: impl AsyncFnMut(Option<String>) -> Result<(Vec<T>, Option<String>)>,
) -> Result<Vec<T>> {
    let (mut all, mut mark) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (items, next) = page(mark.clone()).await?;
        all.extend(items);
        // Some services end with an empty mark instead of none.
        let next = next.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(all);
        }
        if next == mark {
            return Err(Error::new("AWS answers with the same page of a list again and again"));
        }
        mark = next;
    }
    Err(Error::new(format!("a list of AWS's does not end: {MOST_PAGES} pages were read")))
}

fn is_any(error: &Error, codes: &[&str]) -> bool {
    codes.iter().any(|code| error.has_code(code))
}
