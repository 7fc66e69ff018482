//! What a transport fault does to a request.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::call::Service;
use crate::world::{ApiError, FaultKind, sts};

/// How a request fares.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Applied and answered, so much later than usual.
    Answered {
        /// Besides the latency.
        late_by: Duration,
    },
    /// Not applied: no connection.
    Refused,
    /// Not applied: the connection breaks.
    LostBefore,
    /// Applied; the connection breaks.
    LostAfter,
    /// Not applied, never answered.
    Hangs,
    /// Not applied: this error.
    Fails(ApiError),
}

impl Course {
    /// The course of a call to `action` that the fault hits; of any call where there is none.
    pub(super) fn of(fault: Option<FaultKind>, service: Service, action: &str, now: Timestamp) -> Self {
        let Some(fault) = fault else { return Self::Answered { late_by: Duration::ZERO } };
        match fault {
            FaultKind::Refused => Self::Refused,
            FaultKind::Denied => Self::Fails(denied(service, action)),
            FaultKind::Throttled => Self::Fails(throttled(service)),
            FaultKind::LostBefore => Self::LostBefore,
            FaultKind::LostAfter => Self::LostAfter,
            FaultKind::Slow(late_by) => Self::Answered { late_by },
            FaultKind::Hang => Self::Hangs,
            FaultKind::ServerError(status) => Self::Fails(server_error(status)),
            FaultKind::ExpiredCredentials => Self::Fails(sts::expired()),
            FaultKind::ClockSkew => Self::Fails(clock_skew(now)),
            // Who calls is read where the call is applied.
            FaultKind::OtherAccount => Self::Answered { late_by: Duration::ZERO },
            // The world's own: it acts on them while it applies the call.
            FaultKind::VisibilityExpired
            | FaultKind::DuplicateDelivery
            | FaultKind::StaleCounts
            | FaultKind::PartialBatchFailure => Self::Answered { late_by: Duration::ZERO },
        }
    }
}

fn denied(service: Service, action: &str) -> ApiError {
    let prefix = service.prefix();
    let message = format!(
        "User: arn:aws:sts::123456789012:assumed-role/sandbox/fault is not authorized to perform: {prefix}:{action} because \
         no identity-based policy allows the {prefix}:{action} action"
    );
    ApiError { status: 403, code: "AccessDeniedException", query_code: Some("AccessDenied"), message }
}

/// A caller whose clock is half an hour ahead; AWS lets five minutes pass (SigV4 documentation, troubleshooting).
fn clock_skew(now: Timestamp) -> ApiError {
    let text = |seconds| (now + SignedDuration::from_secs(seconds)).strftime("%Y%m%dT%H%M%SZ").to_string();
    let (signed, now, latest) = (text(1_800), text(0), text(300));
    let message = format!("Signature not yet current: {signed} is still later than {latest} ({now} + 5 min.)");
    ApiError { status: 403, code: "InvalidSignatureException", query_code: Some("SignatureDoesNotMatch"), message }
}

/// Each service has its own word for it.
fn throttled(service: Service) -> ApiError {
    let code = match service {
        Service::Sqs => "RequestThrottled",
        Service::Ssm | Service::Ecs | Service::Logs | Service::Autoscaling | Service::OtherJson => {
            "ThrottlingException"
        }
        Service::Sts | Service::Rds | Service::LoadBalancers | Service::OtherQuery | Service::CloudWatch(_) => {
            "Throttling"
        }
        Service::Lambda => "TooManyRequestsException",
    };
    ApiError { status: 400, code, query_code: None, message: "Rate exceeded".to_owned() }
}

fn server_error(status: u16) -> ApiError {
    let (code, query_code, message) = match status {
        503 => ("ServiceUnavailableException", "ServiceUnavailable", "Service is temporarily unavailable."),
        _ => ("InternalFailure", "InternalFailure", "We encountered an internal error. Please try again."),
    };
    ApiError { status: status.clamp(500, 599), code, query_code: Some(query_code), message: message.to_owned() }
}
