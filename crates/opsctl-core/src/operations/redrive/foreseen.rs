//! Which messages of the sample would stay where they are, why, and what helps them: known before anything is sent.

use std::collections::BTreeMap;

use super::plan::Draft;
use crate::{
    domain::{Message, Text, words::counted},
    operations::{
        Operation,
        remedy::remedy,
        transfer::{Judge, Kept, Need},
    },
};

/// Reasons that a plan tells apart; those of most messages first.
const REASONS_MAX: usize = 8;

/// Why messages of the sample would stay, what each reason asks for, and how many have it.
#[derive(Debug, Default)]
pub(super) struct Foreseen {
    sampled: usize,
    why: BTreeMap<Text, (Need, usize)>,
}

impl Foreseen {
    pub(super) fn of(sample: &[Message], judge: &Judge) -> Self {
        let mut foreseen = Self { sampled: sample.len(), why: BTreeMap::new() };
        for kept in sample.iter().filter_map(|message| judge.foresee(message)) {
            if let Kept::Unfit { why, need } = kept {
                foreseen.why.entry(why).or_insert((need, 0)).1 += 1;
            }
        }
        foreseen
    }

    /// Messages of the sample whose destination does not take them for their size.
    pub(super) fn too_large(&self) -> usize {
        self.count(|need| matches!(need, Need::Room { .. }))
    }

    /// Messages of the sample of which nothing says where they belong.
    pub(super) fn unaddressed(&self) -> usize {
        self.count(|need| matches!(need, Need::Destination { source: None, .. }))
    }

    fn count(&self, is_meant: impl Fn(&Need) -> bool) -> usize {
        self.why.values().filter(|(need, _)| is_meant(need)).map(|(_, count)| count).sum()
    }
}

impl Draft<'_> {
    pub(super) fn foresee(&mut self, foreseen: &Foreseen) {
        let operation = Operation::Redrive(self.redrive.clone());
        let mut reasons: Vec<_> = foreseen.why.iter().collect();
        reasons.sort_by_key(|(_, (_, count))| std::cmp::Reverse(*count));
        let others = reasons.split_off(reasons.len().min(REASONS_MAX));
        for (why, (need, count)) in reasons {
            let helps = remedy(need, &operation, self.cloud.environment(), None).advice;
            self.plan.warn((format!("{count} of {} sampled stay here, {why}", foreseen.sampled), helps));
        }
        if !others.is_empty() {
            let others = counted(others.iter().map(|(_, (_, count))| *count as u64).sum(), "message");
            self.plan.warn(format!("{others} of the sample stay here for other reasons, which are named at the end"));
        }
    }
}
