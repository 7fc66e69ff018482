//! Event source mappings: what can be read of them, and the changes, each of which takes its time.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{ApiError, Caller, Lambda, Mapping, State, function_name, invalid, no_function, not_found, page, show};
use crate::world::{
    World,
    actors::{Consumer, Worker},
    call::{Answered, Call},
    template::Place,
};

/// Mappings of a page, also where more are asked for (API reference, `MaxItems`).
const PAGE_MAX: usize = 100;
/// Messages of a call at most: of FIFO queues, and without a window (API reference, `BatchSize`).
const BATCH_MAX: u32 = 10;
/// Messages a second that the function of a mapping that a caller made can do.
const RATE_PER_SECOND: f64 = 50.0;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    function_name: String,
    event_source_arn: Option<String>,
    enabled: Option<bool>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    function_name: Option<String>,
    enabled: Option<bool>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    batch_size: Option<u32>,
    maximum_batching_window_in_seconds: Option<u32>,
    scaling_config: Option<ScalingConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    maximum_concurrency: Option<u32>,
}

impl Settings {
    fn apply(&self, mapping: &mut Mapping) -> Answered<()> {
        mapping.batch_size = self.batch_size.unwrap_or(mapping.batch_size);
        mapping.window_seconds = self.maximum_batching_window_in_seconds.unwrap_or(mapping.window_seconds);
        if let Some(scaling) = &self.scaling_config {
            mapping.concurrency_max = scaling.maximum_concurrency;
        }
        if mapping.concurrency_max.is_some_and(|most| !(2..=1_000).contains(&most)) {
            return Err(invalid("MaximumConcurrency must be between 2 and 1000"));
        }
        let is_fifo = mapping.source.ends_with(".fifo");
        let most = if is_fifo || mapping.window_seconds == 0 { BATCH_MAX } else { 10_000 };
        if (1..=most).contains(&mapping.batch_size) {
            return Ok(());
        }
        Err(invalid(format!("BatchSize must be between 1 and {most} for this queue and window")))
    }

    fn is_empty(&self) -> bool {
        let Self { batch_size, maximum_batching_window_in_seconds, scaling_config } = self;
        batch_size.is_none() && maximum_batching_window_in_seconds.is_none() && scaling_config.is_none()
    }
}

