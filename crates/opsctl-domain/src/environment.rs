//! Environments: which account, how it is reached, how strictly a change is confirmed.

use std::{fmt, str::Chars};

use serde::{Deserialize, Serialize};

use super::{
    Invocation, Text, connection::Connection, endpoint::SqlCheck, envelope::Envelope, outbox::Outbox,
    service_rules::ServiceRules, watch::WatchRules,
};

text_ids! {
    /// An environment's name in the configuration: `dev`, `staging`, `prod`.
    EnvironmentName,
    /// A twelve-digit AWS account id.
    AccountId,
}

/// How strictly a change is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Protection {
    /// Nothing may change.
    ReadOnly,
    /// A yes is enough.
    Confirm,
    /// The environment's and the resource's names are typed, and a reason is given.
    TypeName,
}

/// Where an environment's credentials come from. `Debug` hides the secret key.
#[derive(Clone, PartialEq, Eq)]
pub enum CredentialSource {
    Default,
    /// A profile of the AWS configuration files; wins over stray environment keys.
    Profile(String),
    /// Fixed keys: sandbox and emulators only; never from a configuration file.
    Keys {
        access_key: String,
        secret_key: String,
    },
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("Default"),
            Self::Profile(name) => formatter.debug_tuple("Profile").field(name).finish(),
            Self::Keys { access_key, .. } => {
                formatter.debug_struct("Keys").field("access_key", access_key).finish_non_exhaustive()
            }
        }
    }
}

/// How credentials are renewed once AWS does not take them any more, as far as AWS's own files tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Login {
    #[default]
    Unknown,
    /// Keys of a profile.
    Keys { profile: String },
    /// Keys of this shell.
    ShellKeys,
    /// A `credential_process` gives new ones by itself.
    Helper { profile: String, program: String },
    /// `aws sso login`.
    Sso { profile: String },
    /// `aws login`.
    AwsLogin { profile: String },
    /// Whoever issues web identity tokens writes another one into the file.
    Token { file: String },
    /// The AWS CLI asks for a code.
    Mfa { profile: String, serial: String },
}

/// One AWS account and region, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub name: EnvironmentName,
    /// Account that every write is checked against; `None` only for ad-hoc environments, which never write unasked.
    pub account: Option<AccountId>,
    pub region: String,
    pub credentials: CredentialSource,
    /// Roles assumed one after the other, by ARN.
    pub role_chain: Vec<String>,
    pub protection: Protection,
    /// Name of a terminal colour.
    pub colour: Option<String>,
    /// Endpoint instead of AWS's own; shown wherever the environment is named.
    pub endpoint: Option<String>,
    pub queues: QueueRules,
    pub watch: WatchRules,
    pub services: ServiceRules,
    pub databases: DatabaseRules,
    /// How a command line comes here again.
    pub invocation: Invocation,
    /// How its credentials are renewed.
    pub login: Login,
}

impl Environment {
    /// The command line `opsctl <words>` for this environment, in this world.
    pub fn command(&self, words: &str) -> String {
        self.invocation.command_in(&self.name, words)
    }

    /// Where the credentials come from, in words: the source, then the last role.
    pub fn credentials_words(&self) -> String {
        let first = match &self.credentials {
            CredentialSource::Default => "the default chain".to_owned(),
            CredentialSource::Profile(name) => format!("profile {}", Text::line(name)),
            CredentialSource::Keys { .. } => "fixed keys".to_owned(),
        };
        match self.role_chain.last() {
            None => first,
            Some(role) => format!("{first}, then {}", Text::line(role)),
        }
    }
}

/// What the configuration says about an environment's databases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseRules {
    /// Patterns of databases and how long they may be without a writer, in seconds; the first that fits counts.
    pub objectives: Vec<(String, u64)>,
    /// How databases are asked after a failover; the first whose pattern fits counts.
    pub checks: Vec<SqlCheck>,
    /// How databases are reached to be read and changed, by name.
    pub connections: Vec<Connection>,
    /// In the order of their names.
    pub outboxes: Vec<Outbox>,
}

impl DatabaseRules {
    pub fn rto_seconds(&self, name: &str) -> Option<u64> {
        self.objectives.iter().find(|(pattern, _)| glob(pattern, name)).map(|(_, seconds)| *seconds)
    }

    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.name == name)
    }

    pub fn outbox(&self, name: &str) -> Option<&Outbox> {
        self.outboxes.iter().find(|outbox| outbox.name == name)
    }

    /// How a database is asked by SQL after a failover; none: only whether it takes connections.
    pub fn check(&self, name: &str) -> Option<&SqlCheck> {
        self.checks.iter().find(|check| check.fits(name))
    }
}

