//! Which column says that a row was published, and how.

use super::{
    catalog::{Column, Sort},
    expression::Atom,
    facts::{Facts, From, Known, literal},
    roles::{Part, Role},
    values::{is_final_failure, is_sent_word},
    words::Sense,
};
use crate::domain::{Literal, RowState};

/// How rows say whether they were published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// NULL is not published.
    NullTime {
        column: String,
    },
    Flag {
        column: String,
        published: Literal,
    },
    Status {
        column: String,
        states: Vec<(Literal, RowState)>,
        /// Values whose word tells no state.
        open: Vec<Literal>,
        /// State of NULL.
        null: Option<RowState>,
        /// Column of a time that is set in published rows, where no value stands for them.
        done: Option<String>,
    },
    /// A row that is there waits.
    Present,
    /// Told by the preset.
    Preset,
}

/// A shape, how it is known, and what remains to be asked.
#[derive(Debug, Clone)]
pub(super) struct Shaped {
    pub(super) shape: Shape,
    pub(super) evidence: Vec<String>,
    /// What has to be answered before the mapping means anything.
    pub(super) open: Vec<String>,
    /// What may be answered later.
    pub(super) questions: Vec<String>,
    /// Whether a word says that rows are handed to a broker.
    pub(super) is_sent: bool,
    /// Whether an index is for the waiting rows.
    pub(super) is_indexed: bool,
    /// Column of the time of publication, beside the shape's own.
    pub(super) published_at: Option<String>,
    /// Whether some value names things that are bought, written or approved.
    pub(super) has_business: bool,
}

impl Shaped {
    fn new(shape: Shape, evidence: String) -> Self {
        Self {
            shape,
            evidence: vec![evidence],
            open: Vec::new(),
            questions: Vec::new(),
            is_sent: false,
            is_indexed: false,
            published_at: None,
            has_business: false,
        }
    }
}

/// None: nothing in a row says whether it was published.
pub(super) fn shape(facts: &Facts<'_>) -> Option<Shaped> {
    let time = published_time(facts);
    let statuses = statuses(facts);
    let mut shaped = match by_status(facts, &statuses, time.as_ref()) {
        Some(shaped) => shaped,
        None => by_flag(facts).or_else(|| by_time(facts, time.as_ref()))?,
    };
    let time = time.map(|time| time.column);
    shaped.published_at = match &shaped.shape {
        Shape::NullTime { column } => Some(column.clone()),
        Shape::Status { done: Some(done), .. } => Some(done.clone()),
        Shape::Flag { .. } | Shape::Status { .. } | Shape::Present | Shape::Preset => time,
    };
    Some(shaped)
}

/// A column that could be the status, and its values.
struct Candidate<'p, 'a> {
    part: &'p Part<'a>,
    known: Option<Known>,
}

impl Candidate<'_, '_> {
    fn values_of(&self, state: RowState) -> impl Iterator<Item = &String> {
        let values = self.known.iter().flat_map(|known| &known.values);
        values.filter(move |(_, of)| *of == Some(state)).map(|(value, _)| value)
    }

    fn has(&self, state: RowState) -> bool {
        self.values_of(state).next().is_some()
    }

    /// Whether it tells waiting rows from published ones.
    fn fits(&self) -> bool {
        self.has(RowState::Ready) && self.has(RowState::Published)
    }

    /// Whether its name or its values are of something that a relay or a worker does.
    fn is_about_sending(&self) -> bool {
        self.part.words.any(&[Sense::Doing, Sense::Message, Sense::Event]) || self.is_sent()
    }

    /// Whether its name or its values are of a relay alone.
    fn is_sent(&self) -> bool {
        self.part.words.any(&[Sense::Sent, Sense::Send, Sense::Outbox])
            || self.values_of(RowState::Published).any(|value| is_sent_word(value))
    }

    fn has_business(&self) -> bool {
        let mut values = self.known.iter().flat_map(|known| &known.values);
        values.any(|(value, _)| super::values::is_business(value))
    }
}

fn statuses<'p, 'a>(facts: &'p Facts<'a>) -> Vec<Candidate<'p, 'a>> {
    let mut found: Vec<Candidate<'p, 'a>> = Vec::new();
    for part in &facts.parts {
        let named = part.role == Role::Status;
        let could_be = matches!(part.column.sort, Sort::Enum | Sort::Short(_) | Sort::Long);
        let is_free = matches!(part.role, Role::Unknown | Role::Work | Role::Plain);
        if !(named || could_be && is_free) {
            continue;
        }
        let candidate = Candidate { part, known: facts.known(part.column) };
        if named || candidate.fits() {
            found.push(candidate);
        }
    }
    found
}

