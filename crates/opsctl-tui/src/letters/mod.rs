//! A queue's dead letters: failure groups first, then messages.

mod able;
mod choose;
mod columns;
mod commands;
mod diff;
mod digest;
mod edits;
mod filter;
mod group_list;
mod message_list;
mod rows;
mod screen;

use std::collections::BTreeSet;

pub(super) use self::{
    able::able,
    choose::{begin_all, begin_with, saved},
    columns::{columns_key, columns_mouse, columns_typed, draw_columns},
    commands::{command, mouse, step_rows},
    diff::{diff_key, diff_mouse, draw_diff},
    edits::{ask_sent, begin_edit, edited, sent},
    filter::{filter_key, matched, paste},
    screen::draw,
};
pub use self::{
    choose::Saving,
    columns::Picker,
    diff::Diff,
    digest::{Digest, Line, Path, Place, ValuesLook},
    edits::Edits,
    filter::Narrow,
    rows::Order,
};
use super::{
    effect::{Effect, Look},
    event::{Letters, Notice},
    field::Field,
    list::Cursor,
    model::{Model, View},
    ticket::{Load, Ticket},
    update, words,
};
use crate::{
    domain::{Environment, EnvironmentName, MessageId, QueueName, Text},
    gate::{self, Force, Refusal},
    observe::Seen,
    run::Failure,
};

/// Messages looked at, and after each wish for more.
const LOOKS: [usize; 3] = [200, 500, 1_000];

/// The view of a queue's dead letters.
#[derive(Debug, Clone)]
pub struct LettersView {
    /// Where.
    pub environment: EnvironmentName,
    /// Queue.
    pub queue: QueueName,
    /// What a look brought.
    pub letters: Load<Letters>,
    /// Messages that the last look asked for at most.
    pub asked: usize,
    /// What is listed.
    pub level: Level,
    /// Where one is among the groups: the first row stands for all messages.
    pub group_cursor: Cursor,
    /// The group whose messages are listed; none: all messages.
    pub group: Option<usize>,
    /// Where one is among the messages.
    pub cursor: Cursor,
    /// Messages listed: places in the look.
    pub rows: Vec<usize>,
    /// Messages that were selected; some may not be among those looked at.
    pub selected: BTreeSet<MessageId>,
    /// Whether a look found the last of the selected gone, and no redrive was refused for it yet.
    pub lost_selection: bool,
    /// How many of each group are selected.
    pub selected_of: Vec<usize>,
    /// How many of those looked at are selected.
    pub selected_here: usize,
    /// Columns that somebody chose; none: the telling ones.
    pub chosen: Option<Vec<Path>>,
    /// Columns, with their values.
    pub columns: Vec<Place>,
    /// The order of the messages.
    pub order: Order,
    /// Whether it is turned round.
    pub reverse: bool,
    /// The filter, applied or just tried.
    pub filter: Option<Narrow>,
    /// The filter being typed.
    pub typing: Option<Field>,
    /// Whether all is said of what is under the cursor.
    pub details: bool,
    /// The message that is being edited.
    pub editing: Option<(Ticket, MessageId)>,
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Failure groups.
    Groups,
    /// Messages.
    Messages,
}

impl LettersView {
    fn new(environment: &EnvironmentName, queue: &QueueName) -> Self {
        Self {
            environment: environment.clone(),
            queue: queue.clone(),
            letters: Load::Idle,
            asked: LOOKS[0],
            level: Level::Groups,
            group_cursor: Cursor::default(),
            group: None,
            cursor: Cursor::default(),
            rows: Vec::new(),
            selected: BTreeSet::new(),
            lost_selection: false,
            selected_of: Vec::new(),
            selected_here: 0,
            chosen: None,
            columns: Vec::new(),
            order: Order::Arrival,
            reverse: false,
            filter: None,
            typing: None,
            details: false,
            editing: None,
        }
    }

    /// The message under the cursor: its place in the look.
    pub(super) fn under(&self) -> Option<usize> {
        self.rows.get(self.cursor.at).copied()
    }

    fn more(&self) -> Option<usize> {
        LOOKS.into_iter().find(|messages| *messages > self.asked)
    }
}

/// Opens it, and looks.
pub(super) fn open(model: &mut Model, environment: &EnvironmentName, queue: &QueueName) -> Vec<Effect> {
    let view = LettersView::new(environment, queue);
    let mut effects = update::open(model, View::Letters(Box::new(view)));
    effects.extend(look(model, LOOKS[0], Force::No));
    effects
}

/// Looks again at as many.
pub(super) fn look_again(model: &mut Model) -> Vec<Effect> {
    let View::Letters(view) = model.view() else { return Vec::new() };
    let messages_max = view.asked;
    look(model, messages_max, Force::No)
}

