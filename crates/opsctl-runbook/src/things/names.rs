//! The real things that a parameter of a kind can be.

use std::collections::BTreeSet;

use crate::{
    Kind,
    cloud::{Cloud, CloudError, ErrorKind},
    domain::Relay,
};

/// Names of all things of a kind in the environment, sorted; none of a plain value.
///
/// # Errors
/// They can't be listed. Functions and rules are those of the configuration where listing them is not allowed.
pub async fn names(kind: Kind, cloud: &Cloud) -> Result<Vec<String>, CloudError> {
    let environment = cloud.environment();
    let mut names: Vec<String> = match kind {
        Kind::Environment => vec![environment.name.0.clone()],
        Kind::Queue => cloud.sqs.list(None).await?.iter().map(|url| url.name().0).collect(),
        Kind::Service => services(cloud).await?,
        Kind::Group => environment.services.groups.iter().map(|group| group.name.clone()).collect(),
        Kind::Database => cloud.rds.databases().await?.list.into_iter().map(|database| database.name).collect(),
        Kind::Outbox => environment.databases.outboxes.iter().map(|outbox| outbox.name.clone()).collect(),
        Kind::Alarm => cloud.alarms.all().await?.list.into_iter().map(|alarm| alarm.name).collect(),
        Kind::Function => or_relays(cloud, cloud.lambda.functions().await, |function, _| Some(function))?,
        Kind::Rule => or_relays(cloud, cloud.events.rules().await, |_, rule| rule)?,
        Kind::Migration => environment.services.migrations.iter().map(|migration| migration.name.clone()).collect(),
        Kind::Number | Kind::Duration | Kind::Choice | Kind::Text | Kind::Link | Kind::Version | Kind::Run => {
            Vec::new()
        }
    };
    names.sort();
    Ok(names)
}

async fn services(cloud: &Cloud) -> Result<Vec<String>, CloudError> {
    let mut all = Vec::new();
    for cluster in cloud.ecs.clusters().await? {
        let names = cloud.ecs.service_names(&cluster).await?;
        all.extend(names.into_iter().map(|name| format!("{cluster}/{name}")));
    }
    Ok(all)
}

/// What was listed; where that is not allowed, what the configuration's relays name.
fn or_relays<'a>(
    cloud: &'a Cloud,
    listed: Result<Vec<String>, CloudError>,
    named: fn(&'a String, Option<&'a String>) -> Option<&'a String>,
) -> Result<Vec<String>, CloudError> {
    match listed {
        Err(error) if error.kind == ErrorKind::Denied => {
            let relays = cloud.environment().databases.outboxes.iter().filter_map(|outbox| match &outbox.relay {
                Relay::Function { function, rule } => named(function, rule.as_ref()).cloned(),
                Relay::Unknown | Relay::Nobody | Relay::Service(_) | Relay::Lock(_) => None,
            });
            Ok(relays.collect::<BTreeSet<_>>().into_iter().collect())
        }
        listed => listed,
    }
}
