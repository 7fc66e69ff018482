//! What stands between this machine and each environment: endpoint, credentials, account, clock, region, permissions, connections to
//! databases, outboxes.
//!
//! Reads only, and never a receive. [`examine_all`] looks at every environment at once, each with its own deadline, so
//! that a dead one delays nobody. What comes back is data; showing it is the caller's.

mod connections;
mod findings;
mod outboxes;
mod permissions;

use std::{env, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::SignedDuration;

pub use findings::{Check, Finding, Verdict};

use crate::{
    cloud::{
        Cloud, CloudError, Connect, ErrorKind, Shell, Trouble,
        connect::stray_endpoint,
        identity::Caller,
        profiles::Profiles,
        settings::{self, Unheeded},
    },
    domain::{CredentialSource, Environment, Protection, Text, Try},
};
use findings::Findings;

/// How long one environment may take, all its checks together.
const ENVIRONMENT_SECONDS_MAX: u64 = 30;
/// Mistakes in AWS's files that are told.
const MISTAKES_MAX: usize = 5;
/// A clock that is further off deserves a word.
const SKEW_SECONDS_NOTED: i64 = 30;
/// AWS refuses signatures that are further off (IAM User Guide, "Signing AWS API requests").
const SKEW_SECONDS_MAX: i64 = 300;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// As [`stray_endpoint`] tells it.
    pub stray_endpoint: Option<String>,
    pub has_keys: bool,
}

impl Surroundings {
    pub fn of_process() -> Self {
        Self { stray_endpoint: stray_endpoint(), has_keys: env::var_os("AWS_ACCESS_KEY_ID").is_some() }
    }
}

/// Every environment's findings, in the order given and of each in the order of [`Check`].
pub async fn examine_all(
    environments: &[Arc<Environment>],
    connect: &Connect,
    surroundings: &Surroundings,
) -> Vec<Finding> {
    let each = environments.iter().map(|environment| examine(environment, connect, surroundings));
    join_all(each).await.into_iter().flatten().collect()
}

/// One environment's findings, after at most half a minute.
pub async fn examine(environment: &Arc<Environment>, connect: &Connect, surroundings: &Surroundings) -> Vec<Finding> {
    let mut findings = Findings::new(environment);
    let deadline = connect.clock.real(Duration::from_secs(ENVIRONMENT_SECONDS_MAX));
    let in_time = tokio::time::timeout(deadline, look(&mut findings, connect, surroundings)).await.is_ok();
    if !in_time {
        let because = format!("the checks were not done after {ENVIRONMENT_SECONDS_MAX} s");
        findings.skip_rest(&because);
    }
    findings.into_vec()
}

async fn look(findings: &mut Findings, connect: &Connect, surroundings: &Surroundings) {
    let environment = Arc::clone(&findings.environment);
    endpoint(findings, surroundings);
    settings(findings, &connect.shell);
    let cloud = match connect.cloud(Arc::clone(&environment)).await {
        Ok(cloud) => cloud,
        Err(error) => return no_credentials(findings, &error, None),
    };
    cloud.ready().await;
    let caller = cloud.identity.caller().await;
    let skew = cloud.identity.clock_skew();
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) => return no_credentials(findings, &error, skew),
    };
    credentials(findings, &caller, surroundings, cloud.credential_steps());
    account(findings, &caller);
    clock(findings, skew);
    if environment.account.as_ref().is_some_and(|pinned| *pinned != caller.account) {
        return findings.skip_rest("it would be asked in another account");
    }
    queues(findings, &cloud).await;
}

fn endpoint(findings: &mut Findings, surroundings: &Surroundings) {
    let environment = Arc::clone(&findings.environment);
    let is_strict = environment.protection == Protection::TypeName;
    let stray = surroundings.stray_endpoint.as_deref();
    match (&environment.endpoint, stray) {
        (Some(endpoint), _) if is_strict => findings.add(
            Check::Endpoint,
            Verdict::Warning,
            &format!("asks {}, not AWS", Text::line(endpoint)),
            "the configuration gives an endpoint to an environment whose names are typed",
            Try::Configure.says("remove `endpoint`, unless this environment is meant to be an emulator"),
        ),
        (Some(endpoint), _) => findings.ok(Check::Endpoint, &format!("asks {}, as configured", Text::line(endpoint))),
        (None, Some(stray)) => findings.add(
            Check::Endpoint,
            if is_strict { Verdict::Problem } else { Verdict::Warning },
            &format!("asks AWS; {stray} is ignored here"),
            "other tools in this terminal follow the variable, and would show another world",
            Try::SetVariable.says(format!(
                "unset {}, or give the environment an `endpoint`",
                stray.split('=').next().unwrap_or(stray)
            )),
        ),
        (None, None) => findings.ok(Check::Endpoint, "asks AWS itself"),
    }
}