impl Lambda {
    pub(super) fn list_mappings(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered<Value> {
        let caller = call.caller;
        let function = fields.get("FunctionName").map(|named| function_name(named));
        let source = fields.get("EventSourceArn");
        let place = self.place(&caller.account, &caller.region);
        if let Some(name) = function.and_then(|name| name.split(':').next())
            && !place.functions.contains_key(name)
        {
            return Err(no_function(caller, name));
        }
        let wanted = |mapping: &Mapping| {
            source.is_none_or(|source| *source == mapping.source)
                && function.is_none_or(|function| function == mapping.function)
        };
        let found = place.mappings.iter().filter(|(_, mapping)| wanted(mapping));
        page("EventSourceMappings", found, fields, PAGE_MAX, |id, mapping| show::mapping(caller, id, mapping))
    }

    fn mapping_mut(&mut self, caller: &Caller, id: &str) -> Answered<&mut Mapping> {
        self.place(&caller.account, &caller.region).mappings.get_mut(id).ok_or_else(not_found)
    }

    pub(super) fn get_mapping(&mut self, call: Call, id: &str) -> Answered<Value> {
        Ok(show::mapping(call.caller, id, self.mapping_mut(call.caller, id)?))
    }

    pub(super) fn update_mapping(&mut self, call: Call, id: &str, request: Update) -> Answered<Value> {
        let Call { caller, now: at, .. } = call;
        let times = self.times.clone();
        let place = self.place(&caller.account, &caller.region);
        if let Some(name) = request.function_name.as_deref().map(function_name)
            && !place.functions.contains_key(name.split(':').next().unwrap_or_default())
        {
            return Err(no_function(caller, name));
        }
        let mapping = place.mappings.get_mut(id).ok_or_else(not_found)?;
        let lasting = lasting(mapping)?;
        let mut changed = mapping.clone();
        request.settings.apply(&mut changed)?;
        if let Some(name) = request.function_name.as_deref().map(function_name) {
            name.clone_into(&mut changed.function);
        }
        let wanted = request.enabled.map_or(lasting, |enabled| if enabled { State::Enabled } else { State::Disabled });
        match (wanted == lasting, wanted) {
            (true, _) if request.settings.is_empty() && request.function_name.is_none() => {}
            (true, _) => changed.turn(at, State::Updating, times.updating, lasting),
            (false, State::Disabled) => changed.turn(at, State::Disabling, times.disabling, State::Disabled),
            (false, _) => changed.turn(at, State::Enabling, times.enabling, State::Enabled),
        }
        *mapping = changed;
        Ok(show::mapping(caller, id, mapping))
    }

    pub(super) fn delete_mapping(&mut self, call: Call, id: &str) -> Answered<Value> {
        let lasts = self.times.deleting;
        let mapping = self.mapping_mut(call.caller, id)?;
        lasting(mapping)?;
        mapping.turn(call.now, State::Deleting, lasts, State::Gone);
        Ok(show::mapping(call.caller, id, mapping))
    }
}

/// The state that it stays in; changes are refused while it has none.
fn lasting(mapping: &Mapping) -> Answered<State> {
    if mapping.next.is_none() {
        return Ok(mapping.state);
    }
    let message =
        format!("Cannot update the event source mapping because it is in use. Its state is {:?}.", mapping.state);
    Err(ApiError::plain(400, "ResourceInUseException", message))
}

impl World {
    pub(super) fn create_mapping(&mut self, call: Call, request: Create) -> Answered<Value> {
        let Call { caller, now: at, .. } = call;
        let Create { function_name: named, event_source_arn, enabled, settings } = request;
        let source = event_source_arn.ok_or_else(|| invalid("EventSourceArn is required"))?;
        let function = function_name(&named).to_owned();
        let Caller { account, region, .. } = caller;
        let queue = self.find_arn(&source).ok_or_else(no_queue)?;
        let visibility_seconds = self.queue(queue).settings.visibility_seconds;
        let mut mapping = Mapping::new(&function, &source, call.time());
        settings.apply(&mut mapping)?;
        let times = self.lambda.times.clone();
        let place = self.lambda.place(account, region);
        let name = function.split(':').next().unwrap_or_default();
        let timeout = place.functions.get(name).ok_or_else(|| no_function(caller, name))?.timeout_seconds;
        if visibility_seconds < i64::from(timeout) {
            return Err(invalid(format!(
                "Queue visibility timeout: {visibility_seconds} seconds is less than Function timeout: {timeout} seconds"
            )));
        }
        let same = |known: &Mapping| known.source == source && known.function == function;
        if let Some((id, _)) = place.mappings.iter().find(|(_, known)| same(known)) {
            let message = format!(
                "An event source mapping with SQS arn (\" {source} \") and function (\" {name} \") already exists. \
                 Please update or delete the existing mapping with UUID {id}"
            );
            return Err(ApiError::plain(409, "ResourceConflictException", message));
        }
        let then = if enabled == Some(false) { State::Disabled } else { State::Enabled };
        mapping.turn(at, State::Creating, times.creating, then);
        let id = self.lambda.put(account, region, mapping.clone());
        let consumer =
            Consumer { rate_per_second: RATE_PER_SECOND, worker: Worker::Mapping(id.clone()), ..Consumer::default() };
        let queue = source.rsplit(':').next().unwrap_or_default();
        let place = Place { environment: String::new(), account: account.clone(), region: region.clone() };
        self.actors.add(call.time(), place, queue, consumer);
        Ok(show::mapping(caller, &id, &mapping))
    }
}

fn no_queue() -> ApiError {
    invalid(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: \
         The specified queue does not exist.",
    )
}
