//! Figures with their roads and the times of their samples, as sheets and details say them.

use crate::{
    domain::gauge::Gauge,
    screens::list::thing::LABEL,
    state::{Model, Page, Role},
    widgets::{
        page::part,
        spark,
        words::{ago, number},
    },
};

/// `CPU 63 % at 03:09 (3 min ago)`.
pub(super) fn sampled(
    what: &str,
    gauge: Option<&Gauge>,
    words: impl Fn(f64) -> String,
    model: &Model,
) -> Option<String> {
    let gauge = gauge?;
    let at = gauge.at.strftime("%H:%M");
    Some(format!("{what} {} at {at} ({} ago)", words(gauge.value), ago(gauge.at, model.now)))
}

/// A figure with its road and the time of its sample; one that is missing says so.
pub(super) fn gauge(
    page: &mut Page,
    model: &Model,
    label: &str,
    gauge: Option<&Gauge>,
    words: fn(f64) -> String,
    top: Option<f64>,
) {
    let Some(gauge) = gauge else {
        return page.pair(label, LABEL, "not known: CloudWatch has no recent sample", Role::Dim);
    };
    let road = spark::road(&gauge.recent, model.now, top, model.look);
    let at = format!("  at {} ({} ago)", gauge.at.strftime("%H:%M"), ago(gauge.at, model.now));
    page.line(vec![
        part(format!("{label:LABEL$}  "), Role::Dim),
        part(format!("{:>9}", words(gauge.value)), Role::Strong),
        part(format!("  {road}"), Role::Accent),
        part(at, Role::Dim),
    ]);
}

pub(super) fn whole(value: f64) -> String {
    number(value.round())
}
