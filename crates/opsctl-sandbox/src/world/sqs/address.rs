//! [`Address`]: what a queue URL says. AWS's name the region in their host; the sandbox's own, all of which have one host, in their
//! path where another region has a queue of that name.

use super::{Call, queue::Queue};
use crate::world::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) region: Option<&'a str>,
    /// None: the caller's.
    pub(super) account: Option<&'a str>,
    pub(super) name: &'a str,
    /// What stands before the account.
    endpoint: &'a str,
}

impl<'a> Address<'a> {
    /// Reads a URL by its last parts, whatever its host; a bare name is one, too.
    pub(super) fn read(queue_url: &'a str) -> Self {
        let (before, name) = split_last(queue_url.trim_end_matches('/'));
        let (endpoint, account) = split_last(before);
        if !is_account(account) {
            return Self { region: None, account: None, name, endpoint: "" };
        }
        let (_, last) = split_last(endpoint);
        let region = if is_region(last) { Some(last) } else { region_of_host(last) };
        Self { region, account: Some(account), name, endpoint }
    }

    /// A URL leads to its own region only: a caller who signs for another one is at the wrong address.
    pub(super) fn check_region(&self, call: Call) -> Result<(), ApiError> {
        if self.region.is_none_or(|region| region == call.caller.region) {
            return Ok(());
        }
        let message = format!("The address {}/ is not valid for this endpoint.", self.endpoint);
        Err(ApiError::plain(404, "InvalidAddress", message))
    }
}

impl Queue {
    /// Its URL, under the scheme, host and port that a caller has used.
    pub(super) fn url(&self, origin: &str) -> String {
        let Self { account, region, name, .. } = self;
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        if self.has_namesake && region_of_host(host).is_none() {
            return format!("{origin}/{region}/{account}/{name}");
        }
        format!("{origin}/{account}/{name}")
    }
}

fn split_last(text: &str) -> (&str, &str) {
    text.rsplit_once('/').unwrap_or(("", text))
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `af-south-1`, `us-gov-west-1`.
fn is_region(part: &str) -> bool {
    let mut words = part.split('-').rev();
    let number = words.next().is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    let letters = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    number && words.clone().count() >= 2 && words.all(letters)
}

/// Of `sqs.REGION.amazonaws.com`, and of the older `REGION.queue.amazonaws.com`.
fn region_of_host(host: &str) -> Option<&str> {
    let name = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let region = name.strip_prefix("sqs.").or_else(|| name.strip_suffix(".queue"))?;
    is_region(region).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_by_its_last_parts() {
        for (url, region, account, name) in [
            ("orders", None, None, "orders"),
            ("http://127.0.0.1:4100/111111111111/orders", None, Some("111111111111"), "orders"),
            ("http://127.0.0.1:4100/111111111111/orders/", None, Some("111111111111"), "orders"),
            ("http://h/af-south-1/111111111111/a.fifo", Some("af-south-1"), Some("111111111111"), "a.fifo"),
            (
                "https://sqs.us-gov-west-1.amazonaws.com/111111111111/a",
                Some("us-gov-west-1"),
                Some("111111111111"),
                "a",
            ),
            ("https://eu-west-1.queue.amazonaws.com/111111111111/a", Some("eu-west-1"), Some("111111111111"), "a"),
            ("https://queue.amazonaws.com/111111111111/a", None, Some("111111111111"), "a"),
            ("/111111111111/orders", None, Some("111111111111"), "orders"),
            ("https://example.com/orders", None, None, "orders"),
        ] {
            let address = Address::read(url);
            assert_eq!((address.region, address.account, address.name), (region, account, name), "{url}");
        }
    }
}
