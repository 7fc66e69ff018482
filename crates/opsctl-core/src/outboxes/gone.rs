//! Whether nobody can be at work on an outbox's rows any more: what has to be proven before claims that have not run out are freed.

use jiff::Timestamp;

use crate::{
    cloud::{Cloud, CloudError, ecs::Wanted},
    domain::{
        Outbox, Relay, SeenLock, Service, Text,
        words::{counted, counted_is},
    },
};

/// What proves that the relay is gone, in words; as an error, why that is not proven. Asked now: `lock` is what
/// [`super::look::lock`] has told.
///
/// # Errors
/// The relay may be at work, or nobody can tell.
pub async fn gone_now(cloud: &Cloud, outbox: &Outbox, lock: Option<SeenLock>) -> Result<String, String> {
    match &outbox.relay {
        Relay::Unknown => {
            Err("the outbox names no relay: `relay` in its configuration says who works on it".to_owned())
        }
        Relay::Nobody => Err("the application itself sends the rows, and nothing tells whether it runs".to_owned()),
        Relay::Service(name) => of_service(cloud, name).await,
        Relay::Function { function, .. } => {
            let function = Text::line(function);
            Err(format!("a call of function {function} may go on for 15 min, and nothing tells whether one does"))
        }
        Relay::Lock(_) => of_lock(cloud, lock),
    }
}

async fn of_service(cloud: &Cloud, name: &str) -> Result<String, String> {
    let shown = Text::line(name);
    let unseen = |error: CloudError| format!("service {shown} can't be looked at: {error}");
    let all = cloud.ecs.all().await.map_err(unseen)?;
    let fits = |service: &&Service| service.id.to_string() == name || service.id.name.0 == name;
    let fitting: Vec<&Service> = all.found.iter().filter(fits).collect();
    let [service] = fitting[..] else {
        return Err(match fitting.len() {
            0 => format!("there is no service {shown}"),
            _ => format!("several services are named {shown}"),
        });
    };
    let (mut tasks, mut ending) = (service.running + service.pending, 0);
    // A task that is told to stop still works for a while, and a service's figures no longer count it.
    for wanted in [Wanted::Running, Wanted::Stopped] {
        let found = cloud.ecs.tasks(&service.id, wanted).await.map_err(unseen)?;
        let alive = found.found.iter().filter(|task| task.status.as_str() != "STOPPED").count() as u64;
        match wanted {
            Wanted::Running => tasks = tasks.max(u32::try_from(alive).unwrap_or(u32::MAX)),
            Wanted::Stopped => ending = alive,
        }
    }
    match (tasks, ending) {
        (0, 0) => Ok(format!("service {shown} runs no task")),
        (0, ending) => Err(format!("{} still stopping, of service {shown}", counted_is(ending, "task", "is", "are"))),
        (tasks, _) => Err(format!("service {shown} runs {}", counted(tasks.into(), "task"))),
    }
}

fn of_lock(cloud: &Cloud, lock: Option<SeenLock>) -> Result<String, String> {
    let now = cloud.clock().now();
    match lock {
        Some(SeenLock::Taken { until, owner }) => {
            let by = owner.map(|owner| format!(" by {owner}")).unwrap_or_default();
            let span = |from: Timestamp, to: Timestamp| crate::domain::words::span(to.duration_since(from));
            if until >= now {
                Err(format!("the relay's lock is held{by} for another {}", span(now, until)))
            } else {
                Ok(format!("the relay's lock ran out {} ago, last held{by}", span(until, now)))
            }
        }
        Some(SeenLock::Free) => Ok("nobody holds the relay's lock".to_owned()),
        Some(SeenLock::Unknown(words)) => Err(format!("the relay's lock can't be read: {words}")),
        None => Err("the relay's lock was not looked at".to_owned()),
    }
}