fn by_status(facts: &Facts<'_>, all: &[Candidate<'_, '_>], time: Option<&Time>) -> Option<Shaped> {
    let fitting: Vec<&Candidate<'_, '_>> = all.iter().filter(|candidate| candidate.fits()).collect();
    let about: Vec<&&Candidate<'_, '_>> = fitting.iter().filter(|candidate| candidate.is_about_sending()).collect();
    let chosen = match (fitting.as_slice(), about.as_slice()) {
        ([only], _) => Some(*only),
        (_, [only]) => Some(**only),
        _ => None,
    };
    if let Some(chosen) = chosen {
        let mut shaped = told(facts, chosen, None);
        others(&mut shaped, chosen, all);
        return Some(shaped);
    }
    if let [first, second, ..] = fitting.as_slice() {
        let mut shaped = told(facts, first, None);
        let (one, other) = (&first.part.column.name, &second.part.column.name);
        shaped.open.push(format!("{one} and {other} both look like the state: which one does the relay go by?"));
        return Some(shaped);
    }
    // No value stands for published rows, but a time does.
    let waits = all.iter().find(|candidate| candidate.has(RowState::Ready) && !candidate.fits());
    if let (Some(candidate), Some(time)) = (waits, time)
        && candidate.known.as_ref().is_some_and(|known| known.from.is_all())
        && candidate.known.iter().flat_map(|known| &known.values).all(|(_, state)| state.is_some())
    {
        let mut shaped = told(facts, candidate, Some(time.column.clone()));
        shaped.is_sent |= time.is_sent;
        return Some(shaped);
    }
    untold(facts, all, time)
}

/// A status whose values tell waiting and published rows apart.
fn told(facts: &Facts<'_>, chosen: &Candidate<'_, '_>, done: Option<String>) -> Shaped {
    let column = chosen.part.column;
    let Some(known) = chosen.known.clone() else {
        return Shaped::new(Shape::Present, String::new());
    };
    let words: Vec<&str> = known.values.iter().map(|(value, _)| value.as_str()).collect();
    let evidence = format!("{} {} {}", column.name, known.from.words(), words.join(", "));
    let mut states: Vec<(Literal, RowState)> = Vec::new();
    let mut open: Vec<Literal> = Vec::new();
    for (value, state) in &known.values {
        match state.filter(|_| !is_unclear(value, &known)) {
            Some(state) => states.push((literal_of(column, value), state)),
            None => open.push(literal_of(column, value)),
        }
    }
    let null = null_state(column, &states);
    let mut shaped =
        Shaped::new(Shape::Status { column: column.name.clone(), states, open: open.clone(), null, done }, evidence);
    shaped.is_sent = chosen.is_sent();
    shaped.has_business = chosen.has_business();
    if let Some((index, Atom::In(..))) = facts.predicate_on(&column.name) {
        shaped.is_indexed = true;
        shaped.evidence.push(partial(index.predicate.as_deref().unwrap_or_default()));
    }
    for value in &open {
        shaped.questions.push(format!("what does {} = {} mean?", column.name, shown(value)));
    }
    if !known.from.is_all() {
        let from = if known.from == From::Sample { "the newest rows" } else { "its comment" };
        shaped.questions.push(format!("does {} have other values than those in {from}?", column.name));
    }
    shaped
}

/// `FAILED` beside `DEAD` may be tried again; `QUEUED` beside `PENDING` may be claimed.
fn is_unclear(value: &str, known: &Known) -> bool {
    let word = super::values::folded(value);
    let other_final = known.values.iter().any(|(other, _)| other != value && is_final_failure(other));
    let other_ready = |word: &str| {
        known
            .values
            .iter()
            .any(|(other, state)| *state == Some(RowState::Ready) && super::values::folded(other) != word)
    };
    match word.as_str() {
        "failed" | "failure" | "error" | "errored" => other_final,
        "queued" | "available" | "created" => other_ready(&word),
        // Spring Modulith: published inside the application, completed by the listener.
        "published" => known.values.iter().any(|(other, _)| super::values::folded(other) == "resubmitted"),
        _ => false,
    }
}

/// A row begins with NULL where nothing else is said and no value of its own waits.
fn null_state(column: &Column, states: &[(Literal, RowState)]) -> Option<RowState> {
    let has_ready = states.iter().any(|(_, state)| *state == RowState::Ready);
    (column.nullable && column.default.is_none() && !has_ready).then_some(RowState::Ready)
}

