//! Futures for what a resource needs before it can be made.

/// Resolves at once: the resource needs nothing.
pub(crate) async fn nothing() -> Option<()> {
    Some(())
}

/// Waits for both; `None` if either is missing.
pub(crate) async fn both<A, B>(
    a: impl Future<Output = Option<A>>,
    b: impl Future<Output = Option<B>>,
) -> Option<(A, B)> {
    let (a, b) = tokio::join!(a, b);
    a.zip(b)
}