/// What the configuration says about an environment's queues. Patterns are globs: `*` stands for any characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueRules {
    /// Only these queues are looked at; empty means all.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// DLQ pairing by name: source pattern with one `*`, DLQ pattern with one `*`.
    pub pairs: Vec<(String, String)>,
    /// Tag on a DLQ that names its source queue.
    pub pair_tag: Option<String>,
    /// Message keys for putting a message onto a FIFO queue; the first pattern that matches wins.
    pub keys: Vec<MessageKeys>,
    /// A redrive of a whole queue of more than about so many messages is left to SQS; none: [`UNDO_MESSAGES_MAX`].
    pub undo_messages_max: Option<u64>,
    /// What messages are wrapped in, beside what every installation knows; the first that fits counts.
    pub envelopes: Vec<Envelope>,
}

/// So many messages a redrive of a whole queue moves with a snapshot where nothing else is configured.
pub const UNDO_MESSAGES_MAX: u64 = 10_000;

/// Where a FIFO destination's group and deduplication ids are found in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageKeys {
    pub queue: String,
    /// JSON pointer into the body (`/transferId`) or an attribute's name.
    pub group_id: String,
    /// JSON pointer into the body or an attribute's name.
    pub deduplication_id: Option<String>,
}

impl QueueRules {
    /// A redrive of a whole queue of more than about so many messages is left to SQS, which keeps no snapshot.
    pub fn undo_messages_max(&self) -> u64 {
        self.undo_messages_max.unwrap_or(UNDO_MESSAGES_MAX)
    }

    pub fn admits(&self, name: &str) -> bool {
        let listed = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, name));
        (self.include.is_empty() || listed(&self.include)) && !listed(&self.exclude)
    }

    /// Names of source queues that a DLQ's name may stand for, by the configured patterns in their order. A pattern fits names of
    /// queues that do not exist: the first that exists is the source.
    pub fn sources_by_name(&self, dead_letter: &str) -> impl Iterator<Item = String> {
        let names = self.pairs.iter().filter_map(move |(source, dlq)| renamed(dead_letter, dlq, source));
        names.filter(move |name| name != dead_letter)
    }

    /// Names of DLQs that a source queue may have, in the same way.
    pub fn dead_letters_by_name(&self, source: &str) -> impl Iterator<Item = String> {
        let names = self.pairs.iter().filter_map(move |(pattern, dlq)| renamed(source, pattern, dlq));
        names.filter(move |name| name != source)
    }

    pub fn keys_for(&self, destination: &str) -> Option<&MessageKeys> {
        self.keys.iter().find(|keys| glob(&keys.queue, destination))
    }
}

/// A name that fits a pattern with one `*`, as another pattern has it.
fn renamed(name: &str, from: &str, to: &str) -> Option<String> {
    let (before, after) = from.split_once('*')?;
    let stem = name.strip_prefix(before)?.strip_suffix(after)?;
    Some(to.replacen('*', stem, 1))
}

/// Whether `text` fits `pattern`, in which `*` stands for any characters and `?` for any one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when a part does not fit: behind the last star, and what that has left of the text.
    let mut star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        match (pattern.next(), text.clone().next()) {
            (Some('*'), _) => star = Some((pattern.clone(), text.clone())),
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => drop(text.next()),
            _ => {
                let Some((behind, left)) = &mut star else { return false };
                if left.next().is_none() {
                    return false;
                }
                (pattern, text) = (behind.clone(), left.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("orders", "orders", true),
            ("orders", "orders-dlq", false),
            ("*-dlq", "orders-dlq", true),
            ("*-dlq", "orders-dlq-old", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("ab*b", "ab", false),
            ("*ab*c?", "aabbab-c\u{e9}", true),
            ("?", "", false),
            ("a?", "a*", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn names_pair_both_ways() {
        let rules = QueueRules { pairs: vec![("*".into(), "*_dlq".into())], ..QueueRules::default() };
        assert_eq!(rules.sources_by_name("valid_orders_dlq").collect::<Vec<_>>(), ["valid_orders"]);
        assert_eq!(rules.dead_letters_by_name("valid_orders").collect::<Vec<_>>(), ["valid_orders_dlq"]);
        assert_eq!(rules.sources_by_name("valid_orders").next(), None);
    }

    #[test]
    fn every_pattern_that_fits_names_a_queue_and_none_names_itself() {
        let pairs = [("*", "*-dlq"), ("*", "*_error"), ("*-v2", "*-error"), ("*", "*")];
        let pairs = pairs.map(|(source, dlq)| (source.to_owned(), dlq.to_owned())).to_vec();
        let rules = QueueRules { pairs, ..QueueRules::default() };
        assert_eq!(rules.dead_letters_by_name("bill").collect::<Vec<_>>(), ["bill-dlq", "bill_error"]);
        assert_eq!(
            rules.dead_letters_by_name("bill-v2").collect::<Vec<_>>(),
            ["bill-v2-dlq", "bill-v2_error", "bill-error"]
        );
        assert_eq!(rules.sources_by_name("bill_error").collect::<Vec<_>>(), ["bill"]);
    }
}
