//! What of a run's snapshot is to be put back, and what is left out.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    os::unix::fs::FileExt,
};

use jiff::Timestamp;

use super::Restore;
use crate::{
    cloud::Cloud,
    domain::{Message, MessageId, QueueUrl, RunId, Try},
    journal::{self, Damage, Heads, History, JournalError, Located, RunFolder, Saved, StateFolder},
    messages::filter::Filter,
    operations::{OperationError, Planner, bound::LeftOut, transfer::Shelved},
};

const FILTERED_AT_ONCE: usize = 256;

/// What of a snapshot is to be put back.
#[derive(Debug)]
pub(super) struct Gathered {
    /// In the order in which it is sent.
    pub(super) lines: Vec<Shelved>,
    /// Queue that it was taken from; none where there is nothing.
    pub(super) from: Option<QueueUrl>,
    /// What is not put back; in `perhaps` also those that are, where that was asked for.
    pub(super) left_out: LeftOut,
    /// Put back by other restores of the run already, and so not again: how many by which.
    pub(super) put_back: BTreeMap<RunId, u64>,
    /// Whether the filter failed on one of them: it is then given to the engine, which leaves that one and names it.
    pub(super) filter_fails: bool,
    /// How the snapshot differs from the journal.
    pub(super) damage: Damage,
    /// Whether the run still works, or another restore of it.
    pub(super) busy: Vec<RunId>,
    /// Ids that were given and that the snapshot has no message of.
    pub(super) unmet: Vec<String>,
    /// How many messages others have settled.
    pub(super) settled_by_others: usize,
    /// So many were agreed to, where the restore was begun before.
    pub(super) agreed: Option<u64>,
}

/// What other restores of the same run have done.
#[derive(Debug, Default)]
pub(super) struct Others {
    sent: HashMap<MessageId, RunId>,
    in_doubt: HashMap<MessageId, RunId>,
    busy: Vec<RunId>,
}

impl Others {
    pub(super) fn read(state: &StateFolder, run: &RunId, own: Option<&RunId>) -> Result<Self, JournalError> {
        let (mut others, heads) = (Self::default(), Heads::read(state.path())?);
        for summary in state.list()? {
            let same = summary.plan_text("/operation/operation") == Some("restore")
                && summary.plan_text("/operation/run") == Some(run.as_str());
            if !same || own == Some(&summary.run) {
                continue;
            }
            let folder = state.open(&summary.run)?;
            if folder.is_busy() {
                others.busy.push(summary.run.clone());
            }
            // One that lost its end would say that less was put back.
            journal::prove(&folder, &heads)?;
            let history = History::read(&folder)?;
            others.sent.extend(history.sent.into_iter().map(|id| (id, summary.run.clone())));
            others.in_doubt.extend(history.uncertain.into_iter().map(|id| (id, summary.run.clone())));
        }
        Ok(others)
    }

    /// How many messages they have put back, or may have.
    pub(super) fn settled(&self) -> usize {
        self.sent.len() + self.in_doubt.len()
    }
}

/// What the restore itself has done, where it was begun before.
#[derive(Debug, Default)]
struct Own {
    sent: HashSet<MessageId>,
    uncertain: HashSet<MessageId>,
    agreed: Option<u64>,
}

impl Own {
    fn of(history: History) -> Self {
        // Before its first batch it is bound to what it finds, as any plan.
        let agreed = history.plan.pointer("/observed/messages").and_then(serde_json::Value::as_str);
        let agreed = agreed.filter(|_| history.batch > 0).and_then(|messages| messages.parse().ok());
        Self { sent: history.sent.into_iter().collect(), uncertain: history.uncertain, agreed }
    }
}