fn others(shaped: &mut Shaped, chosen: &Candidate<'_, '_>, all: &[Candidate<'_, '_>]) {
    for other in all.iter().filter(|other| other.part.column.name != chosen.part.column.name) {
        let name = &other.part.column.name;
        shaped.questions.push(format!("does the relay look at {name}, too?"));
    }
}

/// A status of which no word tells what its values mean.
fn untold(facts: &Facts<'_>, all: &[Candidate<'_, '_>], time: Option<&Time>) -> Option<Shaped> {
    let candidate = all.iter().find(|candidate| candidate.is_about_sending()).or_else(|| all.first())?;
    let column = candidate.part.column;
    // An index that is for the rows without a time says that the time is what counts.
    if time.is_some_and(|time| time.is_indexed) {
        let mut shaped = by_time(facts, time)?;
        shaped.questions.push(format!("does the relay look at {}, too?", column.name));
        return Some(shaped);
    }
    if by_flag(facts).is_some() && candidate.known.is_none() {
        return None;
    }
    let known: Vec<String> =
        candidate.known.iter().flat_map(|known| &known.values).map(|(value, _)| value.clone()).collect();
    let evidence = match &candidate.known {
        Some(found) => format!("{} {} {}", column.name, found.from.words(), known.join(", ")),
        None => format!("{} is {}, and no CHECK, enum or comment names its values", column.name, column.sql_type),
    };
    let mut states = Vec::new();
    let mut open = Vec::new();
    for (value, state) in candidate.known.iter().flat_map(|known| &known.values) {
        match state {
            Some(state) => states.push((literal_of(column, value), *state)),
            None => open.push(literal_of(column, value)),
        }
    }
    if let Some(value) = facts.indexed_value(&column.name) {
        open.retain(|literal| *literal != literal_of(column, value));
        if !states.iter().any(|(literal, _)| *literal == literal_of(column, value)) {
            states.push((literal_of(column, value), RowState::Ready));
        }
    }
    let mut shaped =
        Shaped::new(Shape::Status { column: column.name.clone(), states, open, null: None, done: None }, evidence);
    shaped.is_sent = candidate.is_sent();
    shaped.is_indexed = facts.indexed_value(&column.name).is_some();
    shaped.has_business = candidate.has_business();
    if let Some(default) = column.default.as_deref().and_then(literal) {
        shaped.evidence.push(format!("a row begins with {} = {default}", column.name));
    }
    let name = &column.name;
    shaped.open.push(format!("which values of {name} mean waiting, published and failed?"));
    if let Some(time) = time {
        shaped.is_sent |= time.is_sent;
        let other = format!("or is it {} alone that says whether a row was published?", time.column);
        shaped.questions.push(other);
    }
    Some(shaped)
}

/// A time that says when a row was published.
pub(super) struct Time {
    column: String,
    is_sent: bool,
    is_indexed: bool,
    rivals: Vec<String>,
}

fn published_time(facts: &Facts<'_>) -> Option<Time> {
    let sent: Vec<&Part<'_>> = facts.all(Role::SentAt).collect();
    let done: Vec<&Part<'_>> = facts.all(Role::DoneAt).collect();
    let is_indexed = |part: &&&Part<'_>| matches!(facts.predicate_on(&part.column.name), Some((_, Atom::IsNull(_))));
    let mut all = sent.iter().chain(&done);
    let indexed = all.clone().find(is_indexed);
    let strong = sent.iter().find(|part| part.words.word(&["published", "dispatched", "relayed"]));
    let chosen = indexed.or(strong).or_else(|| sent.first()).or_else(|| all.next())?;
    let rivals = sent.iter().filter(|part| part.column.name != chosen.column.name && indexed.is_none());
    Some(Time {
        column: chosen.column.name.clone(),
        is_sent: chosen.role == Role::SentAt,
        is_indexed: indexed.is_some(),
        rivals: rivals.map(|part| part.column.name.clone()).collect(),
    })
}

