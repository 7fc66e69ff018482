//! How far groups that read Kafka lie behind: one search of CloudWatch finds them.

use std::{cmp::Ordering, time::Duration};

use jiff::Timestamp;

use super::{Begins, Found, Look, PartName, Spec};
use crate::{
    cloud::metrics::{Gauges, KAFKA_LAG},
    domain::{
        Gauge, KafkaLag, Thresholds,
        words::{span, thousands},
    },
    observe::{
        estate::{Row, settle},
        register::Register,
        verdict::{Finding, Kind, Scene, Severity, Subject, Verdict, is_fresh},
    },
};

/// What it may cost before that is known.
const COST: usize = 10;

pub(super) const LAGS: Spec = Spec {
    what: ("how far readers of Kafka lie behind", "is"),
    is_hastened: false,
    begins: Begins::After(Duration::from_secs(1)),
    ..Spec::listing(PartName::Lags, 60, |register, asking| {
        let cost = register.memory.lags.cost.unwrap_or(COST);
        let cloud = asking.cloud.clone();
        (cost <= asking.metrics_max).then(|| -> super::Question {
            Box::pin(async move {
                let gauges = cloud.metrics.gauges(&[KAFKA_LAG]).await?;
                Ok(Found::put_gauges(gauges, |register, at, gauges| register.lags(at, gauges)))
            })
        })
    })
};

#[derive(Debug, Default)]
pub(in crate::observe) struct Memory {
    cost: Option<usize>,
}

impl Row for KafkaLag {
    type Kept = Self;

    fn order(&self, other: &Self) -> Ordering {
        (&self.cluster, &self.group, &self.topic).cmp(&(&other.cluster, &other.group, &other.topic))
    }

    fn keep(&self) -> Self {
        Self { offsets: Gauge { recent: Vec::new(), ..self.offsets.clone() }, ..self.clone() }
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Register {
    pub(in crate::observe) fn lags(&mut self, at: Timestamp, gauges: &Gauges) {
        self.memory.lags.cost = usize::try_from(gauges.asked).ok();
        let is_new = settle(&mut self.estate.lags, gauges.kafka_lags());
        self.came(Look::Lags, at, is_new);
        self.metrics_came(Look::Lags, at, is_new, gauges.incomplete.as_ref());
    }
}

pub(super) fn judge(scene: &Scene<'_>, all: &mut Vec<Verdict>) {
    let lags = scene.snapshot.estate.lags.rows.iter();
    let behind = lags.filter_map(|lag| behind(scene.thresholds, lag, scene.now));
    all.extend(behind.map(|(name, finding)| scene.said_of(Subject::Consumer(name), finding, None)));
}

fn behind(thresholds: &Thresholds, lag: &KafkaLag, now: Timestamp) -> Option<(String, Finding)> {
    let (offsets, most) = (&lag.offsets, thresholds.kafka_lag_offsets);
    if !is_fresh(offsets, now) || offsets.value <= most as f64 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; more than the threshold")]
    let behind = offsets.value as u64;
    let grown = offsets.recent.first().filter(|(_, value)| *value < offsets.value).map(|(at, value)| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; positive")]
        let more = (offsets.value - value) as u64;
        format!(", +{} in {}", thousands(more), span(offsets.at.duration_since(*at)))
    });
    let ago = span(now.duration_since(offsets.at));
    let (behind, most) = (thousands(behind), thousands(most));
    let reason =
        format!("{behind} offsets behind, over the threshold of {most}{} ({ago} ago)", grown.unwrap_or_default());
    let name = format!("{}/{}/{}", lag.cluster, lag.group, lag.topic);
    Some((name, Finding(Kind::KafkaLag, Severity::Warning, reason)))
}
