//! [`Part`]: all things of one sort in an environment, as they were last seen.

use std::{cmp::Ordering, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    cache::{ROWS_MAX, are_plain},
    parts::Look,
};
use crate::{cloud::CloudError, domain::Text};

/// All things of one sort in an environment, as they were last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    /// When all of it last came; none: not yet.
    pub at: Option<Timestamp>,
    pub busy: bool,
    /// Why it did not come since; the rows are older then.
    pub error: Option<CloudError>,
    /// What of it could not be known, and why: "capacity in use is not known: ...".
    pub unknown: Vec<Unknown>,
    /// The same as far as looks at it failed, or were held back: for those who look at no list.
    pub lacks: Vec<Lack>,
    pub rows: Arc<[Arc<T>]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub look: Look,
    /// What, and why; safe to show.
    pub words: Text,
}

/// Something that the looks at a part could not tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Lack {
    pub look: Look,
    /// What: "autoscaling", "services of cluster main".
    pub what: Text,
    /// The same with the reason, safe to show.
    pub words: Text,
    pub since: Timestamp,
    /// Why; none: what looking may cost holds it back, or the answer was not whole.
    pub error: Option<CloudError>,
    /// Whether things themselves are missing or old, not figures about them.
    pub hides_rows: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub at: Option<Timestamp>,
    pub busy: bool,
    pub error: Option<&'a CloudError>,
    pub unknown: &'a [Unknown],
    pub lacks: &'a [Lack],
}

pub(super) struct Head<'a> {
    pub(super) at: &'a mut Option<Timestamp>,
    pub(super) busy: &'a mut bool,
    pub(super) error: &'a mut Option<CloudError>,
    pub(super) unknown: &'a mut Vec<Unknown>,
    pub(super) lacks: &'a mut Vec<Lack>,
}

/// A thing of a part: its order, and what of it is kept on disk.
pub(super) trait Row: PartialEq + Clone {
    type Kept: Serialize + DeserializeOwned + Into<Self>;

    fn order(&self, other: &Self) -> Ordering;

    fn keep(&self) -> Self::Kept;

    /// As it is now, kept when the part had come at `at`.
    fn after(self, _at: Timestamp, _now: Timestamp) -> Self {
        self
    }

    /// Names of it that are shown and asked for.
    fn names(&self) -> Vec<&str>;
}

pub(super) trait Watched {
    fn known(&self) -> Known<'_>;

    fn head(&mut self) -> Head<'_>;

    /// What of it is kept on disk; none: it never came.
    fn store(&self) -> serde_json::Result<Option<Box<RawValue>>>;

    /// Takes what was kept; none: it can't be used.
    fn load(&mut self, kept: &RawValue, now: Timestamp) -> Option<()>;
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<T> {
    at: Timestamp,
    rows: Vec<T>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { at: None, busy: false, error: None, unknown: Vec::new(), lacks: Vec::new(), rows: Arc::from([]) }
    }
}

impl<T> Part<T> {
    /// Whether all of it was seen at least once.
    pub fn is_known(&self) -> bool {
        self.at.is_some()
    }

    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.rows = self.rows.iter().filter(|row| keep(row)).cloned().collect();
    }

    /// Takes what an earlier session saw, where nothing was seen yet; answers whether it did.
    pub(super) fn take_earlier(&mut self, earlier: Self) -> bool {
        let is_taken = self.at.is_none() && earlier.at.is_some();
        if is_taken {
            *self = Self { unknown: Vec::new(), busy: self.busy, error: self.error.take(), ..earlier };
        }
        is_taken
    }

    /// Changes some rows; answers whether it did.
    pub(super) fn change(&mut self, mut change: impl FnMut(&T) -> Option<T>) -> bool {
        let changed: Vec<(usize, T)> =
            self.rows.iter().enumerate().filter_map(|(index, row)| Some((index, change(row)?))).collect();
        if changed.is_empty() {
            return false;
        }
        let mut rows: Vec<Arc<T>> = self.rows.to_vec();
        for (index, row) in changed {
            rows[index] = Arc::new(row);
        }
        self.rows = rows.into();
        true
    }
}

/// Puts rows in place of those before, in order and each once. A row that is the same stays the same, and so does the whole part;
/// answers whether anything is new.
pub(super) fn settle<T: Row>(part: &mut Part<T>, mut rows: Vec<T>) -> bool {
    rows.sort_by(T::order);
    rows.dedup_by(|left, right| left.order(right) == Ordering::Equal);
    let mut old = part.rows.iter().peekable();
    let mut is_new = rows.len() != part.rows.len();
    let mut settled: Vec<Arc<T>> = Vec::with_capacity(rows.len());
    for row in rows {
        while old.next_if(|old| old.order(&row) == Ordering::Less).is_some() {}
        match old.next_if(|old| old.order(&row) == Ordering::Equal) {
            Some(same) if **same == row => settled.push(Arc::clone(same)),
            Some(_) | None => {
                is_new = true;
                settled.push(Arc::new(row));
            }
        }
    }
    if is_new {
        part.rows = settled.into();
    }
    is_new
}

impl<T: Row> Watched for Part<T> {
    fn known(&self) -> Known<'_> {
        let Self { at, busy, error, unknown, lacks, rows: _ } = self;
        Known { at: *at, busy: *busy, error: error.as_ref(), unknown, lacks }
    }

    fn head(&mut self) -> Head<'_> {
        let Self { at, busy, error, unknown, lacks, rows: _ } = self;
        Head { at, busy, error, unknown, lacks }
    }

    fn store(&self) -> serde_json::Result<Option<Box<RawValue>>> {
        let Some(at) = self.at else { return Ok(None) };
        let rows = self.rows.iter().take(ROWS_MAX).map(|row| row.keep()).collect();
        serde_json::value::to_raw_value(&Kept::<T::Kept> { at, rows }).map(Some)
    }

    fn load(&mut self, kept: &RawValue, now: Timestamp) -> Option<()> {
        let kept: Option<Kept<T::Kept>> = serde_json::from_str(kept.get()).ok()?;
        // What was never seen is not known.
        let Some(Kept { at, rows }) = kept else { return Some(()) };
        // Of another time than before now: a clock that was set back, or a sandbox's.
        if at > now || rows.len() > ROWS_MAX {
            return None;
        }
        let rows: Vec<T> = rows.into_iter().map(|row| row.into().after(at, now)).collect();
        let is_ordered = rows.windows(2).all(|two| two[0].order(&two[1]) == Ordering::Less);
        let is_good = is_ordered && rows.iter().all(|row| are_plain(row.names()));
        is_good
            .then(|| *self = Self { at: Some(at), rows: rows.into_iter().map(Arc::new).collect(), ..Self::default() })
    }
}

/// Puts a list in place of the one before; answers whether it is another. One that is the same stays the same.
pub(super) fn replace<T: PartialEq>(known: &mut Arc<[T]>, new: Vec<T>) -> bool {
    let is_new = **known != *new;
    if is_new {
        *known = new.into();
    }
    is_new
}
