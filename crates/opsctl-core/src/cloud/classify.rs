//! SDK errors become [`CloudError`]s: one table of codes for every service.
//!
//! Codes are AWS's published ones (SQS, STS, SSM, KMS and common errors); the transport's errors are told apart by
//! whether the request can have reached AWS at all.

use std::{error::Error, io};

use aws_credential_types::provider::error::{CredentialsError, TokenError};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::{client::result::ConnectorError, http::Response};

use super::{
    CloudError, ErrorKind,
    trouble::{Blamed, Trouble},
};

const THROTTLED: [&str; 17] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "Throttled",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "TooManyRequests",
    "LimitExceededException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "PriorRequestNotComplete",
    "SlowDown",
    "KmsThrottled",
    "KMS.ThrottlingException",
    "OverLimit",
];

const DENIED: [&str; 10] = [
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "Forbidden",
    "ForbiddenException",
    "KmsAccessDenied",
    "KMS.AccessDeniedException",
    "KMS.AccessDenied",
    "OptInRequired",
];

const EXPIRED: [&str; 10] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "RequestExpired",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "UnauthorizedException",
    "IncompleteSignature",
    "AuthFailure",
];

const MISSING: [&str; 2] = ["MissingAuthenticationToken", "MissingAuthenticationTokenException"];

const SKEWED: [&str; 2] = ["RequestTimeTooSkewed", "RequestInTheFuture"];

/// A wrong clock or a wrong key: the words tell which.
const SIGNATURE: [&str; 2] = ["SignatureDoesNotMatch", "InvalidSignatureException"];

const NOT_FOUND: [&str; 16] = [
    "TargetGroupNotFound",
    "ClusterNotFoundException",
    "ServiceNotFoundException",
    "ServiceNotActiveException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "NonExistentQueue",
    "ResourceNotFoundException",
    "ResourceNotFound",
    "ParameterNotFound",
    "NotFoundException",
    "DBClusterNotFoundFault",
    "DBInstanceNotFound",
    "DBInstanceNotFoundFault",
    "DBProxyNotFoundFault",
    "GlobalClusterNotFoundFault",
];

/// Who answers does not know the call: an emulator, or a region in which it is not there yet.
pub(super) const UNKNOWN_OPERATIONS: [&str; 9] = [
    "UnknownOperationException",
    "UnknownOperation",
    "InvalidAction",
    "NotImplemented",
    "InternalFailure.NotImplemented",
    "NotImplementedException",
    "MissingAction",
    "UnsupportedService",
    "MethodNotAllowed",
];

/// AWS itself failed, or says that it does not know.
const UNCLEAR: [&str; 10] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
];

/// The kind of a code, or of the status where the code is none we know.
pub(super) fn kind(code: Option<&str>, message: &str, status: u16) -> ErrorKind {
    let code = bare(code.unwrap_or_default());
    let is = |table: &[&str]| table.contains(&code);
    match code {
        _ if is(&THROTTLED) => ErrorKind::Throttled,
        _ if is(&DENIED) => ErrorKind::Denied,
        _ if is(&EXPIRED) => ErrorKind::CredentialsExpired,
        _ if is(&MISSING) => ErrorKind::CredentialsMissing,
        _ if is(&SKEWED) => ErrorKind::ClockSkew,
        _ if is(&SIGNATURE) && speaks_of_time(message) => ErrorKind::ClockSkew,
        _ if is(&SIGNATURE) => ErrorKind::CredentialsExpired,
        _ if is(&NOT_FOUND) => ErrorKind::NotFound,
        _ if is(&UNCLEAR) => ErrorKind::Unknown,
        _ => kind_of_status(status, !code.is_empty()),
    }
}

fn kind_of_status(status: u16, has_code: bool) -> ErrorKind {
    match status {
        408 | 500.. => ErrorKind::Unknown,
        429 => ErrorKind::Throttled,
        // Without a code it is no word of the service's, but of something before it.
        401 | 403 | 407 if !has_code => ErrorKind::Denied,
        400..500 => ErrorKind::Invalid,
        // An error that came as a success or a redirect: nobody knows what was done.
        _ => ErrorKind::Unknown,
    }
}

fn speaks_of_time(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("not yet current") || message.contains("expired") || message.contains("is now earlier than")
}

pub(super) fn from_sdk<E>(action: &str, error: SdkError<E, Response>) -> CloudError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let Some(blamed) = find::<Blamed>(&error) {
        return self::blamed(action, blamed);
    }
    if let Some(credentials) = find::<CredentialsError>(&error) {
        return of_credentials(action, credentials);
    }
    match &error {
        SdkError::ServiceError(context) => of_service(action, context.err(), context.raw().status().as_u16()),
        SdkError::DispatchFailure(_) if is_before_sending(&error) => {
            CloudError::new(ErrorKind::Unreachable, action, &chain_below(&error))
        }
        SdkError::ConstructionFailure(_) => CloudError::new(ErrorKind::Invalid, action, &chain_below(&error)),
        SdkError::TimeoutError(_) => CloudError::new(ErrorKind::Unknown, action, "no answer before the deadline"),
        SdkError::ResponseError(context) => {
            let status = context.raw().status().as_u16();
            if let Some(lacks) = lacks(action, None, status) {
                return lacks;
            }
            let text = format!("an answer that cannot be read (HTTP {status}): {}", chain_below(&error));
            let kind = if status < 300 { ErrorKind::Unknown } else { kind_of_status(status, false) };
            CloudError::new(kind, action, &text)
        }
        // A lost connection, and what a later SDK may add.
        _ => CloudError::new(ErrorKind::Unknown, action, &chain_below(&error)),
    }
}

