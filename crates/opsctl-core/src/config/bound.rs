//! The configuration in the domain's types, and the step that reads what it keeps in SSM parameters.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
    sync::Arc,
};

use super::{places::Source, texts::Sort};
use crate::{
    cloud::{Cloud, CloudError},
    domain::{Envelope, Environment, EnvironmentName, Invocation, MessageKeys, QueueRules},
    files::{Problem, Problems},
    keymap::Keymap,
};

/// The configuration: a file without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub source: Source,
    /// The environments, in the file's order.
    pub environments: Vec<Configured>,
    /// The keys of the console: the shipped keymap that the file names, with the file's own keys over it.
    pub keymap: Keymap,
    /// What a person should look at nevertheless.
    pub warnings: Problems,
}

impl Config {
    pub fn environment(&self, name: &str) -> Option<&Configured> {
        self.environments.iter().find(|environment| environment.name().0 == name)
    }

    pub fn names(&self) -> Vec<&str> {
        self.environments.iter().map(|environment| environment.name().0.as_str()).collect()
    }
}

/// The file that values came from, to show the place of one that turns out wrong later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) invocation: Invocation,
}

/// An environment as configured. Some of its queue rules may still have to be read from SSM parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    pub(super) reach: Arc<Environment>,
    pub(super) rules: Rules<Value>,
    pub(super) origin: Arc<Origin>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// As written, `${env}` replaced.
    Plain(String),
    /// To be read from an SSM parameter.
    Parameter { name: String, span: Range<usize> },
}

/// [`QueueRules`] whose texts are of another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules<T> {
    pub(super) include: Vec<T>,
    pub(super) exclude: Vec<T>,
    pub(super) pairs: Vec<(T, T)>,
    pub(super) pair_tag: Option<T>,
    pub(super) keys: Vec<Keys<T>>,
    pub(super) undo_messages_max: Option<u64>,
    pub(super) envelopes: Vec<Envelope>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys<T> {
    pub(super) queue: T,
    pub(super) group_id: T,
    pub(super) deduplication_id: Option<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    #[error("cannot read the SSM parameters of environment {environment}: {because}")]
    Cloud {
        environment: EnvironmentName,
        #[source]
        because: CloudError,
    },
    /// Parameters are missing, or hold what cannot be used.
    #[error("{0} in the SSM parameters that {file} names", file = .0.file)]
    Parameters(Problems),
}

impl Configured {
    pub fn name(&self) -> &EnvironmentName {
        &self.reach.name
    }

    /// How the environment is reached, **without its queue rules**: enough to connect and to ask who we are.
    pub fn reach(&self) -> Arc<Environment> {
        Arc::clone(&self.reach)
    }

