//! The sandbox on loopback: HTTP/1.1 with keep-alive, for other programs.

use std::{future::Future, io, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Reply, handler::BODY_BYTES_MAX};
use crate::Sandbox;

/// Most connections at a time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 2_000;
/// Pause after an accept that failed, out of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Sandbox {
    /// Answers on `listener` until `shutdown` completes; then drops all connections.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                    Ok((stream, _)) => { connections.spawn(self.clone().serve_connection(stream)); }
                    Err(error) => {
                        tracing::warn!(%error, "the sandbox could not accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    async fn serve_connection(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let service = service_fn(|request| self.serve_request(request));
        let connection = http1::Builder::new()
            .auto_date_header(false)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the sandbox ended early");
        }
    }

    /// An error ends the connection without an answer.
    async fn serve_request(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let origin = format!("http://{host}");
        match self.reply(&parts, origin, body).await {
            Reply::Http(response) => Ok(response.map(Full::new)),
            Reply::Refused | Reply::Lost => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            Reply::Never => std::future::pending().await,
        }
    }
}
