//! Keymaps as typed: the shipped files, and `[keymap]` in `opsctl.toml`, are of one and the same type.

use std::{borrow::Cow, collections::BTreeMap};

use clap::ValueEnum;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::command::{Command, Scope};
use crate::files::Spot;

/// The word that takes a key's meaning away.
pub(super) const NONE: &str = "none";

/// Keys of the console: a table for each view, in which a key, or keys one after the other, stand for a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Keymap")]
pub struct File {
    /// Keymap to begin with: default (as in vi and k9s), vim or emacs.
    pub(super) base: Option<Spot<Base>>,
    /// Keys in every view.
    pub(super) everywhere: Option<Table>,
    /// Keys in every list.
    pub(super) list: Option<Table>,
    /// Keys in Home.
    pub(super) home: Option<Table>,
    /// Keys in the list of queues.
    pub(super) queues: Option<Table>,
    /// Keys in the list of services.
    pub(super) services: Option<Table>,
    /// Keys in the list of databases.
    pub(super) databases: Option<Table>,
    /// Keys in the list of alarms.
    pub(super) alarms: Option<Table>,
    /// Keys in the list of consumers.
    pub(super) consumers: Option<Table>,
    /// Keys in the list of outboxes.
    pub(super) outboxes: Option<Table>,
    /// Keys in a dead-letter queue: its failure groups and messages.
    pub(super) dead_letters: Option<Table>,
    /// Keys in one message.
    pub(super) message: Option<Table>,
    /// Keys in Activity.
    pub(super) activity: Option<Table>,
    /// Keys in one run: its progress, report and journal.
    pub(super) run: Option<Table>,
    /// Keys in the list of runbooks.
    pub(super) runbooks: Option<Table>,
    /// Keys in one runbook.
    pub(super) runbook: Option<Table>,
    /// Keys in a run of a runbook.
    pub(super) runbook_run: Option<Table>,
    /// Keys in a plan that asks for consent.
    pub(super) plan: Option<Table>,
}

/// Keys, and what each stands for.
pub(super) type Table = BTreeMap<Spot<String>, Spot<Meaning>>;

impl File {
    /// What is said for a scope.
    pub(super) fn table(&self, scope: Scope) -> Option<&Table> {
        match scope {
            Scope::Everywhere => self.everywhere.as_ref(),
            Scope::List => self.list.as_ref(),
            Scope::Home => self.home.as_ref(),
            Scope::Queues => self.queues.as_ref(),
            Scope::Services => self.services.as_ref(),
            Scope::Databases => self.databases.as_ref(),
            Scope::Alarms => self.alarms.as_ref(),
            Scope::Consumers => self.consumers.as_ref(),
            Scope::Outboxes => self.outboxes.as_ref(),
            Scope::DeadLetters => self.dead_letters.as_ref(),
            Scope::Message => self.message.as_ref(),
            Scope::Activity => self.activity.as_ref(),
            Scope::Run => self.run.as_ref(),
            Scope::Runbooks => self.runbooks.as_ref(),
            Scope::Runbook => self.runbook.as_ref(),
            Scope::RunbookRun => self.runbook_run.as_ref(),
            Scope::Plan => self.plan.as_ref(),
        }
    }

    /// Which shipped keymap it begins with.
    pub(super) fn base(&self) -> Base {
        self.base.as_ref().map(|base| *base.value()).unwrap_or_default()
    }
}

/// A shipped keymap.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    ValueEnum,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Base {
    /// Keys as in vi and k9s
    #[default]
    Default,
    /// Keys as in Vim
    Vim,
    /// Keys as in Emacs
    Emacs,
}

impl Base {
    /// Every shipped keymap.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }
}

/// The name of a command, or "none", as typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Meaning(pub(super) String);

/// Editors complete the names. They lie one level deep, so that a name that is none is refused by this module, in its own words.
impl JsonSchema for Meaning {
    fn schema_name() -> Cow<'static, str> {
        "Meaning".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let commands = Command::all().iter().map(|command| (command.name(), command.help()));
        let none = (NONE.to_owned(), "Take the key's meaning away".to_owned());
        let choices: Vec<Schema> =
            commands.chain([none]).map(|(name, help)| json_schema!({ "const": name, "description": help })).collect();
        json_schema!({ "type": "string", "allOf": [{ "oneOf": choices }] })
    }
}