fn by_time(facts: &Facts<'_>, time: Option<&Time>) -> Option<Shaped> {
    let time = time?;
    let column = facts.table.column(&time.column)?;
    let name = &column.name;
    let mut shaped =
        Shaped::new(Shape::NullTime { column: name.clone() }, format!("{name} is a time that may be NULL"));
    shaped.is_sent = time.is_sent;
    shaped.is_indexed = time.is_indexed;
    if let Some((index, _)) = facts.predicate_on(name).filter(|_| time.is_indexed) {
        shaped.evidence.push(partial(index.predicate.as_deref().unwrap_or_default()));
    }
    if column.default.is_some() && !column.default.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("null")) {
        shaped.open.push(format!("{name} has a default, so that it is never NULL: which value means not published?"));
    }
    for rival in &time.rivals {
        shaped.open.push(format!("{name} and {rival} both look like the time of publication: which one is it?"));
    }
    Some(shaped)
}

fn by_flag(facts: &Facts<'_>) -> Option<Shaped> {
    let (part, is_sent) = [(Role::SentFlag, true), (Role::DoneFlag, false)]
        .into_iter()
        .find_map(|(role, is_sent)| facts.first(role).map(|part| (part, is_sent)))
        .or_else(|| facts.first(Role::PendingFlag).map(|part| (part, true)))?;
    let column = part.column;
    let is_pending = part.role == Role::PendingFlag;
    let values = facts.known(column);
    let mut shaped = Shaped::new(Shape::Present, format!("{} is {}, a flag by its name", column.name, column.sql_type));
    shaped.is_sent = is_sent;
    let (yes, no) = sides(column, values.as_ref(), &mut shaped);
    let published = if is_pending { no } else { yes };
    shaped.shape = Shape::Flag { column: column.name.clone(), published };
    let is_waiting = match facts.predicate_on(&column.name) {
        Some((_, Atom::False(_))) => !is_pending,
        Some((_, Atom::True(_))) => is_pending,
        Some((_, Atom::In(_, values))) => values.len() == 1,
        Some((_, Atom::IsNull(_) | Atom::NotNull(_) | Atom::Below(..) | Atom::Valid(_))) | None => false,
    };
    if let Some((index, _)) = facts.predicate_on(&column.name).filter(|_| is_waiting) {
        shaped.is_indexed = true;
        shaped.evidence.push(partial(index.predicate.as_deref().unwrap_or_default()));
    }
    Some(shaped)
}

/// What the flag has where it is set, and where it is not.
fn sides(column: &Column, known: Option<&Known>, shaped: &mut Shaped) -> (Literal, Literal) {
    let numbers = (Literal::Integer(1), Literal::Integer(0));
    if column.sort == Sort::Boolean {
        return numbers;
    }
    let values: Vec<&str> = known.iter().flat_map(|known| &known.values).map(|(value, _)| value.as_str()).collect();
    if column.sort.is_integer() {
        let is_flag = values.iter().all(|value| ["0", "1"].contains(value));
        if !is_flag {
            shaped.open.push(format!("{} has more values than 0 and 1: which one means published?", column.name));
        } else if values.is_empty() && !is_tiny(column) {
            shaped.questions.push(format!("is {} = 1 in published rows, and 0 in the others?", column.name));
        }
        return numbers;
    }
    const PAIRS: [(&str, &str); 8] =
        [("Y", "N"), ("T", "F"), ("J", "N"), ("S", "N"), ("O", "N"), ("1", "0"), ("true", "false"), ("X", "")];
    let of_pair = PAIRS.iter().find(|(yes, no)| {
        let is = |side: &str| values.iter().find(|value| value.eq_ignore_ascii_case(side));
        values.len() == 2 && is(yes).is_some() && is(no).is_some()
    });
    let Some((yes, _)) = of_pair else {
        shaped.open.push(format!("which value of {} means published?", column.name));
        return (Literal::Text("?".to_owned()), Literal::Text("?".to_owned()));
    };
    let is_yes = |value: &&&str| value.eq_ignore_ascii_case(yes);
    let found = |wanted: bool| {
        let value = values.iter().find(|value| is_yes(value) == wanted);
        Literal::Text(value.copied().unwrap_or_default().to_owned())
    };
    (found(true), found(false))
}

fn is_tiny(column: &Column) -> bool {
    column.sort == Sort::Small && column.sql_type.starts_with("tinyint(1)")
}

/// A value as one of that column.
pub(super) fn literal_of(column: &Column, value: &str) -> Literal {
    match value.parse::<i64>() {
        Ok(number) if column.sort.is_number() => Literal::Integer(number),
        Ok(_) | Err(_) => Literal::Text(value.to_owned()),
    }
}

pub(super) fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Integer(number) => number.to_string(),
        Literal::Text(text) => text.clone(),
    }
}

fn partial(predicate: &str) -> String {
    format!("a partial index is for the rows WHERE {predicate}")
}
