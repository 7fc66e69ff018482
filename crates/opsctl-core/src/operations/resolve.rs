//! From what a person calls a queue to the queue.

use super::OperationError;
use crate::{
    cloud::{Cloud, ErrorKind},
    domain::{Queue, QueueArn, QueueUrl, Try},
};

const SUGGESTIONS_MAX: usize = 3;

/// The queue of this name, URL or ARN, in the environment's account and region.
///
/// # Errors
/// A name that does not exist comes with the names most like it; an ARN of another account or region is refused.
pub async fn queue(cloud: &Cloud, given: &str) -> Result<Queue, OperationError> {
    at(cloud, &url(cloud, given).await?).await
}

/// The DLQ that a queue's redrive policy names.
///
/// # Errors
/// It does not exist, or is another account's.
pub(super) async fn dead_letter_of(cloud: &Cloud, queue: &Queue, named: &QueueArn) -> Result<Queue, OperationError> {
    check_place(cloud, named)?;
    let name = named.name();
    let found = match cloud.sqs.url(name.as_str()).await {
        Ok(url) => cloud.sqs.describe(&url).await,
        Err(error) => Err(error),
    };
    found.map_err(|error| match error.kind == ErrorKind::NotFound {
        true => OperationError::usage(
            &format!("the redrive policy of {} names {name} as its DLQ, which does not exist", queue.name),
            Try::GiveOther.says(format!(
                "make {name} again, or set another RedrivePolicy; a DLQ that no policy names is given by its own name"
            )),
        ),
        false => error.into(),
    })
}

/// The URL of the queue of this name, URL or ARN.
pub async fn url(cloud: &Cloud, given: &str) -> Result<QueueUrl, OperationError> {
    let given = given.trim();
    if given.is_empty() {
        return Err(OperationError::usage("no queue was named", Try::NameIt.says("give --queue NAME")));
    }
    if given.contains("://") {
        return Ok(QueueUrl(given.to_owned()));
    }
    let name = if given.starts_with("arn:") { name_of_arn(cloud, given)? } else { given.to_owned() };
    match cloud.sqs.url(&name).await {
        Ok(url) => Ok(url),
        Err(error) if error.kind == ErrorKind::NotFound => Err(missing(cloud, &name).await),
        Err(error) => Err(error.into()),
    }
}

/// The queue at this URL, in the environment's account and region.
pub async fn at(cloud: &Cloud, url: &QueueUrl) -> Result<Queue, OperationError> {
    match cloud.sqs.describe(url).await {
        Ok(queue) => {
            check_place(cloud, &queue.arn)?;
            Ok(queue)
        }
        Err(error) if error.kind == ErrorKind::NotFound => Err(missing(cloud, url.name().as_str()).await),
        Err(error) => Err(error.into()),
    }
}

fn name_of_arn(cloud: &Cloud, given: &str) -> Result<String, OperationError> {
    let arn = QueueArn(given.to_owned());
    if !arn.is_sqs() || given.split(':').count() != 6 {
        return Err(OperationError::usage(
            &format!("{given} is no queue's ARN"),
            Try::WriteItSo.says("a queue's ARN looks like arn:aws:sqs:eu-west-1:123456789012:name"),
        ));
    }
    check_place(cloud, &arn)?;
    Ok(arn.name().0)
}

/// A queue of another account or region is another environment's, whatever the permissions say.
fn check_place(cloud: &Cloud, arn: &QueueArn) -> Result<(), OperationError> {
    let environment = cloud.environment();
    let account = environment.account.as_ref().map(|account| account.0.as_str());
    let elsewhere = account.is_some_and(|account| arn.account() != Some(account));
    if elsewhere || arn.region() != Some(environment.region.as_str()) {
        let name = &environment.name;
        return Err(OperationError::usage(
            &format!("{arn} is not in {name} ({}, {})", account.unwrap_or("any account"), environment.region),
            Try::ChooseEnvironment.says("choose the environment that it is in with --env"),
        ));
    }
    Ok(())
}

async fn missing(cloud: &Cloud, name: &str) -> OperationError {
    let environment = cloud.environment();
    let what = format!("there is no queue {name} in {} ({})", environment.name, environment.region);
    // The listing is a courtesy: where it is denied, the error stands without suggestions.
    let names: Vec<String> = cloud.sqs.list(None).await.unwrap_or_default().iter().map(|url| url.name().0).collect();
    let hint = did_you_mean(name, &names).unwrap_or_else(|| format!("see `{}`", environment.command("queues")));
    OperationError::usage(&what, Try::NameAnother.says(&hint))
}

/// Asks for the names most like one that does not exist, if there are any.
pub(super) fn did_you_mean(name: &str, names: &[String]) -> Option<String> {
    let alike = suggestions(name, names);
    (!alike.is_empty()).then(|| format!("did you mean {}?", alike.join(", ")))
}

/// The names most like `name`, best first.
pub fn suggestions(name: &str, names: &[String]) -> Vec<String> {
    let mut scored: Vec<(f64, &String)> = names
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(score, candidate)| *score > 0.8 || candidate.contains(name))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(SUGGESTIONS_MAX).map(|(_, candidate)| candidate.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["orders-dlq", "orders", "payments"].map(str::to_owned);
        assert_eq!(suggestions("order-dlq", &names), ["orders-dlq", "orders"]);
        assert!(suggestions("zzz", &names).is_empty());
    }
}
