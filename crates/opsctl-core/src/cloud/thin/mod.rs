//! Calls of services of which only a few are used, on the SDK's own orchestrator and signer.
//!
//! Retries, deadlines, credentials, clock skew, user agent and the way to AWS are the SDK's; the requests and the reading of answers
//! are written here, because a whole client is a hundred thousand generated lines and more.

mod endpoint;
mod json;
mod protocol;
#[cfg(test)]
mod tests;
mod xml;

use std::{fmt, sync::Arc};

use aws_config::SdkConfig;
use aws_runtime::{
    auth::{SigV4OperationSigningConfig, SigningOptions, sigv4},
    invocation_id::InvocationIdInterceptor,
    recursion_detection::RecursionDetectionInterceptor,
    request_info::RequestInfoInterceptor,
    retries::classifiers::AwsErrorCodeClassifier,
    service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor},
    user_agent::{ApiMetadata, UserAgentInterceptor},
};
use aws_smithy_runtime::client::{
    defaults::{DefaultPluginParams, default_plugins},
    http::connection_poisoning::ConnectionPoisoningInterceptor,
    orchestrator::{AuthSchemeAndEndpointOrchestrationV2, invoke},
    retries::{
        RetryPartition,
        classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
    },
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{
            AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
            static_resolver::StaticAuthSchemeOptionResolver,
        },
        interceptors::context::Input,
        orchestrator::{HttpResponse, Metadata, SensitiveOutput},
        result::SdkError,
        runtime_components::RuntimeComponentsBuilder,
        runtime_plugin::{RuntimePlugins, StaticRuntimePlugin},
        ser_de::{SharedRequestSerializer, SharedResponseDeserializer},
    },
};
use aws_smithy_types::{
    config_bag::{FrozenLayer, Layer},
    error::ErrorMetadata,
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_types::{
    SigningName,
    region::{Region, SigningRegion},
};

use super::{CloudError, attempts::Attempts, classify};
use protocol::{Reader, Writer};

pub(super) use json::{Told, time};
pub(super) use protocol::{Protocol, RESOURCES, Request, from_json};
pub(super) use xml::Element;

#[derive(Debug)]
pub(super) struct Service {
    /// In the user agent and in the SDK's words.
    pub(super) name: &'static str,
    /// First label of its host names.
    pub(super) host: &'static str,
    /// In the scope of a signature.
    pub(super) signing_name: &'static str,
    pub(super) protocol: Protocol,
}

/// Calls of one service in one environment. Cheap to clone.
#[derive(Clone)]
pub(super) struct Thin {
    service: &'static Service,
    plugins: RuntimePlugins,
    made: Arc<(SdkConfig, RetryPartition, Option<TimeoutConfig>)>,
}

impl Thin {
    /// As the service's own client would be made of `shared`.
    pub(super) fn new(service: &'static Service, shared: &SdkConfig, partition: RetryPartition) -> Self {
        Self::with(service, shared, partition, None)
    }

    /// Each call is sent once, within these deadlines.
    pub(super) fn once(
        service: &'static Service,
        shared: &SdkConfig,
        partition: RetryPartition,
        deadlines: TimeoutConfig,
    ) -> Self {
        Self::with(service, shared, partition, Some(deadlines))
    }

    fn with(
        service: &'static Service,
        shared: &SdkConfig,
        partition: RetryPartition,
        once: Option<TimeoutConfig>,
    ) -> Self {
        let mut defaults = DefaultPluginParams::new().with_retry_partition_name(service.name).with_is_aws_sdk(true);
        if let Some(version) = shared.behavior_version() {
            defaults = defaults.with_behavior_version(version);
        }
        let plugin = StaticRuntimePlugin::new()
            .with_config(config(service, shared, partition.clone(), once.clone()))
            .with_runtime_components(components(service, shared));
        let plugins = RuntimePlugins::new().with_client_plugins(default_plugins(defaults)).with_client_plugin(plugin);
        Self { service, plugins, made: Arc::new((shared.clone(), partition, once)) }
    }

    pub(super) fn in_region(&self, region: &str) -> Self {
        let (shared, partition, once) = &*self.made;
        let shared = shared.to_builder().region(Region::new(region.to_owned())).build();
        Self::with(self.service, &shared, partition.clone(), once.clone())
    }

    /// Makes a call. `action` is the IAM action, `ssm:GetParameters` for instance, which ends in the operation's name; `read` reads the
    /// body of an answer.
    ///
    /// # Errors
    /// As those of an SDK client: an answer that can't be read is [`super::ErrorKind::Unknown`].
    pub(super) async fn call<O>(
        &self,
        action: &'static str,
        request: Request,
        read: fn(&[u8]) -> Result<O, BoxError>,
    ) -> Result<O, CloudError>
    where
        O: fmt::Debug + Send + Sync + 'static,
    {
        let components = RuntimeComponentsBuilder::new("opsctl-call");
        let answer = self.orchestrate(action, request, read, components).await;
        answer.map_err(|error| classify::from_sdk(action, error))
    }

    /// [`Thin::call`] of a write: its error is judged by all attempts.
    ///
    /// # Errors
    /// As [`Thin::call`].
    pub(super) async fn write<O>(
        &self,
        action: &'static str,
        request: Request,
        read: fn(&[u8]) -> Result<O, BoxError>,
    ) -> Result<O, CloudError>
    where
        O: fmt::Debug + Send + Sync + 'static,
    {
        self.write_or(action, request, read, |_| None).await
    }

    /// [`Thin::write`] of which an error may be an answer: `answer_of` says which.
    ///
    /// # Errors
    /// As [`Thin::call`].
    pub(super) async fn write_or<O>(
        &self,
        action: &'static str,
        request: Request,
        read: fn(&[u8]) -> Result<O, BoxError>,
        answer_of: fn(&ErrorMetadata) -> Option<O>,
    ) -> Result<O, CloudError>
    where
        O: fmt::Debug + Send + Sync + 'static,
    {
        let attempts = Attempts::new();
        let components =
            RuntimeComponentsBuilder::new("opsctl-call").with_interceptor(attempts.watch::<ErrorMetadata>());
        match self.orchestrate(action, request, read, components).await {
            Ok(output) => Ok(output),
            Err(error) => match error.as_service_error().and_then(answer_of) {
                Some(output) => Ok(output),
                None => Err(attempts.judge(classify::from_sdk(action, error))),
            },
        }
    }

    async fn orchestrate<O>(
        &self,
        action: &'static str,
        request: Request,
        read: fn(&[u8]) -> Result<O, BoxError>,
        components: RuntimeComponentsBuilder,
    ) -> Result<O, SdkError<ErrorMetadata, HttpResponse>>
    where
        O: fmt::Debug + Send + Sync + 'static,
    {
        let Service { name, protocol, .. } = self.service;
        let operation = action.rsplit(':').next().unwrap_or(action);
        let mut layer = Layer::new(operation);
        layer.store_put(Metadata::new(operation, *name));
        layer.store_put(SharedRequestSerializer::new(Writer { protocol, operation }));
        layer.store_put(SharedResponseDeserializer::new(Reader { protocol, read }));
        let plugin = StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components);
        let plugins = self.plugins.clone().with_operation_plugin(plugin);
        let answer = invoke(name, operation, Input::erase(request), &plugins).await;
        let answer = answer.map_err(|error| {
            error.map_service_error(|error| {
                error.downcast::<ErrorMetadata>().unwrap_or_else(|_| unreachable!("the reader makes no other error"))
            })
        });
        Ok(answer?.downcast().unwrap_or_else(|_| unreachable!("the reader makes no other output")))
    }
}

