//! A canned AWS for unit tests: answers written out, in the order they are asked for.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

use super::{Cloud, Connect};
use crate::{
    clock::Clock,
    domain::{CredentialSource, Environment, EnvironmentName, Protection},
};

#[derive(Debug, Clone)]
pub(crate) enum Canned {
    /// Status, `x-amzn-query-error` and the like, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    Refused,
    /// The connection broke while waiting.
    Lost,
    Silence,
}

impl Canned {
    pub(crate) fn body(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.to_owned())
    }

    /// As SQS answers errors: the JSON type and the query protocol's code.
    pub(crate) fn sqs_error(status: u16, kind: &str, query_code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": format!("com.amazonaws.sqs#{kind}"), "message": message });
        let header = ("x-amzn-query-error", format!("{query_code};Sender"));
        Self::Answer(status, vec![header], body.to_string())
    }

    pub(crate) fn sts_error(status: u16, code: &str, message: &str) -> Self {
        Self::body(
            status,
            &format!(
                r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ErrorResponse>"#
            ),
        )
    }
}

/// Gives the answers out. Remembers what was asked.
#[derive(Debug, Clone)]
pub(crate) struct CannedAws(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    answers: Answers,
    asked: Vec<String>,
}

#[derive(Debug)]
enum Answers {
    /// In this order; the last one again and again.
    InOrder(VecDeque<Canned>),
    /// By what is asked: the operation, or the body.
    By(fn(&str) -> Canned),
}

impl CannedAws {
    pub(crate) fn new(answers: impl IntoIterator<Item = Canned>) -> Self {
        Self::with(Answers::InOrder(answers.into_iter().collect()))
    }

    /// Answers by SQS's operation, or by the body for other services.
    pub(crate) fn by(answer: fn(&str) -> Canned) -> Self {
        Self::with(Answers::By(answer))
    }

    fn with(answers: Answers) -> Self {
        Self(Arc::new(Mutex::new(State { answers, asked: Vec::new() })))
    }

    /// Operations or bodies asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().expect("no test panics with the lock held").asked.clone()
    }

    /// Clients that end here, on a virtual clock.
    pub(crate) async fn cloud(&self) -> Cloud {
        self.cloud_of(environment()).await
    }

    pub(crate) async fn cloud_of(&self, environment: Environment) -> Cloud {
        self.connect().cloud(Arc::new(environment)).await.expect("fixed keys need no file")
    }

    pub(crate) fn connect(&self) -> Connect {
        let start = "2026-11-21T03:00:00Z".parse().expect("a time");
        Connect::through(Clock::virtual_from(start, 1.0), SharedHttpClient::new(self.clone()))
    }

    fn next(&self, request: &HttpRequest) -> Canned {
        let mut state = self.0.lock().expect("no test panics with the lock held");
        let target = request.headers().get("x-amz-target");
        let target = target.map(|target| target.rsplit('.').next().unwrap_or(target).to_owned());
        let body = request.body().bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let operation = request.uri().rsplit_once("/operation/").map(|(_, operation)| operation.to_owned());
        let asked = target.or(operation).or(body).unwrap_or_default();
        let answer = match &mut state.answers {
            Answers::By(answer) => answer(&asked),
            Answers::InOrder(answers) if answers.len() > 1 => answers.pop_front().unwrap_or(Canned::Silence),
            Answers::InOrder(answers) => answers.front().cloned().unwrap_or(Canned::Silence),
        };
        state.asked.push(asked);
        answer
    }
}

impl HttpConnector for CannedAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.next(&request);
        HttpConnectorFuture::new(async move {
            match answer {
                Canned::Answer(status, headers, body) => {
                    let status = status.try_into().expect("a status");
                    let mut response = HttpResponse::new(status, SdkBody::from(body));
                    for (name, value) in headers {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
                Canned::Refused => Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())),
                Canned::Lost => Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())),
                Canned::Silence => std::future::pending().await,
            }
        })
    }
}

impl HttpClient for CannedAws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// `dev` with fixed keys.
pub(crate) fn environment() -> Environment {
    Environment {
        name: EnvironmentName("dev".into()),
        account: None,
        region: "eu-west-1".into(),
        credentials: CredentialSource::Keys { access_key: "AKIDEXAMPLE".into(), secret_key: "hush-hush".into() },
        role_chain: Vec::new(),
        protection: Protection::Confirm,
        colour: None,
        endpoint: None,
        queues: crate::domain::environment::QueueRules::default(),
        watch: crate::domain::WatchRules::default(),
        services: crate::domain::service_rules::ServiceRules::default(),
        databases: crate::domain::environment::DatabaseRules::default(),
        invocation: crate::domain::Invocation::default(),
        login: Default::default(),
    }
}
