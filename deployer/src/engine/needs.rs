//! Combines what must exist before a resource.

/// Nothing has to exist first.
pub(crate) async fn nothing() -> Option<()> {
    Some(())
}

/// Waits for both needs; `None` if either is missing.
pub(crate) async fn both<A, B>(
    a: impl Future<Output = Option<A>>,
    b: impl Future<Output = Option<B>>,
) -> Option<(A, B)> {
    let (a, b) = tokio::join!(a, b);
    a.zip(b)
}
