//! What SQL sees of the world around it: the time, and chance. SQLite's own would be the machine's.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use fastrand::Rng;
use jiff::Timestamp;
use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    params_from_iter,
    types::Value,
};

/// Random bytes at most that a call makes.
const RANDOM_BYTES_MAX: i64 = 1_024 * 1_024;
/// SQLite's functions that may ask for the time of day, and how many arguments stand before the time.
const OF_TIME: [(&str, usize); 6] =
    [("date", 0), ("time", 0), ("datetime", 0), ("julianday", 0), ("unixepoch", 0), ("strftime", 1)];

/// Shared by all connections of a world.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    /// Milliseconds since 1970.
    time: Arc<AtomicI64>,
    random: Arc<Mutex<Rng>>,
    /// Knows SQLite's own functions, and is only asked about times that are given.
    calendar: Arc<Mutex<Option<Connection>>>,
}

impl Surroundings {
    pub(super) fn new(seed: u64) -> Self {
        let random = Arc::new(Mutex::new(Rng::with_seed(seed ^ 0x0005_915e)));
        Self { time: Arc::default(), random, calendar: Arc::default() }
    }

    pub(super) fn set_time(&self, now: i64) {
        self.time.store(now, Ordering::Relaxed);
    }

    /// `2026-11-21 03:00:00.000`, in UTC.
    fn now(&self) -> String {
        text(self.time.load(Ordering::Relaxed))
    }

    /// Puts the world's functions in the place of SQLite's.
    pub(super) fn put_into(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8;
        for (name, cut) in [("now", 23), ("current_timestamp", 19), ("current_date", 10)] {
            let own = self.clone();
            connection.create_scalar_function(name, 0, flags, move |_| Ok(own.now()[..cut].to_owned()))?;
        }
        // As PostgreSQL and MySQL have it, so that whoever is connected can ask each of them who it is.
        connection.create_scalar_function("version", 0, flags, |_| Ok(format!("SQLite {}", rusqlite::version())))?;
        let own = self.clone();
        connection.create_scalar_function("current_time", 0, flags, move |_| Ok(own.now()[11..19].to_owned()))?;
        for (name, before) in OF_TIME {
            let own = self.clone();
            connection.create_scalar_function(name, -1, flags, move |context| own.calendar(name, before, context))?;
        }
        let own = self.clone();
        connection.create_scalar_function("timediff", 2, flags, move |context| own.difference(context))?;
        let own = self.clone();
        connection.create_scalar_function("random", 0, flags, move |_| Ok(own.chance(|random| random.i64(..))))?;
        let own = self.clone();
        connection.create_scalar_function("randomblob", 1, flags, move |context| {
            let bytes = context.get::<i64>(0)?.clamp(1, RANDOM_BYTES_MAX);
            Ok(own.chance(|random| (0..bytes).map(|_| random.u8(..)).collect::<Vec<u8>>()))
        })
    }

    fn chance<T>(&self, choose: impl FnOnce(&mut Rng) -> T) -> T {
        choose(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What SQLite makes of a time, with the world's in the place of the machine's.
    fn calendar(&self, name: &str, before: usize, context: &Context<'_>) -> rusqlite::Result<Value> {
        let mut arguments = all(context)?;
        let (given, modifiers) = match arguments.get(before) {
            None => (false, before),
            // It stands in the place of the time, and means one with milliseconds.
            Some(Value::Text(text)) if is_one_of(text, &["subsec", "subsecond"]) => (false, before),
            Some(_) => (true, before + 1),
        };
        if !given && arguments.len() >= before {
            arguments.insert(before, Value::Text(self.now()));
        } else if let Some(time) = arguments.get_mut(before) {
            self.fix(time);
        }
        // The world's time zone is UTC, and the machine's is nobody's business.
        let zone = |value: &Value| matches!(value, Value::Text(text) if is_one_of(text, &["localtime", "utc"]));
        let later = arguments.split_off(modifiers.min(arguments.len()));
        arguments.extend(later.into_iter().filter(|value| !zone(value)));
        self.ask(name, arguments)
    }

    fn difference(&self, context: &Context<'_>) -> rusqlite::Result<Value> {
        let mut arguments = all(context)?;
        arguments.iter_mut().for_each(|time| self.fix(time));
        self.ask("timediff", arguments)
    }

    fn fix(&self, time: &mut Value) {
        if matches!(time, Value::Text(text) if is_one_of(text, &["now"])) {
            *time = Value::Text(self.now());
        }
    }

    fn ask(&self, name: &str, arguments: Vec<Value>) -> rusqlite::Result<Value> {
        let mut calendar = self.calendar.lock().unwrap_or_else(PoisonError::into_inner);
        if calendar.is_none() {
            *calendar = Some(Connection::open_in_memory()?);
        }
        let connection = calendar.as_ref().expect("it was opened");
        let places = vec!["?"; arguments.len()].join(", ");
        let mut statement = connection.prepare_cached(&format!("SELECT {name}({places})"))?;
        statement.query_row(params_from_iter(arguments), |row| row.get(0))
    }
}

fn all(context: &Context<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..context.len()).map(|index| context.get(index)).collect()
}

fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// A time as the world's tables have it: `2026-11-21 03:00:00.000`, in UTC, so that texts sort as times.
pub(in crate::world) fn text(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}
