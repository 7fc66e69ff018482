//! The sandbox as the SDK's HTTP client: no sockets, same handler.

use std::{io, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        retries::ErrorKind,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::Reply;
use crate::Sandbox;

pub(crate) fn http_client(sandbox: Sandbox) -> SharedHttpClient {
    Client { sandbox }.into_shared()
}

#[derive(Debug)]
struct Client {
    sandbox: Sandbox,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _components: &RuntimeComponents) -> SharedHttpConnector {
        Connector { sandbox: self.sandbox.clone(), read_timeout: settings.read_timeout() }.into_shared()
    }
}

#[derive(Debug, Clone)]
struct Connector {
    sandbox: Sandbox,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            let Some(timeout) = connector.read_timeout else { return connector.answer(request).await };
            let clock = connector.sandbox.clock();
            let deadline = clock.sleep(timeout);
            tokio::select! {
                answer = connector.answer(request) => answer,
                () = deadline => Err(ConnectorError::timeout("no answer within the read timeout".into())),
            }
        })
    }
}

impl Connector {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        // Read as a stream, though it is in memory: the SDK takes a body that nobody polls for a stalled upload.
        let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
        let authority = parts.uri.authority().map_or("localhost", |authority| authority.as_str());
        let origin = format!("{}://{authority}", parts.uri.scheme_str().unwrap_or("http"));
        match self.sandbox.reply(&parts, origin, body).await {
            Reply::Http(response) => {
                HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
            }
            Reply::Refused => Err(refused()),
            Reply::Lost => Err(lost()),
            Reply::Never => std::future::pending().await,
        }
    }
}

fn refused() -> ConnectorError {
    let error = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
    ConnectorError::io(error.into()).never_connected()
}

/// As the SDK's own client sees a connection that ends before the answer.
fn lost() -> ConnectorError {
    let error = io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed before message completed");
    ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
}