/// Reads journal and snapshot of the run, and the journals of other restores of it.
pub(super) fn gather(
    restore: &Restore,
    planner: &Planner,
    (filter, ids): (Option<&Filter>, Option<&HashSet<MessageId>>),
    cloud: &Cloud,
) -> Result<Gathered, OperationError> {
    let state = &planner.state;
    let folder = state.open(&restore.run)?;
    // A journal that lost its end would say that less is gone.
    journal::prove(&folder, &Heads::read(state.path())?)?;
    let Some(snapshot) = journal::check_snapshot(&folder)? else {
        return Err(OperationError::usage(
            &format!("run {} kept no snapshot", restore.run),
            Try::GiveOther.says("its messages can't be put back; the next run keeps a snapshot with --engine client, and without --no-snapshot"),
        ));
    };
    let history = History::read(&folder)?;
    let others = Others::read(state, &restore.run, planner.resuming.as_ref())?;
    let mut gathering = Gathering {
        restore,
        ids,
        gone: Gone { history: &history, is_copy: history.is_copy() },
        own: planner.taken_up()?.map(|(_, history)| Own::of(history)).unwrap_or_default(),
        others: &others,
        found: Vec::new(),
        seen: HashSet::new(),
        in_doubt: BTreeMap::new(),
        gathered: Gathered {
            lines: Vec::new(),
            from: snapshot.intact.iter().find_map(|line| Some(line.saved.as_ref().ok()?.from.clone())),
            left_out: LeftOut::default(),
            put_back: BTreeMap::new(),
            filter_fails: false,
            damage: snapshot.damage,
            busy: others.busy.clone(),
            settled_by_others: others.settled(),
            unmet: Vec::new(),
            agreed: None,
        },
    };
    gathering.take_all(&folder, snapshot.intact, filter, cloud.clock().now())?;
    let mut gathered = gathering.end();
    let operation = history.plan.pointer("/operation/operation").and_then(serde_json::Value::as_str);
    let resume = format!("{} --resume {}", operation.unwrap_or("redrive"), restore.run);
    gathered.left_out.settle = cloud.environment().command(&resume);
    if folder.is_busy() {
        gathered.busy.insert(0, restore.run.clone());
    }
    Ok(gathered)
}

struct Gone<'a, F> {
    history: &'a History,
    is_copy: F,
}

impl<F: Fn(&MessageId) -> bool> Gone<'_, F> {
    /// Gone, or perhaps: then true; none where it is still in its queue, or a copy of another one that is put back.
    fn is_perhaps(&self, id: &MessageId) -> Option<bool> {
        let perhaps = self.history.may_be_gone(id);
        ((perhaps || self.history.gone.contains(id)) && !(self.is_copy)(id)).then_some(perhaps)
    }
}

struct Gathering<'a, F> {
    restore: &'a Restore,
    /// Messages that were asked for; none: all.
    ids: Option<&'a HashSet<MessageId>>,
    gone: Gone<'a, F>,
    own: Own,
    others: &'a Others,
    /// With what it is put in order by.
    found: Vec<(Option<u128>, Option<Timestamp>, Shelved)>,
    /// A message that was received twice, or by two tries, has two lines.
    seen: HashSet<MessageId>,
    in_doubt: BTreeMap<RunId, u64>,
    gathered: Gathered,
}