fn of_service<E: Error + ProvideErrorMetadata + 'static>(action: &str, error: &E, status: u16) -> CloudError {
    let said = error.message().unwrap_or_default();
    if let Some(lacks) = lacks(action, error.code(), status) {
        return lacks;
    }
    let kind = kind(error.code(), said, status);
    match error.code() {
        Some(code) if said.is_empty() => CloudError::coded(kind, action, code, &format!("HTTP {status}, no words")),
        Some(code) => CloudError::coded(kind, action, code, said),
        None => CloudError::new(kind, action, &format!("HTTP {status} without an error code")),
    }
}

/// A cause that came up where credentials were asked for.
pub(super) fn blamed(action: &str, blamed: &Blamed) -> CloudError {
    CloudError::of_trouble(blamed.trouble.clone(), action, &blamed.words)
}

/// Services by the first part of an IAM action: what people call them, and calls that every one that is there knows.
const SERVICES: [(&str, &str, &[&str]); 13] = [
    ("sqs", "SQS", &["ListQueues", "GetQueueAttributes", "GetQueueUrl"]),
    ("sts", "STS", &["GetCallerIdentity", "AssumeRole"]),
    ("ssm", "Systems Manager", &["GetParameters"]),
    ("cloudwatch", "CloudWatch", &["DescribeAlarms", "GetMetricData"]),
    ("logs", "CloudWatch Logs", &["DescribeLogGroups", "GetLogEvents", "FilterLogEvents"]),
    ("ecs", "ECS", &["ListClusters", "ListServices", "DescribeServices", "ListTasks"]),
    ("application-autoscaling", "Application Auto Scaling", &["DescribeScalableTargets"]),
    ("elasticloadbalancing", "Elastic Load Balancing", &["DescribeTargetHealth"]),
    ("rds", "RDS", &["DescribeDBClusters", "DescribeDBInstances"]),
    ("lambda", "Lambda", &["ListEventSourceMappings", "ListFunctions"]),
    ("events", "EventBridge", &["ListRules", "DescribeRule"]),
    ("secretsmanager", "Secrets Manager", &["GetSecretValue"]),
    ("rds-data", "the RDS Data API", &["ExecuteStatement", "BeginTransaction"]),
];

/// An answer of who has no such service, or has it without this call: an emulator, as a rule. AWS's services know their calls, but in a
/// region in which one is not there yet.
fn lacks(action: &str, code: Option<&str>, status: u16) -> Option<CloudError> {
    let code_is_of_it = code.is_some_and(|code| UNKNOWN_OPERATIONS.contains(&bare(code)));
    // Without a code it is no word of the service's: a path or a method that nobody serves there.
    let is_nobodys = status == 501 || matches!(status, 404 | 405) && code.is_none();
    if !code_is_of_it && !is_nobodys {
        return None;
    }
    let (prefix, call) = action.split_once(':').unwrap_or((action, action));
    let (_, service, roots) = SERVICES.into_iter().find(|(known, ..)| *known == prefix)?;
    let trouble = match is_nobodys || roots.contains(&call) {
        true => Trouble::NoService { service: service.to_owned() },
        false => Trouble::NoCall { service: service.to_owned(), call: call.to_owned() },
    };
    let words = format!("HTTP {status}");
    let error = CloudError::of_trouble(trouble, action, &words);
    Some(CloudError {
        code: code.map(|code| CloudError::coded(error.kind, action, code, "").code).unwrap_or_default(),
        ..error
    })
}

/// A code without its namespace (`com.amazonaws.sqs#QueueDoesNotExist`) or the URL behind a colon.
fn bare(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or_default();
    code.split(':').next().unwrap_or_default()
}

/// Whether it was the network or AWS's answer that failed, and not what was there to be shown.
pub(super) fn is_of_the_network(error: &CredentialsError) -> bool {
    find::<ConnectorError>(error).is_some() || matches!(error, CredentialsError::ProviderTimedOut(_))
}

/// Credentials come before sending: whatever went wrong with them, the call was not made.
fn of_credentials(action: &str, error: &CredentialsError) -> CloudError {
    let words = chain(error);
    if let Some(role) = find::<AssumeRoleError>(error) {
        let said = role.message().unwrap_or(&words);
        let code = role.code().unwrap_or("AssumeRoleError");
        let kind = match kind(role.code(), said, 400) {
            ErrorKind::Unknown => ErrorKind::Unreachable,
            clear => clear,
        };
        return CloudError::coded(kind, "sts:AssumeRole", code, said);
    }
    let kind = if is_of_the_network(error) {
        ErrorKind::Unreachable
    } else if find::<TokenError>(error).is_some() {
        ErrorKind::CredentialsExpired
    } else {
        ErrorKind::CredentialsMissing
    };
    CloudError::new(kind, action, &words)
}

/// An answer that lacks what it must have: AWS did answer, but what was done is unclear.
pub(super) fn malformed(action: &str, what: &str) -> CloudError {
    CloudError::new(ErrorKind::Unknown, action, what)
}

/// Whether no connection came about: refused, no such host, connect deadline, TLS.
pub(super) fn is_before_sending(error: &(dyn Error + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(hyper_util::client::legacy::Error::is_connect)
        || find::<io::Error>(error).is_some_and(|error| {
            // These come of connecting only.
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
            )
        })
}

pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    // Bounded, for an error may name itself as its source.
    for _ in 0..32 {
        let error = next?;
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Every error's words, from the outside in; what a level merely repeats is left out.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    for _ in 0..16 {
        let Some(error) = next else { break };
        let words = error.to_string();
        if !words.is_empty() && !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = error.source();
    }
    text
}

/// The chain without the SDK's own outermost words ("dispatch failure").
fn chain_below(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), chain)
}
