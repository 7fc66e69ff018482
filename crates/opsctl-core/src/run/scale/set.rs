//! What a service is set to: its count, or a deployment of it. Written down first, then called, and looked for where an answer was lost.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::{Halt, LOOK_EVERY, LOOKS_FAILED_MAX, Run, UPDATES_AT_ONCE, watched::Watched};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Service, ServiceId},
    journal::{Record, Size, Sizes},
    operations::{
        consumers::READS_LAG,
        scale::{Begin, Change, Deploy, MoveWhy, Set},
    },
};

/// Longest pause between tries of a throttled update.
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// An update is made again so often after lost answers.
const LOST_MAX: u32 = 4;

/// What a look shows of an update whose answer was lost.
enum Applied {
    Yes(Box<Service>),
    /// All is as before.
    No,
    /// Somebody has changed something else.
    Other(String),
}

impl Run<'_> {
    /// Writes down what is about to be set, then sets it.
    pub(super) async fn begin(&self, services: &mut [Watched]) -> Result<(), Halt> {
        let open = services.iter().filter(|watched| watched.is_waited_for()).map(|watched| &watched.change);
        let to_set: Vec<&Change> = open.filter(|change| change.is_called()).collect();
        if self.scale.direction.is_to_zero() {
            self.remember(&to_set)?;
        }
        self.remember_bounds(services)?;
        self.write(to_set.iter().map(|change| intent(change)).collect()).await?;
        let open = services.iter_mut().filter(|watched| watched.is_waited_for());
        let updates: Vec<_> = open.map(|watched| self.set(watched)).collect();
        let results: Vec<Result<(), Halt>> = stream::iter(updates).buffered(UPDATES_AT_ONCE).collect().await;
        let told = services.iter().filter(|watched| watched.set_at.is_some() && watched.change.is_called());
        self.write(told.map(outcome).collect()).await?;
        results.into_iter().collect()
    }

    /// Before anything sleeps: a size that is lost would be lost for good.
    fn remember(&self, changes: &[&Change]) -> Result<(), Halt> {
        let at = self.context.now();
        let written = Sizes::change(&self.context.state, &self.account(), self.region(), |sizes| {
            for change in changes {
                let size = Size { desired: change.from, at, run: self.report.run.clone() };
                sizes.remember(&change.service, size);
            }
        });
        written.map_err(Halt::unwritten)
    }

    async fn set(&self, watched: &mut Watched) -> Result<(), Halt> {
        self.move_bounds(watched, MoveWhy::ToHold).await?;
        if watched.is_waited_for() {
            self.update(watched).await?;
        }
        self.move_bounds(watched, MoveWhy::Back).await
    }

    /// Makes the update, and goes on until it is known to be made.
    async fn update(&self, watched: &mut Watched) -> Result<(), Halt> {
        let clock = self.context.cloud.clock();
        if !watched.change.is_called() {
            // An earlier try has made it, or ECS.
            watched.is_begun(clock.now());
            return Ok(());
        }
        if let Some(Deploy { asked: Begin::Perhaps(at), .. }) = watched.change.deploy
            && let Applied::Yes(shown) = self.look_for(watched, at).await?
        {
            watched.is_set(at, &shown);
            return Ok(());
        }
        let (mut pause, mut lost) = (Duration::from_secs(1), 0);
        loop {
            self.may_go_on()?;
            let asked_at = clock.now();
            match self.call(&watched.change).await {
                Ok(shown) => break watched.is_set(asked_at, &shown),
                Err(error) if matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unreachable) => {
                    self.pause(pause).await?;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                Err(error) if error.may_have_been_applied() => {
                    lost += 1;
                    watched.may_be_set = true;
                    match self.look_for(watched, asked_at).await? {
                        Applied::Yes(shown) => break watched.is_set(asked_at, &shown),
                        Applied::No if lost >= LOST_MAX => return Err(Halt::Failed(error)),
                        // Nothing has come of it: what is absolute doubles nothing, and a deployment was looked for long enough.
                        Applied::No => self.announce_again(&watched.change).await?,
                        Applied::Other(what) => break watched.fail(&what),
                    }
                }
                Err(error) if error.kind == ErrorKind::CredentialsExpired => return Err(Halt::Failed(error)),
                Err(error) => {
                    let hint = error.hint(self.context.environment());
                    break watched.fail(&format!("{error}; {hint}"));
                }
            }
        }
        Ok(())
    }

    async fn call(&self, change: &Change) -> Result<Service, CloudError> {
        let ecs = &self.context.cloud.ecs;
        match &change.deploy {
            None => ecs.set_desired(&change.service, change.to).await,
            Some(deploy) if deploy.is_restart() => ecs.deploy_again(&change.service).await,
            Some(deploy) => ecs.deploy(&change.service, &deploy.to).await,
        }
    }

    /// A resume waits from the last call on until it believes that nothing came of it.
    async fn announce_again(&self, change: &Change) -> Result<(), Halt> {
        if change.deploy.is_some() { self.write(vec![intent(change)]).await } else { Ok(()) }
    }

    /// Looks whether an update that was made at this time has been applied. Reads lag behind updates: looked at too early, it seems
    /// not to have been.
    async fn look_for(&self, watched: &Watched, since: Timestamp) -> Result<Applied, Halt> {
        let change = &watched.change;
        loop {
            self.pause(LOOK_EVERY).await?;
            if change.deploy.is_none() && self.scale.set != Set::WhereOther {
                // What a look shows may be what was before it was put to sleep.
                return Ok(Applied::No);
            }
            let Some(shown) = self.look(&change.service).await? else {
                return Ok(Applied::Other("it is gone".to_owned()));
            };
            let is_certain = self.context.now().duration_since(since) >= READS_LAG;
            match applied(change, shown) {
                // A second call would make a second deployment: it is made only once no look can be too early.
                Applied::No if change.deploy.as_ref().is_some_and(Deploy::is_restart) && !is_certain => {}
                found => return Ok(found),
            }
        }
    }

    /// One service as it is; none: it is not there.
    async fn look(&self, service: &ServiceId) -> Result<Option<Service>, Halt> {
        let mut failures = 0;
        loop {
            match self.context.cloud.ecs.service(service).await {
                Ok(shown) => return Ok(Some(shown)),
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::Failed(error)),
            }
            self.pause(LOOK_EVERY).await?;
        }
    }
}

