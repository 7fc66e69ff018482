//! `opsctl config`.

use serde_json::json;

use crate::{
    cli::{
        args::{Config, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    config::{self, ConfigError, Paint, Places},
};

pub(super) fn run(args: &Config, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    match args {
        Config::Check => return check(global, out),
        Config::Schema => out.raw(config::schema().as_bytes())?,
        Config::Example => out.raw(config::example().as_bytes())?,
    }
    Ok(Exit::Done)
}

fn check(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let report = config::check(&Places::of_process(global.config.clone())).map_err(ConfigError::from)?;
    match out.format {
        Format::Human => out.line(&report.render(Paint::Plain))?,
        Format::Json => {
            let (file, problems) = (&report.problems.file, report.problems.located());
            let (good, environments) = (report.is_good(), &report.environments);
            let data = json!({ "file": file, "good": good, "environments": environments, "problems": problems });
            out.document("opsctl/config-check/1", &data)?;
        }
        Format::Jsonl => {
            for problem in report.problems.located() {
                out.json_line("opsctl/config-problem/1", &problem)?;
            }
        }
    }
    Ok(if report.is_good() { Exit::Done } else { Exit::Usage })
}
