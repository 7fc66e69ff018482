//! Which policy denies a call, and so who can change that: AWS says it in the words of its errors.

use crate::domain::{Advice, Environment, Try};

use super::CloudError;

/// What denies a call (IAM user guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeniedBy {
    /// No policy of the caller's allows it, or AWS does not say.
    Nothing,
    /// A policy of the caller's denies it in words.
    Identity,
    /// The policy of the queue, key or other resource.
    Resource,
    Boundary,
    Session,
    /// A policy of the organization, for the account or for the resource: nobody in the account can change it.
    Organization(&'static str),
    Endpoint,
}

/// Codes by which SQS passes on what KMS refused (Amazon SQS API reference, common errors of its actions).
const KMS_DENIED: [&str; 3] = ["KmsAccessDenied", "KMS.AccessDeniedException", "KMS.AccessDenied"];

/// What the actions on keys begin with.
const KMS: &str = "kms:";

/// AWS's words for the sort of policy.
const POLICIES: [(&str, DeniedBy); 7] = [
    ("service control policy", DeniedBy::Organization("a service control policy")),
    ("resource control policy", DeniedBy::Organization("a resource control policy")),
    ("permissions boundary", DeniedBy::Boundary),
    ("session policy", DeniedBy::Session),
    ("VPC endpoint policy", DeniedBy::Endpoint),
    ("resource-based policy", DeniedBy::Resource),
    ("identity-based policy", DeniedBy::Identity),
];

/// What to try after a denial.
pub(super) fn hint(error: &CloudError, environment: &Environment) -> Advice {
    let (action, resource) = (asked(error), error.resource());
    let place = resource.map_or_else(|| of(&action), str::to_owned);
    let name = &environment.name;
    let other = |words: String| Try::ChangePolicy.says(words);
    match by(error.message.as_str()) {
        DeniedBy::Nothing => Try::Allow.says(format!("allow {action} on {place} for the credentials of {name}")),
        DeniedBy::Identity => other(format!(
            "a policy of the credentials of {name} denies {action} on {place} explicitly, which no other policy can allow: take that \
             statement out, or use other credentials"
        )),
        DeniedBy::Resource => {
            other(format!("allow {action} in the policy of {place} itself, for the credentials of {name}"))
        }
        DeniedBy::Boundary => {
            other(format!("allow {action} on {place} in the permissions boundary of the credentials of {name}"))
        }
        DeniedBy::Session => other(format!(
            "use a session that may {action}: the session's own policy allows less than the role of {name}"
        )),
        DeniedBy::Organization(policy) => other(format!(
            "{policy} denies {action}, and nothing in this account can allow it: ask those who manage the organization, or do \
             without {action}"
        )),
        DeniedBy::Endpoint => other(format!(
            "allow {action} on {place} in the policy of the VPC endpoint, or call from outside of that network"
        )),
    }
}

/// What KMS refuses, with the code that SQS passes on; none: it is not about a key.
pub(super) fn of_key(error: &CloudError, environment: &Environment) -> Option<Advice> {
    let key = error.resource().unwrap_or("the queue's KMS key (KmsMasterKeyId)");
    let mend = match error.code.as_deref()? {
        code if KMS_DENIED.contains(&code) => return Some(hint(error, environment)),
        "KmsDisabled" | "KMS.DisabledException" => format!("enable {key} again, in KMS"),
        "KmsInvalidState" | "KMS.KMSInvalidStateException" => {
            format!("see in KMS what {key} waits for: one that is to be deleted can be kept by CancelKeyDeletion, then enabled")
        }
        "KmsNotFound" | "KMS.NotFoundException" => {
            "give the queue a key that exists (KmsMasterKeyId): messages encrypted by a deleted key can't be read any more"
                .to_owned()
        }
        "KmsInvalidKeyUsage" => "give the queue a symmetric key for encryption (KmsMasterKeyId)".to_owned(),
        "KmsOptInRequired" => "sign the account up for KMS".to_owned(),
        _ => return None,
    };
    Some(Try::MendKey.says(mend))
}

/// The action that is denied: AWS names it where it is another one than was called, `kms:Decrypt` for instance.
fn asked(error: &CloudError) -> String {
    // Of its own actions AWS does not always write the name as IAM does.
    let named = after(error.message.as_str(), "not authorized to perform: ");
    if let Some(named) = named.filter(|named| named.starts_with(KMS)) {
        return named.to_owned();
    }
    let is_of_key = error.code.as_deref().is_some_and(|code| KMS_DENIED.contains(&code));
    let (_, call) = error.action.split_once(':').unwrap_or_default();
    match (is_of_key, call.starts_with("Send") || call.starts_with("Start")) {
        (false, _) => error.action.clone(),
        // Whoever sends needs both (Amazon SQS developer guide, "Configure KMS permissions").
        (true, true) => "kms:GenerateDataKey and kms:Decrypt".to_owned(),
        (true, false) => "kms:Decrypt".to_owned(),
    }
}

