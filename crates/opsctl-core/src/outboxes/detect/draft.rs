//! The parts of a mapping, as they are written in the configuration.

use super::{
    catalog::{Column, Sort},
    expression::{Atom, atoms},
    facts::{Facts, literal},
    judge::body_elsewhere,
    roles::Role,
    setting::{Setting, Toml, place, text, texts, value},
    shape::{Shape, Shaped, shown},
    words::Words,
};
use crate::domain::{Literal, RowState};

/// A draft of a mapping, and what is to be asked about it.
pub(super) struct Draft {
    pub(super) lines: Vec<Setting>,
    pub(super) questions: Vec<String>,
    /// What has to be answered first.
    pub(super) open: Vec<String>,
}

pub(super) fn draft(facts: &Facts<'_>, shaped: &Shaped) -> Draft {
    let mut draft = Draft { lines: Vec::new(), questions: shaped.questions.clone(), open: shaped.open.clone() };
    draft.key(facts);
    draft.shape(shaped);
    draft.attempts(facts, shaped);
    draft.lease(facts, shaped);
    draft.ends(facts, shaped);
    draft.scope(facts);
    draft.order(facts, shaped);
    draft.times(facts, shaped);
    draft.places(facts, shaped);
    draft.rearm(facts, shaped);
    draft
}

impl Draft {
    pub(super) fn push(&mut self, line: Setting) {
        self.lines.push(line);
    }

    fn key(&mut self, facts: &Facts<'_>) {
        let key = facts.table.key();
        if key.is_empty() {
            self.open.push("no primary key and no unique index names a row: which columns do?".to_owned());
            self.push(Setting::open("id", texts(&["..."]), "which columns name a row?"));
        } else if key != ["id"] {
            self.push(Setting::new("id", texts(&key)));
        }
    }

    fn shape(&mut self, shaped: &Shaped) {
        let remark = shaped.open.first().cloned();
        let line = match &shaped.shape {
            Shape::NullTime { column } => Setting::new("null_time", text(column)),
            Shape::Flag { column, published } => flag(column, published),
            Shape::Status { column, states, open, null, done } => {
                let mut line = Setting::new("status", status(column, states, *null, done.as_deref()));
                if !open.is_empty() {
                    let values: Vec<String> = open.iter().map(shown).collect();
                    line = line.remark(&format!("not said yet: {}", values.join(", ")));
                }
                line
            }
            Shape::Present => Setting::new("present", Toml::Truth(true)),
            Shape::Preset => return,
        };
        let line = match remark {
            Some(remark) => Setting { remark: Some(remark), is_open: true, ..line },
            None => line,
        };
        let is_status = matches!(shaped.shape, Shape::Status { .. });
        let is_open = line.is_open;
        self.push(line);
        if let Some(time) = shaped.published_at.as_ref().filter(|_| is_status && is_open) {
            let remark = "in place of status, where this time alone says so";
            self.push(Setting::open("null_time", text(time), remark));
        }
    }

    fn attempts(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        let Some(column) = facts.column_of(Role::Attempts) else { return };
        let mut parts = vec![("column", text(&column))];
        let limit = facts.indexed.iter().flat_map(|(_, atoms)| atoms).find_map(|atom| match atom {
            Atom::Below(of, limit) => Some(*limit).filter(|_| *of == column),
            Atom::IsNull(_) | Atom::NotNull(_) | Atom::In(..) | Atom::True(_) | Atom::False(_) | Atom::Valid(_) => None,
        });
        let known_end = ends_by_itself(facts, shaped);
        let mut remark = None;
        if let Some(most) = facts.column_of(Role::AttemptsMax) {
            parts.push(("max_column", text(&most)));
        } else if let Some(limit) = limit.filter(|limit| *limit > 0) {
            parts.push(("max", Toml::Number(limit)));
        } else if !known_end {
            let question = "after how many attempts does the relay give a row up?";
            self.questions.push(question.to_owned());
            remark = Some(format!("add max = N: {question}"));
        }
        self.push(Setting { remark, ..Setting::new("attempts", Toml::Table(parts)) });
    }

