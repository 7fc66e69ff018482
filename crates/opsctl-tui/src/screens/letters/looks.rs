//! Looks at messages: asked for, refused, taken in.

use super::{
    filter::ask_in,
    places::{environment, seen},
    rows,
};
use crate::{
    domain::{EnvironmentName, QueueName, Try},
    leave::{self, Force, NoLeave},
    run::Failure,
    state::{Effect, LOOKS, Letters, LettersView, Load, LookAt, Model, Notice, Ticket, View},
    widgets::words,
};

pub(crate) fn open(model: &mut Model, environment: &EnvironmentName, queue: &QueueName) -> Vec<Effect> {
    let mut view = LettersView::new(environment, queue);
    let effects = look(&mut view, model, LOOKS[0], Force::No);
    model.open(View::Letters(Box::new(view)));
    effects
}

/// Looks at so many messages at most. Where the gate would refuse it, it says so at once; it is asked again when it counts.
pub(super) fn look(view: &mut LettersView, model: &mut Model, messages_max: usize, force: Force) -> Vec<Effect> {
    if view.letters.is_waiting() {
        model.say(Notice::note("a look is under way: each costs every message a receive"));
        return Vec::new();
    }
    let key = (view.environment.clone(), view.queue.clone());
    if let Some((ticket, messages_max)) = model.looks.get(&key).copied() {
        // Another view of this queue began it; one look is enough for both.
        view.asked = messages_max;
        view.letters.ask(ticket);
        return Vec::new();
    }
    let url = seen(model, &view.environment, &view.queue).map(|seen| seen.url.clone());
    let refused = leave(model, view, force).err();
    let ticket = model.ticket();
    view.letters.ask(ticket);
    let failure = match (refused, url) {
        (None, Some(queue)) => {
            view.asked = messages_max;
            let environment = view.environment.clone();
            model.looks.insert(key, (ticket, messages_max));
            return vec![Effect::Look(ticket, LookAt { environment, queue, messages_max, force })];
        }
        (Some(refusal), _) => failure_of(&refusal),
        (None, None) => Failure::new(
            "this queue was not seen yet",
            Try::WaitForOther.says("wait until the environment's queues are listed, then look again"),
        ),
    };
    view.letters.answer(ticket, Err(failure));
    Vec::new()
}

pub(super) fn leave(model: &Model, view: &LettersView, force: Force) -> Result<(), NoLeave> {
    let Some(environment) = environment(model, &view.environment) else { return Ok(()) };
    match seen(model, &view.environment, &view.queue).and_then(|seen| seen.queue.as_ref()) {
        Some(queue) => leave::allow_look(environment, queue, force).map(|_| ()),
        None => leave::allow_sampling(environment).map(|_| ()),
    }
}

fn failure_of(refusal: &NoLeave) -> Failure {
    let hint = match refusal {
        // The key that insists stands below.
        NoLeave::LookKills { .. } => Try::LookAtDeadLetters.says("look at its dead-letter queue instead"),
        other => other.hint(),
    };
    Failure::new(refusal.to_string(), hint)
}

/// What a look brought: for every view that awaits it.
pub(crate) fn looked(model: &mut Model, ticket: Ticket, answer: Result<Box<Letters>, Failure>) -> Vec<Effect> {
    model.looks.retain(|_, (awaited, _)| *awaited != ticket);
    let mut effects = Vec::new();
    for at in 0..model.views.len() {
        let (next, size) = (model.ticket(), model.size);
        let Some(view) = model.views[at].letters_mut().filter(|view| awaits(view, ticket)) else { continue };
        let (asked, notice) = take_in(view, ticket, answer.clone(), next, size);
        effects.extend(asked);
        model.notice = notice.or(model.notice.take());
    }
    effects
}

fn awaits(view: &LettersView, ticket: Ticket) -> bool {
    matches!(view.letters, Load::Waiting(awaited, _) if awaited == ticket)
}

/// Takes it in in one view. The cursor, the columns and the group stay what they were, where they are still there.
fn take_in(
    view: &mut LettersView,
    ticket: Ticket,
    answer: Result<Box<Letters>, Failure>,
    next: Ticket,
    size: (u16, u16),
) -> (Vec<Effect>, Option<Notice>) {
    let before = view.letters.shown().cloned();
    let came = answer.is_ok();
    view.letters.answer(ticket, answer.map(|letters| *letters));
    if !came {
        return (Vec::new(), None);
    }
    let gone = rows::take_in(view, before.as_ref(), size);
    let (lost, left) = (words::of(gone as u64, "selected message"), words::count(view.selected.len() as u64));
    let notice = Notice::bad(&format!("no longer in the queue: {lost}; still selected: {left}"));
    (ask_in(view, next), (gone > 0).then_some(notice))
}
