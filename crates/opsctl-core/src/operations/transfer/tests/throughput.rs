//! How many calls go out: against a server at a distance, and one that allows so many calls a second.

use super::{
    world::{error, message},
    *,
};

/// A server that takes its time for each call and allows some calls a second; a thousand groups' worth of messages never end.
struct Server {
    now: Timestamp,
    answer_millis: i64,
    /// Calls a second, and how many may come at once.
    allows: Option<(f64, f64)>,
    tokens: f64,
    filled_at: Timestamp,
    number: u64,
    /// When calls were refused.
    refused: Vec<Timestamp>,
    calls: u64,
    out: usize,
    out_max: usize,
    moved: u64,
}

impl Server {
    fn new(answer_millis: i64, allows: Option<(f64, f64)>) -> Self {
        let tokens = allows.map_or(0.0, |(_, burst)| burst);
        Self {
            now: start(),
            answer_millis,
            allows,
            tokens,
            filled_at: start(),
            number: 0,
            refused: Vec::new(),
            calls: 0,
            out: 0,
            out_max: 0,
            moved: 0,
        }
    }

    fn is_refused(&mut self) -> bool {
        let Some((per_second, burst)) = self.allows else { return false };
        let passed = self.now.duration_since(self.filled_at).as_secs_f64();
        (self.tokens, self.filled_at) = ((self.tokens + passed * per_second).min(burst), self.now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return false;
        }
        self.refused.push(self.now);
        true
    }

    /// What a step is answered, and when.
    fn answer(&mut self, step: Step) -> (Timestamp, Answer) {
        let is_call = step.is_call();
        let millis = if is_call { self.answer_millis } else { 1 };
        self.calls += u64::from(is_call);
        let throttled = is_call && self.is_refused();
        let refuse = || Err(error(ErrorKind::Throttled));
        let answer = match step {
            Step::Receive { lane, .. } if throttled => Answer::Received(lane, refuse()),
            Step::Send { lane, .. } if throttled => Answer::Sent(lane, Err(error(ErrorKind::Throttled))),
            Step::Delete { lane, .. } if throttled => Answer::Deleted(lane, Err(error(ErrorKind::Throttled))),
            Step::Hide { lane, .. } if throttled => Answer::Hidden(lane, Err(error(ErrorKind::Throttled))),
            Step::Receive { lane, messages_max, .. } => {
                Answer::Received(lane, Ok((0..messages_max).map(|_| self.message()).collect()))
            }
            Step::Judge { lane, messages } => {
                let send = |message: &Message| Judgement::Send {
                    to: 0,
                    outgoing: Box::new(Outgoing {
                        body: message.body.clone(),
                        attributes: BTreeMap::new(),
                        group: None,
                        deduplication_id: None,
                        trace_header: None,
                    }),
                };
                Answer::Judged(lane, messages.iter().map(|(message, _)| send(message)).collect())
            }
            Step::Write { lane, .. } => Answer::Written(lane, Ok(())),
            Step::Send { lane, messages, .. } => {
                let ids = messages.iter().map(|_| {
                    self.number += 1;
                    Entry::Done(MessageId(format!("{:08x}-1111-4111-8111-111111111111", self.number)))
                });
                Answer::Sent(lane, Ok(ids.collect()))
            }
            Step::Delete { lane, receipts } => {
                self.moved += receipts.len() as u64;
                Answer::Deleted(lane, Ok(receipts.iter().map(|_| Entry::Done(())).collect()))
            }
            Step::Hide { lane, receipts, .. } => {
                Answer::Hidden(lane, Ok(receipts.iter().map(|_| Entry::Done(())).collect()))
            }
            Step::Count { .. } => Answer::Counted(Ok(Counted::default())),
            Step::Verify => {
                let account = AccountId("111111111111".to_owned());
                Answer::Verified(Ok(Caller { arn: format!("arn:aws:iam::{account}:user/on-call"), account }))
            }
        };
        (self.now + SignedDuration::from_millis(millis), answer)
    }

