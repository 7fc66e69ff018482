//! A run that puts the messages of a snapshot back, a batch at a time, each written down before it is sent.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Context, Progress, Report, verify};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        sqs::{BATCH_BYTES_MAX, BATCH_MAX, Entry},
    },
    domain::{Message, MessageId, Outgoing, QueueKind, QueueUrl, Text, message::hex},
    journal::{History, IntentMessage, Journal, JournalError, Record, Saved, SavedLines, SentMessage},
    operations::{
        bound::PutBack,
        transfer::{Kept, Stop, Tally, VERIFIED_SECONDS},
    },
};

/// Tries of a batch that can't be reached, and of one that is throttled: that was certainly not sent.
const ATTEMPTS_MAX: u32 = 10;
const THROTTLED_ATTEMPTS_MAX: u32 = 30;

pub(super) async fn run(
    put_back: PutBack,
    context: &Context,
    journal: &Journal,
    history: History,
    report: Report,
) -> Report {
    let mut run = Run {
        put_back: &put_back,
        context,
        journal,
        done: history.sent.iter().chain(&history.uncertain).cloned().collect(),
        tally: Tally { uncertain: history.uncertain.into_iter().collect(), ..Tally::default() },
        stopped_groups: HashSet::new(),
        batch: history.batch,
        verified_at: context.cloud.clock().now(),
        started_at: report.started_at,
        report: &report,
    };
    if let Err(stop) = run.all().await {
        run.tally.stop = Some(stop);
    }
    let tally = run.tally;
    report.clone().with_tally(tally, context.cloud.clock().now(), context.cloud.environment())
}

struct Run<'a> {
    put_back: &'a PutBack,
    context: &'a Context,
    journal: &'a Journal,
    /// Dealt with: sent already, in doubt, or met twice in the snapshot.
    done: HashSet<MessageId>,
    tally: Tally,
    /// FIFO: groups of which a message was not taken.
    stopped_groups: HashSet<String>,
    batch: u64,
    /// When the account was verified last.
    verified_at: Timestamp,
    started_at: Timestamp,
    report: &'a Report,
}