/// What AWS's own files and variables say that opsctl does not heed, and what of them cannot be read.
fn settings(findings: &mut Findings, shell: &Shell) {
    let environment = Arc::clone(&findings.environment);
    let profiles = Profiles::read(shell);
    let (missed, ignored): (Vec<Unheeded>, Vec<Unheeded>) =
        settings::unheeded(&environment, shell, &profiles).into_iter().partition(|one| one.is_missed);
    // A variable that moves endpoints is told of with the endpoint.
    for Unheeded { what, because, .. } in missed.iter().filter(|one| !one.what.as_str().starts_with("AWS_ENDPOINT_URL"))
    {
        let hint = format!("give {} an `endpoint` in opsctl.toml where another one is meant", environment.name);
        findings.add(
            Check::Settings,
            Verdict::Warning,
            &format!("{what} is ignored"),
            because,
            Try::Configure.says(hint),
        );
    }
    if !ignored.is_empty() {
        let names: Vec<&str> = ignored.iter().map(|one| one.what.as_str()).collect();
        findings.ok(Check::Settings, &format!("set and ignored: {}", names.join(", ")));
    }
    let own = settings::names(&environment, shell, &profiles).into_iter().filter_map(|name| profiles.get(name));
    for mistake in own.flat_map(|profile| &profile.mistakes).chain(&profiles.mistakes).take(MISTAKES_MAX) {
        let (what, because) = (format!("{} is left out", mistake.place()), mistake.what);
        findings.add(
            Check::Settings,
            Verdict::Warning,
            &what,
            because,
            Try::MendFile.says("correct the line: the AWS CLI may refuse the whole file for it"),
        );
    }
}

fn credentials(findings: &mut Findings, caller: &Caller, surroundings: &Surroundings, steps: &[Text]) {
    let environment = Arc::clone(&findings.environment);
    let arn = Text::line(&caller.arn);
    let source = match (&environment.credentials, steps) {
        (CredentialSource::Keys { .. }, _) | (_, []) => environment.credentials_words(),
        (CredentialSource::Profile(_) | CredentialSource::Default, steps) => {
            steps.iter().map(Text::as_str).collect::<Vec<_>>().join(", then ")
        }
    };
    match environment.credentials {
        CredentialSource::Profile(_) if surroundings.has_keys => {
            findings.ok(Check::Credentials, &format!("{arn}, from {source}; AWS_ACCESS_KEY_ID is set and ignored"));
        }
        // An emulator takes any keys; there is nothing to warn of.
        CredentialSource::Default if surroundings.has_keys && environment.endpoint.is_some() => {
            findings.ok(Check::Credentials, &format!("{arn}, from AWS_ACCESS_KEY_ID"));
        }
        CredentialSource::Default if surroundings.has_keys => findings.add(
            Check::Credentials,
            Verdict::Warning,
            &format!("{arn}, from AWS_ACCESS_KEY_ID"),
            "keys of the shell come first in the default chain, whoever they are of",
            Try::Configure.says(format!("give {} a `profile`", environment.name)),
        ),
        CredentialSource::Default | CredentialSource::Profile(_) | CredentialSource::Keys { .. } => {
            findings.ok(Check::Credentials, &format!("{arn}, from {source}"));
        }
    }
}

/// The rest needs credentials, and is skipped; but a clock that is off is told, for it may be the cause.
fn no_credentials(findings: &mut Findings, error: &CloudError, skew: Option<SignedDuration>) {
    let environment = Arc::clone(&findings.environment);
    let what = match (&error.trouble, error.kind) {
        (Some(trouble), _) => format!("{}: {}", environment.credentials_words(), trouble.in_short()),
        (None, kind) => no_credentials_words(&environment, kind),
    };
    let hint = error.hint(&environment);
    findings.add(Check::Credentials, Verdict::Problem, &what, &error.to_string(), hint);
    findings.skip(Check::Account, "the credentials do not work");
    clock(findings, skew);
    findings.skip_rest("the credentials do not work");
}

