//! What looks could not tell, in words, and as Home is told of it.

use std::time::Duration;

use jiff::Timestamp;

use super::{EARLIER, Register};
use crate::{
    cloud::{CloudError, ErrorKind},
    databases::Capacity,
    domain::{Text, service::EcsClusterName},
    observe::{board::Change, estate::Lack, schedule::Look, verdict::SAMPLE_OLD},
};

/// Clusters that one text names.
const NAMED: usize = 3;
/// What was asked for longer ago is held back, and no longer merely in turn.
pub(super) const HELD_LONG: Duration = Duration::from_secs(15 * 60);

type Failed = [(EcsClusterName, CloudError)];

/// What a look is at, where that is not a part itself, and whether it is one thing or many.
fn words(look: Look) -> (&'static str, &'static str) {
    match look {
        Look::Scaling => ("autoscaling", "is"),
        Look::Stopped => ("stopped tasks", "are"),
        Look::ServiceGauges => ("CPU and memory", "are"),
        Look::DatabaseGauges => ("what databases use", "is"),
        Look::Lags => ("how far readers of Kafka lie behind", "is"),
        Look::Services | Look::Databases | Look::Alarms | Look::Mappings => (look.part().words(), "are"),
    }
}

/// A look that came to nothing.
pub(super) fn of_look(look: Look, at: Timestamp, error: CloudError) -> Lack {
    let (what, are) = words(look);
    let words = Text::line(&format!("{what} {are} not known: {error}"));
    Lack { what: Text::from(what), words, since: at, error: Some(error), hides_rows: false }
}

/// A look that was held back, or that was not answered in full.
pub(super) fn of_figures(look: Look, at: Timestamp, words: Text) -> Lack {
    Lack { what: Text::from(self::words(look).0), words, since: at, error: None, hides_rows: false }
}

/// Clusters that did not answer, a text for each of the first.
pub(super) fn of_clusters(failed: &Failed) -> Vec<Text> {
    let mut unknown: Vec<Text> = Vec::new();
    for (cluster, error) in failed.iter().take(NAMED) {
        unknown.push(Text::line(&format!("services of cluster {} are not known: {error}", cluster.0)));
    }
    if failed.len() > NAMED {
        unknown.push(Text::line(&format!("services of {} more clusters are not known", failed.len() - NAMED)));
    }
    unknown
}

/// The same for Home: those that may not be looked at, and the others.
pub(super) fn rows_of_clusters(at: Timestamp, failed: &Failed) -> Vec<Lack> {
    let (denied, others): (Vec<_>, Vec<_>) = failed.iter().partition(|(_, error)| error.kind == ErrorKind::Denied);
    let of = |failed: &[&(EcsClusterName, CloudError)]| {
        let (_, error) = failed.first()?;
        let names: Vec<&str> = failed.iter().take(NAMED).map(|(cluster, _)| cluster.0.as_str()).collect();
        let clusters = if failed.len() == 1 { "cluster" } else { "clusters" };
        let more = failed.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = Text::line(&format!("services of {clusters} {}{more}", names.join(", ")));
        let words = Text::line(&format!("{what} can't be seen: {error}"));
        Some(Lack { what, words, since: at, error: Some(error.clone()), hides_rows: true })
    };
    [of(&denied), of(&others)].into_iter().flatten().collect()
}

/// Capacity as an earlier sample had it: one that is too old says nothing about now, neither that it has paused.
pub(super) fn still(capacity: Capacity, now: Timestamp) -> Capacity {
    match capacity {
        Capacity::Paused { at } | Capacity::Units { at, .. } if now.duration_since(at) >= SAMPLE_OLD => {
            Capacity::Unknown
        }
        Capacity::None | Capacity::Unknown | Capacity::Paused { .. } | Capacity::Units { .. } => capacity,
    }
}

impl Register {
    /// A look came to nothing.
    pub(in crate::observe) fn failed(&mut self, at: Timestamp, look: Look, error: CloudError) {
        if !look.is_listing() {
            let lack = of_look(look, at, error);
            let words = lack.words.clone();
            self.note_lacks(look, vec![lack]);
            return self.note_unknown(look, vec![words]);
        }
        let known = self.part(look.part()).error;
        if known.as_ref() != Some(&error) {
            *known = Some(error);
            self.raise(Change::Content);
        }
    }

    /// What a part says of what is unknown is what all looks at it say.
    pub(super) fn note_unknown(&mut self, look: Look, why: Vec<Text>) {
        self.unknown.insert(look, why);
        self.tell_unknown(look);
    }

    /// What the bound on what looking may cost holds back; none: nothing.
    pub(super) fn note_held(&mut self, look: Look, why: Option<Text>) {
        match why {
            Some(why) => self.held.insert(look, why),
            None => self.held.remove(&look),
        };
        self.tell_unknown(look);
    }

    fn tell_unknown(&mut self, look: Look) {
        let name = look.part();
        let mut all: Vec<Text> = Vec::new();
        if self.restored.contains(&name) {
            all.push(Text::from(EARLIER));
        }
        let is_of = |look: &Look| look.part() == name;
        all.extend(self.unknown.iter().filter(|(look, _)| is_of(look)).flat_map(|(_, why)| why.iter().cloned()));
        all.extend(self.held.iter().filter(|(look, _)| is_of(look)).map(|(_, why)| why.clone()));
        let known = self.part(name).unknown;
        if *known != all {
            *known = all;
            self.raise(Change::Content);
        }
    }

    /// What Home is told. What was lacking before is so since then.
    pub(super) fn note_lacks(&mut self, look: Look, mut lacks: Vec<Lack>) {
        let before = self.lacks.get(&look).map_or(&[][..], Vec::as_slice);
        for lack in &mut lacks {
            let known = before.iter().find(|known| known.what == lack.what);
            lack.since = known.map_or(lack.since, |known| known.since);
        }
        self.lacks.insert(look, lacks);
        let name = look.part();
        let all: Vec<Lack> =
            self.lacks.iter().filter(|(look, _)| look.part() == name).flat_map(|(_, lacks)| lacks.clone()).collect();
        let known = self.part(name).lacks;
        if *known != all {
            *known = all;
            self.raise(Change::Content);
        }
    }
}
