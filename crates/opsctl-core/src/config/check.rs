//! Checks what the file means and binds it: all problems at once, each where it was written.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    bound::{Configured, Keys, Origin, Rules, Value},
    texts::{Complaint, Sort, region_meant, role_account},
    typed::{self, Defaults},
    watch::Range as Figures,
};
use crate::{
    domain::{AccountId, CredentialSource, Environment, EnvironmentName, Login, Protection, QueueRules},
    files::{
        Spot,
        problem::{PROBLEMS_MAX, Problem},
    },
};

/// The words that allow an endpoint under `type-name`.
pub const ENDPOINT_WORDS: &str = "this endpoint is not AWS";
/// Where the file says nothing: the strictest that still allows changes.
pub const PROTECTION_DEFAULT: Protection = Protection::TypeName;
/// Moved by opsctl itself, at some hundred messages a second: more than this takes hours.
const UNDO_MESSAGES: Figures = Figures { least: 0, most: 10_000_000, unit: "messages" };
const ENVIRONMENTS_MAX: usize = 200;

/// The environments in the file's order, and everything that is wrong with them.
pub(super) fn check(file: &typed::File, origin: &Arc<Origin>) -> (Vec<Configured>, Vec<Problem>) {
    let nothing = Defaults::default();
    let defaults = file.defaults.as_ref().unwrap_or(&nothing);
    let mut named: Vec<_> = file.environments.iter().flatten().collect();
    named.sort_by_key(|(name, _)| name.span().start);
    let mut problems = Vec::new();
    if let Some((name, _)) = named.get(ENVIRONMENTS_MAX) {
        problems.push(Problem::error(name.span(), format!("more than {ENVIRONMENTS_MAX} environments")));
    }
    let mut bound = Vec::new();
    for (name, environment) in named.iter().take(ENVIRONMENTS_MAX) {
        let mut one = One { name: name.value(), problems: Vec::new() };
        bound.push((name.span(), one.bind(name, environment, defaults, origin)));
        one.problems.sort_by_key(|problem| problem.severity);
        one.problems.truncate(PROBLEMS_MAX);
        problems.append(&mut one.problems);
        forget_repeats(&mut problems);
    }
    problems.extend(twins(&bound));
    (bound.into_iter().map(|(_, configured)| configured).collect(), problems)
}

/// What is wrong in `[defaults]` is found once for each environment.
fn forget_repeats(problems: &mut Vec<Problem>) {
    let mut seen: Vec<Problem> = Vec::new();
    problems.retain(|problem| {
        let new = !seen.contains(problem);
        if new {
            seen.push(problem.clone());
        }
        new
    });
}

