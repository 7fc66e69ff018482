//! Lambda on the pure world: functions by name, and event source mappings whose states take time.
//!
//! A mapping takes messages while it is enabled, and still does while it is being disabled; the world's consumers (`actors`) ask
//! before they take. Lambda says no figures: how long a change of state takes is our assumption. AWS shows no last result for
//! queues in its examples; here one follows what the consumer did, as streams have it. Not simulated: code, and calls of a function other than by mappings and schedules.

mod concurrency;
mod functions;
mod invoke;
mod mappings;
mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ApiError, Caller,
    call::{Answered, Input, given, told},
    page,
    service::{Protocol, Route, ServiceDef},
    uuid,
};

/// How long changes of a mapping's state take, milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// From `Creating` to `Enabled`, or to `Disabled`.
    pub creating: i64,
    pub enabling: i64,
    pub disabling: i64,
    /// From `Updating` back.
    pub updating: i64,
    pub deleting: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self { creating: 6_000, enabling: 12_000, disabling: 9_000, updating: 5_000, deleting: 6_000 }
    }
}

#[derive(Debug)]
pub struct Lambda {
    places: BTreeMap<(String, String), Region>,
    rng: Rng,
    /// When a state changes next, milliseconds; none does: the end of time.
    next_at: i64,
    pub times: Times,
}

#[derive(Debug, Default)]
struct Region {
    functions: BTreeMap<String, Function>,
    mappings: BTreeMap<String, Mapping>,
}

/// A function, as far as it is told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Function {
    runtime: String,
    role: String,
    handler: String,
    timeout_seconds: u32,
    modified_at: i64,
    /// Executions at once that are reserved for it, and its most.
    reserved: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The function's name, with its alias if it has one.
    pub function: String,
    pub source: String,
    pub batch_size: u32,
    /// Seconds in which a batch is gathered.
    pub window_seconds: u32,
    pub concurrency_max: Option<u32>,
    pub state: State,
    pub reason: String,
    pub last_result: Option<String>,
    /// When it was last changed, or its state was.
    pub modified_at: i64,
    /// When the state that lasts comes about, and which one that is.
    next: Option<(i64, State)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum State {
    Creating,
    Enabling,
    Enabled,
    /// On its way down; it still takes messages.
    Disabling,
    Disabled,
    Updating,
    Deleting,
    #[serde(rename = "Deleting")]
    Gone,
}

impl Mapping {
    pub fn new(function: &str, source: &str, at: Timestamp) -> Self {
        Self {
            function: function.to_owned(),
            source: source.to_owned(),
            batch_size: 10,
            window_seconds: 0,
            concurrency_max: None,
            state: State::Enabled,
            reason: USER.to_owned(),
            last_result: None,
            modified_at: at.as_millisecond(),
            next: None,
        }
    }

    /// Whether it takes messages: while it is being disabled or updated it still does.
    fn takes(&self) -> bool {
        match self.state {
            State::Enabled | State::Disabling => true,
            State::Updating => self.next.is_some_and(|(_, then)| then == State::Enabled),
            State::Creating | State::Enabling | State::Disabled | State::Deleting | State::Gone => false,
        }
    }

    fn turn(&mut self, at: i64, state: State, lasts: i64, then: State) {
        (self.state, self.modified_at, self.next) = (state, at, Some((at + lasts, then)));
        USER.clone_into(&mut self.reason);
    }

    fn advance(&mut self, now: i64) {
        if let Some((at, state)) = self.next.filter(|(at, _)| *at <= now) {
            (self.state, self.modified_at, self.next) = (state, at, None);
        }
    }
}

/// Why a mapping's state changes where somebody asked for it.
const USER: &str = "USER_INITIATED";

impl Lambda {
    pub(super) fn new(seed: u64) -> Self {
        Self { places: BTreeMap::new(), rng: Rng::with_seed(seed ^ 0x1a3b), next_at: i64::MAX, times: Times::default() }
    }

    /// Adds a mapping, and its function where that is not there; answers its UUID.
    pub fn put(&mut self, account: &str, region: &str, mapping: Mapping) -> String {
        let id = uuid(&mut self.rng);
        let place = self.place(account, region);
        let name = mapping.function.split(':').next().unwrap_or_default();
        place.functions.entry(name.to_owned()).or_insert_with(|| Function::plain(account, mapping.modified_at));
        place.mappings.insert(id.clone(), mapping);
        id
    }

    pub fn mapping(&mut self, now: Timestamp, account: &str, region: &str, id: &str) -> Option<&mut Mapping> {
        self.advance(now.as_millisecond());
        self.place(account, region).mappings.get_mut(id)
    }

