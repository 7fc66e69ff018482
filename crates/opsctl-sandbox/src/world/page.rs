//! Pages of lists: a token says after which entry the next page begins.

const AFTER: &str = "after-";

/// A page of `size` entries, and the token of the next one; `key` tells entries apart and rises. None: that is no token.
pub(super) fn page<T>(
    all: impl IntoIterator<Item = T>,
    size: usize,
    token: Option<&str>,
    key: impl Fn(&T) -> &str,
) -> Option<(Vec<T>, Option<String>)> {
    let after = match token {
        None => None,
        Some(token) => Some(token.strip_prefix(AFTER)?),
    };
    let mut rest = all.into_iter().filter(|entry| after.is_none_or(|after| key(entry) > after));
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = rest.next().and(page.last()).map(|last| format!("{AFTER}{}", key(last)));
    Some((page, next))
}
