//! Where a service answers: at the environment's endpoint, or in its region, by the same partitions as SQS.

use aws_config::SdkConfig;
use aws_sdk_sqs::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        endpoint::{EndpointFuture, EndpointResolverParams, ResolveEndpoint, SharedEndpointResolver},
        interceptors::{Intercept, context::BeforeSerializationInterceptorContextRef, dyn_dispatch_hint},
    },
};
use aws_smithy_types::{config_bag::ConfigBag, endpoint::Endpoint};

use super::Service;

const SQS: &str = "https://sqs.";

/// Endpoints of a service whose regional host names differ from SQS's in their first label only, which those of all services here
/// do (AWS General Reference, service endpoints).
#[derive(Debug)]
struct Beside {
    sqs: SharedEndpointResolver,
    /// None where the environment has an endpoint of its own: it is taken as it is.
    host: Option<&'static str>,
}

pub(super) fn resolver(service: &'static Service, shared: &SdkConfig) -> SharedEndpointResolver {
    let host = shared.endpoint_url().is_none().then_some(service.host);
    SharedEndpointResolver::new(Beside { sqs: DefaultResolver::new().into_shared_resolver(), host })
}

/// Hands a call's region and endpoint to the resolver.
#[derive(Debug)]
pub(super) struct Place(Params);

impl Place {
    pub(super) fn of(shared: &SdkConfig) -> Self {
        let params = Params::builder()
            .set_region(shared.region().map(ToString::to_string))
            .set_endpoint(shared.endpoint_url().map(str::to_owned))
            .build();
        Self(params.unwrap_or_else(|error| unreachable!("nothing is required of them: {error}")))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Place {
    fn name(&self) -> &'static str {
        "Place"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(EndpointResolverParams::new(self.0.clone()));
        Ok(())
    }
}

impl ResolveEndpoint for Beside {
    fn resolve_endpoint<'a>(&'a self, params: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(async move {
            let found = self.sqs.resolve_endpoint(params).await?;
            let rest = found.url().strip_prefix(SQS);
            Ok(match (self.host, rest) {
                (Some(host), Some(rest)) => Endpoint::builder().url(format!("https://{host}.{rest}")).build(),
                (None, _) | (Some(_), None) => found,
            })
        })
    }
}