    /// The mappings of a queue: UUIDs.
    pub fn of_queue(&self, account: &str, region: &str, queue: &str) -> Vec<String> {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        let of_it = |mapping: &Mapping| mapping.source.rsplit(':').next() == Some(queue);
        let mappings = place.into_iter().flat_map(|place| &place.mappings);
        mappings.filter(|(_, mapping)| of_it(mapping)).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn takes(&self, account: &str, region: &str, id: &str) -> bool {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        place.and_then(|place| place.mappings.get(id)).is_some_and(Mapping::takes)
    }

    /// Messages that a mapping has under way at once at most.
    pub(super) fn messages_at_once(&self, account: &str, region: &str, id: &str) -> usize {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        let mapping = place.and_then(|place| place.mappings.get(id));
        let most = mapping.and_then(|mapping| Some(mapping.concurrency_max? * mapping.batch_size));
        most.map_or(usize::MAX, |most| most as usize)
    }

    /// Messages for which its function may be called in a second: each of its executions takes that long (our assumption).
    pub(super) fn messages_let(&self, account: &str, region: &str, id: &str) -> usize {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        let found = place.and_then(|place| Some((place, place.mappings.get(id)?)));
        let reserved = found.and_then(|(place, mapping)| {
            let function = place.functions.get(mapping.function.split(':').next()?)?;
            Some(function.reserved? * mapping.batch_size)
        });
        reserved.map_or(usize::MAX, |reserved| reserved as usize)
    }

    /// The function of a mapping, without its alias, and the messages of a call.
    pub(super) fn function_of(&self, account: &str, region: &str, id: &str) -> Option<(String, u32)> {
        let mapping = self.places.get(&(account.to_owned(), region.to_owned()))?.mappings.get(id)?;
        Some((mapping.function.split(':').next()?.to_owned(), mapping.batch_size.max(1)))
    }

    /// Mappings of a place: function without its alias, name of the queue, messages of a call.
    pub(super) fn sources(&self, account: &str, region: &str) -> impl Iterator<Item = (&str, &str, u32)> {
        let place = self.places.get(&(account.to_owned(), region.to_owned()));
        place.into_iter().flat_map(|place| place.mappings.values()).map(|mapping| {
            let function = mapping.function.split(':').next().unwrap_or_default();
            (function, mapping.source.rsplit(':').next().unwrap_or_default(), mapping.batch_size)
        })
    }

    pub(super) fn note_result(&mut self, account: &str, region: &str, id: &str, result: &str) {
        if let Some(mapping) = self.place(account, region).mappings.get_mut(id)
            && mapping.last_result.as_deref() != Some(result)
        {
            mapping.last_result = Some(result.to_owned());
        }
    }

    /// Lets pass what is due until `now`, milliseconds.
    pub(super) fn advance(&mut self, now: i64) {
        if now < self.next_at {
            return;
        }
        for place in self.places.values_mut() {
            for mapping in place.mappings.values_mut() {
                mapping.advance(now);
            }
            place.mappings.retain(|_, mapping| mapping.state != State::Gone);
        }
        self.note_next();
    }

    fn note_next(&mut self) {
        let mappings = self.places.values().flat_map(|place| place.mappings.values());
        self.next_at = mappings.filter_map(|mapping| mapping.next.map(|(at, _)| at)).min().unwrap_or(i64::MAX);
    }

    fn place(&mut self, account: &str, region: &str) -> &mut Region {
        self.places.entry((account.to_owned(), region.to_owned())).or_default()
    }
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Rest {
        routes: &[
            route("GET", "/2015-03-31/event-source-mappings", "ListEventSourceMappings", 200),
            route("POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping", 202),
            route("GET", "/2015-03-31/event-source-mappings/{UUID}", "GetEventSourceMapping", 200),
            route("PUT", "/2015-03-31/event-source-mappings/{UUID}", "UpdateEventSourceMapping", 202),
            route("DELETE", "/2015-03-31/event-source-mappings/{UUID}", "DeleteEventSourceMapping", 202),
            route("GET", "/2015-03-31/functions", "ListFunctions", 200),
            route("POST", "/2015-03-31/functions", "CreateFunction", 201),
            route("GET", "/2015-03-31/functions/{FunctionName}", "GetFunction", 200),
            route("GET", "/2015-03-31/functions/{FunctionName}/configuration", "GetFunctionConfiguration", 200),
            route("POST", "/2015-03-31/functions/{FunctionName}/invocations", "Invoke", 200),
            route("PUT", "/2017-10-31/functions/{FunctionName}/concurrency", "PutFunctionConcurrency", 200),
            route("DELETE", "/2017-10-31/functions/{FunctionName}/concurrency", "DeleteFunctionConcurrency", 204),
            route("GET", "/2019-09-30/functions/{FunctionName}/concurrency", "GetFunctionConcurrency", 200),
        ],
    },
    throttled: (429, "TooManyRequestsException"),
    subject: |input| {
        let function = || input.fields.get("FunctionName").map(|named| function_name(named).to_owned());
        input.fields.get("UUID").cloned().or_else(function)
    },
    prepare: |world, _| {
        // A change is due sooner, perhaps, than anything before it.
        world.lambda.next_at = i64::MIN;
        Ok(())
    },
    ..ServiceDef::new(
        "lambda",
        &[
            ("ListEventSourceMappings", |world, call, input| told(world.lambda.list_mappings(call, &input.fields))),
            ("GetEventSourceMapping", |world, call, input| told(world.lambda.get_mapping(call, id(input)))),
            ("UpdateEventSourceMapping", |world, call, input| {
                told(world.lambda.update_mapping(call, id(input), read(input)?))
            }),
            ("DeleteEventSourceMapping", |world, call, input| told(world.lambda.delete_mapping(call, id(input)))),
            ("CreateEventSourceMapping", |world, call, input| told(world.create_mapping(call, read(input)?))),
            ("ListFunctions", |world, call, input| told(world.lambda.list_functions(call, &input.fields))),
            ("GetFunction", |world, call, input| told(world.lambda.get_function(call, &input.fields))),
            ("GetFunctionConfiguration", |world, call, input| {
                told(world.lambda.get_configuration(call, &input.fields))
            }),
            ("PutFunctionConcurrency", |world, call, input| {
                told(world.lambda.put_concurrency(call, &input.fields, read(input)?))
            }),
            ("DeleteFunctionConcurrency", |world, call, input| {
                told(world.lambda.delete_concurrency(call, &input.fields))
            }),
            ("GetFunctionConcurrency", |world, call, input| told(world.lambda.get_concurrency(call, &input.fields))),
            ("Invoke", |world, call, input| world.invoke(call, &input.fields)),
            ("CreateFunction", |world, call, input| told(world.lambda.create_function(call, read(input)?))),
        ],
    )
};

const fn route(method: &'static str, path: &'static str, action: &'static str, status: u16) -> Route {
    Route { method, path, action, status }
}

fn id(input: &Input) -> &str {
    input.fields.get("UUID").map(String::as_str).unwrap_or_default()
}

fn read<'a, T: Deserialize<'a>>(input: &'a Input) -> Answered<T> {
    input.read().map_err(|error: ApiError| ApiError { code: "InvalidRequestContentException", ..error })
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::plain(400, "InvalidParameterValueException", message)
}

fn not_found() -> ApiError {
    ApiError::plain(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}

fn no_function(caller: &Caller, name: &str) -> ApiError {
    let arn = show::function_arn(&caller.account, &caller.region, name);
    ApiError::plain(404, "ResourceNotFoundException", format!("Function not found: {arn}"))
}

/// A function's name (with its alias) of a name, a partial ARN or an ARN.
fn function_name(named: &str) -> &str {
    named.split_once("function:").map_or(named, |(_, name)| name)
}

/// The page that `Marker` and `MaxItems` ask for.
fn page<'a, T>(
    what: &str,
    all: impl Iterator<Item = (&'a String, T)>,
    fields: &BTreeMap<String, String>,
    page_max: usize,
    show: impl Fn(&str, T) -> Value,
) -> Answered<Value> {
    /// Items that may be asked for (service model, `MaxListItems`); a page has fewer.
    const ITEMS_MAX: usize = 10_000;
    let wanted = match fields.get("MaxItems").map(|text| text.parse::<usize>()) {
        None => page_max,
        Some(Ok(wanted)) if (1..=ITEMS_MAX).contains(&wanted) => wanted.min(page_max),
        Some(_) => return Err(invalid("MaxItems must be between 1 and 10000")),
    };
    let marker = fields.get("Marker").map(String::as_str).filter(|marker| !marker.is_empty());
    let page = page::page(all, wanted, marker, |(name, _)| name).ok_or_else(|| invalid("Invalid marker"));
    let (entries, next) = page?;
    let shown: Vec<Value> = entries.into_iter().map(|(name, entry)| show(name, entry)).collect();
    Ok(given(json!({ what: shown, "NextMarker": next })))
}