/// Environments that are one and the same place, or that only differ in the case of their names.
fn twins(bound: &[(Range<usize>, Configured)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut by_name = BTreeMap::new();
    let mut by_place = BTreeMap::new();
    for (span, configured) in bound {
        let reach = configured.reach();
        let name = reach.name.0.clone();
        if let Some(other) = by_name.insert(name.to_lowercase(), name.clone()) {
            let message = format!("`{name}` and `{other}` differ in the case of letters only");
            problems.push(Problem::error(span.clone(), message).help("give one of them another name"));
        }
        let profile = match &reach.credentials {
            CredentialSource::Profile(profile) => Some(profile.clone()),
            CredentialSource::Default | CredentialSource::Keys { .. } => None,
        };
        let roles = reach.role_chain.clone();
        let place = (reach.account.clone(), reach.region.clone(), profile, roles, reach.endpoint.clone());
        if let Some(other) = by_place.insert(place, name.clone()) {
            let message = format!("`{name}` is the same account, region and credentials as `{other}`");
            problems.push(Problem::warning(span.clone(), message).help("remove one of them, or correct its account"));
        }
    }
    problems
}

pub(super) struct One<'a> {
    pub(super) name: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl One<'_> {
    fn bind(
        &mut self,
        name: &Spot<String>,
        typed: &typed::Environment,
        defaults: &Defaults,
        origin: &Arc<Origin>,
    ) -> Configured {
        self.verdict(name, Sort::EnvironmentName.check(name.value()));
        let account = typed.account.as_ref().map(|account| AccountId(self.plain(account, Sort::Account)));
        let region = typed.region.as_ref().or(defaults.region.as_ref());
        if region.is_none() {
            let problem = Problem::error(name.span(), format!("environment `{}` has no region", self.name));
            self.problems.push(problem.help("add `region` to it or to `[defaults]`"));
        }
        let profile = typed.profile.as_ref().or(defaults.profile.as_ref());
        let roles = typed.role_chain.as_deref().or(defaults.role_chain.as_deref()).unwrap_or_default();
        let reach = Environment {
            name: EnvironmentName(name.value().clone()),
            region: region.map(|region| self.region(region)).unwrap_or_default(),
            credentials: match profile {
                Some(profile) => CredentialSource::Profile(self.plain(profile, Sort::Profile)),
                None => CredentialSource::Default,
            },
            role_chain: self.roles(roles, account.as_ref()),
            protection: protection(typed, defaults),
            colour: typed.colour.as_ref().map(|colour| colour.value().into_str().to_owned()),
            endpoint: self.endpoint(typed, protection(typed, defaults)),
            queues: QueueRules::default(),
            watch: self.watch(typed, defaults),
            services: self.services(typed, defaults),
            databases: self.databases(typed, defaults),
            invocation: origin.invocation.clone(),
            login: Login::Unknown,
            account,
        };
        let rules = self.rules(typed, defaults);
        Configured { reach: Arc::new(reach), rules, origin: Arc::clone(origin) }
    }

    fn region(&mut self, spot: &Spot<String>) -> String {
        let region = self.plain(spot, Sort::Region);
        if Sort::Region.check(&region).is_ok()
            && let Some(meant) = region_meant(&region)
        {
            let problem = Problem::warning(spot.span(), "not a region that this version of opsctl knows");
            self.problems.push(problem.help(format!("did you mean `{meant}`?")));
        }
        region
    }

    fn roles(&mut self, roles: &[Spot<String>], account: Option<&AccountId>) -> Vec<String> {
        let bound: Vec<String> = roles.iter().map(|role| self.plain(role, Sort::Role)).collect();
        if let (Some(last), Some(arn), Some(account)) = (roles.last(), bound.last(), account)
            && let Some(other) = role_account(arn).filter(|other| *other != account.0)
        {
            let message = format!("the last role is in account {other}, but `{}` is account {account}", self.name);
            let problem = Problem::error(last.span(), message);
            self.problems
                .push(problem.help("correct the role or the account: as it stands every write would be refused"));
        }
        bound
    }

    fn endpoint(&mut self, typed: &typed::Environment, protection: Protection) -> Option<String> {
        let words = typed.endpoint_allowed.as_ref();
        let said = words.is_some_and(|words| words.value() == ENDPOINT_WORDS);
        if let Some(words) = words.filter(|_| !said) {
            let problem = Problem::error(words.span(), "these are not the words that allow an endpoint");
            self.problems.push(problem.help(format!("write \"{ENDPOINT_WORDS}\"")));
        }
        let Some(spot) = &typed.endpoint else {
            if let Some(words) = words {
                let problem = Problem::warning(words.span(), "`endpoint_allowed` without an `endpoint`");
                self.problems.push(problem.help("remove it"));
            }
            return None;
        };
        if protection == Protection::TypeName && words.is_none() {
            let message = format!("`{}` is under `type-name`, so it may not have an endpoint of its own", self.name);
            let problem = Problem::error(spot.span(), message).label("writes would go here instead of to AWS");
            let help =
                format!("remove it, say `protection = \"confirm\"`, or add `endpoint_allowed = \"{ENDPOINT_WORDS}\"`");
            self.problems.push(problem.help(help));
        }
        Some(self.plain(spot, Sort::Endpoint))
    }

    /// The environment's own rules come first, then those of the defaults.
    fn rules(&mut self, typed: &typed::Environment, defaults: &Defaults) -> Rules<Value> {
        let mut rules = Rules {
            include: Vec::new(),
            exclude: Vec::new(),
            pairs: Vec::new(),
            pair_tag: None,
            keys: Vec::new(),
            undo_messages_max: None,
            envelopes: self.envelopes(typed, defaults),
        };
        for queues in [&typed.queues, &defaults.queues].into_iter().flatten() {
            let mut list = |spots: &Option<Vec<Spot<String>>>| -> Vec<Value> {
                spots.iter().flatten().map(|spot| self.value(spot, Sort::QueuePattern)).collect()
            };
            rules.include.append(&mut list(&queues.include));
            rules.exclude.append(&mut list(&queues.exclude));
            rules.pairs.extend(queues.pairs.iter().flatten().filter_map(|pair| self.pair(pair)));
            let tag = queues.pair_tag.as_ref().map(|tag| self.value(tag, Sort::Tag));
            rules.pair_tag = rules.pair_tag.take().or(tag);
            let undo = queues.undo_messages_max.as_ref().and_then(|spot| self.figure(spot, &UNDO_MESSAGES));
            rules.undo_messages_max = rules.undo_messages_max.or(undo);
        }
        for keys in [&typed.keys, &defaults.keys].into_iter().flatten().flatten() {
            rules.keys.extend(self.keys(keys));
        }
        rules
    }

    fn pair(&mut self, pair: &typed::Pair) -> Option<(Value, Value)> {
        let (source, dead_letter) = (pair.source.as_ref()?, pair.dead_letter.as_ref()?);
        let bound = (self.value(source, Sort::PairPattern), self.value(dead_letter, Sort::PairPattern));
        if bound.0 == bound.1 && matches!(bound.0, Value::Plain(_)) {
            let problem = Problem::error(dead_letter.span(), "a queue is not its own DLQ: both patterns are the same");
            self.problems.push(problem.help("write the DLQ's pattern, such as \"*-dlq\""));
        }
        Some(bound)
    }

    fn keys(&mut self, keys: &typed::Keys) -> Option<Keys<Value>> {
        let (queue, group_id) = (keys.queue.as_ref()?, keys.group_id.as_ref()?);
        let bound = Keys {
            queue: self.value(queue, Sort::QueuePattern),
            group_id: self.value(group_id, Sort::KeyPlace),
            deduplication_id: keys.deduplication_id.as_ref().map(|place| self.value(place, Sort::KeyPlace)),
        };
        if let Value::Plain(pattern) = &bound.queue
            && Sort::QueuePattern.check(pattern).is_ok()
            && !pattern.ends_with(".fifo")
            && !pattern.ends_with('*')
        {
            let problem = Problem::warning(queue.span(), "no FIFO queue has such a name, so these keys are never used");
            self.problems.push(problem.help(format!("did you mean \"{pattern}.fifo\"?")));
        }
        Some(bound)
    }

    /// A text that may come from an SSM parameter.
    fn value(&mut self, spot: &Spot<String>, sort: Sort) -> Value {
        let text = self.expanded(spot);
        let Some(name) = text.strip_prefix("ssm:") else {
            self.verdict(spot, sort.check(&text));
            return Value::Plain(text);
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '.' | '-' | '_');
        if name.is_empty() || name.len() > 1_011 || !name.chars().all(plain) {
            let problem = Problem::error(spot.span(), "not the name of an SSM parameter");
            self.problems.push(problem.help("write it like \"ssm:/storo/${env}/sqs/orders\""));
        }
        Value::Parameter { name: name.to_owned(), span: spot.span() }
    }

    /// A text that is needed to reach SSM.
    pub(super) fn plain(&mut self, spot: &Spot<String>, sort: Sort) -> String {
        let text = self.expanded(spot);
        if text.starts_with("ssm:") && !sort.may_be_parameter() {
            let message = "this cannot be read from an SSM parameter: it is needed to reach SSM";
            self.problems.push(Problem::error(spot.span(), message).help("write the value itself"));
        } else {
            self.verdict(spot, sort.check(&text));
        }
        text
    }

    pub(super) fn verdict(&mut self, spot: &Spot<String>, verdict: Result<(), Complaint>) {
        let Err(Complaint { message, help }) = verdict else { return };
        let problem = Problem::error(spot.span(), message);
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// The text with `${env}` replaced by the environment's name.
    pub(super) fn expanded(&mut self, spot: &Spot<String>) -> String {
        let mut text = String::new();
        let mut rest = spot.value().as_str();
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let Some((variable, behind)) = after.split_once('}') else {
                let problem = Problem::error(spot.span(), "`${` without a closing `}`");
                self.problems.push(problem.help("write `${env}` for the environment's name"));
                return text + self.name;
            };
            if variable != "env" {
                let problem = Problem::error(spot.span(), format!("`${{{variable}}}` stands for nothing here"));
                self.problems.push(problem.help("only `${env}` does: the environment's name"));
            }
            text.push_str(self.name);
            rest = behind;
        }
        text.push_str(rest);
        text
    }
}

fn protection(typed: &typed::Environment, defaults: &Defaults) -> Protection {
    let written = typed.protection.as_ref().or(defaults.protection.as_ref());
    written.map_or(PROTECTION_DEFAULT, |protection| *protection.value())
}
