//! `opsctl doctor`: can each environment be reached, is it the one that is meant, may we do what is needed?

use futures_util::future::join_all;
use serde::Serialize;

use crate::{
    cli::{
        args::{Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        world::{Site, World},
    },
    cloud::{Cloud, CloudError, ErrorKind, connect::stray_endpoint},
    domain::{Protection, QueueUrl, Text},
};

/// A clock that is off by less needs no word; AWS refuses from five minutes on.
const SKEW_SECONDS_NOTED: i64 = 30;

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Good,
    Look,
    Bad,
}

#[derive(Debug, Serialize)]
struct Finding {
    environment: Option<String>,
    check: &'static str,
    verdict: Verdict,
    what: Text,
    hint: Option<Text>,
}

#[derive(Serialize)]
struct Answer<'a> {
    findings: &'a [Finding],
}

pub(super) async fn run(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let mut findings = vec![finding(None, "configuration", Verdict::Good, &world.origin, "")];
    if let Some(stray) = stray_endpoint() {
        let hint = "opsctl ignores it; other tools in this terminal do not: unset it, or set `endpoint` in opsctl.toml";
        findings.push(finding(None, "endpoint", Verdict::Look, &format!("{stray} is set"), hint));
    }
    findings.extend(join_all(world.sites.iter().map(examine)).await.into_iter().flatten());
    match out.format {
        Format::Human => show(&findings, out)?,
        Format::Json => out.document("opsctl/doctor/1", &Answer { findings: &findings })?,
        Format::Jsonl => {
            for finding in &findings {
                out.json_line("opsctl/doctor-finding/1", finding)?;
            }
        }
    }
    let is_bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if is_bad { Exit::Failed } else { Exit::Done })
}

fn show(findings: &[Finding], out: &mut Output) -> Result<(), CliError> {
    for Finding { environment, check, verdict, what, hint } in findings {
        let mark = match verdict {
            Verdict::Good => "ok  ",
            Verdict::Look => "look",
            Verdict::Bad => "BAD ",
        };
        let place = environment.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        out.line(&format!("{mark}  {}{check}: {what}", Text::line(&place)))?;
        if let Some(hint) = hint {
            out.line(&format!("      try: {hint}"))?;
        }
    }
    Ok(())
}

fn finding(site: Option<&Site>, check: &'static str, verdict: Verdict, what: &str, hint: &str) -> Finding {
    Finding {
        environment: site.map(|site| site.environment.name.0.clone()),
        check,
        verdict,
        what: Text::block(what),
        hint: (!hint.is_empty()).then(|| Text::line(hint)),
    }
}

async fn examine(site: &Site) -> Vec<Finding> {
    let environment = &site.environment;
    let mut findings = Vec::new();
    let place = match &environment.endpoint {
        Some(endpoint) => format!("{} at {endpoint}", environment.region),
        None => environment.region.clone(),
    };
    findings.push(finding(Some(site), "region", Verdict::Good, &place, ""));
    let cloud = match &site.cloud {
        Ok(cloud) => cloud,
        Err(error) => {
            let hint = error.hint.as_ref().map_or("", Text::as_str);
            findings.push(finding(Some(site), "credentials", Verdict::Bad, error.what.as_str(), hint));
            return findings;
        }
    };
    if !identity(site, cloud, &mut findings).await {
        return findings;
    }
    clock(site, cloud, &mut findings);
    permissions(site, cloud, &mut findings).await;
    findings
}

/// Whether the credentials work, and for the right account.
async fn identity(site: &Site, cloud: &Cloud, findings: &mut Vec<Finding>) -> bool {
    let environment = &site.environment;
    let caller = match cloud.identity().caller().await {
        Ok(caller) => caller,
        Err(error) => {
            findings.push(finding(
                Some(site),
                "credentials",
                Verdict::Bad,
                &error.to_string(),
                &error.hint(environment),
            ));
            return false;
        }
    };
    findings.push(finding(Some(site), "credentials", Verdict::Good, &caller.arn, ""));
    let (verdict, what, hint) = match &environment.account {
        Some(pinned) if *pinned == caller.account => (Verdict::Good, format!("{pinned}, as configured"), ""),
        Some(pinned) => (
            Verdict::Bad,
            format!("the credentials are for {}, the configuration says {pinned}", caller.account),
            "choose another profile for the environment, or correct `account`: nothing is written until they agree",
        ),
        None => {
            (Verdict::Look, format!("{}, not pinned", caller.account), "pin `account`: nothing is written until then")
        }
    };
    findings.push(finding(Some(site), "account", verdict, &what, hint));
    true
}

fn clock(site: &Site, cloud: &Cloud, findings: &mut Vec<Finding>) {
    let Some(skew) = cloud.identity().clock_skew() else { return };
    let seconds = skew.as_secs();
    let is_good = seconds.abs() < SKEW_SECONDS_NOTED;
    let (verdict, hint) = if is_good { (Verdict::Good, "") } else { (Verdict::Look, "set this machine's clock (NTP)") };
    let what = if is_good { "agrees with AWS".to_owned() } else { format!("differs from AWS by {seconds} s") };
    findings.push(finding(Some(site), "clock", verdict, &what, hint));
}

/// Tries the reads that opsctl needs. What would change something is named, not tried.
async fn permissions(site: &Site, cloud: &Cloud, findings: &mut Vec<Finding>) {
    let listed = cloud.sqs().list(None).await;
    let first: Option<QueueUrl> = listed
        .as_ref()
        .ok()
        .and_then(|urls| urls.iter().find(|url| url.name().as_str().contains("dlq")).or_else(|| urls.first()).cloned());
    let mut tried: Vec<(&'static str, Option<CloudError>)> = vec![("sqs:ListQueues", listed.err())];
    if let Some(url) = &first {
        let sqs = cloud.sqs();
        let described = sqs.describe(url).await;
        let arn = described.as_ref().ok().map(|queue| queue.arn.clone());
        tried.push(("sqs:GetQueueAttributes", described.err()));
        tried.push(("sqs:ListDeadLetterSourceQueues", sqs.sources_of(url).await.err()));
        tried.push(("sqs:ListQueueTags", sqs.tags(url).await.err()));
        if let Some(arn) = arn {
            tried.push(("sqs:ListMessageMoveTasks", sqs.move_tasks(&arn).await.err()));
        }
    }
    let answers: Vec<&str> =
        tried.iter().filter(|(_, error)| !is_denied(error.as_ref())).map(|(action, _)| *action).collect();
    if !answers.is_empty() {
        findings.push(finding(Some(site), "permissions", Verdict::Good, &format!("{} answer", answers.join(", ")), ""));
    }
    for (action, error) in tried.iter().filter_map(|(action, error)| Some((action, error.as_ref()?))) {
        if error.kind == ErrorKind::Invalid {
            continue; // Allowed, but this queue is none to ask about.
        }
        let what = format!("{action}: {error}");
        findings.push(finding(Some(site), "permissions", Verdict::Bad, &what, &error.hint(&site.environment)));
    }
    if site.environment.protection != Protection::ReadOnly {
        let what = "not tried, for they change something: sqs:ReceiveMessage, SendMessage, DeleteMessage, \
                    ChangeMessageVisibility, StartMessageMoveTask, CancelMessageMoveTask";
        findings.push(finding(Some(site), "permissions", Verdict::Good, what, ""));
    }
}

fn is_denied(error: Option<&CloudError>) -> bool {
    error.is_some_and(|error| error.kind != ErrorKind::Invalid)
}
