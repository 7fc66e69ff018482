//! Bounds of autoscaling, which are moved so that they hold a count, or back to what they were.

use super::{Halt, LOOK_EVERY, LOOKS_FAILED_MAX, Run, watched::Watched};
use crate::{
    cloud::ErrorKind,
    domain::{ServiceId, TaskBounds},
    journal::{BoundsBefore, Moved, Record},
    operations::scale::{MoveBounds, MoveWhy},
};

/// Calls after lost answers and throttles, in all.
const CALLS_MAX: u32 = 6;

impl Run<'_> {
    /// Before anything is moved: bounds that are lost could not be put back.
    pub(super) fn remember_bounds(&self, services: &[Watched]) -> Result<(), Halt> {
        let at = self.context.now();
        let moved = services.iter().filter_map(|watched| {
            let MoveBounds { from, to, why, .. } = watched.change.bounds.clone()?;
            let moved = Moved { from, to, desired: watched.change.from, at, run: self.report.run.clone() };
            (why == MoveWhy::ToHold && watched.is_waited_for()).then_some((&watched.change.service, moved))
        });
        let moved: Vec<(&ServiceId, Moved)> = moved.collect();
        if moved.is_empty() {
            return Ok(());
        }
        let written = BoundsBefore::change(&self.context.state, &self.account(), self.region(), |known| {
            for (service, moved) in moved {
                let moved = moved.after(known.of(service));
                known.remember(service, moved);
            }
        });
        written.map_err(Halt::unwritten)
    }

    /// What was put back, and the count with it, is forgotten.
    pub(super) fn forget_bounds(&self) -> Result<(), Halt> {
        let is_back = |watched: &&Watched| {
            watched.is_done() && watched.change.bounds.as_ref().is_some_and(|bounds| bounds.why == MoveWhy::Back)
        };
        let back: Vec<&ServiceId> =
            self.watched.iter().filter(is_back).map(|watched| &watched.change.service).collect();
        if back.is_empty() {
            return Ok(());
        }
        let written = BoundsBefore::change(&self.context.state, &self.account(), self.region(), |known| {
            back.iter().for_each(|service| known.forget(service));
        });
        self.must_be(written)
    }

    /// Moves a service's bounds, where it is time for it. The call is absolute: after a lost answer it is made again only where nothing
    /// has changed.
    pub(super) async fn move_bounds(&self, watched: &mut Watched, why: MoveWhy) -> Result<(), Halt> {
        let Some(bounds) = watched.change.bounds.clone() else { return Ok(()) };
        if bounds.why != why || bounds.now == bounds.to || !watched.is_waited_for() {
            return Ok(());
        }
        let (service, MoveBounds { from, to, .. }) = (watched.change.service.clone(), bounds);
        self.write(vec![Record::BoundsIntent { service: service.to_string(), from, to }]).await?;
        let mut calls = 0;
        loop {
            self.may_go_on()?;
            calls += 1;
            match self.context.cloud.autoscaling.set_bounds(&service, to).await {
                Ok(()) => break,
                Err(error) if error.is_passing() && calls < CALLS_MAX => {
                    watched.may_be_set |= error.may_have_been_applied();
                    self.pause(LOOK_EVERY).await?;
                    match self.bounds(&service).await? {
                        Some(shown) if shown == to => break,
                        Some(shown) if shown == from => {}
                        shown => {
                            let shown = shown.map_or("none".to_owned(), |bounds| bounds.to_string());
                            watched.fail(&format!("somebody moved its autoscaling's bounds meanwhile: {shown}"));
                            return Ok(());
                        }
                    }
                }
                Err(error) if error.kind == ErrorKind::CredentialsExpired => return Err(Halt::Failed(error)),
                Err(error) => {
                    let hint = error.hint(self.context.environment());
                    watched.fail(&format!("{error}; {hint}"));
                    return Ok(());
                }
            }
        }
        watched.are_bounds_moved = true;
        self.write(vec![Record::Bounds { service: service.to_string(), to }]).await
    }

    async fn bounds(&self, service: &ServiceId) -> Result<Option<TaskBounds>, Halt> {
        let mut failures = 0;
        loop {
            match self.context.cloud.autoscaling.bounds(service).await {
                Ok(shown) => return Ok(shown),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::Failed(error)),
            }
            self.pause(LOOK_EVERY).await?;
        }
    }
}