impl Run<'_> {
    async fn all(&mut self) -> Result<(), Stop> {
        let folder = self.context.state.open(&self.put_back.run).map_err(stop)?;
        let history = History::read(&folder).map_err(stop)?;
        let is_gone =
            |id: &MessageId| history.gone.contains(id) || self.put_back.perhaps && history.perhaps_gone.contains(id);
        let (mut waiting, mut bytes): (Vec<Saved>, u64) = (Vec::new(), 0);
        for saved in SavedLines::open(&folder.snapshot()).map_err(stop)? {
            let saved = saved.map_err(stop)?;
            let now = self.context.cloud.clock().now();
            if self.tally.uncertain.contains(&saved.message.id) {
                // Perhaps there, perhaps not: what follows it in its group must not overtake it.
                self.stopped_groups.extend(saved.message.system.group.clone());
            }
            let selected =
                self.put_back.filter.as_ref().is_none_or(|filter| filter.matches(&saved.message, now) == Ok(true));
            if !selected || !is_gone(&saved.message.id) || !self.done.insert(saved.message.id.clone()) {
                continue;
            }
            let size = saved.message.size_bytes();
            let other_queue = waiting.first().is_some_and(|first| first.from != saved.from);
            if waiting.len() == BATCH_MAX || bytes + size > BATCH_BYTES_MAX || other_queue {
                self.send(std::mem::take(&mut waiting)).await?;
                bytes = 0;
            }
            bytes += size;
            waiting.push(saved);
        }
        self.send(waiting).await
    }

    async fn send(&mut self, saved: Vec<Saved>) -> Result<(), Stop> {
        let Some(first) = saved.first() else { return Ok(()) };
        if self.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let to = self.put_back.to.clone().unwrap_or_else(|| first.from.clone());
        let fifo = to.name().kind() == QueueKind::Fifo;
        // One at a time into a FIFO queue, so that a refused one is not overtaken by a later one of its group.
        let size = if fifo { 1 } else { saved.len() };
        for chunk in saved.chunks(size) {
            let group = chunk.first().and_then(|saved| saved.message.system.group.clone()).unwrap_or_default();
            if fifo && self.stopped_groups.contains(&group) {
                self.leave(chunk);
                continue;
            }
            self.verify().await?;
            self.batch += 1;
            let messages: Vec<Outgoing> = chunk.iter().map(|saved| self.outgoing(&saved.message, fifo)).collect();
            let intents = chunk.iter().zip(&messages).map(|(saved, outgoing)| IntentMessage {
                id: saved.message.id.clone(),
                hash: outgoing.content_hash().0[..32].to_owned(),
                deduplication_id: outgoing.deduplication_id.clone(),
                parked: false,
            });
            let intent = Record::Intent { batch: self.batch, to: Some(to.0.clone()), messages: intents.collect() };
            self.journal.write(vec![intent], Vec::new()).await.map_err(stop)?;
            let outcome = self.send_batch(&to, &messages).await;
            let left_before = self.tally.kept_unexpected + self.tally.uncertain.len() as u64;
            self.record(chunk, outcome).await?;
            if self.tally.kept_unexpected + self.tally.uncertain.len() as u64 > left_before {
                self.stopped_groups.insert(group);
            }
        }
        Ok(())
    }

    /// Asks from time to time whether the credentials are still of the plan's account.
    async fn verify(&mut self) -> Result<(), Stop> {
        let clock = self.context.cloud.clock();
        if clock.now().duration_since(self.verified_at).as_secs() < VERIFIED_SECONDS {
            return Ok(());
        }
        verify::account(self.context, self.journal, &self.report.account).await?;
        self.verified_at = clock.now();
        Ok(())
    }

    async fn pause_after(&mut self, error: &CloudError, attempt: u32) {
        self.tally.throttled += u64::from(error.kind == ErrorKind::Throttled);
        let millis = (100_i64 << attempt.min(6)).min(5_000);
        self.context.cloud.clock().sleep(SignedDuration::from_millis(millis).unsigned_abs()).await;
    }

    /// Behind one of its group that was not taken: it must not overtake it.
    fn leave(&mut self, chunk: &[Saved]) {
        chunk.iter().for_each(|saved| self.tally.keep(&saved.message.id, &Kept::GroupStopped));
    }

    fn outgoing(&self, message: &Message, fifo: bool) -> Outgoing {
        let group = message.system.group.clone().or_else(|| fifo.then(|| "restored".to_owned()));
        let id = || hex(&Sha256::digest(format!("{}/{}", self.report.run, message.id.0)));
        Outgoing {
            body: message.body.clone(),
            attributes: message.attributes.clone(),
            group,
            deduplication_id: fifo.then(id),
            trace_header: message.system.trace_header.clone(),
        }
    }

    /// Sends, and again only where it was certainly not applied.
    async fn send_batch(&mut self, to: &QueueUrl, messages: &[Outgoing]) -> Result<Vec<Entry<MessageId>>, CloudError> {
        let mut attempt = 0;
        loop {
            let sent = self.context.cloud.sqs().send(to, messages).await;
            match sent {
                Err(error)
                    if matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unreachable)
                        && attempt < attempts_max(&error) =>
                {
                    attempt += 1;
                    self.pause_after(&error, attempt).await;
                }
                other => return other,
            }
        }
    }

    async fn record(
        &mut self,
        chunk: &[Saved],
        outcome: Result<Vec<Entry<MessageId>>, CloudError>,
    ) -> Result<(), Stop> {
        let ids = || chunk.iter().map(|saved| saved.message.id.clone());
        let mut failure = None;
        let (mut sent, mut unknown, mut records) = (Vec::new(), Vec::new(), Vec::new());
        match outcome {
            Ok(entries) => {
                for (id, entry) in ids().zip(entries) {
                    match entry {
                        Entry::Done(new_id) => sent.push(SentMessage { id, new_id }),
                        entry if entry.may_have_been_applied() => unknown.push(id),
                        Entry::Failed { code, message, .. } => {
                            let why = Kept::Refused(Text::line(&format!("{code}: {message}")));
                            self.tally.keep(&id, &why);
                            records.push(Record::Kept { batch: Some(self.batch), ids: vec![id], reason: why.words() });
                        }
                    }
                }
            }
            Err(error) if error.may_have_been_applied() => unknown.extend(ids()),
            Err(error) => {
                let reason = Text::from("it was not sent");
                records.push(Record::Kept { batch: Some(self.batch), ids: ids().collect(), reason });
                failure = Some(Stop::Failed(error));
            }
        }
        self.tally.sent += sent.len() as u64;
        self.tally.moved += sent.len() as u64;
        self.tally.uncertain.extend(unknown.iter().cloned());
        records.push(Record::Sent { batch: self.batch, messages: sent });
        if !unknown.is_empty() {
            records.push(Record::Unknown { batch: self.batch, ids: unknown });
        }
        self.journal.write(records, Vec::new()).await.map_err(stop)?;
        self.tell();
        failure.map_or(Ok(()), Err)
    }

    fn tell(&self) {
        (self.context.progress)(&Progress {
            run: self.report.run.clone(),
            messages_estimate: self.put_back.messages,
            started_at: self.started_at,
            at: self.context.cloud.clock().now(),
            tally: self.tally.clone(),
            task: None,
            what: "message",
            news: Vec::new(),
            log: Vec::new(),
            services: Vec::new(),
        });
    }
}

fn attempts_max(error: &CloudError) -> u32 {
    if error.kind == ErrorKind::Throttled { THROTTLED_ATTEMPTS_MAX } else { ATTEMPTS_MAX }
}

fn stop(error: JournalError) -> Stop {
    Stop::Journal(Text::line(&error.to_string()))
}
