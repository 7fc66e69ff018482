//! `opsctl runbook new`.

use crate::{
    cli::{
        args::{Global, NewRunbook},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{Text, invocation::quoted},
    files::output,
};

/// What a runbook begins with: it is right as it stands.
pub(super) const BEGINNING: &str = r#"# Name of the procedure

Say in a few sentences when to use it, what is affected meanwhile, and how to tell that it is over.

```toml runbook
owner = "your team"
parameters.queue = { kind = "queue", help = "The dead-letter queue" }
```

## Find the cause

A heading without a block is a step done by hand. Write what to look at, and where.

## Is the fix out?

```toml step
ask = "version"
keep = "fix"
```

## Redrive ten messages and watch

```toml step
id = "few"
do = "redrive"
with = { queue = "{queue}", limit = 10 }
check = "few.done > 0"
within = "5m"
```
"#;

pub(super) fn run(args: &NewRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let path = args.file.display().to_string();
    let shown = Text::line(&path);
    let written = output::write(&args.file, BEGINNING.as_bytes(), args.force);
    written.map_err(|error| CliError::failed(&format!("no runbook is written: {error}"), error.hint()))?;
    let check = global.command(&format!("runbook check {}", quoted(&path)));
    out.note(&format!("{shown} is a runbook now; `{check}` finds mistakes in it"));
    Ok(Exit::Done)
}