/// Looks at so many messages at most. Where the gate would refuse it, it says so at once; it is asked again when it counts.
fn look(model: &mut Model, messages_max: usize, force: Force) -> Vec<Effect> {
    let View::Letters(view) = model.view() else { return Vec::new() };
    if view.letters.is_waiting() {
        model.say(Notice::note("a look is under way: each costs every message a receive"));
        return Vec::new();
    }
    let key = (view.environment.clone(), view.queue.clone());
    if let Some((ticket, messages_max)) = model.looks.get(&key).copied() {
        // Another view of this queue began it; one look is enough for both.
        if let View::Letters(view) = model.view_mut() {
            view.asked = messages_max;
            view.letters.ask(ticket);
        }
        return Vec::new();
    }
    let url = seen(model, &view.environment, &view.queue).map(|seen| seen.url.clone());
    let refused = leave(model, view, force).err();
    let ticket = model.ticket();
    let View::Letters(view) = model.view_mut() else { return Vec::new() };
    view.letters.ask(ticket);
    let failure = match (refused, url) {
        (None, Some(queue)) => {
            view.asked = messages_max;
            let environment = view.environment.clone();
            model.looks.insert(key, (ticket, messages_max));
            return vec![Effect::Look(ticket, Look { environment, queue, messages_max, force })];
        }
        (Some(refusal), _) => failure_of(&refusal),
        (None, None) => Failure {
            what: Text::line("this queue was not seen yet"),
            hint: Text::line("wait until the environment's queues are listed, then look again"),
        },
    };
    view.letters.answer(ticket, Err(failure));
    Vec::new()
}

/// What the gate says to a look.
fn leave(model: &Model, view: &LettersView, force: Force) -> Result<(), Refusal> {
    let Some(environment) = environment(model, &view.environment) else { return Ok(()) };
    match seen(model, &view.environment, &view.queue).and_then(|seen| seen.queue.as_ref()) {
        Some(queue) => gate::allow_look(environment, queue, force).map(|_| ()),
        None => gate::allow_sampling(environment).map(|_| ()),
    }
}

fn failure_of(refusal: &Refusal) -> Failure {
    let hint = match refusal {
        // The key that insists stands below.
        Refusal::LookKills { .. } => "look at its dead-letter queue instead".to_owned(),
        other => other.hint(),
    };
    Failure { what: Text::line(&refusal.to_string()), hint: Text::line(&hint) }
}

/// What a look brought: for every view that awaits it.
pub(super) fn looked(model: &mut Model, ticket: Ticket, answer: Result<Box<Letters>, Failure>) -> Vec<Effect> {
    model.looks.retain(|_, (awaited, _)| *awaited != ticket);
    let mut effects = Vec::new();
    // Each view that took the answer in awaits it no more.
    while find(model, |view| awaits(view, ticket)).is_some() {
        effects.extend(take_in(model, ticket, answer.clone()));
    }
    effects
}

fn awaits(view: &LettersView, ticket: Ticket) -> bool {
    matches!(view.letters, Load::Waiting(awaited, _) if awaited == ticket)
}

/// Takes it in in one view. The cursor, the columns and the group stay what they were, where they are still there.
fn take_in(model: &mut Model, ticket: Ticket, answer: Result<Box<Letters>, Failure>) -> Vec<Effect> {
    let size = model.size;
    let next = model.ticket();
    let Some(view) = find(model, |view| awaits(view, ticket)) else { return Vec::new() };
    let before = view.letters.shown().cloned();
    let came = answer.is_ok();
    view.letters.answer(ticket, answer.map(|letters| *letters));
    if !came {
        return Vec::new();
    }
    let gone = rows::take_in(view, before.as_ref(), size);
    let left = view.selected.len();
    let effects = filter::ask_in(view, next);
    if gone > 0 {
        let (gone, left) = (words::of(gone as u64, "selected message"), words::count(left as u64));
        model.say(Notice::bad(&format!("no longer in the queue: {gone}; still selected: {left}")));
    }
    effects
}

/// Keeps the cursors where they can be seen. Rows change only with what brought the change.
pub(super) fn settle(model: &Model, view: &mut LettersView) {
    rows::settle(view, model.size);
}

/// Goes back within the view: from a filter, from a group's messages. `false`: there is nothing to go back from.
pub(super) fn back(view: &mut LettersView) -> bool {
    if view.level == Level::Groups {
        return false;
    }
    if view.filter.take().is_some() {
        rows::build(view);
        return true;
    }
    // Where a look found nothing, there are no groups to go back to.
    let has_groups = view.letters.shown().is_some_and(|letters| !letters.groups.groups.is_empty());
    rows::go_to_groups(view);
    has_groups
}

/// The view, wherever it is open, that fits.
fn find(model: &mut Model, fits: impl Fn(&LettersView) -> bool) -> Option<&mut LettersView> {
    model.views.iter_mut().rev().find_map(|view| match view {
        View::Letters(view) if fits(view) => Some(view.as_mut()),
        _ => None,
    })
}

/// The letters' view that is shown, or lies under the message that is.
pub(super) fn near(model: &Model) -> Option<&LettersView> {
    model.views.iter().rev().find_map(|view| match view {
        View::Letters(view) => Some(view.as_ref()),
        _ => None,
    })
}

pub(super) fn near_mut(model: &mut Model) -> Option<&mut LettersView> {
    find(model, |_| true)
}

fn environment<'a>(model: &'a Model, name: &EnvironmentName) -> Option<&'a Environment> {
    model.site(name).map(|site| site.environment.as_ref())
}

/// What is known of the queue.
pub(super) fn seen<'a>(model: &'a Model, environment: &EnvironmentName, queue: &QueueName) -> Option<&'a Seen> {
    let queues = &model.site(environment)?.snapshot.as_ref()?.queues;
    // They stand in the order of their names.
    let at = queues.binary_search_by(|seen| seen.name.cmp(queue)).ok()?;
    Some(&queues[at])
}
