//! Events, in the words of AWS (Aurora and RDS User Guides, "Amazon RDS event categories and event messages").

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    Place,
    request::{Request, invalid},
    xml::Xml,
};
use crate::world::{ApiError, Caller, call::Answered};

/// Events kept of a place; the oldest go first.
const EVENTS_MAX: usize = 10_000;
/// How far back `DescribeEvents` looks unless told, and at most, in minutes (RDS API reference).
const MINUTES: (i64, i64) = (60, 14 * 24 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    pub source_type: SourceType,
    pub source: String,
    pub category: Category,
    /// In AWS's words; or in anybody's.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceType {
    Cluster,
    Instance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Category {
    /// Another one writes now, or shall.
    Failover,
    /// Another region writes now, or shall.
    GlobalFailover,
    Availability,
    Creation,
    Deletion,
    #[strum(serialize = "configuration change")]
    ConfigurationChange,
    Maintenance,
    Notification,
}

impl SourceType {
    fn name(self) -> &'static str {
        match self {
            Self::Cluster => "db-cluster",
            Self::Instance => "db-instance",
        }
    }

    pub(super) fn arn(self, caller: &Caller, name: &str) -> String {
        let kind = match self {
            Self::Cluster => "cluster",
            Self::Instance => "db",
        };
        format!("arn:aws:rds:{}:{}:{kind}:{name}", caller.region, caller.account)
    }
}

impl Place {
    /// Keeps events in the order of time, and so many of them.
    pub(super) fn add_event(&mut self, event: Event) {
        let at = self.events.partition_point(|other| other.at <= event.at);
        self.events.insert(at, event);
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    pub(super) fn describe_events(&mut self, request: &Request) -> Answered<Xml> {
        let source = request.identifier("SourceIdentifier");
        let source_type = request.field("SourceType");
        if source.is_some() && source_type.is_none() {
            let message = "Cannot specify a source identifier without specifying a source type";
            return Err(ApiError::plain(400, "InvalidParameterCombination", message));
        }
        let (from, until) = window(request.now, request)?;
        let categories = request.list("EventCategories.EventCategory");
        let wanted = |event: &Event| {
            event.at >= from
                && event.at <= until
                && source.as_ref().is_none_or(|source| *source == event.source)
                && source_type.is_none_or(|wanted| wanted == event.source_type.name())
                && (categories.is_empty() || categories.contains(&event.category.into_str()))
        };
        // Places in the list tell events apart; they shift only where the oldest are forgotten.
        let all = self.events.iter().enumerate().filter(|(_, event)| wanted(event));
        let all = all.map(|(index, event)| (format!("{index:08}"), event)).collect();
        request.answer(
            ("Events", "Event"),
            all,
            None,
            |(index, _): &(String, &Event)| index,
            |xml, (_, event)| event.write(xml, request.caller),
        )
    }
}

impl Event {
    fn write(&self, xml: &mut Xml, caller: &Caller) {
        xml.text("SourceIdentifier", &self.source)
            .text("SourceType", self.source_type.name())
            .text("Message", &self.message)
            .element("EventCategories", |xml| {
                xml.text("EventCategory", self.category.into_str());
            })
            .text("Date", self.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
            .text("SourceArn", self.source_type.arn(caller, &self.source));
    }
}

fn window(now: i64, request: &Request) -> Answered<(Timestamp, Timestamp)> {
    let time = |name: &str| -> Answered<Option<Timestamp>> {
        let Some(text) = request.field(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("Invalid value {text} for parameter {name}")))
    };
    let now = Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX);
    let (default, most) = MINUTES;
    let minutes = request.number("Duration")?.unwrap_or(default).clamp(1, most);
    let until = time("EndTime")?.unwrap_or(now);
    let span = SignedDuration::from_mins(minutes);
    let from = time("StartTime")?.unwrap_or_else(|| until.saturating_sub(span).unwrap_or(Timestamp::MIN));
    let oldest = now.saturating_sub(SignedDuration::from_mins(most)).unwrap_or(Timestamp::MIN);
    Ok((from.max(oldest), until))
}
