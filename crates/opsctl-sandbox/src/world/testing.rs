//! Calls as tests make them: straight to the world, their answers as documents.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Answer, ApiError, Caller, World,
    call::{Fate, Input, Request},
    service::ServiceDef,
};

impl World {
    /// A call that is answered.
    pub(in crate::world) fn answer_to(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        (service, action): (&str, &str),
        input: impl Into<Input>,
    ) -> Result<Answer, ApiError> {
        let service = ServiceDef::named(service).expect("a service");
        match self.call(now, &Request { service, action, caller, access_key: "", input: &input.into() }) {
            Fate::Answered { answer, .. } => answer,
            other => panic!("{action} is not answered: {other:?}"),
        }
    }

    /// A call with a document, whose answer is one, too.
    pub(in crate::world) fn ask_json(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        call: (&str, &str),
        input: impl Into<Input>,
    ) -> Result<Value, ApiError> {
        match self.answer_to(now, caller, call, input)? {
            Answer::Body(body) => Ok(serde_json::from_slice(&body).expect("answers are JSON")),
            Answer::Document(document) => Ok(document),
            other => panic!("{call:?} answered {other:?}"),
        }
    }

    /// A call with a form, whose answer is XML.
    pub(in crate::world) fn ask_form(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        call: (&str, &str),
        form: BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        match self.answer_to(now, caller, call, form)? {
            Answer::Xml(result) => Ok(result),
            other => panic!("{call:?} answered {other:?}"),
        }
    }
}