impl Change {
    /// Whether an update is called for; else it is only waited for.
    fn is_called(&self) -> bool {
        match &self.deploy {
            None => self.now != self.to,
            Some(deploy) => match deploy.asked {
                Begin::Not | Begin::Perhaps(_) => true,
                Begin::Begun(_) | Begin::ByEcs(_) => false,
            },
        }
    }
}

fn applied(change: &Change, shown: Service) -> Applied {
    let Some(deploy) = &change.deploy else {
        // Moved bounds may have moved the count.
        let between = change.bounds.as_ref().map(|bounds| change.from.clamp(bounds.to.min, bounds.to.max));
        return match shown.desired {
            desired if desired == change.to => Applied::Yes(Box::new(shown)),
            desired if desired == change.from || Some(desired) == between => Applied::No,
            desired => Applied::Other(format!("somebody set its desired count to {desired} meanwhile")),
        };
    };
    match shown.primary() {
        Some(primary) if deploy.is_known(&primary.id) => Applied::No,
        Some(primary) if primary.task_definition == deploy.to => Applied::Yes(Box::new(shown)),
        Some(primary) => Applied::Other(format!("somebody deployed {} meanwhile", primary.task_definition.0)),
        None => Applied::Other("ECS shows no deployment of it".to_owned()),
    }
}

fn intent(change: &Change) -> Record {
    let service = change.service.to_string();
    match change.deploy.clone() {
        None => Record::DesiredIntent { service, from: change.from, to: change.to },
        Some(Deploy { from, to, known, .. }) => Record::DeploymentIntent { service, from, to, known },
    }
}

fn outcome(watched: &Watched) -> Record {
    let (service, deployment) = (watched.change.service.to_string(), watched.deployment.clone());
    match watched.change.deploy {
        None => Record::Desired { service, to: watched.change.to, deployment: deployment.map(|id| id.0) },
        Some(_) => Record::Deployment { service, deployment },
    }
}
