//! What a text in the configuration may look like: accounts, regions, ARNs, endpoints, queue patterns, key places.

use crate::domain::Text;
use crate::files::problem::nearest;

/// What is wrong with a text, and what to do. Says it without the text itself, which stands underlined above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

type Verdict = Result<(), Complaint>;

fn complain(message: impl Into<String>, help: impl Into<String>) -> Verdict {
    Err(Complaint { message: message.into(), help: Some(help.into()) })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    EnvironmentName,
    Account,
    Region,
    Profile,
    Role,
    Endpoint,
    /// Queue name in which `*` stands for any characters.
    QueuePattern,
    /// Queue name with exactly one `*`.
    PairPattern,
    Tag,
    /// JSON pointer or attribute name.
    KeyPlace,
    /// JSON pointer, attribute name, or an attribute's name and a JSON pointer into its text.
    MessagePlace,
    /// The same, maybe with `=` and the text that has to be there.
    MessageSign,
    /// JSON pointer into the body.
    BodyPlace,
    /// Service name, or cluster/name, in which `*` stands for any characters.
    ServicePattern,
    Visible,
    /// Service name, or cluster/name.
    ServiceName,
    /// Name of an ECS cluster, a container, a database.
    PlainName,
    /// Family of a task definition, or family:revision.
    TaskDefinition,
    LogGroup,
    Subnet,
    SecurityGroup,
}

impl Sort {
    /// Whether a value may come from an SSM parameter: what is needed to reach SSM may not.
    pub(super) fn may_be_parameter(self) -> bool {
        match self {
            Self::EnvironmentName
            | Self::Account
            | Self::Region
            | Self::Profile
            | Self::Role
            | Self::Endpoint
            | Self::MessagePlace
            | Self::MessageSign
            | Self::BodyPlace
            | Self::ServicePattern
            | Self::Visible
            | Self::ServiceName
            | Self::PlainName
            | Self::TaskDefinition
            | Self::LogGroup
            | Self::Subnet
            | Self::SecurityGroup => false,
            Self::QueuePattern | Self::PairPattern | Self::Tag | Self::KeyPlace => true,
        }
    }

    /// Checks a text, `${env}` already replaced.
    pub(super) fn check(self, text: &str) -> Verdict {
        if text.is_empty() {
            return Err(Complaint { message: "the text is empty".into(), help: None });
        }
        if Text::line(text).as_str() != text {
            return complain("the text holds characters that cannot be seen", "take them out, or type the text anew");
        }
        match self {
            Self::EnvironmentName => environment_name(text),
            Self::Account => account(text),
            Self::Region => region(text),
            Self::Profile => profile(text),
            Self::Role => role(text),
            Self::Endpoint => endpoint(text),
            Self::QueuePattern => queue_pattern(text),
            Self::PairPattern => pair_pattern(text),
            Self::Tag => tag(text),
            Self::KeyPlace => key_place(text),
            Self::MessagePlace => message_place(text),
            Self::MessageSign => message_sign(text),
            Self::BodyPlace => body_place(text),
            Self::ServicePattern => service_pattern(text),
            Self::Visible => Ok(()),
            Self::ServiceName => service_name(text),
            Self::PlainName => plain_name(text),
            Self::TaskDefinition => task_definition(text),
            Self::LogGroup => log_group(text),
            Self::Subnet => resource_id(text, "subnet-", "a subnet"),
            Self::SecurityGroup => resource_id(text, "sg-", "a security group"),
        }
    }
}

/// Names of ECS clusters and services: letters, digits, `-` and `_` (API reference).
fn service_pattern(text: &str) -> Verdict {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '*' | '/');
    if text.len() <= 511 && text.chars().all(plain) && text.matches('/').count() <= 1 {
        return Ok(());
    }
    complain("not a pattern of a service's name", "write it like \"api\", \"*-worker\" or \"shop-dev/*\"")
}

fn service_name(text: &str) -> Verdict {
    match text.contains('*') {
        true => complain("one service is needed here, not a pattern", "write it like \"api\" or \"shop-dev/api\""),
        false => service_pattern(text),
    }
}

/// Letters, digits, `-` and `_`, as ECS (255) and RDS (63) take them.
fn plain_name(text: &str) -> Verdict {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if text.len() <= 255 && text.chars().all(plain) {
        return Ok(());
    }
    complain("not a name that AWS takes here", "use letters, digits, `-` and `_`, such as \"shop-dev\"")
}

fn task_definition(text: &str) -> Verdict {
    let (family, revision) = text.split_once(':').unwrap_or((text, "1"));
    if !family.is_empty() && plain_name(family).is_ok() && revision.parse::<u32>().is_ok_and(|revision| revision > 0) {
        return Ok(());
    }
    complain("not the family of a task definition", "write it like \"shop-migration\" or \"shop-migration:12\"")
}