    fn lease(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        if let Some(column) = facts.column_of(Role::LeaseUntil) {
            return self.push(Setting::new("lease", Toml::Table(vec![("until", text(&column))])));
        }
        let claimed = matches!(&shaped.shape, Shape::Status { states, .. } if states.iter().any(|(_, state)| *state == RowState::InProgress));
        let owner = facts.column_of(Role::LeaseOwner);
        let since = facts.column_of(Role::LeaseSince);
        if let Some(column) = owner.as_ref().filter(|_| !claimed) {
            self.push(Setting::new("lease", Toml::Table(vec![("owner", text(column))])));
        }
        if let Some(column) = since {
            let question = format!("for how long does a claim hold after {column}?");
            let parts = vec![("since", text(&column)), ("ttl_seconds", Toml::Number(300))];
            let instead = if owner.is_some() && !claimed { "in place of owner; " } else { "" };
            let remark = format!("{instead}300 is only an example: {question}");
            self.push(Setting::open("lease", Toml::Table(parts), &remark));
            self.questions.push(question);
        }
        if let Some(column) = facts.column_of(Role::LeaseFlag).filter(|_| !claimed) {
            self.questions.push(format!("what sets {column} back when a relay dies?"));
        }
    }

    /// What says that a row is over without being published.
    fn ends(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        if let Some(part) = facts.first(Role::DeadFlag) {
            let column = &part.column.name;
            let parts = vec![("column", text(column)), ("value", Toml::Truth(true))];
            let is_flag = part.column.sort == Sort::Boolean || part.column.sort == Sort::Small;
            if is_flag {
                self.push(Setting::new("dead", Toml::Table(parts)));
            } else {
                self.push(Setting::open(
                    "dead",
                    Toml::Table(parts),
                    "which value means that the relay gave the row up?",
                ));
            }
        } else if let Some(part) = facts.first(Role::FailedAt).filter(|part| part.column.nullable)
            && !matches!(shaped.shape, Shape::Status { .. })
        {
            let column = &part.column.name;
            let line = Setting::new("dead", Toml::Table(vec![("column", text(column))]));
            // A row that failed once and is tried again has such a time, too.
            if facts.has(Role::Attempts) && facts.predicate_on(column).is_none() {
                self.questions
                    .push(format!("does {column} mean that the relay gave the row up, or that it failed once?"));
            }
            self.push(line);
        }
        if let Some(column) = facts.column_of(Role::Due) {
            self.push(Setting::new("due", text(&column)));
        }
        if let Some(column) = facts.column_of(Role::Expiry) {
            let question = format!("is a row past {column} never sent, or only deleted some time?");
            self.push(Setting::open("expiry", text(&column), &question));
            self.questions.push(question);
        }
    }

    fn scope(&mut self, facts: &Facts<'_>) {
        let mut scopes = Vec::new();
        if let Some(column) = facts.column_of(Role::DeletedAt) {
            scopes.push(Toml::Table(vec![("column", text(&column)), ("null", Toml::Truth(true))]));
        }
        if let Some(part) = facts.first(Role::DeletedFlag)
            && matches!(part.column.sort, Sort::Boolean | Sort::Small | Sort::Integer)
        {
            let values = Toml::List(vec![Toml::Truth(false)]);
            scopes.push(Toml::Table(vec![("column", text(&part.column.name)), ("values", values)]));
        }
        if let Some(part) = facts.first(Role::Direction) {
            scopes.extend(self.direction(facts, part.column));
        }
        if !scopes.is_empty() {
            self.push(Setting::new("scope", Toml::List(scopes)));
        }
        if let Some(column) = facts.column_of(Role::Tenant) {
            self.questions.push(format!("do all values of {column} belong to one relay? A scope on it parts them"));
        }
    }

    fn direction(&mut self, facts: &Facts<'_>, column: &Column) -> Option<Toml> {
        let known = facts.known(column);
        let out: Vec<String> = known
            .iter()
            .flat_map(|known| &known.values)
            .filter(|(value, _)| {
                Words::of(value).word(&["out", "outbound", "outgoing", "ausgang", "sortie", "saida", "salida"])
            })
            .map(|(value, _)| value.clone())
            .collect();
        if out.is_empty() {
            self.open.push(format!("which value of {} means that a row goes out?", column.name));
            return None;
        }
        Some(Toml::Table(vec![("column", text(&column.name)), ("values", texts(&out))]))
    }

