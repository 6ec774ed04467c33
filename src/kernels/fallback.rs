//! Ours where it applies, burn's elsewhere.

/// Runs our kernel on the arguments of an op, or burn's op where ours answers that it does not apply.
pub(super) fn ours_or<A, T>(
    arguments: A,
    ours: impl FnOnce(&A) -> Option<T>,
    burns: impl FnOnce(A) -> T,
) -> T {
    match ours(&arguments) {
        Some(result) => result,
        None => burns(arguments),
    }
}