fn no_credentials_words(environment: &Environment, kind: ErrorKind) -> String {
    match kind {
        ErrorKind::CredentialsExpired => format!("{}: expired, or no longer valid", environment.credentials_words()),
        ErrorKind::CredentialsMissing => format!("{}: no credentials found", environment.credentials_words()),
        ErrorKind::Unreachable | ErrorKind::Unknown => "STS does not answer".to_owned(),
        ErrorKind::ClockSkew => "AWS refuses the signature for its time".to_owned(),
        ErrorKind::Denied | ErrorKind::Throttled | ErrorKind::NotFound | ErrorKind::Invalid => {
            format!("{}: refused", environment.credentials_words())
        }
    }
}

fn account(findings: &mut Findings, caller: &Caller) {
    let environment = Arc::clone(&findings.environment);
    let actual = &caller.account;
    match &environment.account {
        Some(pinned) if pinned == actual => findings.ok(Check::Account, &format!("{actual}, as pinned")),
        Some(pinned) => findings.add(
            Check::Account,
            Verdict::Problem,
            &format!("the credentials are of account {actual}, {pinned} is pinned"),
            "nothing of that account is shown under this environment's name, and every change is refused",
            Try::CheckProfile.says("correct the profile or the role, or `account` in opsctl.toml"),
        ),
        None => findings.add(
            Check::Account,
            Verdict::Warning,
            &format!("{actual}, and none is pinned"),
            "a write cannot be checked against the account that is meant",
            Try::Configure.says(format!("write `account = \"{actual}\"`, if that is the one")),
        ),
    }
}

fn clock(findings: &mut Findings, skew: Option<SignedDuration>) {
    let Some(skew) = skew else { return findings.skip(Check::Clock, "no answer of STS was dated") };
    let off = skew.as_secs();
    if off.abs() <= SKEW_SECONDS_NOTED {
        return findings.ok(Check::Clock, &format!("within {SKEW_SECONDS_NOTED} s of AWS's"));
    }
    let direction = if off > 0 { "behind" } else { "ahead of" };
    let is_refused = off.abs() >= SKEW_SECONDS_MAX;
    findings.add(
        Check::Clock,
        if is_refused { Verdict::Problem } else { Verdict::Warning },
        &format!("this machine is {} s {direction} AWS", off.abs()),
        &format!(
            "AWS refuses signatures more than {} minutes off; ages shown here are off as well",
            SKEW_SECONDS_MAX / 60
        ),
        Try::SetClock.says("set the clock: `timedatectl set-ntp true`, or the system's settings"),
    );
}

async fn queues(findings: &mut Findings, cloud: &Cloud) {
    let environment = Arc::clone(&findings.environment);
    let region = &environment.region;
    let listed = cloud.sqs.list(None).await;
    match &listed {
        Err(error) if error.kind == ErrorKind::Unreachable => {
            findings.add(
                Check::Region,
                Verdict::Problem,
                &format!("no SQS answers for {region}"),
                &error.to_string(),
                Try::Configure.says("check the region's name; STS answered, so the network is there"),
            );
            return findings.skip_rest("SQS does not answer");
        }
        Err(error) if matches!(error.trouble.as_deref(), Some(Trouble::NoService { .. })) => {
            let hint = Try::Configure.says("check `endpoint` of the environment: it has to have SQS");
            findings.add(Check::Region, Verdict::Problem, "this endpoint has no SQS", &error.to_string(), hint);
            return findings.skip_rest("SQS does not answer");
        }
        Ok(_) | Err(_) => findings.ok(Check::Region, &format!("SQS answers for {region}")),
    }
    permissions::check(findings, cloud, listed).await;
    permissions::check_services(findings, cloud).await;
    permissions::check_databases(findings, cloud).await;
    permissions::check_alarms(findings, cloud).await;
    permissions::check_consumers(findings, cloud).await;
    connections::check(findings, cloud).await;
    outboxes::check(findings, cloud).await;
}

#[cfg(test)]
mod tests;
