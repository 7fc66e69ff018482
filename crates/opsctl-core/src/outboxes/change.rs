//! What is done to rows of an outbox: from which states, and how.

use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, CatalogColumn};
use crate::domain::{Becomes, Change, Literal, Move, Rearm, Release, RowMapping, RowState, TableName};

/// A name of PostgreSQL has 63 bytes, and cuts what is longer without a word.
const NAME_BYTES_MAX: usize = 63;
const SUFFIX: &str = "_opsctl_parked";

/// What is wanted of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// The relay sends them again.
    #[default]
    Replay,
    /// They are set aside in the table's own terms.
    Park,
    /// They leave for the table beside the outbox.
    Aside,
    /// Claims that have run out are freed.
    Release,
    /// Claims are freed whether or not they have run out: whoever holds them is proven gone.
    ReleaseGone,
}

impl Deed {
    /// The states whose claims it frees.
    pub fn releases(self) -> &'static [RowState] {
        match self {
            Self::Replay | Self::Park | Self::Aside => &[],
            Self::Release => &[RowState::Stuck],
            Self::ReleaseGone => &[RowState::Stuck, RowState::InProgress],
        }
    }
}

/// A deed, as a mapping says that it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    pub deed: Deed,
    /// States from which it is done; empty: it is not done to these rows at all.
    pub from: Vec<RowState>,
    pub how: Manner,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Columns get values; where `claim` is not empty those first, in the same transaction.
    Set { claim: Vec<Change>, set: Vec<Change> },
    /// A row of another table gives way to one of a third.
    Move(Move),
    /// The row itself comes into a table beside the outbox, with the run and the reason.
    Aside { to: TableName, run: String, reason: String },
}

impl RowChange {
    pub fn of(deed: Deed, mapping: &RowMapping) -> Self {
        let set = |set: &[Change]| Manner::Set { claim: Vec::new(), set: set.to_vec() };
        let (from, how) = match deed {
            Deed::Replay => match &mapping.rearm {
                Rearm::Set(changes) => (mapping.rearmable(), set(changes)),
                Rearm::Move(moved) => (mapping.rearmable(), Manner::Move(moved.clone())),
                Rearm::Refused(_) => (Vec::new(), set(&[])),
            },
            Deed::Park => {
                let (claim, set) = (mapping.park.claim.clone(), mapping.park.set.clone());
                (mapping.parkable().to_vec(), Manner::Set { claim, set })
            }
            Deed::Aside => {
                let to = beside(&mapping.table);
                let from = if mapping.park.stays.is_none() { ASIDE_FROM } else { &[] };
                (from.to_vec(), Manner::Aside { to, run: String::new(), reason: String::new() })
            }
            Deed::Release | Deed::ReleaseGone => match &mapping.release {
                Release::Set(changes) => (deed.releases().to_vec(), set(changes)),
                Release::Refused(_) => (Vec::new(), set(&[])),
            },
        };
        Self { deed, from, how }
    }

    /// The same, of this run and for this reason, which is cut where a column takes fewer characters.
    #[must_use]
    pub fn because(mut self, of_run: &str, why: &str, catalog: &Catalog) -> Self {
        match &mut self.how {
            Manner::Set { claim, set } => {
                for change in claim.iter_mut().chain(set) {
                    if change.to == Becomes::Reason {
                        let room = catalog.column(&change.column).and_then(CatalogColumn::characters_max);
                        let text = why.chars().take(room.unwrap_or(usize::MAX)).collect();
                        change.to = Becomes::Value(Literal::Text(text));
                    }
                }
            }
            Manner::Move(_) => {}
            Manner::Aside { run, reason, .. } => (*run, *reason) = (of_run.to_owned(), why.to_owned()),
        }
        self
    }

    /// The columns that are set, each once; none where rows move.
    pub fn columns(&self) -> Vec<&str> {
        let Manner::Set { claim, set } = &self.how else { return Vec::new() };
        let mut columns: Vec<&str> = Vec::new();
        for change in set.iter().chain(claim) {
            if !columns.contains(&change.column.as_str()) {
                columns.push(&change.column);
            }
        }
        columns
    }

