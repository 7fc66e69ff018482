//! CreateQueue, DeleteQueue, GetQueueUrl, ListQueues, ListDeadLetterSourceQueues, PurgeQueue.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Call, OnQueue, queue::Queue, settings::Settings, validate::is_plain};
use crate::world::{Caller, Due, World, call::given, error::ApiError, page::page};

/// Most queues in a page (SQS API reference, `ListQueues`).
const PAGE_MAX: usize = 1_000;
/// A deleted queue's name is free again after this time; a queue can be purged again after it.
const MINUTE_MILLISECONDS: i64 = 60_000;
pub(super) const TAGS_MAX: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CreateRequest {
    queue_name: String,
    attributes: Option<BTreeMap<String, String>>,
    #[serde(rename = "tags", alias = "Tags")]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GetUrlRequest {
    #[serde(rename = "QueueName", default)]
    name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListRequest<'a> {
    #[serde(borrow, default)]
    queue_url: Cow<'a, str>,
    queue_name_prefix: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl World {
    pub(super) fn create_queue(&mut self, call: Call, request: CreateRequest) -> Answered<Value> {
        let name = request.queue_name;
        let attributes = request.attributes.unwrap_or_default();
        let tags = request.tags.unwrap_or_default();
        let pairs = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let queue = self.create_or_find(call, &name, pairs, tags)?;
        Ok(self.url(call, queue))
    }

    /// Creates a queue; finds it where it exists with these very attributes.
    pub(in crate::world) fn create_or_find<'a>(
        &mut self,
        call: Call,
        name: &str,
        attributes: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        tags: BTreeMap<String, String>,
    ) -> Result<u32, ApiError> {
        let is_fifo = attributes.clone().any(|(name, value)| name == "FifoQueue" && value.eq_ignore_ascii_case("true"));
        check_name(name, is_fifo)?;
        if tags.len() > TAGS_MAX {
            return Err(ApiError::invalid_parameter(format!("Too many tags added for queue {name}.")));
        }
        let (account, region) = (&call.caller.account, &call.caller.region);
        if let Some(number) = self.find(account, region, name) {
            let existing = &self.queue(number).settings;
            let wanted = existing.with(attributes.clone())?;
            if let Some(different) = wanted.differs_in(existing, attributes.map(|(name, _)| name)) {
                let message = format!(
                    "A queue already exists with the same name and a different value for attribute {different}"
                );
                return Err(ApiError::coded(400, "QueueNameExists", "QueueAlreadyExists", message));
            }
            return Ok(number);
        }
        let deleted_at = self.region(account, region).and_then(|region| region.deleted_at.get(name));
        if self.settings.names_rest_after_delete && deleted_at.is_some_and(|at| call.now - at < MINUTE_MILLISECONDS) {
            let message =
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.";
            return Err(ApiError::of_sqs(400, "AWS.SimpleQueueService.QueueDeletedRecently", message));
        }
        let settings = Settings::new(is_fifo).with(attributes)?;
        let arn = format!("arn:aws:sqs:{region}:{account}:{name}");
        self.check_redrive(account, region, &arn, &settings)?;
        let number = u32::try_from(self.queues.len()).expect("queues are made by hand");
        let mut queue = Queue::new(number, call, name, (settings, self.settings.fifo_looks_at), tags);
        let regions = self.regions.get(account.as_str()).into_iter().flatten();
        queue.has_namesake =
            regions.filter(|(other, _)| ***other != **region).any(|(_, other)| other.queues.contains_key(name));
        if let Some(identity) = self.identity_of(account, name) {
            queue.keep_account(identity);
        }
        let name = Arc::clone(&queue.name);
        self.queues.push(Some(Box::new(queue)));
        let region = self.region_mut(account, region);
        region.deleted_at.remove(&name);
        region.queues.insert(name, number);
        self.link(number);
        self.settle(number);
        Ok(number)
    }

    /// Notes which dead-letter queue a queue's redrive policy names now.
    pub(super) fn link(&mut self, number: u32) {
        let Queue { account, region, name, settings, .. } = self.queue(number);
        let (account, region, name) = (Arc::clone(account), Arc::clone(region), Arc::clone(name));
        let dead_letter = settings.redrive.as_ref().map(|redrive| redrive.dead_letter_name().to_owned());
        self.region_mut(&account, &region).link(&name, dead_letter.as_deref());
    }

    /// Checks that the dead-letter queue of these settings is there, of the same type, and willing.
    pub(super) fn check_redrive(
        &self,
        account: &str,
        region: &str,
        source_arn: &str,
        settings: &Settings,
    ) -> Result<(), ApiError> {
        let Some(redrive) = &settings.redrive else { return Ok(()) };
        let told = settings.get("RedrivePolicy").unwrap_or_default();
        let refuse = |reason: &str| Err(ApiError::invalid_value(&told, "RedrivePolicy", reason));
        let Some(number) = self.find(account, region, redrive.dead_letter_name()) else {
            return refuse("Dead letter target does not exist.");
        };
        let target = self.queue(number);
        if target.arn != redrive.dead_letter_arn {
            return refuse("Dead-letter target owner should be same as the source.");
        }
        if target.settings.is_fifo != settings.is_fifo {
            return refuse("Dead-letter queue must be same type of queue as the source.");
        }
        if target.settings.allow.as_ref().is_some_and(|allow| !allow.allows(source_arn)) {
            return refuse("The dead-letter queue's redrive allow policy does not permit this source queue.");
        }
        Ok(())
    }

    pub(super) fn delete_queue(&mut self, call: Call, request: OnQueue) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let mut queue = self.queues[number as usize].take().expect("a queue that was entered exists");
        queue.all_went();
        if let Some(ledger) = &mut self.ledger {
            ledger.enter(&mut queue);
        }
        if let Some(listed) = queue.listed_due.take() {
            self.due.remove(&(listed, Due::Queue(number)));
        }
        let region = self.region_mut(&queue.account, &queue.region);
        region.queues.remove(&queue.name);
        region.deleted_at.retain(|_, at| call.now - *at < MINUTE_MILLISECONDS);
        region.deleted_at.insert(Arc::clone(&queue.name), call.now);
        region.link(&queue.name, None);
        Ok(())
    }

    pub(super) fn get_queue_url(&mut self, call: Call, request: GetUrlRequest) -> Answered<Value> {
        if request.name.is_empty() {
            return Err(ApiError::missing_parameter("QueueName"));
        }
        let owner = request.owner.as_ref().unwrap_or(&call.caller.account);
        let queue = self.enter(call, &format!("{owner}/{}", request.name))?.queue;
        Ok(self.url(call, queue))
    }

    /// The URL of a queue, as this caller sees it.
    fn url(&self, call: Call, queue: u32) -> Value {
        json!({ "QueueUrl": self.queue(queue).url(&call.caller.origin) })
    }

    pub(super) fn list_queues(&mut self, call: Call, request: ListRequest) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let prefix = request.queue_name_prefix.as_deref().unwrap_or_default();
        let names = self.region(account, region).into_iter().flat_map(|region| region.queues.keys());
        let names = names.filter(|name| name.starts_with(prefix));
        let (urls, next) = self.page_of_urls(call, &request, (account, region), names)?;
        Ok(given(json!({ "QueueUrls": (!urls.is_empty()).then_some(urls), "NextToken": next })))
    }

    pub(super) fn list_dead_letter_source_queues(&mut self, call: Call, request: ListRequest) -> Answered<Value> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let queue = self.queue(number);
        let sources = self.region(&queue.account, &queue.region).and_then(|region| region.sources.get(&queue.name));
        let place = (&*queue.account, &*queue.region);
        let (urls, next) = self.page_of_urls(call, &request, place, sources.into_iter().flatten())?;
        // The URLs are always there: the model requires them.
        Ok(given(json!({ "queueUrls": urls, "NextToken": next })))
    }

    pub(super) fn purge_queue(&mut self, call: Call, request: OnQueue) -> Answered<()> {
        let number = self.enter(call, &request.queue_url)?.queue;
        let queue = self.queue_mut(number);
        if queue.purged_at.is_some_and(|at| call.now - at < MINUTE_MILLISECONDS) {
            let message = format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", queue.name);
            return Err(ApiError::of_sqs(403, "AWS.SimpleQueueService.PurgeQueueInProgress", message));
        }
        queue.purge(call.now);
        self.settle(number);
        Ok(())
    }
}

