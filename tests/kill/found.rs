//! What the rounds found, and the table of it.

use std::fmt::Write;

/// What went wrong, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A message is in no queue and no file.
    Lost,
    /// A message is there twice, and nobody named it.
    Doubled,
    /// A message overtook an earlier one of its group.
    Disordered,
    /// Resumes do not come to an end, or the end is not one that a person can act on.
    Unconverged,
    /// A resume waited for longer than for what is hidden.
    Slow,
    /// Something else than what was asked for: other messages, another number, another exit.
    Wrong,
}

/// Of one round, or of all rounds of a scenario.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) rounds: usize,
    pub(super) kills: usize,
    pub(super) resume_kills: usize,
    pub(super) messages: usize,
    pub(super) uncertain: usize,
    /// Longest resume, on the clock of the queues.
    pub(super) worst_seconds: f64,
    pub(super) lost: usize,
    pub(super) doubled: usize,
    pub(super) disordered: usize,
    pub(super) unconverged: usize,
    pub(super) slow: usize,
    pub(super) wrong: usize,
    /// Each with what it takes to see it again.
    pub(super) faults: Vec<String>,
}

impl Found {
    /// Notes a fault that `count` messages, or resumes, have.
    pub(super) fn blame(&mut self, fault: Fault, count: usize, what: &str) {
        let counter = match fault {
            Fault::Lost => &mut self.lost,
            Fault::Doubled => &mut self.doubled,
            Fault::Disordered => &mut self.disordered,
            Fault::Unconverged => &mut self.unconverged,
            Fault::Slow => &mut self.slow,
            Fault::Wrong => &mut self.wrong,
        };
        *counter += count;
        self.faults.push(format!("{fault:?}: {what}"));
    }

    /// As [`Found::blame`], for the numbers of messages; none is no fault.
    pub(super) fn blame_each(&mut self, fault: Fault, numbers: &[usize], what: &str) {
        if let Some(first) = numbers.get(..numbers.len().min(12)).filter(|first| !first.is_empty()) {
            self.blame(fault, numbers.len(), &format!("{} messages {what}: {first:?}..", numbers.len()));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.kills += other.kills;
        self.resume_kills += other.resume_kills;
        self.messages += other.messages;
        self.uncertain += other.uncertain;
        self.worst_seconds = self.worst_seconds.max(other.worst_seconds);
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
        self.unconverged += other.unconverged;
        self.slow += other.slow;
        self.wrong += other.wrong;
        self.faults.extend(other.faults.iter().cloned());
    }
}

/// The table, with its sums in the last line.
pub(super) fn table(rows: &[(&str, Found)]) -> String {
    let mut all = Found::default();
    rows.iter().for_each(|(_, found)| all.add(found));
    let columns = [
        "rounds",
        "kills",
        "resume",
        "messages",
        "lost",
        "doubled",
        "uncertain",
        "disorder",
        "no end",
        "slow",
        "wrong",
        "worst s",
    ];
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut table = format!("{:width$}", "scenario");
    columns.iter().for_each(|column| write!(table, " {column:>9}").expect("memory"));
    for (name, found) in rows.iter().map(|(name, found)| (*name, found)).chain([("all", &all)]) {
        let Found { rounds, kills, resume_kills, messages, uncertain, lost, doubled, .. } = found;
        let Found { disordered, unconverged, slow, wrong, worst_seconds, .. } = found;
        let numbers =
            [rounds, kills, resume_kills, messages, lost, doubled, uncertain, disordered, unconverged, slow, wrong];
        write!(table, "\n{name:width$}").expect("memory");
        numbers.iter().for_each(|number| write!(table, " {number:>9}").expect("memory"));
        write!(table, " {worst_seconds:>9.1}").expect("memory");
    }
    table
}
