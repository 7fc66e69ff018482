//! [`Task`]: move tasks, SQS's own redrive, as they go on while time passes.

use super::{
    message::{Id, Message},
    queue::Queue,
};
use crate::world::{Due, World};

/// Messages a second where the caller leaves it to SQS (which varies it; here it is steady).
pub(super) const RATE_DEFAULT: i64 = 100;
/// Fastest rate that can be asked for, messages a second.
pub(super) const RATE_MAX: i64 = 500;
const STEP_MILLISECONDS: i64 = 100;
/// How long a task goes on after it was cancelled. Seen of AWS: at 1 message a second, 2 reported moved at the cancel and 8 in
/// the end.
const CANCEL_MILLISECONDS: i64 = 6_000;
/// How old the reported number of moved messages may be.
const REPORT_MILLISECONDS: i64 = 2_000;
/// Longest run of a task (SQS quota: 36 hours).
const RUN_MILLISECONDS: i64 = 36 * 3_600_000;

#[derive(Debug)]
pub(in crate::world) struct Task {
    pub(super) id: Id,
    pub(super) source: u32,
    pub(super) source_arn: String,
    /// None: each message to its own source.
    pub(super) destination: Option<Destination>,
    /// As asked for, messages a second.
    pub(super) rate: Option<i64>,
    pub(super) status: Status,
    pub(super) started_at: i64,
    pub(super) moved: i64,
    /// What is told of `moved`, and since when.
    pub(super) reported: (i64, i64),
    pub(super) to_move: i64,
    pub(super) failure: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct Destination {
    pub(super) queue: u32,
    pub(super) arn: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE", const_into_str)]
pub(super) enum Status {
    Running,
    Completed,
    Cancelling { until: i64 },
    Cancelled,
    Failed,
}

impl Status {
    pub(super) fn is_active(self) -> bool {
        match self {
            Self::Running | Self::Cancelling { .. } => true,
            Self::Completed | Self::Cancelled | Self::Failed => false,
        }
    }
}

impl Task {
    fn rate(&self) -> i64 {
        self.rate.unwrap_or(RATE_DEFAULT)
    }

    /// When it acts next; none once it is over.
    pub(super) fn next_due(&self) -> Option<i64> {
        let for_next = ((self.moved + 1) * 1_000 + self.rate() - 1) / self.rate();
        let step = self.started_at + (for_next + STEP_MILLISECONDS - 1) / STEP_MILLISECONDS * STEP_MILLISECONDS;
        match self.status {
            Status::Running => Some(step),
            Status::Cancelling { until } => Some(step.min(until)),
            Status::Completed | Status::Cancelled | Status::Failed => None,
        }
    }

    /// Stops moving, after a while.
    pub(super) fn cancel(&mut self, now: i64) {
        self.status = Status::Cancelling { until: now + CANCEL_MILLISECONDS };
    }

    fn end(&mut self, now: i64, status: Status) {
        self.status = status;
        self.reported = (self.moved, now);
    }
}

impl World {
    /// Lets a task do what is due at `now`.
    pub(in crate::world) fn advance_task(&mut self, number: u64, now: i64) {
        let Some(mut task) = self.tasks.remove(&number) else { return };
        let until = match task.status {
            Status::Cancelling { until } => until,
            Status::Running | Status::Completed | Status::Cancelled | Status::Failed => i64::MAX,
        };
        let allowed = (now.min(until) - task.started_at) * task.rate() / 1_000;
        while task.status.is_active() && task.moved < allowed {
            self.move_one(&mut task, now);
        }
        if task.status.is_active() && now >= until {
            task.end(now, Status::Cancelled);
        }
        if task.status.is_active() && now - task.started_at >= RUN_MILLISECONDS {
            task.failure = Some("TaskTimedOut");
            task.end(now, Status::Failed);
        }
        if now - task.reported.1 >= REPORT_MILLISECONDS {
            task.reported = (task.moved, now);
        }
        self.settle(task.source);
        if let Some(destination) = &task.destination {
            self.settle(destination.queue);
        }
        if let Some(due) = task.next_due() {
            self.due.insert((due, Due::Task(number)));
        }
        self.tasks.insert(number, task);
    }

    fn move_one(&mut self, task: &mut Task, now: i64) {
        let Some(source) = self.queues[task.source as usize].as_deref_mut() else {
            task.failure = Some("AWS.SimpleQueueService.NonExistentQueue");
            return task.end(now, Status::Failed);
        };
        let Some(message) = source.take_out() else {
            let is_cancelled = matches!(task.status, Status::Cancelling { .. });
            return task.end(now, if is_cancelled { Status::Cancelled } else { Status::Completed });
        };
        match self.destination_of(task, &message) {
            Ok(destination) => {
                let message = self.renew(message, now);
                let place = self.next_place();
                self.queue_mut(destination).take_in(message, place);
                self.settle(destination);
                task.moved += 1;
            }
            Err(reason) => {
                // It stays where it was.
                let place = message.sequence.0;
                if let Some(source) = self.queues[task.source as usize].as_deref_mut() {
                    put_back(source, message, place);
                }
                task.failure = Some(reason);
                task.end(now, Status::Failed);
            }
        }
    }

    fn destination_of(&self, task: &Task, message: &Message) -> Result<u32, &'static str> {
        const GONE: &str = "AWS.SimpleQueueService.NonExistentQueue";
        if let Some(destination) = &task.destination {
            let exists = self.queues[destination.queue as usize].is_some();
            return if exists { Ok(destination.queue) } else { Err(GONE) };
        }
        let arn = message.dead_letter_source().ok_or("CouldNotDetermineMessageSource")?;
        self.find_arn(arn).ok_or(GONE)
    }

    /// A moved message is a new one: new id, new time, no receives; body, attributes, group and trace header stay.
    fn renew(&mut self, message: Message, now: i64) -> Message {
        let mut extras = message.extras.map(|extras| *extras).unwrap_or_default();
        extras.dead_letter_source = None;
        Message::new(Id::random(&mut self.rng), message.body, extras, message.sender, now)
    }
}

fn put_back(queue: &mut Queue, message: Message, place: u64) {
    queue.take_in(message, place);
    queue.totals.moved_in -= 1;
    queue.totals.moved_out -= 1;
}
