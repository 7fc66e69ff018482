//! Presets: what the tables of known systems mean, and what can be done with them. Each is data, written as a person writes a mapping.

use std::{collections::BTreeMap, sync::OnceLock};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{bind::bind, catalog::each_other_table, typed};
use crate::{
    domain::{Outbox, Relay, RowMapping, TableName, outbox::LAG_SECONDS},
    files::shape,
};

const FILES: [&str; 5] = [
    include_str!("applications.toml"),
    include_str!("java.toml"),
    include_str!("dotnet.toml"),
    include_str!("jobs.toml"),
    include_str!("others.toml"),
];

/// A known system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    pub name: String,
    pub title: String,
    /// What can and what can't be done with such an outbox: whole sentences.
    pub about: String,
    /// Name of the table as the product makes it, with a `*` where each installation has its own.
    pub table: String,
    /// For that table.
    pub mapping: RowMapping,
    /// Whether its relay sends to FIFO topics.
    pub fifo: bool,
    /// Whether nobody looks at the table by itself.
    pub nobody_polls: bool,
}

/// Presets as they stand in their files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Presets(BTreeMap<String, Written>);

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    title: Option<String>,
    about: Option<String>,
    table: Option<String>,
    fifo: Option<bool>,
    nobody_polls: Option<bool>,
    mapping: Option<typed::Outbox>,
}

/// All of them, by name.
pub fn presets() -> &'static [Preset] {
    static ALL: OnceLock<Vec<Preset>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |text: &str| shape::read::<Presets>(text).0.map(|presets| presets.0).unwrap_or_default();
        let mut all: Vec<Preset> =
            FILES.iter().flat_map(|text| read(text)).filter_map(|(name, written)| of(name, &written)).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    })
}

pub fn preset(name: &str) -> Option<&'static Preset> {
    presets().iter().find(|preset| preset.name == name)
}

fn of(name: String, written: &Written) -> Option<Preset> {
    let table = written.table.clone()?;
    let (mapping, _) = bind(written.mapping.as_ref()?, None, table.parse().ok()?, 0..0);
    Some(Preset {
        name,
        title: written.title.clone()?,
        about: written.about.clone()?,
        mapping: mapping?,
        fifo: written.fifo.unwrap_or_default(),
        nobody_polls: written.nobody_polls.unwrap_or_default(),
        table,
    })
}

impl Preset {
    /// An outbox in the table that the product makes, with nothing said otherwise.
    pub fn outbox(&self, name: &str, connection: &str, relay: Relay) -> Outbox {
        Outbox {
            name: name.to_owned(),
            connection: connection.to_owned(),
            preset: Some(self.name.clone()),
            mapping: self.mapping.clone(),
            relay,
            fifo: self.fifo,
            lag_seconds: LAG_SECONDS,
        }
    }

    /// Whether each installation has a table of its own name, so that it has to be said.
    pub fn needs_table(&self) -> bool {
        self.table.contains('*')
    }

    /// The mapping for a table: other tables whose names follow from its name, and its schema, are named after it.
    pub fn mapping_for(&self, table: &TableName) -> RowMapping {
        let mut mapping = self.mapping.clone();
        let stem = self.stem(&table.name);
        let schema = mapping.table.schema.clone();
        each_other_table(&mut mapping, &mut |other| {
            other.name = other.name.replace('*', &stem);
            if other.schema == schema {
                other.schema.clone_from(&table.schema);
            }
        });
        mapping.table = table.clone();
        mapping
    }

    /// What the table's name has in the place of the `*`.
    fn stem(&self, name: &str) -> String {
        let (before, after) = self.table.split_once('*').unwrap_or_default();
        name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap_or(name).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::RowState,
        outboxes::{RowCondition, Rules},
    };

    #[test]
    fn every_preset_is_read_without_a_problem() {
        for text in FILES {
            let (read, problems) = shape::read::<Presets>(text);
            assert!(problems.is_empty(), "{problems:?}");
            for (name, written) in read.expect("TOML").0 {
                let table = written.table.as_deref().expect(&name).parse().expect(&name);
                let (_, problems) = bind(written.mapping.as_ref().expect(&name), None, table, 0..0);
                assert!(problems.is_empty(), "{name}: {problems:?}");
                assert!(of(name.clone(), &written).is_some(), "{name}");
            }
        }
        assert_eq!(presets().len(), 25);
    }

    #[test]
    fn every_preset_knows_rows_that_wait_or_says_that_a_log_does() {
        for preset in presets() {
            let rules = Rules::of(&preset.mapping);
            let waits = rules.exactly(RowState::Ready) != RowCondition::Never;
            assert_ne!(waits, rules.outside, "{}", preset.name);
            assert_eq!(preset.about.ends_with('.'), !preset.about.is_empty(), "{}", preset.name);
        }
    }

    #[test]
    fn tables_beside_an_outbox_are_named_after_it() {
        let watermill = preset("watermill").expect("a preset");
        assert!(watermill.needs_table());
        let mapping = watermill.mapping_for(&"events.watermill_orders".parse().expect("a name"));
        let crate::domain::Primitive::Offset(offset) = mapping.primitive else { panic!("an offset") };
        assert_eq!(offset.table.to_string(), "events.watermill_offsets_orders");
    }
}
