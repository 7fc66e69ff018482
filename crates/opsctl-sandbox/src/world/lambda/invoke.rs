//! `Invoke`: a function is called. It has no code here, so that it answers `null`; what is counted and refused is as with AWS.

use std::collections::BTreeMap;

use super::{ApiError, invalid};
use crate::world::{
    Answer, Caller, World,
    call::{Answered, Call},
    template::Place,
};

impl World {
    pub(super) fn invoke(&mut self, call: Call, fields: &BTreeMap<String, String>) -> Answered {
        let Caller { account, region, .. } = call.caller;
        let (name, function) = self.lambda.named(call, fields)?;
        let is_stopped = function.reserved == Some(0);
        let kind = fields.get("InvocationType").map_or("RequestResponse", String::as_str);
        let status = match kind {
            "RequestResponse" => 200,
            "Event" => 202,
            "DryRun" => return Ok(Answer::Status(204, Vec::new())),
            other => return Err(invalid(format!("Value '{other}' at 'invocationType' failed to satisfy constraint"))),
        };
        let place = Place { environment: String::new(), account: account.clone(), region: region.clone() };
        let metric = if is_stopped { "Throttles" } else { "Invocations" };
        self.count_metric(call.time(), &place, ("AWS/Lambda", metric), ("FunctionName", &name), 1.0);
        // Events wait where a function is stopped: only who waits for the answer is refused.
        if is_stopped && status == 200 {
            return Err(ApiError::plain(429, "TooManyRequestsException", "Rate Exceeded."));
        }
        Ok(Answer::Status(status, if status == 200 { b"null".to_vec() } else { Vec::new() }))
    }
}
