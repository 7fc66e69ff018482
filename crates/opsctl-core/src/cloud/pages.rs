//! [`Pages`]: follows a listing's tokens to its end, and no further than is bounded.

use super::{CloudError, ErrorKind, classify};

pub(super) struct Pages<T> {
    action: &'static str,
    pages_max: usize,
    found: Vec<T>,
    token: Option<String>,
    taken: usize,
}

impl<T> Pages<T> {
    pub(super) fn new(action: &'static str, pages_max: usize) -> Self {
        Self { action, pages_max, found: Vec::new(), token: None, taken: 0 }
    }

    /// Whether there is a page to ask for.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where there would be more than are followed: nothing is left out unsaid.
    pub(super) fn more(&self) -> Result<bool, CloudError> {
        if self.taken > 0 && self.token.is_none() {
            return Ok(false);
        }
        if self.taken < self.pages_max {
            return Ok(true);
        }
        let text = format!("more than {} pages", self.pages_max);
        Err(CloudError::new(ErrorKind::Invalid, self.action, &text))
    }

    /// The token of the page to ask for; none: the first.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Takes a page, and the token of the next.
    ///
    /// # Errors
    /// A page that names itself as the next one.
    pub(super) fn add(&mut self, page: impl IntoIterator<Item = T>, next: Option<String>) -> Result<(), CloudError> {
        let next = next.filter(|next| !next.is_empty());
        if next.is_some() && next == self.token {
            return Err(classify::malformed(self.action, "a page names itself as the next one"));
        }
        self.found.extend(page);
        self.token = next;
        self.taken += 1;
        Ok(())
    }

    pub(super) fn found(self) -> Vec<T> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_followed_to_the_end_and_no_further_than_is_bounded() {
        let mut pages = Pages::new("sqs:ListQueues", 2);
        assert!(pages.more().expect("the first"));
        pages.add([1, 2], Some("next".to_owned())).expect("a page");
        assert_eq!((pages.more().ok(), pages.token().as_deref()), (Some(true), Some("next")));
        pages.add([3], Some("after".to_owned())).expect("a page");
        assert!(pages.more().is_err_and(|error| error.kind == ErrorKind::Invalid));
        pages.add([4], Some(String::new())).expect("a page");
        assert_eq!((pages.more().ok(), pages.found()), (Some(false), vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_page_that_names_itself_is_refused() {
        let mut pages = Pages::new("sqs:ListQueues", 9);
        pages.add([1], Some("same".to_owned())).expect("a page");
        assert!(pages.add([1], Some("same".to_owned())).is_err());
    }
}