    /// The table beside the outbox that rows go to.
    pub fn aside(&self) -> Option<&TableName> {
        if let Manner::Aside { to, .. } = &self.how { Some(to) } else { None }
    }
}

/// Never rows that a relay is working on, and none that were published.
const ASIDE_FROM: &[RowState] =
    &[RowState::Failed, RowState::Stuck, RowState::Ready, RowState::Scheduled, RowState::Held, RowState::Expired];

/// The table to which rows of an outbox are moved: `NAME_opsctl_parked`, cut where that is too long.
pub fn beside(outbox: &TableName) -> TableName {
    let room = NAME_BYTES_MAX - SUFFIX.len();
    if outbox.name.len() <= room {
        return outbox.beside(&format!("{}{SUFFIX}", outbox.name));
    }
    // Two long names that begin alike are told apart by their digests.
    let digest = &crate::domain::message::hex(&<sha2::Sha256 as sha2::Digest>::digest(outbox.name.as_bytes()))[..8];
    let mut end = room - digest.len() - 1;
    while !outbox.name.is_char_boundary(end) {
        end -= 1;
    }
    outbox.beside(&format!("{}_{digest}{SUFFIX}", &outbox.name[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outboxes::presets::presets;

    #[test]
    fn rows_in_progress_and_published_rows_are_never_set_aside_or_freed() {
        for preset in presets() {
            for deed in [Deed::Park, Deed::Aside, Deed::Release] {
                let change = RowChange::of(deed, &preset.mapping);
                for never in [RowState::InProgress, RowState::Published, RowState::Unaccounted] {
                    assert!(!change.from.contains(&never), "{}: {deed:?} {never}", preset.name);
                }
            }
        }
    }

    #[test]
    fn what_is_set_never_names_the_row_or_changes_the_event() {
        for preset in presets() {
            let mapping = &preset.mapping;
            let event = [&mapping.kind, &mapping.group, &mapping.event_id].into_iter().flatten();
            let event: Vec<&str> = event.map(|field| field.column()).chain(mapping.created.as_deref()).collect();
            for deed in [Deed::Replay, Deed::Park, Deed::Release] {
                let change = RowChange::of(deed, mapping);
                for column in change.columns() {
                    assert!(!mapping.id.iter().any(|id| id == column), "{}: {column}", preset.name);
                    assert!(!event.contains(&column), "{}: {column}", preset.name);
                }
            }
        }
    }

    #[test]
    fn a_reason_is_cut_to_what_a_column_takes() {
        let column = |sql_type: &str| CatalogColumn {
            name: "lasterror".to_owned(),
            sql_type: sql_type.to_owned(),
            sort: crate::outboxes::ColumnSort::Text,
            nullable: true,
            generated: false,
            labels: Vec::new(),
            collation: None,
        };
        let mapping = &crate::outboxes::preset("outbox-transfers").expect("a preset").mapping;
        for (sql_type, kept) in [("character varying(4)", "äbcd"), ("varchar(5)", "äbcde"), ("text", "äbcdef")] {
            let catalog = Catalog { columns: vec![column(sql_type)] };
            let change = RowChange::of(Deed::Park, mapping).because("run", "äbcdef", &catalog);
            let Manner::Set { set, .. } = &change.how else { panic!("{change:?}") };
            let set: Vec<&Becomes> =
                set.iter().filter(|change| change.column == "lasterror").map(|change| &change.to).collect();
            assert_eq!(set, [&Becomes::Value(Literal::Text(kept.to_owned()))], "{sql_type}");
        }
    }

    #[test]
    fn the_table_beside_an_outbox_has_a_name_that_every_server_takes() {
        let named = |name: &str| beside(&TableName { schema: Some("app".to_owned()), name: name.to_owned() });
        assert_eq!(named("outbox").to_string(), "app.outbox_opsctl_parked");
        let long: Vec<String> = ["a", "b"].iter().map(|end| named(&format!("{}{end}", "ü".repeat(31))).name).collect();
        assert!(long.iter().all(|name| name.len() <= NAME_BYTES_MAX && name.ends_with(SUFFIX)), "{long:?}");
        assert_ne!(long[0], long[1]);
    }
}
