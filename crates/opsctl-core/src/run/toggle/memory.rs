//! How settings stood before a run set them, in the state folder.

use super::Toggled;
use crate::{
    domain::{AccountId, Environment, Setting, Toggle},
    journal::{TurnedOff, TurnedOffBy},
    operations::toggles::{Memory, ToToggle, mutes::ends},
    run::{Context, Failure, Report},
};

fn change(context: &Context, report: &Report, change: impl FnOnce(&mut TurnedOff)) -> Result<(), Failure> {
    let account = AccountId(report.account.clone());
    let changed = TurnedOff::change(&context.state, &account, &context.environment().region, change);
    changed.map_err(|error| Failure::new(error.to_string(), error.hint()))
}

/// Before anything is set: what is not remembered could not be put back.
pub(super) fn note_before(bound: &[ToToggle], context: &Context, report: &Report) -> Result<(), Failure> {
    let kept: Vec<_> = bound
        .iter()
        .filter_map(|one| match one.memory {
            Memory::Keep(from) => Some((one, from)),
            Memory::Forget | Memory::AtAws => None,
        })
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    change(context, report, |known| {
        for (one, from) in kept {
            let before = TurnedOffBy { from, to: Some(one.to), at: context.now(), run: report.run.clone() };
            known.remember(&one.toggle, before);
        }
    })
}

/// What is put back is forgotten; so is what this try remembered and did not touch.
pub(super) fn note_after(
    bound: &[ToToggle],
    ended: &[&Toggled],
    context: &Context,
    report: &Report,
) -> Result<(), Failure> {
    change(context, report, |known| {
        for (one, toggled) in bound.iter().zip(ended) {
            let is_of_this_try =
                known.of(&one.toggle).is_some_and(|before| before.run == report.run && before.at >= report.started_at);
            let is_over = match one.memory {
                Memory::Keep(_) => !toggled.is_set && !toggled.is_done && is_of_this_try,
                Memory::Forget => toggled.is_done,
                Memory::AtAws => false,
            };
            if is_over {
                known.forget(&one.toggle);
            }
        }
    })
}

pub(super) fn say(bound: &[ToToggle], ended: &[&Toggled], environment: &Environment, report: &mut Report) {
    for (one, toggled) in bound.iter().zip(ended) {
        match one.memory {
            Memory::Keep(from) if toggled.is_done => report.note(match bound.len() {
                1 => format!("remembered: {} before", from.words()),
                _ => format!("remembered of {}: {} before", one.name, from.words()),
            }),
            Memory::Keep(_) | Memory::Forget | Memory::AtAws => {}
        }
    }
    let muted = bound.iter().zip(ended).filter_map(|(one, toggled)| match (&one.toggle, one.to) {
        (Toggle::Alarm(name), Setting::MutedUntil(Some(_))) if toggled.is_set || toggled.is_done => Some(name.as_str()),
        _ => None,
    });
    let muted: Vec<&str> = muted.collect();
    if !muted.is_empty() {
        let line = environment.command(&ends(muted.into_iter()));
        report.note(format!("the mute ends at AWS by itself; `{line}` ends it before"));
    }
}