    /// The columns of the index that is for the waiting rows, else those that number or date rows.
    fn order(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        let key = facts.table.key();
        let is_ordering = |name: &&String| {
            let part = facts.parts.iter().find(|part| part.column.name == **name);
            part.is_some_and(|part| {
                matches!(part.role, Role::Created | Role::Occurred | Role::Sequence | Role::Due)
                    || (key.contains(name) && (part.column.identity || part.column.sort.is_integer()))
            })
        };
        let own: Vec<&str> = own_columns(&shaped.shape);
        let indexed = facts.indexed.iter().find(|(_, atoms)| atoms.iter().any(|atom| own.contains(&atom.column())));
        let indexed = indexed.map(|(index, _)| index.columns.iter().filter(is_ordering).cloned().collect::<Vec<_>>());
        let numbered = facts.first(Role::Sequence).map(|part| part.column);
        let order = match indexed.filter(|columns| !columns.is_empty()) {
            Some(columns) => columns,
            None => match (numbered, is_numbered(facts, &key)) {
                (Some(column), _) => vec![column.name.clone()],
                (None, true) => key.clone(),
                (None, false) => {
                    let created = facts.column_of(Role::Created).or_else(|| facts.column_of(Role::Occurred));
                    created.into_iter().collect()
                }
            },
        };
        if !order.is_empty() && order != key {
            self.push(Setting::new("order", texts(&order)));
        }
    }

    fn times(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        let roles = [Role::Due, Role::LeaseUntil, Role::LeaseSince, Role::Created, Role::Occurred];
        let published = shaped.published_at.as_ref();
        let mut columns = roles.iter().filter_map(|role| facts.first(*role)).map(|part| part.column);
        let column = columns.next().or_else(|| published.and_then(|name| facts.table.column(name)));
        let Some(column) = column else { return };
        let words = Words::of(&column.name);
        match column.sort {
            Sort::TimeZoned => {}
            Sort::TimePlain | Sort::Date => {
                let line = Setting::new("times", text("utc"));
                if words.word(&["utc"]) {
                    return self.push(line);
                }
                let question = "are times in UTC, or in the zone of the application (times = \"local\")?";
                self.questions.push(question.to_owned());
                self.push(line.remark(question));
            }
            Sort::Integer | Sort::Small | Sort::Decimal if words.word(&["ms", "millis", "milliseconds"]) => {
                self.push(Setting::new("times", text("epoch-ms")));
            }
            Sort::Integer | Sort::Small | Sort::Decimal => {
                let question = format!("does {} count seconds (epoch-s) or milliseconds?", column.name);
                self.questions.push(question.clone());
                self.push(Setting::new("times", text("epoch-ms")).remark(&question));
            }
            Sort::Short(_) | Sort::Long => self.push(Setting::new("times", text("text"))),
            Sort::Boolean | Sort::Enum | Sort::Json | Sort::Bytes | Sort::Uuid | Sort::Other => {}
        }
    }

    fn places(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        let created = facts.column_of(Role::Created).or_else(|| facts.column_of(Role::Occurred));
        let plain = [("created", created), ("published_at", shaped.published_at.clone())];
        for (key, column) in plain {
            if let Some(column) = column {
                self.push(Setting::new(key, text(&column)));
            }
        }
        let group = facts.column_of(Role::Group);
        let kind = facts.column_of(Role::Kind).or_else(|| facts.column_of(Role::Topic));
        let key = facts.table.key();
        let event_id = facts.column_of(Role::EventId).filter(|column| !key.contains(column));
        let path = |wanted: &[&str]| path_of(facts, wanted);
        let group = group.map(|column| place(&column)).or_else(|| path(&["aggregateid", "partitionkey", "groupid"]));
        let kind = kind.map(|column| place(&column)).or_else(|| path(&["eventtype", "type"]));
        let event_id = event_id.map(|column| place(&column)).or_else(|| path(&["eventid", "messageid"]));
        let error = facts.column_of(Role::Error).map(|column| place(&column));
        for (key, place) in [("group", group), ("type", kind), ("event_id", event_id), ("error", error)] {
            if let Some(place) = place {
                self.push(Setting::new(key, place));
            }
        }
        if let Some(column) = facts.column_of(Role::Payload) {
            self.push(Setting::new("body", Toml::Table(vec![("column", place(&column))])));
        } else if let Some(key) = body_elsewhere(facts)
            && let (Some(from), Some(to)) = (key.columns.first(), key.to_columns.first())
        {
            let table = text(&key.to.to_string());
            let parts = vec![("column", text("...")), ("table", table), ("key", text(to)), ("from", text(from))];
            self.push(Setting::open("body", Toml::Table(parts), "which column of that table holds the event?"));
        }
    }
}