/// As the API reference of CloudWatch Logs has it.
fn log_group(text: &str) -> Verdict {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '/' | '#');
    if text.len() <= 512 && text.chars().all(plain) {
        return Ok(());
    }
    complain("not the name of a log group", "write it like \"/aws/ecs/shop-migration\"")
}

fn resource_id(text: &str, prefix: &str, what: &str) -> Verdict {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    if !rest.is_empty() && rest.len() <= 64 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    complain(format!("not the id of {what}"), format!("write it like \"{prefix}0123456789abcdef0\""))
}

fn environment_name(text: &str) -> Verdict {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if text.len() <= 64 && text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && text.chars().all(plain) {
        return Ok(());
    }
    complain("not a name for an environment", "use 1 to 64 of the letters a-z, digits, `-` and `_`, such as `prod-eu`")
}

fn account(text: &str) -> Verdict {
    if is_account(text) {
        return Ok(());
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if is_account(&digits) {
        return complain("an account id is twelve digits and nothing else", format!("write \"{digits}\""));
    }
    let count = digits.len();
    let message = format!("an account id has twelve digits, this has {count}");
    complain(message, "look it up with `aws sts get-caller-identity`")
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Regions as of November 2026, for suggestions only: a new one is as good as any.
const REGIONS: [&str; 34] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
];

/// The region that was probably meant by one that looks right but is not known.
pub(super) fn region_meant(text: &str) -> Option<&'static str> {
    let known = text == "us-west-2" || text.starts_with("us-gov-") || text.contains("-iso") || REGIONS.contains(&text);
    if known { None } else { nearest(text, &REGIONS) }
}

fn region(text: &str) -> Verdict {
    let mut parts = text.split('-').rev();
    let number = parts.next().is_some_and(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let words: Vec<&str> = parts.collect();
    let lower = |part: &&str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    if number && words.len() >= 2 && words.iter().all(lower) {
        return Ok(());
    }
    let help = match nearest(text, &REGIONS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "a region reads like `af-south-1`: no zone letter, no spaces".to_owned(),
    };
    complain("not a region", help)
}

fn profile(text: &str) -> Verdict {
    if text.len() <= 256 && text.trim() == text {
        return Ok(());
    }
    complain("not the name of a profile", "see `aws configure list-profiles`")
}

fn role(text: &str) -> Verdict {
    if role_account(text).is_some() {
        return Ok(());
    }
    complain("not the ARN of a role", "it reads like `arn:aws:iam::111122223333:role/operations`")
}

/// The account in a role's ARN; `None` if it is none.
pub(super) fn role_account(text: &str) -> Option<&str> {
    let mut parts = text.splitn(6, ':');
    let partition = (parts.next()?, parts.next()?);
    let service = (parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    let is_role = partition.0 == "arn"
        && partition.1.starts_with("aws")
        && service == ("iam", "")
        && is_account(account)
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.contains([' ', '*']));
    is_role.then_some(account)
}

fn endpoint(text: &str) -> Verdict {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let Some(rest) = rest else {
        return complain("an endpoint begins with http:// or https://", "write it like \"http://127.0.0.1:4566\"");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return complain("an endpoint holds no user name or password", "take out what stands before the `@`");
    }
    if host.is_empty() || host.starts_with(':') || rest.contains([' ', '"', '<', '>', '\\']) {
        return complain("not a URL", "write it like \"http://127.0.0.1:4566\"");
    }
    if rest.contains(['?', '#']) {
        return complain("an endpoint ends before `?` and `#`", "take out what follows");
    }
    Ok(())
}

/// Queue names have at most 80 characters, `.fifo` included: letters, digits, `-`, `_` (SQS API reference, CreateQueue).
fn queue_pattern(text: &str) -> Verdict {
    if text.contains("://") || text.starts_with("arn:") {
        let name = text.rsplit(['/', ':']).next().unwrap_or_default();
        return complain("a queue is named here, not its URL or ARN", format!("write \"{name}\""));
    }
    if let Some(other) = text.chars().find(|letter| matches!(letter, '?' | '[' | ']' | '{' | '}' | '^' | '$' | '+')) {
        return complain(
            format!("`{other}` has no meaning in a pattern"),
            "only `*` has one: any characters, also none",
        );
    }
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '*');
    if let Some(other) = stem.chars().find(|letter| !plain(*letter)) {
        let message = format!("no queue's name has `{other}` in it");
        return complain(message, "a name has letters, digits, `-`, `_` and maybe `.fifo` at its end");
    }
    if text.chars().filter(|letter| *letter != '*').count() > 80 {
        return complain("longer than any queue's name", "a queue's name has at most 80 characters");
    }
    Ok(())
}

