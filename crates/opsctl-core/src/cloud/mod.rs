//! What the program asks of AWS, in our types: the only place that names an SDK type.
//!
//! Paging, batching, deadlines and error mapping live here; what a failure means for a message does not.

pub mod account;
pub mod alarms;
pub mod autoscaling;
pub mod ecs;
pub mod endpoint;
pub mod error;
pub mod events;
pub mod identity;
pub mod lambda;
pub mod load_balancers;
pub mod logs;
pub mod metrics;
pub mod parameters;
pub mod permissions;
pub mod rds;
pub mod sqs;

pub mod connect;
pub mod profiles;
pub mod settings;
pub mod shell;
pub mod trouble;

mod attempts;
#[cfg(test)]
pub(crate) mod canned;
mod classify;
mod credentials;
mod denial;
pub mod mutes;
mod network;
mod pages;
mod skew;
#[cfg(test)]
mod tests;
mod thin;

use std::sync::Arc;

/// The client that goes to the network, for whoever makes clients of the SDK by themselves: the SDK's own is not compiled in.
pub fn network_client() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    network::client()
}

pub use account::Unverified;
pub use connect::Connect;
pub use credentials::login;
pub use endpoint::{Dial, Told};
pub use error::{CloudError, ErrorKind};
pub use shell::Shell;
pub use trouble::Trouble;

use crate::{
    clock::Clock,
    domain::{Environment, Text},
};

/// Clients for one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cloud {
    environment: Arc<Environment>,
    clock: Clock,
    pub sqs: sqs::Sqs,
    pub identity: identity::Identity,
    pub parameters: parameters::Parameters,
    pub metrics: metrics::Metrics,
    pub alarms: alarms::Alarms,
    pub ecs: ecs::Ecs,
    pub autoscaling: autoscaling::Autoscaling,
    pub rds: rds::Rds,
    pub lambda: lambda::Lambda,
    pub events: events::Events,
    /// Of databases. Nothing passive may ask them.
    pub endpoints: endpoint::Endpoints,
    pub logs: logs::Logs,
    pub load_balancers: load_balancers::LoadBalancers,
    credentials: credentials::Made,
    told: Option<Told>,
}

impl Cloud {
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Where its credentials come from, step by step, and where each step was asked.
    pub fn credential_steps(&self) -> &[Text] {
        &self.credentials.steps
    }

    /// Waits where a program that gives credentials waits for a person, and says so; all else is asked for when it is needed.
    pub async fn ready(&self) {
        let waits = |words: &str| {
            if let Some(Told(told)) = &self.told {
                told(words);
            }
        };
        credentials::ready(&self.credentials, self.clock, waits).await;
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }
}
