//! What is shown of the environments that were looked at.

use std::io;

use anstyle::Style;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::look::{Looked, worst_first};
use crate::{
    cli::{
        args::{Format, Global, Status},
        commands::runbook::open::Open,
        failed::Failed,
        output::{ERROR, Output, Table, WARNING},
    },
    domain::{
        AccountId, EnvironmentName, Protection, Text,
        words::{counted, span},
    },
    observe::{Kind, Severity, Subject, Verdict, acknowledged::Book},
    operations::fitting::{Commands, commands},
    runbook::shelf::{Shelved, offer},
};

/// What of it is wanted, and what is left out.
pub(super) struct Shown<'a> {
    pub(super) args: &'a Status,
    pub(super) global: &'a Global,
    pub(super) book: &'a Book,
    /// Runbooks that there are.
    pub(super) runbooks: &'a [Shelved],
    /// Runs of them that are open.
    pub(super) open: &'a [Open],
}

#[derive(Serialize)]
struct Row<'a> {
    environment: &'a EnvironmentName,
    severity: Severity,
    /// What it is about, as it is called.
    what: String,
    subject: &'a Subject,
    kind: Kind,
    reason: &'a Text,
    messages: u64,
    /// What to type first; none: nothing that opsctl can do helps.
    command: Option<String>,
    /// What mends it once that was looked at.
    then: Option<String>,
    /// The runbook that helps, and the command that carries it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<Guide>,
    /// By whom, until when and why it is left out of Home.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Acknowledged<'a>>,
}

#[derive(Serialize)]
struct Guide {
    name: String,
    command: String,
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    by: &'a Text,
    until: Timestamp,
    reason: &'a Text,
}

/// An environment that was looked at.
#[derive(Serialize)]
struct Summary<'a> {
    environment: &'a EnvironmentName,
    account: Option<&'a AccountId>,
    region: &'a str,
    at: Timestamp,
    queues: usize,
    needs_attention: bool,
    /// How many verdicts were acknowledged.
    acknowledged: usize,
    /// Runs of runbooks that are open.
    open_runbooks: Vec<&'a Open>,
    /// What could not be looked at.
    missing: &'a [Text],
    /// As CloudWatch bills them.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics_asked: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    verdicts: Vec<Row<'a>>,
}

