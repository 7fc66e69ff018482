//! What the program asks of AWS, in our types: the only place that names an SDK type.
//!
//! Paging, batching, deadlines and error mapping live here; what a failure means for a message does not.

pub mod account;
pub mod alarms;
pub mod autoscaling;
pub mod ecs;
pub mod endpoint;
pub mod error;
pub mod identity;
pub mod lambda;
pub mod load_balancers;
pub mod logs;
pub mod metrics;
pub mod parameters;
pub mod rds;
pub mod sqs;

pub mod connect;

mod attempts;
#[cfg(test)]
pub(crate) mod canned;
mod classify;
mod credentials;
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
pub use endpoint::Dial;
pub use error::{CloudError, ErrorKind};

use crate::{clock::Clock, domain::Environment};

/// Clients for one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cloud {
    environment: Arc<Environment>,
    clock: Clock,
    sqs: sqs::Sqs,
    identity: identity::Identity,
    parameters: parameters::Parameters,
    metrics: metrics::Metrics,
    alarms: alarms::Alarms,
    ecs: ecs::Ecs,
    autoscaling: autoscaling::Autoscaling,
    rds: rds::Rds,
    lambda: lambda::Lambda,
    endpoints: endpoint::Endpoints,
    logs: logs::Logs,
    load_balancers: load_balancers::LoadBalancers,
}

impl Cloud {
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    pub fn sqs(&self) -> &sqs::Sqs {
        &self.sqs
    }

    pub fn identity(&self) -> &identity::Identity {
        &self.identity
    }

    pub fn parameters(&self) -> &parameters::Parameters {
        &self.parameters
    }

    pub fn rds(&self) -> &rds::Rds {
        &self.rds
    }

    pub fn lambda(&self) -> &lambda::Lambda {
        &self.lambda
    }

    /// Endpoints of databases. Nothing passive may ask them.
    pub fn endpoints(&self) -> &endpoint::Endpoints {
        &self.endpoints
    }

    pub fn metrics(&self) -> &metrics::Metrics {
        &self.metrics
    }

    pub fn alarms(&self) -> &alarms::Alarms {
        &self.alarms
    }

    pub fn ecs(&self) -> &ecs::Ecs {
        &self.ecs
    }

    pub fn logs(&self) -> &logs::Logs {
        &self.logs
    }

    pub fn load_balancers(&self) -> &load_balancers::LoadBalancers {
        &self.load_balancers
    }

    pub fn autoscaling(&self) -> &autoscaling::Autoscaling {
        &self.autoscaling
    }
}
