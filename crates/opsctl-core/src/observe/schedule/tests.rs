//! The schedule against a world that answers late, wrongly, or not: nothing starves, the bounds hold.

use std::collections::{BTreeMap, BinaryHeap};
use std::{cmp::Reverse, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::domain::Dollars;

fn rules(calls_per_minute_max: u32) -> WatchRules {
    WatchRules { calls_per_minute_max, dollars_per_hour_max: Dollars::from_dollars(100.0), ..WatchRules::default() }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A schedule, a clock, and answers under way.
struct Game {
    schedule: Schedule,
    now: Duration,
    pending: BinaryHeap<Reverse<(Duration, Ask, u8)>>,
    asked: BTreeMap<Ask, Vec<Duration>>,
    most_in_flight: usize,
}

const OUTCOMES: [Outcome; 6] =
    [Outcome::Done, Outcome::Throttled, Outcome::Denied, Outcome::Missing, Outcome::Failed, Outcome::Unreachable];

impl Game {
    fn new(calls_per_minute_max: u32, queues: usize) -> (Self, Vec<Slot>) {
        let mut schedule = Schedule::new(Policy::default(), &rules(calls_per_minute_max));
        let slots = (0..queues).map(|_| schedule.add(Duration::ZERO, false)).collect();
        let game = Self {
            schedule,
            now: Duration::ZERO,
            pending: BinaryHeap::new(),
            asked: BTreeMap::new(),
            most_in_flight: 0,
        };
        (game, slots)
    }

    /// Plays until `end`; `world` says how long a question takes and what comes of it.
    fn play(&mut self, end: Duration, mut world: impl FnMut(Duration, Ask) -> (Duration, Outcome)) {
        while self.now < end {
            let wake = loop {
                match self.schedule.next(self.now) {
                    Step::Ask(ask) => {
                        self.asked.entry(ask).or_default().push(self.now);
                        let (latency, outcome) = world(self.now, ask);
                        let index = OUTCOMES.iter().position(|other| *other == outcome).expect("listed");
                        let index = u8::try_from(index).expect("few");
                        self.pending.push(Reverse((self.now + latency.max(Duration::from_millis(1)), ask, index)));
                    }
                    Step::Wait(wake) => break wake.unwrap_or(end),
                }
            };
            self.most_in_flight = self.most_in_flight.max(self.pending.len());
            assert!(wake > self.now, "a wait for what is due at {:?}: {:?}", self.now, self.schedule);
            let answered = self.pending.peek().map_or(end, |Reverse((at, ..))| *at);
            self.now = wake.min(answered).min(end);
            while let Some(Reverse((at, ask, index))) = self.pending.peek().copied() {
                if at > self.now {
                    break;
                }
                self.pending.pop();
                self.schedule.answered(self.now, ask, OUTCOMES[usize::from(index)]);
            }
        }
    }

    /// Longest time that a question was not asked, from `from` to now.
    fn longest_gap(&self, ask: Ask, from: Duration) -> Duration {
        let times = self.asked.get(&ask).map_or(&[][..], Vec::as_slice);
        let after = times.iter().copied().filter(|at| *at >= from);
        let points: Vec<Duration> = [from].into_iter().chain(after).chain([self.now]).collect();
        points.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
    }
}

fn all_well(_: Duration, _: Ask) -> (Duration, Outcome) {
    (Duration::from_millis(10), Outcome::Done)
}

#[test]
fn five_hundred_queues_are_looked_at_in_a_fifth_of_a_second() {
    let (mut game, slots) = Game::new(100, 500);
    game.play(Duration::from_millis(200), all_well);
    let looked = slots.iter().filter(|slot| game.asked.contains_key(&Ask::Describe(**slot))).count();
    assert_eq!(looked, 500, "the first look is free of the bound");
    assert!(game.most_in_flight <= 33, "{}: the listing and 32", game.most_in_flight);
}

#[test]
fn what_is_on_the_screen_and_dead_letters_are_asked_often() {
    let (mut game, slots) = Game::new(5_000, 300);
    game.schedule.focus(Duration::ZERO, &slots[..20]);
    for slot in &slots[20..40] {
        game.schedule.set_dead_letters(Duration::ZERO, *slot, true);
    }
    game.play(seconds(300), all_well);
    let gap = |slots: &[Slot]| {
        slots.iter().map(|slot| game.longest_gap(Ask::Describe(*slot), seconds(60))).max().expect("some")
    };
    assert!(gap(&slots[..20]) <= seconds(6), "{:?}", gap(&slots[..20]));
    assert!(gap(&slots[20..40]) <= seconds(11), "{:?}", gap(&slots[20..40]));
    assert!(gap(&slots[40..]) <= seconds(62), "{:?}", gap(&slots[40..]));
    let rest = game.asked[&Ask::Describe(slots[100])].len();
    assert!(rest <= 8, "the rest seldom: {rest} times in five minutes");
    let listings = game.asked[&Ask::Listing].len();
    assert!((5..=6).contains(&listings), "{listings}");
    assert!(!game.schedule.spend(game.now).bounded);
}

#[test]
fn a_queue_that_hangs_holds_up_no_other() {
    let (mut game, slots) = Game::new(100_000, 400);
    let hangs: BTreeSet<Ask> = slots.iter().step_by(4).map(|slot| Ask::Describe(*slot)).collect();
    game.play(seconds(120), |_, ask| {
        if hangs.contains(&ask) { (seconds(12), Outcome::Failed) } else { (Duration::from_millis(10), Outcome::Done) }
    });
    assert!(game.most_in_flight <= 256);
    let first = |ask| game.asked[&ask][0];
    let slowest = slots.iter().map(|slot| first(Ask::Describe(*slot))).max().expect("some");
    assert!(slowest <= seconds(5), "{slowest:?}");
    let rest = Ask::Describe(slots[101]);
    assert!(game.longest_gap(rest, Duration::ZERO) <= seconds(65));
}

#[test]
fn a_dead_environment_is_probed_with_growing_pauses_and_heals() {
    let (mut game, slots) = Game::new(5_000, 100);
    let dead = seconds(100)..seconds(400);
    game.play(seconds(500), |now, _| {
        let outcome = if dead.contains(&now) { Outcome::Unreachable } else { Outcome::Done };
        (Duration::from_millis(10), outcome)
    });
    let probes: Vec<Duration> = game.asked[&Ask::Listing].iter().copied().filter(|at| dead.contains(at)).collect();
    assert!((12..=18).contains(&probes.len()), "{probes:?}");
    assert!(probes.windows(2).all(|two| two[1] - two[0] <= seconds(31)));
    let while_dead = |slot: &Slot| game.asked[&Ask::Describe(*slot)].iter().filter(|at| dead.contains(*at)).count();
    let asked: usize = slots.iter().map(while_dead).sum();
    assert!(asked < 60, "{asked} questions to a dead environment");
    for slot in &slots {
        assert!(game.longest_gap(Ask::Describe(*slot), seconds(431)) <= seconds(62), "asked again once it lives");
    }
}

#[test]
fn throttling_slows_down_and_one_denied_queue_is_asked_seldom() {
    let (mut game, slots) = Game::new(100_000, 600);
    // A rate limit of ten calls a second, shared with nobody.
    let mut window: Vec<Duration> = Vec::new();
    let denied = Ask::Describe(slots[7]);
    game.play(seconds(900), |now, ask| {
        window.retain(|at| *at + seconds(1) > now);
        window.push(now);
        let outcome = match window.len() {
            11.. => Outcome::Throttled,
            _ if ask == denied => Outcome::Denied,
            _ => Outcome::Done,
        };
        (Duration::from_millis(20), outcome)
    });
    let asked =
        |from: Duration| game.asked.values().flatten().filter(|at| **at >= from && **at < from + seconds(300)).count();
    let last = asked(seconds(600));
    assert!((900..=6_000).contains(&last), "near ten a second, by and by: {last} in five minutes");
    assert!(slots.iter().all(|slot| game.asked.contains_key(&Ask::Describe(*slot))));
    let times = game.asked[&denied].len();
    assert!(times <= 8, "{times}");
}

#[test]
fn a_gone_queues_late_answer_is_not_anothers() {
    let mut schedule = Schedule::new(Policy::default(), &rules(1_000));
    let first = schedule.add(Duration::ZERO, false);
    let mut asked = Vec::new();
    while let Step::Ask(ask) = schedule.next(Duration::ZERO) {
        asked.push(ask);
    }
    assert!(asked.contains(&Ask::Describe(first)));
    schedule.remove(first);
    let second = schedule.add(seconds(1), false);
    assert_ne!(first, second, "a question about the first is open");
    schedule.answered(seconds(2), Ask::Describe(first), Outcome::Done);
    assert_eq!(schedule.add(seconds(2), false), first, "now it is free");
}

#[test]
fn a_refresh_asks_everything_at_once_also_what_was_denied() {
    let (mut game, slots) = Game::new(100_000, 50);
    game.play(seconds(20), |_, _| (Duration::from_millis(10), Outcome::Denied));
    game.schedule.refresh(seconds(20));
    game.play(seconds(21), all_well);
    for slot in slots {
        assert_eq!(game.asked[&Ask::Describe(slot)].len(), 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever fails, and however tight the bound: every queue is asked again and again, those on the screen more often, and
    /// no minute has more calls than the bound, first looks and retries apart.
    #[test]
    fn nothing_starves_and_the_bound_holds(
        calls in 60_u32..2_000,
        queues in 1_usize..300,
        visible in 0_usize..40,
        dead_letters in 0_usize..40,
        seed in any::<u64>(),
        failing in 0_u8..40,
    ) {
        let (mut game, slots) = Game::new(calls, queues);
        let visible = visible.min(queues);
        let dlqs = visible..(visible + dead_letters).min(queues);
        let mut random = fastrand::Rng::with_seed(seed);
        // First looks without failures: their retries are free of the bound.
        game.play(seconds(30), all_well);
        game.schedule.focus(game.now, &slots[..visible]);
        for slot in &slots[dlqs.clone()] {
            game.schedule.set_dead_letters(game.now, *slot, true);
        }
        // What an hour's bound has room for, three quarters of it used at worst; the visible take at most as many shares more
        // as their weight and interval give.
        let shares = 96.0 * visible as f64 + 24.0 * dlqs.len() as f64 + queues as f64;
        let slowest = 1.5 * shares / (f64::from(calls) / 60.0);
        let bound = |interval: f64, weight: f64| {
            Duration::from_secs_f64(interval.max(60.0 * f64::from(failing.min(1))) * 2.0 + slowest * interval / 60.0 / weight + 10.0)
        };
        // Twice as long as anything may take: a queue that is never asked shows.
        let lasts = seconds(2_400).max(bound(60.0, 1.0) * 2);
        game.play(lasts, |_, ask| {
            let latency = Duration::from_millis(random.u64(1..500));
            let is_failing = ask != Ask::Listing && random.u8(..100) < failing;
            (latency, if is_failing { Outcome::Failed } else { Outcome::Done })
        });
        let mut all: Vec<Duration> =
            game.asked.iter().filter(|(ask, _)| **ask != Ask::Listing).flat_map(|(_, times)| times).copied().collect();
        all.sort();
        let later: Vec<Duration> = all.into_iter().filter(|at| *at > seconds(31)).collect();
        for (index, start) in later.iter().enumerate() {
            let within = later[index..].iter().take_while(|at| **at < *start + seconds(60)).count();
            prop_assert!(within <= calls as usize, "{within} calls in a minute, of {calls}");
        }
        for (index, slot) in slots.iter().enumerate() {
            let most = match index {
                index if index < visible => bound(5.0, 8.0),
                index if dlqs.contains(&index) => bound(10.0, 4.0),
                _ => bound(60.0, 1.0),
            };
            let gap = game.longest_gap(Ask::Describe(*slot), seconds(60));
            prop_assert!(gap <= most, "queue {index} was not asked for {gap:?}, at most {most:?}");
        }
        let wanted = visible as f64 / 5.0 + dlqs.len() as f64 / 10.0 + queues as f64 / 60.0;
        if wanted * 60.0 > f64::from(calls) * 2.0 {
            prop_assert!(game.schedule.spend(game.now).bounded, "it says so");
        }
    }
}
