//! The questions themselves: what is asked of AWS, each as a future of its own.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::mpsc::UnboundedSender;

use super::Open;
use crate::{
    clock::Clock,
    cloud::{
        Cloud, CloudError, ErrorKind,
        metrics::{QUEUE_AGE, Sample, Samples},
    },
    domain::{Environment, Queue, QueueArn, QueueName, QueueUrl, Text},
    journal::StateFolder,
    observe::{
        leaving::{self, Leaving},
        parts::{Found, Look},
        schedule::{Ask, Outcome, Slot},
        snapshot::Oldest,
    },
};

/// How long making clients may take: it may ask STS and SSM.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the question who we are may hold up a listing.
const CALLER_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type Question = Pin<Box<dyn Future<Output = Answer> + Send>>;

pub(super) enum Answer {
    Listing(Box<Looked>),
    Described(Slot, Box<Result<Queue, CloudError>>, Option<Box<Leaving>>),
    Tagged(Slot, Result<Option<QueueName>, CloudError>),
    Ages(Result<Ages, CloudError>),
    Looked(Look, Box<Result<Found, CloudError>>),
}

/// Ages of oldest messages, and how many metrics they cost.
pub(in crate::observe) struct Ages {
    pub(in crate::observe) ages: Vec<(QueueName, Oldest)>,
    pub(in crate::observe) asked: u32,
    pub(in crate::observe) incomplete: Option<Text>,
}

impl Answer {
    pub(super) fn outcome(&self) -> (Ask, Outcome) {
        match self {
            Self::Listing(looked) => (Ask::Listing, Outcome::of(looked.listed.as_ref().err())),
            Self::Described(slot, answer, _) => (Ask::Describe(*slot), Outcome::of(answer.as_ref().as_ref().err())),
            Self::Tagged(slot, answer) => (Ask::Tags(*slot), Outcome::of(answer.as_ref().err())),
            Self::Ages(answer) => (Ask::Ages, Outcome::of(answer.as_ref().err())),
            Self::Looked(look, found) => (
                Ask::Look(*look),
                found.as_ref().as_ref().map_or_else(|error| Outcome::of(Some(error)), |found| found.outcome),
            ),
        }
    }
}

pub(super) struct Looked {
    /// The clients that it was asked by, if there are any.
    pub(super) cloud: Option<Connected>,
    /// All queues, also those that the configuration leaves out.
    pub(super) listed: Result<Vec<QueueUrl>, CloudError>,
}

/// Clients, and whether their account is known to be the configured one.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) cloud: Cloud,
    pub(super) is_verified: bool,
}

/// Lists the queues; makes the clients first where there are none that work.
///
/// `early` hears of clients as soon as their account is known, before the queues are: a listing that hangs blinds queues only.
pub(super) fn listing(
    connected: Option<Connected>,
    open: Open,
    clock: Clock,
    early: UnboundedSender<Connected>,
) -> Question {
    Box::pin(async move { Answer::Listing(Box::new(look(connected, open, clock, early).await)) })
}

async fn look(connected: Option<Connected>, open: Open, clock: Clock, early: UnboundedSender<Connected>) -> Looked {
    let is_new = connected.is_none();
    let connected = match connected {
        Some(connected) => connected,
        None => match opened(open, clock).await {
            Ok(cloud) => Connected { cloud, is_verified: false },
            Err(error) => return Looked { cloud: None, listed: Err(error) },
        },
    };
    let Connected { cloud, is_verified } = &connected;
    let verifying = async {
        let verified = verified(cloud, *is_verified, clock).await;
        if let (true, Ok(is_verified)) = (is_new, &verified) {
            let is_verified = *is_verified;
            // Whoever listened is gone: so will this question be.
            drop(early.send(Connected { cloud: cloud.clone(), is_verified }));
        }
        verified
    };
    let (listed, verified) = tokio::join!(cloud.sqs.list(None), verifying);
    match verified {
        Ok(is_verified) => Looked { cloud: Some(Connected { cloud: cloud.clone(), is_verified }), listed },
        // Another account's queues are not shown under this environment's name; other credentials may come.
        Err(error) => Looked { cloud: None, listed: Err(error) },
    }
}

async fn opened(open: Open, clock: Clock) -> Result<Cloud, CloudError> {
    tokio::time::timeout(clock.real(OPEN_TIMEOUT), open()).await.unwrap_or_else(|_| {
        let text = "the credentials and parameters of the environment were not there in time";
        Err(CloudError::new(ErrorKind::Unknown, "sts:GetCallerIdentity", text))
    })
}

/// Whether the credentials are known to be of the configured account. Where STS does not answer, that stays open: what is only
/// read does no harm, and every write asks again.
async fn verified(cloud: &Cloud, is_verified: bool, clock: Clock) -> Result<bool, CloudError> {
    let Environment { account, name, .. } = cloud.environment();
    let Some(account) = account.as_ref().filter(|_| !is_verified) else { return Ok(true) };
    let caller = tokio::time::timeout(clock.real(CALLER_TIMEOUT), cloud.identity.caller()).await;
    match caller {
        Ok(Ok(caller)) if caller.account == *account => Ok(true),
        Ok(Ok(caller)) => {
            let text = format!("these are credentials of account {}, but {name} is account {account}", caller.account);
            Err(CloudError::new(ErrorKind::CredentialsMissing, "sts:GetCallerIdentity", &text))
        }
        Ok(Err(_)) | Err(_) => Ok(false),
    }
}

/// Settings and counts; of a DLQ that became emptier, also who takes its messages.
pub(super) fn describe(cloud: &Cloud, slot: Slot, url: QueueUrl, leaving: Option<(StateFolder, QueueArn)>) -> Question {
    let cloud = cloud.clone();
    Box::pin(async move {
        let found = async {
            let (runs, dlq) = leaving?;
            Some(Box::new(leaving::look(&cloud, runs, dlq).await))
        };
        let (queue, found) = tokio::join!(cloud.sqs.describe(&url), found);
        Answer::Described(slot, Box::new(queue), found)
    })
}

pub(super) fn tags(cloud: &Cloud, slot: Slot, url: QueueUrl, tag: &str) -> Question {
    let (cloud, tag) = (cloud.clone(), tag.to_owned());
    Box::pin(async move {
        let tags = cloud.sqs.tags(&url).await;
        Answer::Tagged(slot, tags.map(|tags| tags.get(&tag).cloned().map(QueueName)))
    })
}

pub(super) fn ages(cloud: &Cloud, names: Vec<QueueName>) -> Question {
    let cloud = cloud.clone();
    Box::pin(async move { Answer::Ages(ages_of(&cloud, &names).await) })
}

pub(in crate::observe) async fn ages_of(cloud: &Cloud, names: &[QueueName]) -> Result<Ages, CloudError> {
    let names: Vec<&str> = names.iter().map(QueueName::as_str).collect();
    let Samples { by_name, asked, incomplete } = cloud.metrics.named(&QUEUE_AGE, &names).await?;
    let oldest = |sample: Sample| Oldest { seconds: whole_seconds(sample.value), at: sample.at };
    let ages = by_name.into_iter().map(|(name, recent)| (QueueName(name), oldest(recent.newest)));
    Ok(Ages { ages: ages.collect(), asked: u32::try_from(asked).unwrap_or(u32::MAX), incomplete })
}

fn whole_seconds(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; an age is not negative")]
    let seconds = value as u64;
    seconds
}

/// The environment as the clients know it.
pub(super) fn environment_of(connected: &Connected) -> Arc<Environment> {
    Arc::new(connected.cloud.environment().clone())
}
