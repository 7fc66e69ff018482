//! A dead-letter queue, its destination and a journal, all as small as can be, and what goes wrong with them.

use super::*;

#[derive(Debug, Clone)]
pub(super) struct Lying {
    pub(super) id: MessageId,
    pub(super) body: String,
    pub(super) group: Option<String>,
    pub(super) sequence: u128,
    pub(super) sent_at: Timestamp,
    pub(super) visible_at: Timestamp,
    pub(super) receipt: u64,
}

/// A dead-letter queue, its destination and a journal: what outlives a crash.
#[derive(Debug)]
pub(super) struct World {
    pub(super) source: QueueKind,
    pub(super) destination: QueueKind,
    pub(super) now: Timestamp,
    pub(super) lying: Vec<Lying>,
    pub(super) arrived: Vec<(String, Option<String>)>,
    /// When each deduplication id was last taken: SQS forgets it after five minutes.
    pub(super) deduplicated: HashMap<String, Timestamp>,
    pub(super) removed: BTreeSet<String>,
    pub(super) records: Vec<(Timestamp, Record)>,
    pub(super) saved: BTreeSet<String>,
    pub(super) receipts: u64,
    pub(super) random: fastrand::Rng,
    /// Of 100 calls, how many go wrong.
    pub(super) faults: u8,
    pub(super) journal_fails_at: Option<usize>,
    /// From when on the credentials are of another account.
    pub(super) other_account_at: Option<Timestamp>,
    /// How long deciding takes for each message.
    pub(super) judge_seconds: i64,
    /// What CloudWatch says of the destination.
    pub(super) age: Option<Age>,
    /// Whether messages are deleted without being sent.
    pub(super) removes: bool,
    /// Of the messages every so many-th is not selected.
    pub(super) leaves_each: Option<u64>,
    /// Whether somebody asked for what may have been sent to be sent again.
    pub(super) is_doubled: bool,
    /// Where each message stood.
    pub(super) places: HashMap<MessageId, (String, u128)>,
    /// Whether the source locks no groups, as an emulator.
    pub(super) locks_no_groups: bool,
}

pub(super) fn start() -> Timestamp {
    Timestamp::from_second(1_795_000_000).expect("a time")
}

pub(super) fn error(kind: ErrorKind) -> CloudError {
    CloudError { kind, action: "sqs:Test".to_owned(), code: None, message: Text::from("made to fail"), trouble: None }
}

