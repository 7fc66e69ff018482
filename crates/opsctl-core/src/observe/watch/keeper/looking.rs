//! Looks beside queues, as the keeper makes them and takes what comes of them.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::Keeper;
use crate::{
    cloud::CloudError,
    observe::{
        schedule::Look,
        watch::{
            Ear,
            looks::{self, Found, Glass},
            questions::Question,
        },
    },
};

impl Keeper {
    /// A look at something beside queues; none: there is nothing to look at, or nothing may be spent.
    pub(super) fn look(&mut self, now: Duration, look: Look, ear: &Ear) -> Option<Question> {
        let cloud = self.connected.as_ref()?.cloud.clone();
        let glass = Glass { cloud, clock: self.clock, shares: Arc::clone(&self.shares) };
        let at = self.clock.now();
        let allowed = self.schedule.metrics_allowed_beyond_queues(now);
        let register = self.board.register();
        let question = match look {
            Look::Services => {
                let slices = (!register.are_services_known()).then(|| self.slices.0.clone());
                Some(looks::services(&glass, slices))
            }
            Look::Scaling => Some(looks::scaling(&glass)),
            Look::Stopped => {
                let wanted = register.stopped_wanted(now, &ear.focus.borrow().services);
                (!wanted.is_empty()).then(|| looks::stopped(&glass, wanted))
            }
            Look::Databases => Some(looks::databases(&glass)),
            Look::Alarms => Some(looks::alarms(&glass)),
            Look::Mappings => Some(looks::mappings(&glass)),
            Look::Lags => register.may_look_at_lags(allowed).then(|| looks::lags(&glass)),
            Look::ServiceGauges => {
                let wanted = register.service_metrics_wanted(at, now, allowed);
                (!wanted.is_empty()).then(|| looks::service_gauges(&glass, wanted))
            }
            Look::DatabaseGauges => {
                let wanted = register.database_metrics_wanted(at, now, allowed);
                (!wanted.is_empty()).then(|| looks::database_gauges(&glass, wanted))
            }
        };
        if question.is_some() {
            register.busy(look, true);
        }
        question
    }

    /// What came of a look.
    pub(super) fn looked(&mut self, now: Duration, at: Timestamp, look: Look, found: Result<Found, CloudError>) {
        self.note_stale_clients(found.as_ref().err());
        let (register, schedule) = (self.board.register(), &mut self.schedule);
        register.busy(look, false);
        match found {
            Err(error) => register.failed(at, look, error),
            Ok(Found::Services(found)) => {
                register.services(at, found);
                schedule.want(now, Look::Stopped);
                schedule.want(now, Look::ServiceGauges);
                if register.is_stopped_unknown() {
                    schedule.hurry(now, Look::Stopped);
                }
            }
            Ok(Found::Scaling(scaling)) => register.scaling(scaling),
            Ok(Found::Stopped(answers)) => register.stopped(at, answers),
            Ok(Found::Databases(look)) => {
                register.databases(at, look);
                schedule.want(now, Look::DatabaseGauges);
            }
            Ok(Found::Alarms(alarms)) => register.alarms(at, alarms.list, alarms.incomplete),
            Ok(Found::Mappings(mappings)) => register.mappings(at, mappings),
            Ok(Found::Lags(gauges)) => {
                schedule.charge_metrics(now, metrics(gauges.asked));
                register.lags(at, &gauges);
            }
            Ok(Found::ServiceGauges(services, gauges)) => {
                schedule.charge_metrics(now, metrics(gauges.asked));
                register.service_metrics(at, &services, &gauges);
            }
            Ok(Found::DatabaseGauges(wanted, gauges, capacity)) => {
                schedule.charge_metrics(now, metrics(gauges.asked.saturating_add(capacity.asked)));
                register.database_metrics(at, &wanted, &gauges, &capacity);
            }
        }
    }
}

fn metrics(asked: u64) -> u32 {
    u32::try_from(asked).unwrap_or(u32::MAX)
}