    /// The SSM parameters that the environment names, sorted, each once.
    pub fn parameters(&self) -> Vec<String> {
        let names = self.rules.texts().filter_map(|value| match value {
            Value::Plain(_) => None,
            Value::Parameter { name, .. } => Some(name),
        });
        names.cloned().collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// The whole environment. Reads its SSM parameters through `cloud` (clients for [`Self::reach`]), if it names any.
    ///
    /// # Errors
    /// SSM does not answer; parameters do not exist or hold what cannot be used: all of them at once.
    pub async fn resolve(&self, cloud: &Cloud) -> Result<Environment, ResolveError> {
        let names = self.parameters();
        let read = if names.is_empty() { Ok(BTreeMap::new()) } else { cloud.parameters.get(&names).await };
        let values = read.map_err(|because| ResolveError::Cloud { environment: self.name().clone(), because })?;
        self.with_parameters(&values).map_err(ResolveError::Parameters)
    }

    /// The whole environment, given the values of [`Self::parameters`].
    ///
    /// # Errors
    /// Parameters that are absent from `values` or hold what cannot be used: all of them at once.
    pub fn with_parameters(&self, values: &BTreeMap<String, String>) -> Result<Environment, Problems> {
        let mut reading = Reading { values, problems: Vec::new() };
        let queues = reading.rules(&self.rules);
        if reading.problems.is_empty() {
            return Ok(Environment { queues, ..(*self.reach).clone() });
        }
        Err(Problems::new(&self.origin.path, self.origin.text.clone(), reading.problems))
    }
}

impl<T> Rules<T> {
    fn texts(&self) -> impl Iterator<Item = &T> {
        let pairs = self.pairs.iter().flat_map(|(source, dead_letter)| [source, dead_letter]);
        let keys = self
            .keys
            .iter()
            .flat_map(|keys| [Some(&keys.queue), Some(&keys.group_id), keys.deduplication_id.as_ref()].into_iter());
        self.include.iter().chain(&self.exclude).chain(pairs).chain(&self.pair_tag).chain(keys.flatten())
    }
}

struct Reading<'a> {
    values: &'a BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn rules(&mut self, rules: &Rules<Value>) -> QueueRules {
        QueueRules {
            include: self.list(&rules.include),
            exclude: self.list(&rules.exclude),
            pairs: rules
                .pairs
                .iter()
                .map(|(source, dead)| (self.text(source, Sort::PairPattern), self.text(dead, Sort::PairPattern)))
                .collect(),
            pair_tag: rules.pair_tag.as_ref().map(|tag| self.text(tag, Sort::Tag)),
            keys: rules
                .keys
                .iter()
                .map(|keys| MessageKeys {
                    queue: self.text(&keys.queue, Sort::QueuePattern),
                    group_id: self.text(&keys.group_id, Sort::KeyPlace),
                    deduplication_id: keys.deduplication_id.as_ref().map(|place| self.text(place, Sort::KeyPlace)),
                })
                .collect(),
            undo_messages_max: rules.undo_messages_max,
            envelopes: rules.envelopes.clone(),
        }
    }

    /// A parameter of type StringList reads as one text with commas: in a list it is as many entries.
    fn list(&mut self, values: &[Value]) -> Vec<String> {
        let mut texts = Vec::new();
        for value in values {
            match value {
                Value::Plain(text) => texts.push(text.clone()),
                Value::Parameter { name, span } => match self.values.get(name) {
                    Some(text) => texts.extend(text.split(',').map(|part| {
                        let part = queue_name(part.trim());
                        self.problems.extend(unusable(name, part, Sort::QueuePattern, span));
                        part.to_owned()
                    })),
                    None => self.problems.push(missing(name, span)),
                },
            }
        }
        texts
    }

    fn text(&mut self, value: &Value, sort: Sort) -> String {
        match value {
            Value::Plain(text) => text.clone(),
            Value::Parameter { name, span } => {
                let Some(text) = self.values.get(name) else {
                    self.problems.push(missing(name, span));
                    return String::new();
                };
                let text = if sort == Sort::QueuePattern { queue_name(text.trim()) } else { text.trim() };
                self.problems.extend(unusable(name, text, sort, span));
                text.to_owned()
            }
        }
    }
}

/// Stacks often export a queue's ARN or URL rather than its name.
fn queue_name(text: &str) -> &str {
    let is_address = text.starts_with("arn:") || text.contains("://");
    if is_address { text.rsplit(['/', ':']).next().unwrap_or_default() } else { text }
}

fn missing(name: &str, span: &Range<usize>) -> Problem {
    Problem::error(span.clone(), format!("the SSM parameter `{name}` does not exist in this account and region"))
        .help("correct its name, or write the value itself")
}

