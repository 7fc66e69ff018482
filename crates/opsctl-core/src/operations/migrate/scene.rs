//! What a migration's plan looks at.

use super::{Migrate, OperationError};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind},
    databases::{self, Capacity},
    domain::{ContainerDefinition, Database, Definition, Migration, Network, NetworkSource, Placement, Try},
    operations::resolve::did_you_mean,
};

pub(super) struct Scene {
    pub(super) definition: Definition,
    pub(super) container: ContainerDefinition,
    /// Its command; none: the task definition's own.
    pub(super) command: Option<Vec<String>>,
    /// None: the service has none of its own.
    pub(super) network: Option<Network>,
    pub(super) placement: Placement,
    /// The database that the configuration names, and how much of it there is.
    pub(super) database: Option<Result<(Database, Capacity), CloudError>>,
    /// Whether the log group is there; none: there is nothing to ask for.
    pub(super) has_log_group: Option<Result<bool, CloudError>>,
}

impl Scene {
    pub(super) async fn look(migrate: &Migrate, migration: &Migration, cloud: &Cloud) -> Result<Self, OperationError> {
        let command = command(migrate, migration)?;
        let definition = definition(migrate, migration, cloud).await?;
        let container = container(migration, &definition)?.clone();
        let log_group = migration.log_group.as_ref().or(container.log.as_ref().map(|log| &log.group));
        let (surroundings, database, has_log_group) = tokio::join!(
            surroundings(migration, cloud),
            async {
                match &migration.database {
                    Some(name) => Some(database(name, cloud).await),
                    None => None,
                }
            },
            async {
                match log_group {
                    Some(group) => Some(cloud.logs.has_group(group).await),
                    None => None,
                }
            },
        );
        let (network, placement) = surroundings?;
        Ok(Self { definition, container, command, network, placement, database, has_log_group })
    }
}

/// Only what the configuration allows.
fn command(migrate: &Migrate, migration: &Migration) -> Result<Option<Vec<String>>, OperationError> {
    let Some(name) = &migrate.command else { return Ok(None) };
    if let Some(words) = migration.commands.get(name) {
        return Ok(Some(words.clone()));
    }
    let names: Vec<String> = migration.commands.keys().cloned().collect();
    let hint = did_you_mean(name, &names).unwrap_or_else(|| match names.is_empty() {
        false => format!("allowed are: {}", names.join(", ")),
        true => format!("add it to `commands` of [environments.*.migrations.{}]", migration.name),
    });
    let what = format!("{name} is no command that the configuration allows for {}", migration.name);
    Err(OperationError::usage(&what, Try::NameAnother.says(&hint)))
}

async fn definition(migrate: &Migrate, migration: &Migration, cloud: &Cloud) -> Result<Definition, OperationError> {
    let configured = migration.task_definition.as_str();
    let family = configured.split_once(':').map_or(configured, |(family, _)| family);
    let wanted = match migrate.revision {
        Some(revision) => format!("{family}:{revision}"),
        None => configured.to_owned(),
    };
    let error = match cloud.ecs.definition(&wanted).await {
        Ok(definition) => return Ok(definition),
        Err(error) if error.kind == ErrorKind::NotFound => error,
        Err(error) => return Err(error.into()),
    };
    // The listing is a courtesy: where it is denied, the error stands without suggestions.
    let names = cloud.ecs.families().await.unwrap_or_default();
    let hint = match names.iter().any(|name| name == family) {
        true => "name a revision that is there, or none for the newest".to_owned(),
        false => did_you_mean(family, &names).unwrap_or_else(|| to_check("task_definition", migration)),
    };
    let environment = cloud.environment();
    let what = format!(
        "there is no task definition {wanted} in {} ({}): {}",
        environment.name, environment.region, error.message
    );
    Err(OperationError::usage(&what, Try::NameAnother.says(&hint)))
}

/// The container whose exit code is the migration's.
fn container<'a>(migration: &Migration, definition: &'a Definition) -> Result<&'a ContainerDefinition, OperationError> {
    let names = || definition.containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>();
    let listed = || format!("its containers: {}", names().join(", "));
    let refused = |what: &str, hint: &str| {
        OperationError::usage(&format!("{} {what}", definition.name.0), Try::Configure.says(hint))
    };
    if let Some(name) = &migration.container {
        let container = definition.container(name);
        return container.ok_or_else(|| refused(&format!("has no container {name}"), &listed()));
    }
    let mut essential = definition.essential();
    match (essential.next(), essential.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(refused("has no essential container", &listed())),
        (Some(_), Some(_)) => Err(refused(
            "has several essential containers: whose exit code counts?",
            &format!("name one with `container` in [environments.*.migrations.{}]; {}", migration.name, listed()),
        )),
    }
}

async fn surroundings(migration: &Migration, cloud: &Cloud) -> Result<(Option<Network>, Placement), OperationError> {
    let service = match &migration.network {
        NetworkSource::Given(network) => return Ok((Some(network.clone()), Placement::default())),
        NetworkSource::Service(service) => service,
    };
    match cloud.ecs.surroundings(service).await {
        Ok((network, placement)) => Ok((network, Placement { is_daemon: false, ..placement })),
        Err(error) if error.kind == ErrorKind::NotFound => {
            let hint = match cloud.ecs.service_names(&service.cluster).await {
                Ok(names) => {
                    let names: Vec<String> = names.into_iter().map(|name| name.0).collect();
                    did_you_mean(&service.name.0, &names).unwrap_or_else(|| to_check("network_of", migration))
                }
                Err(_) => to_check("cluster", migration),
            };
            Err(OperationError::usage(
                &format!("there is no service {service} to copy the network of"),
                Try::NameAnother.says(&hint),
            ))
        }
        Err(error) => Err(error.into()),
    }
}

fn to_check(key: &str, migration: &Migration) -> String {
    format!("check `{key}` of [environments.*.migrations.{}]", migration.name)
}

async fn database(name: &str, cloud: &Cloud) -> Result<(Database, Capacity), CloudError> {
    let found = cloud.rds.database(name).await?;
    let missing =
        || CloudError::new(ErrorKind::NotFound, "rds:DescribeDBInstances", &format!("there is no database {name}"));
    let database = found.ok_or_else(missing)?;
    let capacity = databases::capacity(cloud, &database).await;
    Ok((database, capacity))
}
