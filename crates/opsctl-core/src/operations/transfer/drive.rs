//! Drives the engine against the cloud and the journal: each step a task of its own, answers as they come.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{AgeWatch, Answer, Counted, Engine, Judge, Next, Source, Step, Tally};
use crate::{
    clock::Clock,
    cloud::{
        Cloud, CloudError,
        sqs::{Receive, Sqs},
    },
    domain::{Counts, Message, MessageId, QueueUrl},
    journal::{Journal, Record, Saved},
};

/// Destinations of a shared DLQ whose counts and ages are read while it is watched.
pub const DESTINATIONS_WATCHED_MAX: usize = 20;

#[derive(Debug, Clone)]
pub struct Ends {
    pub cloud: Cloud,
    pub source: Source,
    /// Queues by the index that steps name.
    pub destinations: Arc<[QueueUrl]>,
    pub journal: Journal,
    pub judge: Arc<Judge>,
    /// How the destinations' oldest messages age, where a run watches.
    pub ages: Option<AgeWatch>,
    /// Whether messages are saved before they are sent; what is deleted without being sent is saved in any case.
    pub snapshot: bool,
}

/// Runs the engine to its end. A cancel lets it finish what is in hand.
pub async fn drive(
    mut engine: Engine,
    ends: Ends,
    cancel: &CancellationToken,
    mut on_progress: impl FnMut(&Tally),
) -> Tally {
    let clock = ends.cloud.clock();
    let ends = Arc::new(ends);
    let (answers, mut answered) = mpsc::unbounded_channel();
    let mut cancelled = false;
    loop {
        let wake = loop {
            match engine.next(clock.now()) {
                Next::Step(step) => start(step, &ends, answers.clone()),
                Next::Wait(wake) => break wake,
                Next::Done => {
                    let mut tally = engine.tally().clone();
                    if let Source::Snapshot(shelf) = &ends.source {
                        shelf.name_what_waits(&mut tally);
                    }
                    return tally;
                }
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled(), if !cancelled => {
                cancelled = true;
                engine.cancel();
            }
            answer = answered.recv() => {
                let mut next = answer;
                while let Some(answer) = next {
                    engine.on(clock.now(), answer);
                    next = answered.try_recv().ok();
                }
            }
            () = sleep_until(clock, wake) => {}
        }
        on_progress(engine.tally());
    }
}

async fn sleep_until(clock: Clock, wake: Option<Timestamp>) {
    match wake {
        None => std::future::pending().await,
        Some(wake) => {
            let left = Duration::try_from(wake.duration_since(clock.now())).unwrap_or_default();
            // Rounded up: a timer that fires a hair early would only be asked again.
            clock.sleep(left + Duration::from_millis(1)).await;
        }
    }
}

/// Lanes bound how many steps are out at once; a task each lets both cores serialise and sign.
fn start(step: Step, ends: &Arc<Ends>, answers: mpsc::UnboundedSender<Answer>) {
    let ends = Arc::clone(ends);
    tokio::spawn(async move {
        // Nobody listens any more only when the whole run was dropped.
        let _ = answers.send(ends.answer(step).await);
    });
}

impl Ends {
    fn sqs(&self) -> &Sqs {
        &self.cloud.sqs
    }

    async fn answer(&self, step: Step) -> Answer {
        match step {
            Step::Receive { lane, messages_max, wait_seconds, visibility_seconds } => {
                let received = match &self.source {
                    Source::Queue(url) => {
                        let how = Receive { messages_max, wait_seconds, visibility_seconds };
                        self.sqs().receive(url, how).await
                    }
                    Source::Snapshot(shelf) => shelf.receive(messages_max as usize),
                };
                Answer::Received(lane, received)
            }
            Step::Judge { lane, messages } => Answer::Judged(lane, Arc::clone(&self.judge).judge(messages).await),
            Step::Write { lane, records, saved, batch } => {
                let (records, lines) = self.lines(records, &saved, batch);
                let written = self.journal.write(records, lines).await;
                Answer::Written(lane, written.map_err(|error| error.to_string()))
            }
            Step::Send { lane, to, messages } => {
                Answer::Sent(lane, self.sqs().send(&self.destinations[to], &messages).await)
            }
            Step::Delete { lane, receipts } => {
                let deleted = match &self.source {
                    Source::Queue(url) => self.sqs().delete(url, &receipts).await,
                    Source::Snapshot(shelf) => Ok(shelf.settle(&receipts)),
                };
                Answer::Deleted(lane, deleted)
            }
            Step::Hide { lane, receipts, seconds } => {
                let hidden = match &self.source {
                    Source::Queue(url) => self.sqs().change_visibility(url, &receipts, seconds).await,
                    Source::Snapshot(shelf) => Ok(shelf.hide(&receipts, seconds)),
                };
                Answer::Hidden(lane, hidden)
            }
            Step::Verify => Answer::Verified(self.cloud.identity.caller().await),
            Step::Count { destinations } => Answer::Counted(self.count(destinations).await),
        }
    }

    async fn count(&self, destinations: bool) -> Result<Counted, CloudError> {
        let source = match &self.source {
            Source::Queue(url) => self.sqs().describe(url).await?.counts,
            Source::Snapshot(shelf) => shelf.counts(),
        };
        if !destinations {
            return Ok(Counted { source, destinations: None, age: None });
        }
        let age = self.ages.as_ref().and_then(AgeWatch::look);
        let described = self.destinations.iter().take(DESTINATIONS_WATCHED_MAX).map(|url| self.sqs().describe(url));
        let mut all = Counts::default();
        for queue in try_join_all(described).await? {
            all.visible += queue.counts.visible;
            all.in_flight += queue.counts.in_flight;
            all.delayed += queue.counts.delayed;
        }
        Ok(Counted { source, destinations: Some(all), age })
    }

    /// The records as they are written, and the snapshot's lines that go before them.
    fn lines(&self, mut records: Vec<Record>, saved: &[Arc<Message>], batch: u64) -> (Vec<Record>, Vec<u8>) {
        let source = match &self.source {
            Source::Queue(url) => url,
            Source::Snapshot(_) => {
                // What was put back stays in its snapshot: that it was sent is all there is to say.
                records.retain(|record| !matches!(record, Record::Deleted { .. }));
                return (records, Vec::new());
            }
        };
        if !self.snapshot {
            return (records, Vec::new());
        }
        let mut lines = Vec::new();
        let hashes: HashMap<&MessageId, String> = saved
            .iter()
            .map(|message| (&message.id, Saved::append(source, batch, message, &mut lines)[..32].to_owned()))
            .collect();
        for record in &mut records {
            if let Record::Intent { batch: announced, messages, .. } = record
                && *announced == batch
            {
                messages.iter_mut().for_each(|message| message.saved = hashes.get(&message.id).cloned());
            }
        }
        (records, lines)
    }
}