/// Says what is wrong with a parameter's value without showing it: the name may be that of a secret.
fn unusable(name: &str, text: &str, sort: Sort, span: &Range<usize>) -> Option<Problem> {
    let complaint = sort.check(text).err()?;
    let message = format!("the SSM parameter `{name}` holds what cannot be used here: {}", complaint.message);
    Some(Problem::error(span.clone(), message).help("correct the parameter or its name, or write the value itself"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Paint, Report, Why, examine},
        domain::{CredentialSource, Dollars, Protection, WatchRules},
    };

    fn read(text: &str) -> (Report, Vec<Configured>) {
        examine(Source { path: "opsctl.toml".into(), why: Why::Flag }, text.to_owned())
    }

    const TWO: &str = r#"
        [defaults]
        region = "af-south-1"
        profile = "storo-${env}"
        protection = "confirm"
        [defaults.queues]
        exclude = ["*-scratch"]
        pairs = [{ source = "*", dead_letter = "*-dlq" }]
        [[defaults.keys]]
        queue = "*.fifo"
        group_id = "group"

        [environments.prod]
        account = "444455556666"
        protection = "type-name"
        role_chain = ["arn:aws:iam::444455556666:role/${env}-operations"]
        [environments.prod.queues]
        include = ["ssm:/storo/${env}/sqs/names"]
        pairs = [{ source = "*", dead_letter = "dead-*" }]
        [[environments.prod.keys]]
        queue = "ssm:/storo/${env}/sqs/transfers/arn"
        group_id = "/transferId"
        deduplication_id = "/eventId"

        [environments.dev]
        account = "111122223333"
        colour = "green"
        endpoint = "http://127.0.0.1:4566"
    "#;

    #[test]
    fn an_environment_has_its_own_values_and_the_defaults() {
        let (report, bound) = read(TWO);
        assert!(report.problems.list.is_empty(), "{}", report.render(Paint::Plain));
        assert_eq!(report.environments, ["prod", "dev"], "the file's order is kept");
        let prod = bound[0].reach();
        assert_eq!(prod.credentials, CredentialSource::Profile("storo-prod".into()));
        assert_eq!((prod.protection, prod.region.as_str()), (Protection::TypeName, "af-south-1"));
        assert_eq!(prod.role_chain, ["arn:aws:iam::444455556666:role/prod-operations"]);
        let dev = bound[1].with_parameters(&BTreeMap::new()).expect("it names no parameter");
        assert_eq!((dev.protection, dev.colour.as_deref()), (Protection::Confirm, Some("green")));
        assert_eq!(dev.queues.exclude, ["*-scratch"]);
        assert_eq!(dev.queues.sources_by_name("orders-dlq").next().as_deref(), Some("orders"));
    }

    #[test]
    fn without_a_word_the_strictest_protection_that_allows_changes_holds() {
        let (_, bound) = read("[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n");
        assert_eq!(bound[0].reach().protection, Protection::TypeName);
    }

    #[test]
    fn what_an_environment_says_of_watching_wins_over_the_defaults() {
        let (report, bound) = read(
            "[defaults]\nregion = \"af-south-1\"\n[defaults.watch]\ncalls_per_minute_max = 600\nexpires_soon_hours = 48\n\
             backlogs = [{ queue = \"*\", messages = 7 }]\nparked = [\"p-*\"]\n\
             [environments.dev]\naccount = \"111122223333\"\n[environments.dev.watch]\ncalls_per_minute_max = 60\n\
             dollars_per_hour_max = 1\nbacklogs = [{ queue = \"bulk-*\", messages = 9 }]\n",
        );
        assert!(report.problems.list.is_empty(), "{}", report.render(Paint::Plain));
        let watch = &bound[0].reach().watch;
        assert_eq!((watch.calls_per_minute_max, watch.dollars_per_hour_max), (60, Dollars(1_000_000)));
        assert_eq!(watch.thresholds.expires_soon.as_secs(), 48 * 3_600);
        assert_eq!(watch.thresholds.growth_messages, WatchRules::default().thresholds.growth_messages);
        let backlog = |queue| watch.thresholds.backlog_of(queue);
        assert_eq!((backlog("bulk-1"), backlog("orders")), (9, 7), "its own patterns come first");
        assert!(watch.thresholds.is_parked("p-1") && !watch.thresholds.is_parked("orders"));
    }

    #[test]
    fn parameters_fill_lists_and_give_the_name_in_an_arn() {
        let (_, bound) = read(TWO);
        assert_eq!(bound[0].parameters(), ["/storo/prod/sqs/names", "/storo/prod/sqs/transfers/arn"]);
        let arn = "arn:aws:sqs:af-south-1:444455556666:events-transfers.fifo";
        let values = [("/storo/prod/sqs/names", "orders*, events*"), ("/storo/prod/sqs/transfers/arn", arn)];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let prod = bound[0].with_parameters(&values).expect("all there");
        assert_eq!(prod.queues.include, ["orders*", "events*"]);
        assert_eq!(prod.queues.keys_for("events-transfers.fifo").expect("its own keys").group_id, "/transferId");
        assert_eq!(prod.queues.keys_for("other.fifo").expect("the defaults' keys").group_id, "group");
        assert_eq!(prod.queues.pairs[0].1, "dead-*", "an environment's own pairs come first");
    }

    #[test]
    fn missing_and_unusable_parameters_are_shown_in_the_file() {
        let (_, bound) = read(TWO);
        let values = [("/storo/prod/sqs/names".to_owned(), "s3cret?".to_owned())].into();
        let problems = bound[0].with_parameters(&values).expect_err("one is unusable, one is missing");
        let shown = problems.render(Paint::Plain);
        assert!(
            shown.contains("`/storo/prod/sqs/names` holds what cannot be used here: `?` has no meaning"),
            "{shown}"
        );
        assert!(!shown.contains("s3cret"), "a parameter's value may be a secret: {shown}");
        assert!(shown.contains("the SSM parameter `/storo/prod/sqs/transfers/arn` does not exist"), "{shown}");
        assert!(shown.contains(" --> opsctl.toml:21:17"), "{shown}");
    }

    #[test]
    fn two_names_for_one_place_and_an_unknown_region_are_warned_about() {
        let (report, _) = read(
            "[defaults]\nregion = \"af-suoth-1\"\n[environments.a]\naccount = \"111122223333\"\n\
             [environments.b]\naccount = \"111122223333\"\n[[environments.b.keys]]\nqueue = \"orders\"\ngroup_id = \"/id\"\n",
        );
        assert!(report.is_good());
        let messages: Vec<&str> = report.problems.list.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "not a region that this version of opsctl knows",
                "`b` is the same account, region and credentials as `a`",
                "no FIFO queue has such a name, so these keys are never used",
            ]
        );
    }
}
