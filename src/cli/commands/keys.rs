//! `opsctl keys`.

use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{
        args::{Format, Global, Keys},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    config::{self, ConfigError, PlaceError, Places},
    keymap::{Base, Command, Keymap, Scope},
};

#[derive(Serialize)]
struct Row<'a> {
    scope: Scope,
    command: Command,
    help: String,
    keys: &'a [String],
}

pub(super) fn run(args: Keys, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let keymap = match args.keymap {
        Some(base) => Keymap::shipped(base),
        None => own(global)?,
    };
    let rows: Vec<Row<'_>> = Scope::all().iter().flat_map(|scope| rows(&keymap, *scope)).collect();
    match out.format {
        Format::Human => human(&rows, out)?,
        Format::Json => out.document("opsctl/keys/1", &json!({ "base": keymap.base(), "keys": rows }))?,
        Format::Jsonl => rows.iter().try_for_each(|row| out.json_line("opsctl/key/1", row))?,
    }
    Ok(Exit::Done)
}

/// The configuration's keymap; where there is no configuration, the default.
fn own(global: &Global) -> Result<Keymap, CliError> {
    if global.sandbox {
        return Ok(Keymap::shipped(Base::default()));
    }
    match config::load(&Places::of_process(global.config.clone())) {
        Ok(config) => Ok(config.keymap),
        Err(ConfigError::Place(PlaceError::NotFound { .. })) => Ok(Keymap::shipped(Base::default())),
        Err(error) => Err(error.into()),
    }
}

/// What the view itself adds to the wider ones; commands that make sense there and have no key are shown too.
fn rows(keymap: &Keymap, scope: Scope) -> Vec<Row<'_>> {
    let bound = keymap.bindings(scope).iter().filter(|binding| binding.scope == scope);
    let bare = Command::all()
        .iter()
        .filter(|command| command.scopes().contains(&scope) && keymap.keys_for(scope, **command).is_empty());
    let row = |command: Command| Row { scope, command, help: command.help(), keys: keymap.keys_for(scope, command) };
    bound.map(|binding| row(binding.command)).chain(bare.map(|command| row(*command))).collect()
}

fn human(rows: &[Row<'_>], out: &mut Output) -> Result<(), CliError> {
    for (index, of_scope) in rows.chunk_by(|one, other| one.scope == other.scope).enumerate() {
        if index > 0 {
            out.line("")?;
        }
        let scope = of_scope[0].scope;
        out.heading(&format!("{}  [{}]", scope.help(), scope.name()))?;
        let mut table = Table::new(&["KEYS", "COMMAND", "DOES"]);
        for row in of_scope {
            let keys = if row.keys.is_empty() { "none".to_owned() } else { row.keys.join("  ") };
            table.row([keys, row.command.name(), row.help.clone()]);
        }
        out.table(&table)?;
    }
    Ok(())
}
