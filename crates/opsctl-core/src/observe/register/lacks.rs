//! What looks could not tell, in words, and as Home is told of it.

use std::time::Duration;

use jiff::Timestamp;

use super::Register;
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{EcsClusterName, Text, words::some_of},
    observe::{
        board::Change,
        estate::{Lack, Unknown},
        parts::{Look, PartName},
    },
};

/// What a part says as long as all that it shows was seen by an earlier session.
const EARLIER: &str = "what is shown was seen by an earlier session";
/// Clusters that one text names.
const NAMED: usize = 3;
/// What was asked for longer ago is held back, and no longer merely in turn.
pub(in crate::observe) const HELD_LONG: Duration = Duration::from_secs(15 * 60);

type Failed = [(EcsClusterName, CloudError)];

pub(in crate::observe) fn of_look(look: Look, at: Timestamp, error: CloudError) -> Lack {
    let (what, are) = look.spec().what;
    let words = Text::line(&format!("{what} {are} not known: {error}"));
    Lack { look, what: Text::from(what), words, since: at, error: Some(error), hides_rows: false }
}

/// A look that was held back, or that was not answered in full.
pub(in crate::observe) fn of_figures(look: Look, at: Timestamp, words: Text) -> Lack {
    Lack { look, what: Text::from(look.spec().what.0), words, since: at, error: None, hides_rows: false }
}

/// Clusters that did not answer, a text for each of the first.
pub(in crate::observe) fn of_clusters(failed: &Failed) -> Vec<Text> {
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
pub(in crate::observe) fn rows_of_clusters(at: Timestamp, failed: &Failed) -> Vec<Lack> {
    let (denied, others): (Vec<_>, Vec<_>) = failed.iter().partition(|(_, error)| error.kind == ErrorKind::Denied);
    let of = |failed: &[&(EcsClusterName, CloudError)]| {
        let (_, error) = failed.first()?;
        let names = some_of(failed.iter().map(|(cluster, _)| cluster.0.as_str()), NAMED);
        let clusters = if failed.len() == 1 { "cluster" } else { "clusters" };
        let what = Text::line(&format!("services of {clusters} {names}"));
        let words = Text::line(&format!("{what} can't be seen: {error}"));
        Some(Lack { look: Look::Services, what, words, since: at, error: Some(error.clone()), hides_rows: true })
    };
    [of(&denied), of(&others)].into_iter().flatten().collect()
}

impl Register {
    pub(in crate::observe) fn failed(&mut self, at: Timestamp, look: Look, error: CloudError) {
        if !look.spec().is_listing {
            let lack = of_look(look, at, error);
            let words = lack.words.clone();
            self.note_lacks(look, vec![lack]);
            return self.note_unknown(look, vec![words]);
        }
        let known = self.estate.part_mut(look.part()).head().error;
        if known.as_ref() != Some(&error) {
            *known = Some(error);
            self.raise(Change::Content);
        }
    }

    /// Whether a look told all that it is asked for, as far as it was made.
    pub(in crate::observe) fn is_told(&self, look: Look) -> bool {
        self.unknown.get(&look).is_none_or(Vec::is_empty)
    }

    pub(in crate::observe) fn note_told(&mut self, look: Look) {
        self.note_lacks(look, Vec::new());
        self.note_unknown(look, Vec::new());
    }

    /// What a part says of what is unknown is what all looks at it say.
    pub(in crate::observe) fn note_unknown(&mut self, look: Look, why: Vec<Text>) {
        self.unknown.insert(look, why);
        self.tell_unknown(look.part());
    }

    pub(super) fn tell_unknown(&mut self, name: PartName) {
        let mut all: Vec<Unknown> = Vec::new();
        for look in Look::ALL.into_iter().filter(|look| look.part() == name) {
            if look.spec().is_listing && self.restored.contains(&name) {
                all.push(Unknown { look, words: Text::from(EARLIER) });
            }
            let words = self.unknown.get(&look).into_iter().flatten();
            all.extend(words.map(|words| Unknown { look, words: words.clone() }));
        }
        let held = self.held.iter().filter(|(look, _)| look.part() == name);
        all.extend(held.map(|(look, words)| Unknown { look: *look, words: words.clone() }));
        let known = self.estate.part_mut(name).head().unknown;
        if *known != all {
            *known = all;
            self.raise(Change::Content);
        }
    }

    /// What Home is told. What was lacking before is so since then.
    pub(in crate::observe) fn note_lacks(&mut self, look: Look, mut lacks: Vec<Lack>) {
        let before = self.lacks.get(&look).map_or(&[][..], Vec::as_slice);
        for lack in &mut lacks {
            let known = before.iter().find(|known| known.what == lack.what);
            lack.since = known.map_or(lack.since, |known| known.since);
        }
        self.lacks.insert(look, lacks);
        let name = look.part();
        let all: Vec<Lack> =
            self.lacks.iter().filter(|(look, _)| look.part() == name).flat_map(|(_, lacks)| lacks.clone()).collect();
        let known = self.estate.part_mut(name).head().lacks;
        if *known != all {
            *known = all;
            self.raise(Change::Content);
        }
    }

    /// What the bound on what looking may cost holds back. Home is told only where something waits for longer than its turn.
    pub(in crate::observe) fn note_bound(&mut self, look: Look, at: Timestamp, left: usize, is_long: bool) {
        let what = look.part().words();
        let why = (left > 0).then(|| {
            Text::line(&format!(
                "metrics of {left} {what} come later: `dollars_per_hour_max` of [watch] holds them back"
            ))
        });
        if self.is_told(look) {
            let lacks = why.clone().filter(|_| is_long).map(|why| of_figures(look, at, why));
            self.note_lacks(look, lacks.into_iter().collect());
        }
        match why {
            Some(why) => self.held.insert(look, why),
            None => self.held.remove(&look),
        };
        self.tell_unknown(look.part());
    }

    /// Metrics came; `incomplete` says why not all did.
    pub(in crate::observe) fn metrics_came(
        &mut self,
        look: Look,
        at: Timestamp,
        is_new: bool,
        incomplete: Option<&Text>,
    ) {
        self.raise(if is_new { Change::Content } else { Change::None });
        // What the bound holds back is told already, and goes on where the rest came.
        if let Some(why) = incomplete {
            self.note_lacks(look, vec![of_figures(look, at, why.clone())]);
        } else if !self.is_told(look) {
            self.note_lacks(look, Vec::new());
        }
        self.note_unknown(look, incomplete.cloned().into_iter().collect());
    }
}
