//! [`SkewGauge`]: how far our clock is from AWS's, by the `Date` of its answers.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextRef, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{DateTime, config_bag::ConfigBag, date_time::Format};
use jiff::SignedDuration;

use crate::clock::Clock;

/// No answer with a date so far.
const UNKNOWN: i64 = i64::MIN;

/// Watches answers; remembers the last difference. Refused calls count too: their answers are dated.
#[derive(Debug, Clone)]
pub(super) struct SkewGauge {
    clock: Clock,
    seconds: Arc<AtomicI64>,
}

impl SkewGauge {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, seconds: Arc::new(AtomicI64::new(UNKNOWN)) }
    }

    /// AWS's time less ours, to the second; off by the answer's travel time.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
        let seconds = self.seconds.load(Relaxed);
        (seconds != UNKNOWN).then(|| SignedDuration::from_secs(seconds))
    }
}

#[dyn_dispatch_hint]
impl Intercept for SkewGauge {
    fn name(&self) -> &'static str {
        "SkewGauge"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(theirs) = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok()) {
            self.seconds.store(theirs.secs() - Clock::now(&self.clock).as_second(), Relaxed);
        }
        Ok(())
    }
}