impl<F: Fn(&MessageId) -> bool> Gathering<'_, F> {
    fn take_all(
        &mut self,
        folder: &RunFolder,
        intact: Vec<Located>,
        filter: Option<&Filter>,
        now: Timestamp,
    ) -> Result<(), OperationError> {
        let lost: HashSet<MessageId> = self.gathered.damage.missing.iter().cloned().collect();
        let file = if intact.is_empty() { None } else { Some(Lines::open(folder)?) };
        let mut candidates = Vec::new();
        for line in intact {
            let Ok(saved) = &line.saved else { continue };
            let id = &saved.message.id;
            if self.gone.is_perhaps(id).is_some() && !self.own.sent.contains(id) && self.seen.insert(id.clone()) {
                candidates.push(line);
            }
        }
        for chunk in candidates.chunks(FILTERED_AT_ONCE) {
            let selected = match (filter, &file) {
                (Some(filter), Some(file)) => file.selected(chunk, filter, now)?,
                _ => chunk.iter().map(|_| Ok(true)).collect(),
            };
            chunk.iter().zip(selected).for_each(|(line, selected)| self.take(line, selected));
        }
        let met = |id: &MessageId| self.seen.contains(id) || self.own.sent.contains(id);
        let unmet = self.ids.into_iter().flatten().filter(|id| !met(id));
        self.gathered.unmet = unmet.map(|id| id.0.clone()).collect();
        self.gathered.unmet.sort_unstable();
        let gone = lost.iter().filter(|id| self.gone.is_perhaps(id).is_some());
        self.gathered.left_out.damaged =
            gone.filter(|id| !self.seen.contains(*id) && !self.own.sent.contains(*id)).count() as u64;
        Ok(())
    }

    fn take(&mut self, line: &Located, selected: Result<bool, ()>) {
        let Ok(saved) = &line.saved else { return };
        let (message, gathered) = (&saved.message, &mut self.gathered);
        let id = &message.id;
        let is_own = self.own.uncertain.contains(id);
        // What this restore may have sent was selected then.
        let is_listed = self.ids.is_none_or(|ids| ids.contains(id));
        if (selected == Ok(false) || !is_listed) && !is_own {
            return;
        }
        if !self.restore.again && !is_own {
            if let Some(run) = self.others.sent.get(id) {
                *gathered.put_back.entry(run.clone()).or_default() += 1;
                return;
            }
            if let Some(run) = self.others.in_doubt.get(id) {
                *self.in_doubt.entry(run.clone()).or_default() += 1;
                return;
            }
        }
        if self.gone.is_perhaps(id) == Some(true) {
            gathered.left_out.perhaps += 1;
            if !self.restore.perhaps && !is_own {
                return;
            }
        }
        gathered.filter_fails |= selected.is_err();
        let shelved = Shelved::new(message, line);
        self.found.push((message.system.sequence, message.system.sent_at, shelved));
    }

    fn end(mut self) -> Gathered {
        // Order within a group is the sequence, as SQS gave it; a standard queue's best is the time of sending.
        self.found.sort_by_key(|(sequence, sent_at, _)| (*sequence, *sent_at));
        let mut gathered = self.gathered;
        gathered.lines = self.found.into_iter().map(|(.., line)| line).collect();
        if let Some(agreed) = self.own.agreed {
            let (sent, uncertain) = (self.own.sent.len() as u64, &self.own.uncertain);
            let open = gathered.lines.iter().filter(|line| uncertain.contains(line.id())).count() as u64;
            let mut room = agreed.saturating_sub(sent + open);
            let before = gathered.lines.len();
            // What became known as gone since is put back by another restore, which somebody agrees to.
            gathered.lines.retain(|line| {
                let fits = uncertain.contains(line.id()) || room > 0;
                room -= u64::from(room > 0 && !uncertain.contains(line.id()));
                fits
            });
            gathered.left_out.later = (before - gathered.lines.len()) as u64;
            gathered.agreed = Some(agreed);
        }
        gathered.left_out.in_doubt = self.in_doubt.into_iter().collect();
        gathered
    }
}

/// The snapshot, for whole messages here and there.
struct Lines {
    file: File,
    path: std::path::PathBuf,
}

impl Lines {
    fn open(folder: &RunFolder) -> Result<Self, JournalError> {
        let path = folder.snapshot();
        let file = File::open(&path).map_err(JournalError::io("open", &path))?;
        Ok(Self { file, path })
    }

    /// Whether the filter selects each; an error where it fails.
    fn selected(
        &self,
        lines: &[Located],
        filter: &Filter,
        now: Timestamp,
    ) -> Result<Vec<Result<bool, ()>>, JournalError> {
        let mut messages: Vec<Message> = Vec::with_capacity(lines.len());
        for line in lines {
            let mut bytes = vec![0; line.length];
            self.file.read_exact_at(&mut bytes, line.offset).map_err(JournalError::io("read", &self.path))?;
            let saved: Saved =
                serde_json::from_slice(&bytes).map_err(|error| JournalError::io("read", &self.path)(error.into()))?;
            messages.push(saved.message);
        }
        Ok(filter.matches_all(&messages, now).into_iter().map(|matched| matched.map_err(|_| ())).collect())
    }
}
