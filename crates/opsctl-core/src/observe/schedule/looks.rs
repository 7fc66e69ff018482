//! Looks at whole parts of an environment beside its queues: each is a lane of its own, with its own interval and its own
//! failures, so that one that is denied, hangs or is throttled slows down no other, nor any queue.

use std::time::Duration;

use super::{Outcome, Policy, Turn, Wake, pause};
use crate::observe::parts::{Begins, Look, PartName};

/// Most that throttling stretches an interval: 2 to this power.
const SLOWNESS_MAX: u32 = 3;

fn interval(look: Look, policy: &Policy, is_open: bool) -> Duration {
    let spec = look.spec();
    match is_open && spec.is_hastened {
        true => (spec.every / 3).max(policy.visible).min(spec.every),
        false => spec.every,
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    turn: Turn,
    /// Whether it is asked at all: some need another's answer first.
    wanted: bool,
    open: bool,
    /// How often its interval is doubled, since AWS throttled.
    slowness: u32,
    denied: bool,
}

#[derive(Debug, Default)]
pub(in crate::observe) struct Looks {
    lanes: [Lane; Look::ALL.len()],
    /// Whether there are clients that may work.
    reached: bool,
}

impl Looks {
    /// Whether there are clients that may work: without, nothing is looked at. When they come, looks begin, and what failed is asked again at once.
    pub(in crate::observe) fn set_reached(&mut self, now: Duration, reached: bool) {
        for look in Look::ALL.into_iter().filter(|_| reached) {
            if let Begins::After(pause) = look.spec().begins {
                self.want(now + pause, look);
            }
        }
        if reached && !self.reached {
            for lane in self.lanes.iter_mut().filter(|lane| lane.turn.failures > 0) {
                lane.turn.due = lane.turn.due.min(now);
            }
        }
        self.reached = reached;
    }

    pub(in crate::observe) fn want(&mut self, now: Duration, look: Look) {
        let lane = &mut self.lanes[look as usize];
        if !lane.wanted {
            *lane = Lane { wanted: true, turn: Turn { due: now, ..Turn::default() }, ..*lane };
        }
    }

    /// The parts on the screen, in place of those before.
    pub(super) fn open(&mut self, now: Duration, parts: &[PartName], policy: &Policy) {
        for look in Look::ALL {
            let lane = &mut self.lanes[look as usize];
            let was_open = std::mem::replace(&mut lane.open, parts.contains(&look.part()));
            let is_well = lane.turn.failures == 0 && lane.slowness == 0 && !lane.denied;
            if let Some(last) = lane.turn.last_at.filter(|_| lane.open && !was_open && is_well) {
                lane.turn.due = lane.turn.due.min((last + interval(look, policy, true)).max(now));
            }
        }
    }

    /// Makes a look now, unless it failed the last time.
    pub(in crate::observe) fn hurry(&mut self, now: Duration, look: Look) {
        let lane = &mut self.lanes[look as usize];
        if lane.turn.failures == 0 && !lane.denied {
            lane.turn.due = lane.turn.due.min(now);
        }
    }

    pub(super) fn all_due(&mut self, now: Duration) {
        for lane in &mut self.lanes {
            lane.turn.due = lane.turn.due.min(now);
        }
    }

    pub(super) fn next(&mut self, now: Duration, wake: &mut Wake) -> Option<Look> {
        if !self.reached {
            return None;
        }
        for look in Look::ALL {
            let lane = &mut self.lanes[look as usize];
            if lane.wanted && lane.turn.asked_at.is_none() && wake.due(now, lane.turn.due) {
                (lane.turn.asked_at, lane.turn.last_at) = (Some(now), Some(now));
                return Some(look);
            }
        }
        None
    }

    pub(super) fn answered(&mut self, now: Duration, look: Look, outcome: Outcome, policy: &Policy) {
        let lane = &mut self.lanes[look as usize];
        let Some(asked_at) = lane.turn.asked_at.take() else { return };
        lane.denied = outcome == Outcome::Denied;
        lane.turn.failures = match outcome {
            Outcome::Done | Outcome::Denied | Outcome::Throttled => 0,
            Outcome::Missing | Outcome::Failed | Outcome::Unreachable => lane.turn.failures.saturating_add(1),
        };
        lane.slowness = match outcome {
            Outcome::Throttled => (lane.slowness + 1).min(SLOWNESS_MAX),
            Outcome::Done => lane.slowness.saturating_sub(1),
            Outcome::Denied | Outcome::Missing | Outcome::Failed | Outcome::Unreachable => lane.slowness,
        };
        let interval = interval(look, policy, lane.open) * (1 << lane.slowness);
        let due = match outcome {
            // A look that takes long does not follow itself at once.
            Outcome::Done => (asked_at + interval).max(now + interval / 4),
            Outcome::Throttled => now + interval,
            Outcome::Denied => now + policy.denied,
            Outcome::Missing | Outcome::Failed => now + interval.max(pause(lane.turn.failures)),
            Outcome::Unreachable => now + pause(lane.turn.failures),
        };
        lane.turn.due = due;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Lanes of a policy, asked for `end` seconds; when each look was made.
    struct Game {
        looks: Looks,
        policy: Policy,
        now: Duration,
        made: Vec<(Look, Duration)>,
    }

    impl Game {
        fn new() -> Self {
            let mut looks = Looks::default();
            Look::ALL.into_iter().for_each(|look| looks.want(Duration::ZERO, look));
            looks.set_reached(Duration::ZERO, true);
            Self { looks, policy: Policy::default(), now: Duration::ZERO, made: Vec::new() }
        }

        /// None: it does not answer.
        fn play(&mut self, end: Duration, mut world: impl FnMut(Look) -> Option<Outcome>) {
            while self.now < end {
                let mut wake = Wake::default();
                while let Some(look) = self.looks.next(self.now, &mut wake) {
                    self.made.push((look, self.now));
                    if let Some(outcome) = world(look) {
                        let answered = self.now + Duration::from_millis(10);
                        self.looks.answered(answered, look, outcome, &self.policy);
                    }
                }
                let mut wake = Wake::default();
                assert_eq!(self.looks.next(self.now, &mut wake), None);
                self.now = wake.0.unwrap_or(end).min(end).max(self.now + Duration::from_millis(10));
            }
        }

        fn times(&self, look: Look) -> usize {
            self.made.iter().filter(|(made, _)| *made == look).count()
        }
    }

    #[test]
    fn each_part_has_its_own_interval_and_nothing_is_asked_twice_at_once() {
        let mut game = Game::new();
        game.play(seconds(600), |look| (look != Look::Databases).then_some(Outcome::Done));
        assert_eq!([Look::Services, Look::Alarms, Look::Mappings].map(|look| game.times(look)), [40, 20, 10]);
        assert_eq!(game.times(Look::Databases), 1, "it hangs, and no other feels it");
        assert_eq!([Look::Scaling, Look::ServiceGauges, Look::Lags].map(|look| game.times(look)), [10, 10, 10]);
    }

    #[test]
    fn throttling_and_denial_slow_one_lane_down() {
        let mut game = Game::new();
        let outcome = |look| match look {
            Look::Services => Outcome::Throttled,
            Look::Alarms => Outcome::Denied,
            Look::Mappings => Outcome::Failed,
            _ => Outcome::Done,
        };
        game.play(seconds(1_200), |look| Some(outcome(look)));
        assert!((9..=14).contains(&game.times(Look::Services)), "{}", game.times(Look::Services));
        assert!((4..=5).contains(&game.times(Look::Alarms)), "{}", game.times(Look::Alarms));
        assert!((18..=21).contains(&game.times(Look::Mappings)), "{}", game.times(Look::Mappings));
        assert_eq!(game.times(Look::Databases), 80);
        let (healed, before) = (game.now, game.times(Look::Services));
        game.play(healed + seconds(600), |_| Some(Outcome::Done));
        assert!(game.times(Look::Services) - before >= 20, "fast again: {}", game.times(Look::Services) - before);
    }

    #[test]
    fn what_is_on_the_screen_is_looked_at_at_once_and_more_often_but_no_metric() {
        let mut game = Game::new();
        game.play(seconds(10), |_| Some(Outcome::Done));
        game.looks.open(game.now, &[PartName::Services], &game.policy);
        game.play(seconds(310), |_| Some(Outcome::Done));
        assert!((60..=62).contains(&game.times(Look::Services)), "{}", game.times(Look::Services));
        assert!((15..=17).contains(&game.times(Look::Stopped)), "{}", game.times(Look::Stopped));
        assert_eq!((game.times(Look::Databases), game.times(Look::ServiceGauges)), (21, 6));
        game.looks.open(game.now, &[], &game.policy);
        game.play(seconds(610), |_| Some(Outcome::Done));
        assert!(game.times(Look::Services) <= 84, "{}", game.times(Look::Services));
    }

    #[test]
    fn without_clients_nothing_is_looked_at_and_with_new_ones_what_failed_is() {
        let mut game = Game::new();
        game.play(seconds(1), |_| Some(Outcome::Unreachable));
        game.looks.set_reached(game.now, false);
        let before = game.made.len();
        game.play(seconds(300), |_| Some(Outcome::Done));
        assert_eq!(game.made.len(), before);
        game.looks.set_reached(game.now, true);
        game.play(seconds(301), |_| Some(Outcome::Done));
        assert_eq!(game.made.len(), before + Look::ALL.len());
    }
}