fn pair_pattern(text: &str) -> Verdict {
    queue_pattern(text)?;
    match text.matches('*').count() {
        1 => Ok(()),
        0 => complain("a pattern of a pair needs a `*`", "write it like \"*-dlq\"; the `*` is what both names share"),
        _ => complain("a pattern of a pair has one `*` only", "the `*` is what both names share"),
    }
}

/// Tag keys have 1 to 128 characters (SQS API reference, TagQueue).
fn tag(text: &str) -> Verdict {
    if text.chars().count() <= 128 {
        return Ok(());
    }
    complain("longer than any tag's key", "a tag's key has at most 128 characters")
}

/// A JSON pointer (RFC 6901), or an attribute's name (SQS API reference, MessageAttributeValue).
fn key_place(text: &str) -> Verdict {
    if let Some(pointer) = text.strip_prefix('/') {
        let escapes_well = |part: &str| part.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
        if pointer.split('/').all(escapes_well) {
            return Ok(());
        }
        return complain("`~` in a JSON pointer is written `~0`", "and `/` in a name is written `~1`");
    }
    let path = text.strip_prefix('$').unwrap_or(text);
    let path = path.strip_prefix("body").unwrap_or(path);
    if let Some(path) = path.strip_prefix('.').filter(|path| !path.is_empty()) {
        let pointer = path.replace('.', "/");
        return complain("neither a JSON pointer nor an attribute's name", format!("did you mean \"/{pointer}\"?"));
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if text.len() <= 256 && text.chars().all(plain) && !text.ends_with('.') && !text.contains("..") {
        return Ok(());
    }
    complain("neither a JSON pointer nor an attribute's name", "a JSON pointer into the body begins with `/`")
}

fn message_sign(text: &str) -> Verdict {
    match text.split_once('=') {
        Some(("", _)) => complain("no place before the `=`", "write it like \"/meta/version=2*\""),
        Some((place, _)) => message_place(place),
        None => message_place(text),
    }
}

fn message_place(text: &str) -> Verdict {
    match text.split_once('/') {
        Some((attribute, pointer)) if !attribute.is_empty() => {
            key_place(attribute)?;
            key_place(&format!("/{pointer}"))
        }
        Some(_) | None => key_place(text),
    }
}

fn body_place(text: &str) -> Verdict {
    key_place(text)?;
    if text.starts_with('/') {
        return Ok(());
    }
    complain("the content is a part of the body", format!("write a JSON pointer into the body, such as \"/{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sort: Sort, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(sort.check(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(sort.check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_that_lead_to_an_account() {
        check(
            Sort::Account,
            &["000000000001"],
            &["1234", "1234-5678-9012", "12345678901x", "", "１２３４５６７８９０１２"],
        );
        let good = ["af-south-1", "us-gov-west-1", "us-isob-east-1", "eu-isoe-west-1", "mx-central-1"];
        check(Sort::Region, &good, &["af-south-1a", "af_south_1", "AF-SOUTH-1", "south-1", "af-south", "eu west 1"]);
        let role = "arn:aws:iam::111122223333:role/a/b";
        check(Sort::Role, &[role, "arn:aws-cn:iam::111122223333:role/x"], &["operations", "arn:aws:iam::1:role/x"]);
        check(Sort::Role, &[], &["arn:aws:iam::111122223333:user/x", "arn:aws:sts::111122223333:role/x"]);
        check(
            Sort::Endpoint,
            &["http://127.0.0.1:4566", "https://vpce-1.sqs.af-south-1.vpce.amazonaws.com/"],
            &["127.0.0.1:4566", "http://", "http://:80", "https://me:secret@host", "http://host?x=1"],
        );
        assert_eq!(region_meant("us-west-2"), None);
        assert_eq!(region_meant("af-suoth-1"), Some("af-south-1"));
    }

    #[test]
    fn texts_about_queues() {
        let long = "x".repeat(81);
        check(
            Sort::QueuePattern,
            &["*", "orders-*", "orders.fifo", "*.fifo"],
            &["orders?", "a b", "[ab]*", "a.b", &long],
        );
        check(Sort::QueuePattern, &[], &["arn:aws:sqs:af-south-1:111122223333:orders", "https://sqs/1/orders"]);
        check(Sort::PairPattern, &["*", "*-dlq"], &["orders-dlq", "*-*-dlq"]);
        check(Sort::KeyPlace, &["/transferId", "/a/b~0c~1d", "partnerId", "trace.id"], &["$.id", ".id", "/a~2", "a b"]);
        check(Sort::MessagePlace, &["/a/b", "kind", "headers/kind"], &["$.a", "headers/a~2", "a b/c", ""]);
        check(Sort::MessageSign, &["/version=2*", "/a", "kind=x y"], &["a b=c", "=x"]);
        check(Sort::BodyPlace, &["/payload"], &["payload", "headers/payload"]);
        check(Sort::Tag, &["source queue"], &["a\u{1b}[0m"]);
    }
}
