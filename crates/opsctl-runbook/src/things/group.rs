//! A group of services as conditions see it.

use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looking, of};
use crate::domain::{Service, Standing, Text};

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Group {
    /// Its name in the configuration
    #[schemars(with = "String")]
    pub name: Text,
    /// Services in it, those that are always on included
    pub all: usize,
    /// Services that run at least one task, and as many as shall
    pub awake: usize,
    /// Services at zero
    pub asleep: usize,
    /// Services that run fewer tasks than shall, or whose deployment fails or is under way
    pub others: usize,
    /// Whether all of them are awake and none is being changed
    pub is_awake: bool,
    /// Its services, by name
    pub services: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Member {
    /// Its cluster and name, `cluster/name`
    #[schemars(with = "String")]
    pub name: Text,
    /// `steady`, `deploying`, `asleep`, `below desired` or `failing`
    pub state: String,
    /// Tasks that shall run
    pub desired: u32,
    /// Tasks that run
    pub running: u32,
    /// Tasks that are being started
    pub pending: u32,
    /// Revision of its task definition, `family:revision`
    #[schemars(with = "String")]
    pub revision: Text,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Group, Text> {
    let cloud = looking.cloud;
    let environment = cloud.environment();
    let group = environment.services.group(looking.name).ok_or_else(|| {
        Text::line(&format!("there is no group {} in the configuration of {}", looking.name, environment.name))
    })?;
    let found = cloud.ecs.all().await.map_err(|error| of(&error))?;
    let mut members: Vec<_> = found
        .found
        .into_iter()
        .filter(|service| group.is_always_on(&service.id) || group.stage_of(&service.id).is_some())
        .collect();
    members.sort_by(|one, other| one.id.cmp(&other.id));
    if let Some(missing) = found.missing.first() {
        // A service of the group may be among them: what is not seen is not awake.
        return Err(Text::line(&format!("{} can't be looked at: {}", missing.what, missing.reason)));
    }
    if members.is_empty() {
        return Err(Text::line(&format!("no service of {} fits the group {}", environment.name, looking.name)));
    }
    let count = |wanted: &[Standing]| members.iter().filter(|service| wanted.contains(&service.standing())).count();
    let (awake, asleep) = (count(&[Standing::Steady]), count(&[Standing::Asleep]));
    Ok(Group {
        name: Text::line(&group.name),
        all: members.len(),
        awake,
        asleep,
        others: members.len() - awake - asleep,
        is_awake: awake == members.len(),
        services: members.iter().map(Member::of).collect(),
    })
}

impl Member {
    fn of(service: &Service) -> Self {
        Self {
            name: Text::line(&service.id.to_string()),
            state: service.standing().into_str().to_owned(),
            desired: service.desired,
            running: service.running,
            pending: service.pending,
            revision: Text::line(&service.task_definition.0),
        }
    }
}