fn config(
    service: &Service,
    shared: &SdkConfig,
    partition: RetryPartition,
    once: Option<TimeoutConfig>,
) -> FrozenLayer {
    let mut layer = Layer::new(service.name);
    layer.store_put(AuthSchemeAndEndpointOrchestrationV2);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(ApiMetadata::new(service.name, env!("CARGO_PKG_VERSION")));
    layer.store_put(SigningName::from_static(service.signing_name));
    // Values of parameters and lines of logs: nobody's trace shows them.
    layer.store_put(SensitiveOutput);
    layer.store_or_unset(shared.region().cloned());
    layer.store_or_unset(shared.region().cloned().map(SigningRegion::from));
    layer.store_or_unset(shared.stalled_stream_protection());
    layer.store_put(partition);
    let (retries, deadlines) = match once {
        Some(deadlines) => (Some(RetryConfig::disabled()), Some(deadlines)),
        None => (shared.retry_config().cloned(), shared.timeout_config().cloned()),
    };
    layer.store_or_unset(retries);
    layer.store_or_unset(deadlines);
    let mut signing_options = SigningOptions::default();
    (signing_options.double_uri_encode, signing_options.normalize_uri_path) = (true, true);
    layer.store_put(SigV4OperationSigningConfig { signing_options, ..SigV4OperationSigningConfig::default() });
    layer.freeze()
}

fn components(service: &'static Service, shared: &SdkConfig) -> RuntimeComponentsBuilder {
    let auth = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new(service.name)
        .with_http_client(shared.http_client())
        .with_identity_cache(shared.identity_cache())
        .with_time_source(shared.time_source())
        .with_sleep_impl(shared.sleep_impl())
        .with_endpoint_resolver(Some(endpoint::resolver(service, shared)))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(auth)))
        .with_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()))
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new());
    if let Some(provider) = shared.credentials_provider() {
        components.set_identity_resolver(sigv4::SCHEME_ID, provider);
    }
    components
        .with_interceptor(ConnectionPoisoningInterceptor::new())
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(RecursionDetectionInterceptor::new())
        .with_interceptor(endpoint::Place::of(shared))
        .with_interceptor(protocol::Bounded)
}

impl fmt::Debug for Thin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct(self.service.name).finish_non_exhaustive()
    }
}
