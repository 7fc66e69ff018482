//! StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, Call,
    message::Id,
    moves::{Destination, RATE_MAX, Status, Task},
};
use crate::world::{Due, World, call::given, error::ApiError};

/// Most tasks that are listed, and kept, of a queue.
const LISTED_MAX: usize = 10;
/// Most active tasks of an account (SQS quota).
const ACTIVE_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartRequest {
    #[serde(default)]
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListRequest {
    #[serde(default)]
    source_arn: String,
    max_results: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelRequest {
    #[serde(default)]
    task_handle: String,
}

impl World {
    pub(super) fn start_message_move_task(&mut self, call: Call, request: StartRequest) -> Answered<Value> {
        let rate = request.max_number_of_messages_per_second;
        if rate.is_some_and(|rate| !(1..=RATE_MAX).contains(&rate)) {
            let message = "Value for parameter MaxNumberOfMessagesPerSecond is invalid. \
                           You must enter a positive integer value less than or equal to 500.";
            return Err(ApiError::invalid_parameter(message));
        }
        let source = self.find_source(call, &request.source_arn)?;
        let destination = match request.destination_arn.as_deref().filter(|arn| !arn.is_empty()) {
            None => None,
            Some(arn) => Some(self.find_destination(source, arn)?),
        };
        let queue = self.queue(source);
        let region = self.region(&queue.account, &queue.region);
        if region.and_then(|region| region.sources.get(&queue.name)).is_none_or(|sources| sources.is_empty()) {
            return Err(ApiError::invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
        }
        let active = self.tasks.values().filter(|task| task.status.is_active());
        if active.clone().any(|task| task.source == source) {
            let message = "There is already a task running. Only one active task is allowed for a source queue arn at a \
                           given time.";
            return Err(ApiError::invalid_parameter(message));
        }
        if active.count() >= ACTIVE_MAX {
            return Err(ApiError::over_limit("The maximum number of active message movement tasks is reached."));
        }
        let to_move = i64::try_from(queue.counts().visible).unwrap_or(i64::MAX);
        let task = Task {
            id: Id::random(&mut self.rng),
            source,
            source_arn: request.source_arn,
            destination,
            rate,
            status: Status::Running,
            started_at: call.now,
            moved: 0,
            reported: (0, call.now),
            to_move,
            failure: None,
        };
        let task_handle = handle(&task);
        self.keep(task);
        Ok(json!({ "TaskHandle": task_handle }))
    }

    fn keep(&mut self, task: Task) {
        let of_source: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, kept)| kept.source_arn == task.source_arn)
            .map(|(&number, _)| number)
            .collect();
        for number in of_source.iter().take((of_source.len() + 1).saturating_sub(LISTED_MAX)) {
            self.tasks.remove(number);
        }
        let number = self.next_place();
        if let Some(due) = task.next_due() {
            self.due.insert((due, Due::Task(number)));
        }
        self.tasks.insert(number, task);
    }

    fn find_source(&mut self, call: Call, arn: &str) -> Result<u32, ApiError> {
        if arn.is_empty() {
            return Err(ApiError::missing_parameter("SourceArn"));
        }
        let mut parts = arn.split(':').skip(4);
        let url = format!("{}/{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let missing = || ApiError::no_such_resource("SourceArn");
        let entered = self
            .enter(call, &url)
            .map_err(|error| if error.code == "QueueDoesNotExist" { missing() } else { error })?;
        if self.find_arn(arn) == Some(entered.queue) { Ok(entered.queue) } else { Err(missing()) }
    }

    fn find_destination(&self, source: u32, arn: &str) -> Result<Destination, ApiError> {
        let queue = self.find_arn(arn).ok_or_else(|| ApiError::no_such_resource("DestinationArn"))?;
        if queue == source {
            return Err(ApiError::invalid_parameter("Source queue arn and destination queue arn cannot be the same."));
        }
        if self.queue(queue).settings.is_fifo != self.queue(source).settings.is_fifo {
            return Err(ApiError::invalid_parameter("Source and destination queues must be of the same type."));
        }
        Ok(Destination { queue, arn: arn.to_owned() })
    }

    pub(super) fn list_message_move_tasks(&mut self, call: Call, request: ListRequest) -> Answered<Value> {
        self.find_source(call, &request.source_arn)?;
        let max_results = request.max_results.unwrap_or(1);
        let Some(results_max) = usize::try_from(max_results).ok().filter(|number| (1..=LISTED_MAX).contains(number))
        else {
            let reason = "MaxResults must be an integer between 1 and 10.";
            return Err(ApiError::invalid_value(max_results, "MaxResults", reason));
        };
        let newest_first = self.tasks.values().rev().filter(|task| task.source_arn == request.source_arn);
        Ok(json!({ "Results": newest_first.take(results_max).map(tell).collect::<Vec<_>>() }))
    }

    pub(super) fn cancel_message_move_task(&mut self, call: Call, request: CancelRequest) -> Answered<Value> {
        if request.task_handle.is_empty() {
            return Err(ApiError::missing_parameter("TaskHandle"));
        }
        let invalid = || ApiError::invalid_parameter("Value for parameter TaskHandle is invalid.");
        let Handle { task_id: id, source_arn } = Handle::read(&request.task_handle).ok_or_else(invalid)?;
        self.find_source(call, &source_arn)?;
        let of_id = |task: &&mut Task| task.id.to_string() == id && task.source_arn == source_arn;
        let task = self.tasks.values_mut().find(of_id).filter(|task| task.status == Status::Running);
        let Some(task) = task else {
            return Err(ApiError::plain(404, "ResourceNotFoundException", "Task does not exist."));
        };
        task.cancel(call.now);
        Ok(json!({ "ApproximateNumberOfMessagesMoved": task.reported.0 }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Handle {
    task_id: String,
    pub(super) source_arn: String,
}

impl Handle {
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
    }
}

fn handle(task: &Task) -> String {
    let content = json!({"taskId": task.id.to_string(), "sourceArn": task.source_arn});
    STANDARD.encode(content.to_string())
}

/// A task as it is told; its handle only while it runs.
fn tell(task: &Task) -> Value {
    given(json!({
        "TaskHandle": (task.status == Status::Running).then(|| handle(task)),
        "Status": task.status.into_str(),
        "SourceArn": task.source_arn,
        "DestinationArn": task.destination.as_ref().map(|destination| &destination.arn),
        "MaxNumberOfMessagesPerSecond": task.rate,
        "ApproximateNumberOfMessagesMoved": task.reported.0,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "FailureReason": task.failure,
        "StartedTimestamp": task.started_at,
    }))
}