fn flag(column: &str, published: &Literal) -> Setting {
    let mut parts = vec![("column", text(column))];
    match published {
        Literal::Integer(1) => {}
        Literal::Integer(0) => parts.push(("published", Toml::Truth(false))),
        other => parts.push(("published", value(other))),
    }
    Setting::new("flag", Toml::Table(parts))
}

fn status(column: &str, states: &[(Literal, RowState)], null: Option<RowState>, done: Option<&str>) -> Toml {
    let mut parts = vec![("column", text(column))];
    for (key, state) in [
        ("ready", RowState::Ready),
        ("scheduled", RowState::Scheduled),
        ("in_progress", RowState::InProgress),
        ("failed", RowState::Failed),
        ("published", RowState::Published),
        ("held", RowState::Held),
        ("expired", RowState::Expired),
    ] {
        let values: Vec<Toml> =
            states.iter().filter(|(_, of)| *of == state).map(|(literal, _)| value(literal)).collect();
        if !values.is_empty() {
            parts.push((key, Toml::List(values)));
        }
    }
    if null == Some(RowState::Ready) {
        parts.push(("null", text("ready")));
    }
    if let Some(done) = done {
        parts.push(("done", text(done)));
    }
    Toml::Table(parts)
}

/// Whether a column says by itself that the relay gave a row up.
pub(super) fn ends_by_itself(facts: &Facts<'_>, shaped: &Shaped) -> bool {
    let by_status = matches!(&shaped.shape, Shape::Status { states, open, .. }
        if states.iter().any(|(_, state)| *state == RowState::Failed) || !open.is_empty() || !shaped.open.is_empty());
    by_status || facts.has(Role::FailedAt) || facts.has(Role::DeadFlag)
}

fn own_columns(shape: &Shape) -> Vec<&str> {
    match shape {
        Shape::NullTime { column } | Shape::Flag { column, .. } | Shape::Status { column, .. } => vec![column],
        Shape::Present | Shape::Preset => Vec::new(),
    }
}

/// Whether the key itself counts up.
fn is_numbered(facts: &Facts<'_>, key: &[String]) -> bool {
    let counts = |name: &String| {
        facts.table.column(name).is_some_and(|column| {
            let default = column.default.as_deref().and_then(literal);
            column.identity
                || column.default.as_deref().is_some_and(|default| default.starts_with("nextval("))
                || (column.sort == Sort::Integer && default.is_none())
        })
    };
    matches!(key, [only] if counts(only))
}

/// A place in the payload's documents whose last name is one of these.
fn path_of(facts: &Facts<'_>, wanted: &[&str]) -> Option<Toml> {
    let column = facts.column_of(Role::Payload)?;
    let bare = |name: &String| name.replace(['_', '-'], "").to_lowercase();
    let found = wanted.iter().find_map(|wanted| {
        let mut paths = facts.table.paths.iter().filter(|path| path.last().map(bare).as_deref() == Some(*wanted));
        paths.next().filter(|_| paths.next().is_none())
    })?;
    let escaped = |part: &String| part.replace('~', "~0").replace('/', "~1");
    let parts: Vec<String> = std::iter::once(&column).chain(found).map(escaped).collect();
    Some(Toml::Text(parts.join("/")))
}

/// Whether a CHECK says something of several columns at once: a replay has to keep it.
pub(super) fn joint_checks(facts: &Facts<'_>) -> usize {
    let names: Vec<&str> = facts.table.columns.iter().map(|column| column.name.as_str()).collect();
    let is_joint = |text: &str| {
        let named = names.iter().filter(|name| {
            text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == **name)
        });
        named.count() > 1 && atoms(text, &names).len() < 2
    };
    facts.table.checks.iter().filter(|check| is_joint(&check.text)).count()
}
