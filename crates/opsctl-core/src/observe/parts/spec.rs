//! [`Spec`]: what a look is, as its part registers it.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::{Look, PartName};
use crate::{
    cloud::{Cloud, CloudError, metrics::Gauges},
    domain::{Service, ServiceId},
    observe::{
        register::Register,
        schedule::{Outcome, Shares},
    },
};

pub(in crate::observe) struct Spec {
    pub part: PartName,
    /// Whether its answer is the part itself, not something more about its rows.
    pub is_listing: bool,
    /// What it is at, and whether that is one thing or many: "autoscaling", "is".
    pub what: (&'static str, &'static str),
    pub every: Duration,
    /// Whether that is three times as often while its part is on the screen. What costs dollars is not.
    pub is_hastened: bool,
    pub begins: Begins,
    pub ask: Ask,
}

/// Asks; none: there is nothing to ask, or nothing may be spent.
type Ask = fn(&mut Register, &Asking<'_>) -> Option<Question>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::observe) enum Begins {
    /// So long after there are clients.
    After(Duration),
    WhenCalled,
}

pub(in crate::observe) type Question = Pin<Box<dyn Future<Output = Result<Found, CloudError>> + Send>>;

pub(in crate::observe) struct Asking<'a> {
    pub cloud: &'a Cloud,
    pub shares: &'a Arc<Shares>,
    pub at: Timestamp,
    /// Time since the watch started.
    pub now: Duration,
    pub metrics_max: usize,
    /// How far back events are looked for.
    pub event_minutes: u32,
    pub without_instances: bool,
    pub shown: &'a [ServiceId],
    /// Told some services before the look at all of them has ended.
    pub slices: Option<&'a UnboundedSender<Vec<Service>>>,
}

/// What came of a look, and what is done with it.
pub(in crate::observe) struct Found {
    /// As the schedule takes it: a part that is throttled slows down, though the rest of it came.
    pub outcome: Outcome,
    pub metrics: u64,
    /// Puts it in the register; answers what is to be looked at next.
    pub put: Put,
}

type Put = Box<dyn FnOnce(&mut Register, Timestamp) -> Vec<Next> + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::observe) enum Next {
    /// Looks at this from now on.
    Want(Look),
    /// Looks at this now, unless it failed the last time.
    Hurry(Look),
}

impl Spec {
    /// A look whose answer is the part itself.
    pub(in crate::observe) const fn listing(part: PartName, every_seconds: u64, ask: Ask) -> Self {
        Self {
            part,
            is_listing: true,
            what: (part.words(), "are"),
            every: Duration::from_secs(every_seconds),
            is_hastened: true,
            begins: Begins::After(Duration::ZERO),
            ask,
        }
    }

    /// A look at something more about the part's rows, once a minute.
    pub(in crate::observe) const fn more(part: PartName, what: (&'static str, &'static str), ask: Ask) -> Self {
        let listing = Self::listing(part, 60, ask);
        Self { is_listing: false, what, is_hastened: false, begins: Begins::WhenCalled, ..listing }
    }
}

impl Found {
    /// An answer that calls for nothing more.
    pub(in crate::observe) fn put(put: impl FnOnce(&mut Register, Timestamp) + Send + 'static) -> Self {
        Self::then(&[], put)
    }

    /// The same, with looks that have something to look at from now on.
    pub(in crate::observe) fn then(
        next: &'static [Look],
        put: impl FnOnce(&mut Register, Timestamp) + Send + 'static,
    ) -> Self {
        let put = move |register: &mut Register, at| {
            put(register, at);
            next.iter().map(|look| Next::Want(*look)).collect()
        };
        Self { outcome: Outcome::Done, metrics: 0, put: Box::new(put) }
    }

    pub(in crate::observe) fn put_gauges(
        gauges: Gauges,
        put: impl FnOnce(&mut Register, Timestamp, &Gauges) + Send + 'static,
    ) -> Self {
        let metrics = gauges.asked;
        Self { metrics, ..Self::put(move |register, at| put(register, at, &gauges)) }
    }
}