impl World {
    pub(super) fn new(source: QueueKind, destination: QueueKind, messages: usize, seed: u64, faults: u8) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let lying: Vec<Lying> = (0..messages)
            .map(|number| Lying {
                id: MessageId(format!("{:08x}-0000-4000-8000-000000000000", number)),
                body: format!("body {number}"),
                group: (source == QueueKind::Fifo).then(|| format!("group {}", random.usize(0..4))),
                sequence: number as u128,
                sent_at: start() - SignedDuration::from_secs(1_000 - number as i64),
                visible_at: start(),
                receipt: 0,
            })
            .collect();
        let place = |one: &Lying| Some((one.id.clone(), (one.group.clone()?, one.sequence)));
        Self {
            source,
            destination,
            places: lying.iter().filter_map(place).collect(),
            now: start(),
            lying,
            arrived: Vec::new(),
            deduplicated: HashMap::new(),
            removed: BTreeSet::new(),
            records: Vec::new(),
            saved: BTreeSet::new(),
            receipts: 0,
            random,
            faults,
            journal_fails_at: None,
            other_account_at: None,
            judge_seconds: 0,
            age: None,
            removes: false,
            is_doubled: false,
            leaves_each: None,
            locks_no_groups: false,
        }
    }

    pub(super) fn goes_wrong(&mut self) -> bool {
        self.random.u8(0..100) < self.faults
    }

    pub(super) fn passing(&mut self) -> ErrorKind {
        [ErrorKind::Throttled, ErrorKind::Unreachable, ErrorKind::Unknown][self.random.usize(0..3)]
    }

    pub(super) fn do_step(&mut self, step: Step) -> Answer {
        self.now = self.now.checked_add(SignedDuration::from_millis(self.random.i64(0..40))).expect("a time");
        match step {
            Step::Receive { lane, messages_max, visibility_seconds, .. } => {
                let received = self.receive(messages_max as usize, visibility_seconds);
                let lost = self.goes_wrong();
                Answer::Received(lane, if lost { Err(error(self.passing())) } else { Ok(received) })
            }
            Step::Judge { lane, messages } => {
                self.now += SignedDuration::from_secs(self.judge_seconds * messages.len() as i64);
                let judged = messages.iter().map(|(message, origin)| self.judge(message, *origin)).collect();
                Answer::Judged(lane, judged)
            }
            Step::Write { lane, records, saved, .. } => {
                if self.journal_fails_at.is_some_and(|at| self.records.len() >= at) {
                    return Answer::Written(lane, Err("disk full".to_owned()));
                }
                self.saved.extend(saved.iter().map(|message| message.body.clone()));
                let now = self.now;
                self.records.extend(records.into_iter().map(|record| (now, record)));
                Answer::Written(lane, Ok(()))
            }
            Step::Send { lane, messages, .. } => Answer::Sent(lane, self.send(messages)),
            Step::Delete { lane, receipts } => Answer::Deleted(lane, self.delete(&receipts)),
            Step::Hide { lane, receipts, seconds } => Answer::Hidden(lane, self.hide(&receipts, seconds)),
            Step::Verify => Answer::Verified(self.verify()),
            Step::Count { .. } => {
                let counted = Counted { source: self.counts(), destinations: None, age: self.age };
                Answer::Counted(if self.goes_wrong() { Err(error(self.passing())) } else { Ok(counted) })
            }
        }
    }

    pub(super) fn verify(&mut self) -> Result<Caller, CloudError> {
        if self.goes_wrong() {
            return Err(error(self.passing()));
        }
        let other = self.other_account_at.is_some_and(|at| self.now >= at);
        let account = AccountId(if other { "222222222222" } else { "111111111111" }.to_owned());
        Ok(Caller { arn: format!("arn:aws:iam::{account}:user/on-call"), account })
    }

    pub(super) fn receive(&mut self, messages_max: usize, visibility_seconds: u32) -> Vec<Message> {
        let now = self.now;
        let blocked: HashSet<_> =
            self.lying.iter().filter(|one| one.visible_at > now).filter_map(|one| one.group.clone()).collect();
        let hidden_until = now + SignedDuration::from_secs(i64::from(visibility_seconds));
        let mut received = Vec::new();
        for one in &mut self.lying {
            let free = self.locks_no_groups || one.group.as_ref().is_none_or(|group| !blocked.contains(group));
            if received.len() < messages_max && one.visible_at <= now && free {
                self.receipts += 1;
                one.receipt = self.receipts;
                one.visible_at = hidden_until;
                received.push(message(one));
            }
        }
        if self.source == QueueKind::Standard && self.random.u8(0..100) < self.faults {
            // Delivered again although it is hidden: at least once, not exactly once.
            if let Some(one) = self.lying.iter_mut().find(|one| one.visible_at > now) {
                self.receipts += 1;
                one.receipt = self.receipts;
                received.push(message(one));
            }
        }
        received
    }

    pub(super) fn judge(&mut self, message: &Message, origin: Origin) -> Judgement {
        if origin == Origin::Bounced {
            // Parked in the snapshot alone.
            return Judgement::Remove;
        }
        let number = message.body.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok());
        if number.is_some_and(|number| number % 13 == 12) {
            return Judgement::Keep(Kept::Unfit { why: Text::from("unfit"), need: Need::OtherRun });
        }
        if let Some(each) = self.leaves_each
            && number.is_some_and(|number| number % each == each - 1)
        {
            return Judgement::Keep(Kept::NotSelected);
        }
        if self.removes {
            return Judgement::Remove;
        }
        let outgoing = Outgoing {
            body: message.body.clone(),
            attributes: BTreeMap::new(),
            group: message.system.group.clone().or_else(|| self.needs_group()),
            deduplication_id: (self.destination == QueueKind::Fifo).then(|| message.id.0.clone()),
            trace_header: None,
        };
        Judgement::Send { to: 0, outgoing: Box::new(outgoing) }
    }

    pub(super) fn needs_group(&self) -> Option<String> {
        (self.destination == QueueKind::Fifo).then(|| "one".to_owned())
    }

    pub(super) fn send(&mut self, messages: Vec<Outgoing>) -> Result<Vec<Entry<MessageId>>, CloudError> {
        if self.goes_wrong() {
            let kind = self.passing();
            if kind == ErrorKind::Unknown && self.random.bool() {
                messages.into_iter().for_each(|message| self.arrive(message));
            }
            return Err(error(kind));
        }
        let entries = messages.into_iter().map(|message| {
            if self.goes_wrong() {
                let sender_fault = self.random.bool();
                let code = if sender_fault { "InvalidMessageContents" } else { "RequestThrottled" };
                return Entry::Failed { code: code.to_owned(), message: Text::from("no"), sender_fault };
            }
            self.arrive(message);
            self.receipts += 1;
            Entry::Done(MessageId(format!("{:08x}-1111-4111-8111-111111111111", self.receipts)))
        });
        Ok(entries.collect())
    }

    pub(super) fn arrive(&mut self, message: Outgoing) {
        let now = self.now;
        let new = message.deduplication_id.as_ref().is_none_or(|id| {
            let taken = self.deduplicated.get(id).is_some_and(|at| now.duration_since(*at).as_secs() < 300);
            if !taken {
                self.deduplicated.insert(id.clone(), now);
            }
            !taken
        });
        if new {
            self.arrived.push((message.body, message.group));
        }
    }

    pub(super) fn delete(&mut self, receipts: &[ReceiptHandle]) -> Result<Vec<Entry<()>>, CloudError> {
        let fails = self.goes_wrong();
        let applied = !fails || self.random.bool();
        let mut entries = Vec::new();
        for receipt in receipts {
            if !fails && self.goes_wrong() {
                let sender_fault = self.random.bool();
                let code = "ReceiptHandleIsInvalid".to_owned();
                entries.push(Entry::Failed { code, message: Text::from("no"), sender_fault });
                continue;
            }
            if applied && let Some(at) = self.lying.iter().position(|one| handle(one.receipt) == *receipt) {
                let gone = self.lying.remove(at);
                if !self.arrived.iter().any(|(body, _)| *body == gone.body) {
                    self.removed.insert(gone.body);
                }
            }
            entries.push(Entry::Done(()));
        }
        if fails { Err(error(self.passing())) } else { Ok(entries) }
    }

    pub(super) fn hide(&mut self, receipts: &[ReceiptHandle], seconds: u32) -> Result<Vec<Entry<()>>, CloudError> {
        if self.goes_wrong() {
            return Err(error(self.passing()));
        }
        let until = self.now + SignedDuration::from_secs(i64::from(seconds));
        let entries =
            receipts.iter().map(|receipt| match self.lying.iter_mut().find(|one| handle(one.receipt) == *receipt) {
                Some(one) => {
                    one.visible_at = until;
                    Entry::Done(())
                }
                None => Entry::Failed {
                    code: "InvalidParameterValue".into(),
                    message: Text::from("gone"),
                    sender_fault: true,
                },
            });
        Ok(entries.collect())
    }

    pub(super) fn counts(&self) -> Counts {
        let in_flight = self.lying.iter().filter(|one| one.visible_at > self.now).count() as u64;
        Counts { visible: self.lying.len() as u64 - in_flight, in_flight, delayed: 0 }
    }

    /// Nothing is lost, nothing is doubled, order holds: after every step.
    pub(super) fn check(&self, messages: usize) {
        let lying: BTreeSet<_> = self.lying.iter().map(|one| one.body.clone()).collect();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        self.arrived.iter().for_each(|(body, _)| *seen.entry(body).or_default() += 1);
        for number in 0..messages {
            let body = format!("body {number}");
            let times = seen.get(body.as_str()).copied().unwrap_or_default();
            assert!(times <= 1 || self.is_doubled && times == 2, "{body} was doubled");
            let is_saved = self.removes && self.removed.contains(&body) && self.saved.contains(&body);
            assert!(times >= 1 || lying.contains(&body) || is_saved, "{body} is lost");
        }
        assert!(self.removes || self.removed.is_empty(), "deleted without being sent: {:?}", self.removed);
        assert!(seen.keys().all(|body| self.saved.contains(*body)), "sent before it stood in the snapshot");
        if self.source == QueueKind::Fifo && self.destination == QueueKind::Fifo {
            self.check_order();
        }
    }

    pub(super) fn check_order(&self) {
        let mut last: HashMap<&str, u64> = HashMap::new();
        for (body, group) in &self.arrived {
            let number: u64 = body.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number");
            let before = last.insert(group.as_deref().unwrap_or_default(), number);
            // What is sent a second time comes behind what followed it, for who asks for that knows.
            let is_again = self.is_doubled && before.is_some_and(|before| before >= number);
            assert!(is_again || before.is_none_or(|before| before < number), "{body} overtook another of {group:?}");
        }
    }
}

pub(super) fn handle(receipt: u64) -> ReceiptHandle {
    ReceiptHandle(receipt.to_string())
}

pub(super) fn message(one: &Lying) -> Message {
    let fifo = one.group.is_some();
    Message {
        id: one.id.clone(),
        receipt: handle(one.receipt),
        body: one.body.clone(),
        attributes: BTreeMap::new(),
        system: SystemAttributes {
            sent_at: Some(one.sent_at),
            receive_count: 4,
            group: one.group.clone(),
            sequence: fifo.then_some(one.sequence),
            ..SystemAttributes::default()
        },
    }
}
