//! CloudWatch alarms: columns of their list, and what is said of one.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{Alarm, AlarmState, Watches, invocation::quoted},
    keymap::{Command, Scope},
    observe::{Estate, PartName, Subject, words::span},
    operations::{
        MuteAlarms, Operation, OperationKind, UnmuteAlarms,
        values::{Seconds, in_words},
    },
    screens::{
        list::{
            column::{Column, Order, environment, falling, name, rising, shape, worst},
            gaps,
            listed::{Head, List, one, scan},
            thing::{LABEL, Meant, PartState, Thing, changes, shown},
        },
        screen::{Able, Tab},
    },
    state::{Look, Model, Page, Role, Site},
    widgets::{
        fit::Align::{Left, Right},
        words::{ago, number},
    },
};

/// What a key mutes for; the plan's options have other times.
const MUTE_SECONDS: u32 = 1_800;

pub(super) static LIST: List<Alarm> = List {
    head: Head {
        scope: Scope::Alarms,
        tab: Tab { command: Command::Alarms, title: "Alarms", short: "Alarms" },
        nouns: ["alarm", "alarms"],
        wanted: &[
            Command::Open,
            Command::Operate(OperationKind::MuteAlarms),
            Command::Operate(OperationKind::UnmuteAlarms),
            Command::Filter,
            Command::Sort,
            Command::Group,
            Command::Wide,
        ],
        sheet_ways: &[],
        tallies: [("in alarm", Role::Warning), ("without data", Role::Text)],
        parts: &[PartName::Alarms],
        known: |estate| vec![PartState::of("alarms", &estate.alarms)],
        is_about: |subject| matches!(subject, Subject::Alarm(_)),
        manner: gaps::USUAL,
    },
    columns: &COLUMNS,
    count: |snapshot| snapshot.estate.alarms.rows.len(),
    at: |snapshot, row| snapshot.estate.alarms.rows.get(row).map(AsRef::as_ref),
    thing: |alarm| alarm,
    find: |snapshot, name| scan(snapshot.estate.alarms.rows.iter().map(AsRef::as_ref), name),
    meant: one,
};

static COLUMNS: [Column<Alarm>; 9] = [
    worst(),
    environment(),
    name("ALARM", 14),
    Column {
        title: rising("state", ["worst state first", "best state first"]),
        shape: shape("STATE", 9, 9, Left, 17),
        order: |_, alarm| Some(Order::Number(alarm.rank().into())),
        cell: |line, alarm| {
            let (sign, role) = sign(alarm, line.look);
            line.told(format!("{sign} {}", alarm.state_words()), role)
        },
    },
    Column {
        title: rising("what it watches", ["by metric", "by metric, last first"]),
        shape: shape("WATCHES", 14, 44, Left, 14),
        order: |_, alarm| Some(Order::text(&watches(alarm))),
        cell: |line, alarm| line.text(watches(alarm)),
    },
    Column {
        title: falling("threshold", ["highest threshold first", "lowest threshold first"]),
        shape: shape("THRESHOLD", 9, 12, Left, 15),
        order: |_, alarm| match &alarm.watches {
            Watches::Metric { threshold, .. } => threshold.map(Order::most),
            Watches::Rule { .. } => None,
        },
        cell: |line, alarm| line.or_dash(threshold(alarm)),
    },
    Column {
        title: falling("since when", ["changed last first", "changed longest ago first"]),
        shape: shape("SINCE", 7, 8, Right, 16),
        order: |_, alarm| alarm.since.map(Order::latest),
        cell: |line, alarm| line.ago(alarm.since),
    },
    Column {
        title: rising("whether it tells anybody", ["muted ones first", "muted ones last"]),
        shape: shape("TELLS", 5, 9, Left, 6),
        order: |_, alarm| Some(Order::Number(i64::from(!alarm.is_muted()))),
        cell: |line, alarm| match (alarm.is_muted(), alarm.muted_until()) {
            (false, _) if alarm.scales_only => line.dim("no"),
            (false, _) => line.dim("yes"),
            (true, Some(until)) => line.told(format!("in {}", until_in(until, line.now)), Role::Warning),
            (true, None) => line.told("muted", Role::Warning),
        },
    },
    Column {
        title: rising("reason", ["by reason", "by reason, last first"]),
        shape: shape("REASON", 16, 140, Left, 9),
        order: |_, alarm| Some(Order::text(alarm.reason.as_str())),
        cell: |line, alarm| line.text(shown(alarm.reason.as_str())),
    },
];

/// How long until then: `29 min`.
fn until_in(until: Timestamp, now: Timestamp) -> String {
    span(until.duration_since(now).max(SignedDuration::ZERO))
}

/// A state's sign. That CloudWatch can't tell is not the same as well.
fn sign(alarm: &Alarm, look: Look) -> (&'static str, Role) {
    match alarm.state {
        AlarmState::Alarm | AlarmState::InsufficientData if alarm.scales_only => (look.sign("↕", "="), Role::Dim),
        AlarmState::Alarm => (look.sign("✖", "!"), Role::Critical),
        AlarmState::InsufficientData => (look.sign("○", "?"), Role::Warning),
        AlarmState::Ok => (look.sign("●", "+"), Role::Good),
    }
}