    fn message(&mut self) -> Message {
        self.number += 1;
        message(&Lying {
            id: MessageId(format!("{:08x}-0000-4000-8000-000000000000", self.number)),
            body: "body".to_owned(),
            group: None,
            sequence: u128::from(self.number),
            sent_at: start() - SignedDuration::from_secs(1_000),
            visible_at: start(),
            receipt: self.number,
        })
    }

    /// Moves messages for so long -> messages a second, in the last third of it
    fn run(&mut self, seconds: i64, lanes: usize) -> f64 {
        let world = World::new(QueueKind::Standard, QueueKind::Standard, 0, 1, 0);
        let mut engine = Engine::new(Settings { lanes, ..settings(&world, "all") }, self.now);
        let mut answers: Vec<(Timestamp, bool, Answer)> = Vec::new();
        let (end, steady) =
            (start() + SignedDuration::from_secs(seconds), start() + SignedDuration::from_secs(seconds * 2 / 3));
        let mut moved_before = None;
        while self.now < end {
            if self.now >= steady {
                moved_before.get_or_insert(self.moved);
            }
            let wake = loop {
                match engine.next(self.now) {
                    Next::Step(step) => {
                        let is_call = step.is_call();
                        self.out += usize::from(is_call);
                        self.out_max = self.out_max.max(self.out);
                        let (at, answer) = self.answer(step);
                        answers.push((at, is_call, answer));
                    }
                    Next::Wait(wake) => break wake,
                    Next::Done => panic!("messages do not end: {:?}", engine.tally()),
                }
            };
            let first = (0..answers.len()).min_by_key(|at| answers[*at].0);
            let answered_at = first.map(|at| answers[at].0);
            self.now = self.now.max(answered_at.into_iter().chain(wake).min().expect("an answer or a time"));
            if let Some(at) = first.filter(|at| answers[*at].0 <= self.now) {
                let (_, is_call, answer) = answers.swap_remove(at);
                self.out -= usize::from(is_call);
                engine.on(self.now, answer);
            }
        }
        let seconds = self.now.duration_since(steady).as_secs_f64();
        (self.moved - moved_before.unwrap_or_default()) as f64 / seconds
    }

    fn refused_since(&self, seconds: i64) -> usize {
        let from = start() + SignedDuration::from_secs(seconds);
        self.refused.iter().filter(|at| **at >= from).count()
    }
}

#[test]
fn a_distant_server_is_sent_as_many_calls_as_hide_the_distance() {
    let mut server = Server::new(200, None);
    let rate = server.run(6, LANES_MAX);
    assert!(rate >= 2_000.0, "{rate:.0} messages a second at 200 ms a call");
    let mut near = Server::new(10, None);
    let rate = near.run(2, LANES_MAX);
    assert!(rate >= 5_000.0, "{rate:.0} messages a second at 10 ms a call");
}

#[test]
fn a_bound_that_a_person_sets_holds() {
    for lanes in [1, 3, 40] {
        let mut server = Server::new(100, None);
        server.run(6, lanes);
        assert!(server.out_max <= lanes, "{} calls at once of {lanes}", server.out_max);
    }
}

#[test]
fn a_server_that_allows_so_many_calls_is_used_and_rarely_exceeded() {
    for answer_millis in [10, 50, 200] {
        for (per_second, burst) in [(60.0, 10.0), (300.0, 300.0), (500.0, 30.0)] {
            let mut server = Server::new(answer_millis, Some((per_second, burst)));
            let rate = server.run(45, LANES_MAX);
            // Three calls for ten messages.
            let possible =
                (per_second / 3.0 * 10.0).min(LANES_MAX as f64 / answer_millis as f64 * 1_000.0 / 3.0 * 10.0);
            let case = format!("{per_second} calls a second, {burst} at once, {answer_millis} ms");
            assert!(rate >= 0.7 * possible, "{case}: {rate:.0} of {possible:.0} messages a second");
            let refused = server.refused_since(15);
            assert!(refused <= 30, "{case}: {refused} calls refused in the last 30 s");
        }
    }
}
