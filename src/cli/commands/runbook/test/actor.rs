//! [`Actor`]: a person of a test, who says what the test has them say.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    super::person::decision,
    file::{Test, typed},
};
use crate::{
    domain::Text,
    gate::{self, Answer, Consent},
    runbook::{
        Action, Ask, Decision, StepState,
        drive::{At, Person, Reply, ToAgree, Told},
    },
};

pub(super) struct Actor<'a> {
    test: &'a Test,
    name: Text,
    decisions: Mutex<BTreeMap<String, VecDeque<Decision>>>,
    /// The step in which this person's program is killed, and what does it.
    killed_in: Option<(&'a str, CancellationToken)>,
}

impl<'a> Actor<'a> {
    /// # Errors
    /// A decision of the test is none.
    pub(super) fn new(
        test: &'a Test,
        name: &str,
        killed_in: Option<(&'a str, CancellationToken)>,
    ) -> Result<Self, String> {
        let mut decisions = BTreeMap::new();
        for (step, texts) in &test.decide {
            let all: Result<VecDeque<Decision>, String> = texts.iter().map(|text| decision(text)).collect();
            decisions.insert(step.clone(), all?);
        }
        Ok(Self { test, name: Text::line(name), decisions: Mutex::new(decisions), killed_in })
    }

    fn consent(&self, asked: ToAgree<'_>) -> Reply<Consent> {
        let answer = match gate::ask(asked.plan, asked.environment) {
            Ok(gate::Ask::Yes) => Answer::Yes,
            Ok(gate::Ask::Type(phrase)) => Answer::Typed(phrase),
            Err(refusal) => return Reply::No(Text::line(&refusal.to_string())),
        };
        Reply::Said(Consent { by: self.name.clone(), answer, reason: Some(Text::from("a test of the runbook")) })
    }

    fn kill(&self, at: At<'_>) {
        if let Some((step, kill)) = &self.killed_in
            && at.step().id == *step
        {
            kill.cancel();
        }
    }
}

fn ready<'a, T: Send + 'a>(reply: Reply<T>) -> BoxFuture<'a, Reply<T>> {
    Box::pin(std::future::ready(reply))
}

impl Person for Actor<'_> {
    fn name(&self) -> Text {
        self.name.clone()
    }

    fn agree<'a>(&'a self, asked: ToAgree<'a>) -> BoxFuture<'a, Reply<Consent>> {
        ready(self.consent(asked))
    }

    fn answer<'a>(&'a self, _: At<'a>, ask: &'a Ask) -> BoxFuture<'a, Reply<Value>> {
        ready(match self.test.answers.get(&ask.keep).map(|given| ask.parse(&typed(given))) {
            Some(Ok(value)) => Reply::Said(value),
            Some(Err(because)) => Reply::No(Text::line(&because)),
            None => Reply::Nobody,
        })
    }

    fn done_by_hand<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Option<Text>>> {
        let is_done = self.test.done.iter().any(|done| *done == at.step().id);
        ready(if is_done { Reply::Said(None) } else { Reply::Nobody })
    }

    fn decide<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Decision>> {
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        let next = decisions.get_mut(&at.step().id).and_then(VecDeque::pop_front);
        ready(next.map_or(Reply::Nobody, Reply::Said))
    }

    fn told(&self, told: Told<'_>) {
        match told {
            // Of a step that changes something its run is killed, not what comes before.
            Told::Moved(at) => {
                let changes = matches!(at.step().action, Action::Do(_));
                if !changes && at.progress().state == StepState::Running {
                    self.kill(at);
                }
            }
            Told::Running(at, _) => self.kill(at),
            Told::Doing(..) => {}
        }
    }
}
