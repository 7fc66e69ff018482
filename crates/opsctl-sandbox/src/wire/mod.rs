//! AWS's protocols on the world: one handler, mounted in process as the SDK's HTTP client and served on loopback.
//!
//! The handler goes by a request's headers, never by service, for services change their protocol from SDK release to
//! release: `X-Amz-Target` means awsJson, `Smithy-Protocol` rpcv2Cbor, a path of Lambda's restJson1, a form with `Action=`
//! awsQuery; a service that has left awsQuery is still spoken to in it by older SDKs.

pub mod connector;
pub mod server;

mod answer;
mod call;
mod caller;
mod cbor;
mod form;
mod handler;
mod markup;
#[cfg(test)]
mod tests;

pub(crate) use call::{DRILL_PATH, ENDPOINT_PATH, STATUS_PATH};
pub(crate) use handler::time_between;

use bytes::Bytes;

#[derive(Debug)]
pub(crate) enum Reply {
    Http(http::Response<Bytes>),
    /// No connection is made: not applied.
    Refused,
    /// The connection drops before an answer; whether the request was applied, nobody is told.
    Lost,
    /// The connection stays open and no answer ever comes.
    Never,
}