/// What it watches: `CPUUtilization of api`, or the rule of a composite one.
fn watches(alarm: &Alarm) -> String {
    match &alarm.watches {
        Watches::Metric { metric, dimensions, .. } => {
            // The last tells them apart: AWS names what holds the others first.
            let of = dimensions.last().map(|(_, value)| format!(" of {value}")).unwrap_or_default();
            shown(&format!("{metric}{of}"))
        }
        Watches::Rule { rule } => shown(rule.as_str()),
    }
}

/// `> 80`, in CloudWatch's unit; none: a composite one.
fn threshold(alarm: &Alarm) -> Option<String> {
    match &alarm.watches {
        Watches::Metric { threshold: Some(threshold), comparison, .. } => {
            Some(format!("{} {}", compares(comparison.as_str()), number(*threshold)))
        }
        Watches::Metric { threshold: None, .. } => Some("a band".to_owned()),
        Watches::Rule { .. } => None,
    }
}

/// A comparison's sign; one that is not known stays as it is.
fn compares(comparison: &str) -> &str {
    match comparison {
        "GreaterThanThreshold" => ">",
        "GreaterThanOrEqualToThreshold" => ">=",
        "LessThanThreshold" => "<",
        "LessThanOrEqualToThreshold" => "<=",
        other => other,
    }
}

fn watched(watches: &Watches) -> Vec<(&'static str, String)> {
    match watches {
        Watches::Rule { rule } => vec![("rule", rule.to_string())],
        Watches::Metric { namespace, metric, dimensions, statistic, period_seconds, comparison, threshold } => {
            let metric = match namespace {
                Some(namespace) => format!("{namespace} {metric}"),
                None => format!("{metric} (an expression)"),
            };
            let mut all = vec![("metric", metric)];
            all.extend(dimensions.iter().map(|(name, value)| ("of", format!("{name} {value}"))));
            let statistic = statistic.as_ref().map(|text| format!("{text} ")).unwrap_or_default();
            let period =
                period_seconds.map(|seconds| format!("over {} ", in_words(seconds.into()))).unwrap_or_default();
            let threshold = threshold.map_or("a band of normal values".to_owned(), number);
            let compared = format!("{statistic}{period}{} {threshold}", compares(comparison.as_str()));
            all.push(("alarm where", compared));
            all
        }
    }
}

impl Thing for Alarm {
    fn id(&self) -> String {
        self.name.clone()
    }

    fn is(&self, id: &str) -> bool {
        self.name == id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn searched(&self) -> [String; 2] {
        [self.state_words().to_owned(), String::new()]
    }

    fn rank(&self) -> i64 {
        Alarm::rank(self).into()
    }

    fn tallies(&self) -> [u64; 2] {
        let is_blind = self.state == AlarmState::InsufficientData && !self.scales_only;
        [u64::from(self.is_trouble()), u64::from(is_blind)]
    }

    fn part<'a>(&self, estate: &'a Estate) -> Option<PartState<'a>> {
        Some(PartState::of("alarms", &estate.alarms))
    }

    fn in_short(&self, model: &Model, _: &Site) -> Vec<String> {
        let threshold = threshold(self).map(|words| format!(" {words}")).unwrap_or_default();
        let since = self.since.map(|at| format!("{} for {}", self.state_words(), ago(at, model.now)));
        let watches = format!("{}{threshold}", watches(self));
        let all = since.into_iter().chain([watches, shown(self.reason.as_str())]);
        all.filter(|part| !part.is_empty()).collect()
    }

    fn page(&self, page: &mut Page, model: &Model, _: &Site) {
        let (sign, role) = sign(self, model.look);
        let since = self
            .since
            .map(|at| format!(", for {} (since {})", ago(at, model.now), at.strftime("%Y-%m-%d %H:%M:%S UTC")));
        page.pair("state", LABEL, &format!("{sign} {}{}", self.state_words(), since.unwrap_or_default()), role);
        page.pair("reason", LABEL, &shown(self.reason.as_str()), Role::Text);
        if let Some(description) = &self.description {
            page.pair("says", LABEL, &shown(description.as_str()), Role::Text);
        }
        if self.scales_only {
            page.pair("actions", LABEL, "scaling policies only: it scales, and tells nobody", Role::Dim);
        }
        if let Some(muted) = self.muted() {
            let left = self.muted_until().map(|until| format!(" (in {})", until_in(until, model.now)));
            let text = format!("{muted}{}: it tells nobody", left.unwrap_or_default());
            page.pair("muted", LABEL, &shown(&text), Role::Warning);
        }
        page.blank();
        page.heading("Watches");
        for (label, value) in watched(&self.watches) {
            page.pair(label, LABEL, &shown(&value), Role::Text);
        }
    }

    fn meant(&self, site: &Site, command: Command) -> Result<Meant, Able> {
        let alarm = vec![self.name.clone()];
        let operation = match command {
            Command::Operate(OperationKind::MuteAlarms) => {
                Operation::MuteAlarms(MuteAlarms { alarm, duration: Some(Seconds(MUTE_SECONDS)) })
            }
            Command::Operate(OperationKind::UnmuteAlarms) => Operation::UnmuteAlarms(UnmuteAlarms { alarm }),
            _ => return Err(Able::NotHere),
        };
        changes(site)?;
        Ok(Meant::plan(site, operation))
    }

    fn lines(&self, site: &Site) -> Vec<String> {
        vec![shown(&site.environment.command(&format!("alarms {}", quoted(&self.name))))]
    }

    fn alarm(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
