//! [`Thing`]: one thing of a list, whatever it is.

use jiff::{SignedDuration, Timestamp};

use crate::{
    cloud::CloudError,
    domain::{Environment, EnvironmentName, Gauge, QueueName, ServiceId, Text},
    keymap::Command,
    observe::{Estate, Part, Source, Unknown},
    operations::{Operation, command_line},
    screens::screen::{Able, able_to_change},
    state::{Model, Page, Role, Site},
    widgets::{
        page::part,
        spark,
        words::{ago, number},
    },
};

pub(crate) const LABEL: usize = 14;
/// Lines of one sort that are shown there; the rest is counted.
pub(crate) const LINES_MAX: usize = 30;

/// What was seen longer ago is shown as old.
pub(crate) const STALE: SignedDuration = SignedDuration::from_mins(5);

/// A queue, a service, a database, an alarm, a consumer.
pub trait Thing {
    /// What tells it from all others of its list and environment.
    fn id(&self) -> String;

    fn is(&self, id: &str) -> bool {
        self.id() == id
    }

    /// Whether a verdict that names this is about it.
    fn is_meant_by(&self, name: &str) -> bool {
        self.is(name)
    }

    /// Its name as it came from outside.
    fn name(&self) -> &str;

    /// Its name, with what tells it from others of the same name; safe to show.
    fn whole_name(&self) -> String {
        shown(self.name())
    }

    fn searched(&self) -> [String; 2] {
        [String::new(), String::new()]
    }

    /// How much it needs somebody by itself: less is worse. It decides between equals.
    fn rank(&self) -> i64;

    /// The same among those that Home does not name.
    fn calm_rank(&self) -> i64 {
        self.rank()
    }

    /// About how many messages it is about; among those that need somebody as much, more come first.
    fn messages(&self) -> u64 {
        0
    }

    /// What its list counts, as [`super::listed::Head::tallies`] names it. Those that are not well come first.
    fn tallies(&self) -> [u64; 2];

    /// What is counted under a group's heading.
    fn group_tallies(&self) -> [u64; 2] {
        self.tallies()
    }

    /// The group that it belongs to, as its list groups.
    fn group<'a>(&'a self, _: &'a Environment) -> Option<&'a str> {
        None
    }

    /// Whether it is listed where only a part of the list is shown.
    fn is_narrow(&self) -> bool {
        true
    }

    /// The part of what is seen that it is of; none: it is looked at alone.
    fn part<'a>(&self, _: &'a Estate) -> Option<PartState<'a>> {
        None
    }

    fn is_stale(&self, site: &Site, now: Timestamp) -> bool {
        let part = site.snapshot.as_ref().and_then(|snapshot| self.part(&snapshot.estate));
        let is_old = |at: Timestamp| now.duration_since(at) > STALE;
        is_cached(site) || part.is_none_or(|part| part.error.is_some() || part.at.is_none_or(is_old))
    }

    fn has_age(&self) -> bool {
        true
    }

    /// What stands in place of its figures, where there are none.
    fn instead(&self) -> Option<(String, Role)> {
        None
    }

    /// What is wrong with looking at it; it says more than why the thing needs somebody.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// What the list may have no room for, in short.
    fn in_short(&self, model: &Model, site: &Site) -> Vec<String>;

    fn page(&self, page: &mut Page, model: &Model, site: &Site);

    /// What a command would do with it alone, or why it can't.
    fn meant(&self, _: &Site, _: Command) -> Result<Meant, Able> {
        Err(Able::NotHere)
    }

    /// What can be done with it from its sheet, with words for it.
    fn ways(&self) -> &'static [(Command, &'static str)] {
        &[]
    }

    /// Command lines for it, the most wanted first; safe to show.
    fn lines(&self, site: &Site) -> Vec<String>;

    fn opens(&self) -> Opens {
        Opens::Sheet
    }

    /// The service that it is: its stopped tasks are asked for while its sheet is open.
    fn service(&self) -> Option<ServiceId> {
        None
    }

    /// The alarm that it is: what it went through is asked for when its sheet opens.
    fn alarm(&self) -> Option<String> {
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    Sheet,
    Letters,
}

/// Outside text in a line, safe to show.
pub(crate) fn shown(text: &str) -> String {
    Text::line(text).to_string()
}

/// What a thing is selected, pinned and remembered by.
pub(crate) fn known(site: &Site, thing: &dyn Thing) -> (EnvironmentName, String) {
    (site.environment.name.clone(), thing.id())
}

#[derive(Debug, Clone, PartialEq)]
pub enum Meant {
    Plan(EnvironmentName, Box<Operation>),
    /// Ask first how it is to be done.
    Fill(EnvironmentName, Box<Operation>),
    /// Plan the redrive of a whole queue, with what was edited of it.
    Redrive(EnvironmentName, QueueName),
    /// Find by name which of several is meant.
    Find(String),
}

impl Meant {
    pub(crate) fn plan(site: &Site, operation: Operation) -> Self {
        Self::Plan(site.environment.name.clone(), Box::new(operation))
    }
}

/// The command line of what would be done, or another that shows the thing; safe to show.
pub(crate) fn line_of(site: &Site, meant: Result<Meant, Able>, otherwise: &str) -> String {
    let environment = &site.environment;
    shown(&match meant {
        Ok(Meant::Plan(_, operation)) => command_line(&operation, &environment.name, &environment.invocation),
        Ok(Meant::Fill(..) | Meant::Redrive(..) | Meant::Find(_)) | Err(_) => environment.command(otherwise),
    })
}

pub(crate) fn changes(site: &Site) -> Result<(), Able> {
    match able_to_change(&site.environment) {
        Able::Yes => Ok(()),
        able => Err(able),
    }
}

/// Whether all that is known of an environment is from an earlier session.
pub(crate) fn is_cached(site: &Site) -> bool {
    site.snapshot.as_ref().is_none_or(|snapshot| snapshot.source == Source::Cache)
}

#[derive(Debug, Clone, Copy)]
pub struct PartState<'a> {
    /// What it is of, in words.
    pub what: &'static str,
    pub at: Option<Timestamp>,
    pub oldest: Option<Timestamp>,
    pub busy: bool,
    pub error: Option<&'a CloudError>,
    pub unknown: &'a [Unknown],
}

impl<'a> PartState<'a> {
    pub(crate) fn of<T>(what: &'static str, part: &'a Part<T>) -> Self {
        let Part { at, busy, error, unknown, .. } = part;
        Self { what, at: *at, oldest: *at, busy: *busy, error: error.as_ref(), unknown }
    }
}

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