impl Shown<'_> {
    /// The environment's verdicts that are shown, worst first.
    pub(super) fn verdicts<'l>(&self, looked: &'l Looked) -> impl Iterator<Item = (&'l Looked, &'l Verdict)> {
        let is_shown = |verdict: &&Verdict| self.book.hides(verdict, looked.at) == self.args.acknowledged;
        looked.verdicts.iter().filter(is_shown).map(move |verdict| (looked, verdict))
    }

    /// An environment by itself, as a line of JSON.
    pub(super) fn line(&self, looked: &Looked, out: &mut Output) -> io::Result<()> {
        let verdicts = self.verdicts(looked).map(|(looked, verdict)| self.row(looked, verdict)).collect();
        out.json_line("opsctl/environment-status/1", &Line { summary: self.summary(looked), verdicts })
    }

    /// All together; lines of JSON were written as they came.
    pub(super) fn all(&self, found: &[Looked], failed: &Failed<'_>, out: &mut Output) -> io::Result<()> {
        let verdicts = worst_first(found.iter().flat_map(|looked| self.verdicts(looked)));
        match out.format {
            Format::Human if verdicts.is_empty() => {
                self.nothing(found.iter(), failed.is_empty()).iter().for_each(|nothing| out.note(nothing));
                Ok(())
            }
            Format::Human => out.table(&self.table(&verdicts)),
            Format::Json => {
                let rows: Vec<Row> = verdicts.iter().map(|(looked, verdict)| self.row(looked, verdict)).collect();
                let environments: Vec<Summary> = found.iter().map(|looked| self.summary(looked)).collect();
                let unreachable = failed.unreachable();
                let data = json!({ "verdicts": rows, "environments": environments, "unreachable": unreachable });
                out.document("opsctl/status/1", &data)
            }
            Format::Jsonl => Ok(()),
        }
    }

    /// What is said where no verdict is shown.
    pub(super) fn nothing<'l>(&self, found: impl Iterator<Item = &'l Looked>, is_all: bool) -> Option<String> {
        let (mut names, mut is_all, mut is_open) = (Vec::new(), is_all, false);
        for looked in found {
            is_open |= self.open_in(looked).any(|open| !open.busy);
            names.push(looked.environment.name.0.as_str());
            is_all &= looked.missing.is_empty();
        }
        let joined = Text::line(&names.join(", "));
        match (names.is_empty(), self.args.acknowledged, is_all) {
            (true, _, _) => None,
            (false, true, _) => Some(format!("nothing is acknowledged in {joined}")),
            (false, false, true) => {
                Some(format!("nothing {}needs attention in {joined}", if is_open { "else " } else { "" }))
            }
            (false, false, false) => Some(format!("nothing of what could be looked at needs attention in {joined}")),
        }
    }

    /// What there is to know beside the verdicts.
    pub(super) fn say(&self, found: &[Looked], out: &mut Output) {
        for Looked { environment, missing, metrics_asked, .. } in found {
            for missing in missing {
                out.warning(&format!("{}: not looked at: {missing}", environment.name));
            }
            if let Some(asked) = metrics_asked.filter(|_| self.global.verbose > 0) {
                let asked = counted(asked, "metric");
                out.note(&format!("{}: {asked} asked of CloudWatch, which bills each", environment.name));
            }
        }
        for open in found.iter().flat_map(|looked| self.open_in(looked)) {
            out.note(&open.words(&self.global.invocation()));
        }
        let acknowledged: usize = found.iter().map(|looked| self.acknowledged(looked)).sum();
        if acknowledged > 0 && !self.args.acknowledged {
            let command = self.global.command("status --acknowledged");
            out.note(&format!("{acknowledged} acknowledged and left out; `{command}` shows them"));
        }
    }

    pub(super) fn acknowledged(&self, looked: &Looked) -> usize {
        looked.verdicts.iter().filter(|verdict| self.book.hides(verdict, looked.at)).count()
    }

    /// Runs of runbooks that are open in the environment.
    pub(super) fn open_in<'o>(&'o self, looked: &'o Looked) -> impl Iterator<Item = &'o Open> {
        let name = looked.environment.name.0.as_str();
        self.open.iter().filter(move |open| open.environment.as_deref() == Some(name))
    }

    fn summary<'l>(&'l self, looked: &'l Looked) -> Summary<'l> {
        let Looked { environment, at, snapshot, missing, metrics_asked, .. } = looked;
        Summary {
            environment: &environment.name,
            account: environment.account.as_ref(),
            region: &environment.region,
            at: *at,
            queues: snapshot.queues.len(),
            needs_attention: self.needs_attention(looked),
            acknowledged: self.acknowledged(looked),
            open_runbooks: self.open_in(looked).collect(),
            missing,
            metrics_asked: *metrics_asked,
        }
    }

    fn row<'r>(&'r self, looked: &Looked, verdict: &'r Verdict) -> Row<'r> {
        let Commands { first, then } = commands(verdict, &looked.environment, &looked.snapshot);
        let acknowledged = self.book.on(verdict, looked.at).filter(|_| self.book.hides(verdict, looked.at));
        let acknowledged = acknowledged.map(|(said, acknowledged, _)| Acknowledged {
            by: &said.by,
            until: acknowledged.until,
            reason: &acknowledged.reason,
        });
        Row {
            environment: &verdict.environment,
            severity: verdict.severity,
            what: verdict.what(&looked.environment.region),
            subject: &verdict.subject,
            kind: verdict.kind,
            reason: &verdict.reason,
            messages: verdict.messages,
            command: first,
            then,
            runbook: offer(self.runbooks, verdict)
                .filter(|_| looked.environment.protection != Protection::ReadOnly)
                .map(|offer| Guide { command: offer.command(&looked.environment), name: offer.runbook }),
            acknowledged,
        }
    }

    pub(super) fn table(&self, verdicts: &[(&Looked, &Verdict)]) -> Table {
        let mut table = Table::new(&["SEVERITY", "ENV", "WHAT", "WHY", "RUNBOOK", "$COMMAND"]);
        for (looked, verdict) in verdicts {
            let style = match verdict.severity {
                Severity::Critical => ERROR,
                Severity::Warning => WARNING,
                Severity::Notice => Style::new(),
            };
            let row = self.row(looked, verdict);
            let why = match &row.acknowledged {
                Some(Acknowledged { by, until, reason }) => {
                    let left = span(until.duration_since(looked.at));
                    format!("{}; acknowledged by {by} for {left} more: {reason}", row.reason)
                }
                None => row.reason.to_string(),
            };
            let command = row.command.unwrap_or_default();
            let runbook = row.runbook.map_or_else(|| "-".to_owned(), |guide| guide.name);
            let cells = [row.severity.into_str(), row.environment.0.as_str(), &row.what, &why, &runbook, &command];
            table.marked(style, cells);
        }
        table
    }
}