impl World {
    /// The URLs of the page that is asked for, and the token of the next; that comes only where the caller set a page size.
    fn page_of_urls<'a>(
        &self,
        call: Call,
        request: &ListRequest,
        (account, region): (&str, &str),
        names: impl Iterator<Item = &'a Arc<str>>,
    ) -> Answered<(Vec<String>, Option<String>)> {
        let size = match request.max_results {
            None => PAGE_MAX,
            Some(size) => {
                let number = usize::try_from(size).ok().filter(|size| (1..=PAGE_MAX).contains(size));
                number.ok_or_else(|| {
                    ApiError::invalid_value(size, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
                })?
            }
        };
        let token = request.next_token.as_deref().filter(|token| !token.is_empty());
        let (page, next) = page(names, size, token, |name| name)
            .ok_or_else(|| ApiError::invalid_parameter("Invalid or expired next token."))?;
        let numbers = page.into_iter().filter_map(|name| self.find(account, region, name));
        let urls = numbers.map(|number| self.queue(number).url(&call.caller.origin));
        Ok((urls.collect(), next.filter(|_| request.max_results.is_some())))
    }
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), ApiError> {
    let stem = name.strip_suffix(".fifo");
    if name.len() > 80 || !is_plain(if is_fifo { stem.unwrap_or(name) } else { name }) {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(ApiError::invalid_parameter(message));
    }
    if is_fifo && stem.is_none() {
        let message = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end \
                       with .fifo suffix and be 1 to 80 in length";
        return Err(ApiError::invalid_parameter(message));
    }
    Ok(())
}