/// What an action is on, where AWS does not name it.
fn of(action: &str) -> String {
    match action.starts_with(KMS) {
        true => "the queue's KMS key (KmsMasterKeyId), in its key policy too,".to_owned(),
        false => "the resource".to_owned(),
    }
}

fn by(message: &str) -> DeniedBy {
    let Some((denies, reason)) = reason(message) else { return DeniedBy::Nothing };
    let policy = POLICIES.iter().find(|(words, _)| reason.contains(words)).map(|(_, by)| *by);
    match policy {
        // "because no identity-based policy allows": it is enough to allow it.
        Some(DeniedBy::Identity) if !denies => DeniedBy::Nothing,
        Some(by) => by,
        None => DeniedBy::Nothing,
    }
}

/// Whether a policy denies in words, and AWS's words for which policy that is, or lacks a permission.
fn reason(message: &str) -> Option<(bool, &str)> {
    let explicit = rest(message, "with an explicit deny in ").map(|rest| (true, rest));
    explicit.or_else(|| rest(message, "because no ").map(|rest| (false, rest)))
}

/// What follows some words of IAM's, which has no other way to say it.
fn rest<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words).map(|(_, rest)| rest)
}

/// The word after some others.
pub(super) fn after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    rest(message, words)?.split_whitespace().next().map(|word| word.trim_end_matches(['.', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cloud::ErrorKind, domain::EnvironmentName};

    #[test]
    fn the_hint_goes_to_whoever_can_change_the_policy() {
        let environment =
            Environment { name: EnvironmentName("prod".to_owned()), ..crate::cloud::canned::environment() };
        let queue = "arn:aws:sqs:eu-west-1:111111111111:orders-dlq";
        let key = "arn:aws:kms:eu-west-1:111111111111:key/abc";
        let who = "User: arn:aws:sts::111111111111:assumed-role/on-call/ada is not authorized to perform:";
        let cases = [
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} because no identity-based policy allows the sqs:sendmessage action"), vec!["allow sqs:SendMessage", queue, "prod"]),
            ("AccessDenied", "sqs:StartMessageMoveTask", format!("{who} sqs:startmessagemovetask on resource: {queue} with an explicit deny in a service control policy"), vec!["a service control policy denies", "ask those who manage the organization"]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} because no service control policy allows the sqs:sendmessage action"), vec!["a service control policy"]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} with an explicit deny in a resource control policy"), vec!["a resource control policy"]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} with an explicit deny in a resource-based policy"), vec!["in the policy of", queue]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} with an explicit deny in an identity-based policy"), vec!["take that statement out"]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} because no permissions boundary allows the sqs:sendmessage action"), vec!["permissions boundary"]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} because no session policy allows the sqs:sendmessage action"), vec!["session"]),
            ("AccessDenied", "sqs:SendMessage", format!("{who} sqs:sendmessage on resource: {queue} with an explicit deny in a VPC endpoint policy"), vec!["VPC endpoint"]),
            ("KmsAccessDenied", "sqs:ReceiveMessage", format!("{who} kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt action"), vec!["allow kms:Decrypt", key]),
            ("KMS.AccessDeniedException", "sqs:SendMessage", format!("{who} kms:GenerateDataKey on resource: {key} with an explicit deny in a resource-based policy"), vec!["allow kms:GenerateDataKey in the policy of", key]),
            ("KmsAccessDenied", "sqs:ReceiveMessage", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.".to_owned(), vec!["allow kms:Decrypt", "KmsMasterKeyId"]),
            ("KmsAccessDenied", "sqs:SendMessage", "denied".to_owned(), vec!["kms:GenerateDataKey", "KmsMasterKeyId"]),
            ("KmsDisabled", "sqs:ReceiveMessage", format!("{key} is disabled."), vec!["enable", "KmsMasterKeyId"]),
            ("KmsInvalidState", "sqs:ReceiveMessage", format!("{key} is pending deletion."), vec!["CancelKeyDeletion"]),
            ("KmsNotFound", "sqs:SendMessage", "Invalid keyId".to_owned(), vec!["KmsMasterKeyId"]),
        ];
        for (code, action, message, said) in cases {
            let kind = crate::cloud::classify::kind(Some(code), &message, 400);
            let error = CloudError::coded(kind, action, code, &message);
            let hint = error.hint(&environment);
            assert!(said.iter().all(|words| hint.as_str().contains(words)), "{code} {message}: {hint}");
            assert_eq!(
                kind == ErrorKind::Denied,
                !matches!(code, "KmsDisabled" | "KmsInvalidState" | "KmsNotFound"),
                "{code}"
            );
        }
    }
}
