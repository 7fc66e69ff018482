//! [`Attempts`]: what became of each attempt of one write, so that the last one's error does not hide an earlier one's.
//!
//! A delete whose first answer was lost and whose second attempt was refused a connection has failed with "connection
//! refused", and yet may have been applied.

use std::{
    error::Error as StdError,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
            dyn_dispatch_hint,
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

use super::{CloudError, ErrorKind, classify};

#[derive(Debug, Default)]
pub(super) struct Attempts {
    sent: AtomicU32,
    /// Of those, attempts that were surely not applied.
    refused: AtomicU32,
}

impl Attempts {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The watcher for a call whose errors are `E`.
    pub(super) fn watch<E>(self: &Arc<Self>) -> Watch<E> {
        Watch { attempts: Arc::clone(self), errors: PhantomData }
    }

    /// The call's error in the light of all attempts.
    pub(super) fn judge(&self, error: CloudError) -> CloudError {
        let (sent, refused) = (self.sent.load(Relaxed), self.refused.load(Relaxed));
        let kind = match error.kind {
            // The deadline passed before anything went out: while looking for credentials.
            ErrorKind::Unknown if sent == 0 => ErrorKind::Unreachable,
            _ if sent > refused => ErrorKind::Unknown,
            kind => kind,
        };
        CloudError { kind, ..error }
    }
}

pub(super) struct Watch<E> {
    attempts: Arc<Attempts>,
    errors: PhantomData<fn() -> E>,
}

impl<E> std::fmt::Debug for Watch<E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.attempts.fmt(formatter)
    }
}

#[dyn_dispatch_hint]
impl<E: StdError + ProvideErrorMetadata + Send + Sync + 'static> Intercept for Watch<E> {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.attempts.sent.fetch_add(1, Relaxed);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let refused = if let Some(operation) = error.as_operation_error() {
            let status = context.response().map_or(0, |response| response.status().as_u16());
            operation.downcast_ref::<E>().is_some_and(|error| {
                classify::kind(error.code(), error.message().unwrap_or_default(), status) != ErrorKind::Unknown
            })
        } else {
            error.as_connector_error().is_some_and(|error| classify::is_before_sending(error))
        };
        if refused {
            self.attempts.refused.fetch_add(1, Relaxed);
        }
        Ok(())
    }
}
