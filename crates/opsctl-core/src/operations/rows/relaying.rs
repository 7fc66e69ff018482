//! Whether anybody sends what is ready again: asked when the plan is made.

use crate::{
    cloud::{Cloud, CloudError},
    domain::{Outbox, Relay, SeenOutbox, Service, Text},
    observe::{
        Part, SeenService,
        parts::outboxes::{self, Relaying},
    },
    operations::plan::Plan,
    outboxes::Deed,
};

/// Says who sends the rows, and how whoever sleeps is woken.
pub(super) async fn tell(plan: &mut Plan, cloud: &Cloud, outbox: &Outbox, deed: Deed) {
    let relaying = look(cloud, outbox).await;
    plan.fact("relay", relaying.words());
    match deed {
        Deed::Replay | Deed::Release => {}
        // Whether it runs is no matter for rows that it passes over.
        Deed::Park | Deed::Aside => return,
    }
    let environment = cloud.environment();
    match &relaying {
        Relaying::Awake(_) => {}
        Relaying::Unknown(words) if outbox.relay == Relay::Nobody => {
            plan.warn(format!("nothing sends the rows by itself: {words}"));
        }
        Relaying::Unknown(words) => plan.warn(format!("it is not known whether the relay runs: {words}")),
        Relaying::Asleep(words, waking) => {
            let wake = waking.command(environment).map(|line| format!("; `{line}` wakes it")).unwrap_or_default();
            plan.warn(format!("the relay is asleep, so the rows only wait: {words}{wake}"));
        }
    }
}

async fn look(cloud: &Cloud, outbox: &Outbox) -> Relaying {
    let seen = SeenOutbox {
        name: outbox.name.clone(),
        what: Text::default(),
        connection: outbox.connection.clone(),
        backlog: None,
        trouble: None,
        function: outboxes::function(cloud, outbox).await,
    };
    let mut services: Part<SeenService> = Part::default();
    if let Relay::Service(name) = &outbox.relay {
        match found(cloud, name).await {
            Ok(found) => {
                services.at = Some(cloud.clock().now());
                services.rows = found.into_iter().map(|service| SeenService::of(service).into()).collect();
            }
            Err(error) => return Relaying::Unknown(format!("service {}: {error}", Text::line(name))),
        }
    }
    outboxes::relay(outbox, &seen, &services)
}

async fn found(cloud: &Cloud, name: &str) -> Result<Vec<Service>, CloudError> {
    let all = cloud.ecs.all().await?.found;
    Ok(all.into_iter().filter(|service| service.id.to_string() == name || service.id.name.0 == name).collect())
}
