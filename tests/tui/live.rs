//! The console on the sandbox, through its real effects: planner, gate, run, journal. Only the terminal is missing.

use std::{sync::Arc, time::Duration};

use opsctl::{
    cloud::Connect,
    domain::{EnvironmentName, Protection, Text},
    journal::StateFolder,
    keymap::{Base, Keymap, keys},
    operations::{Operation, Redrive},
    sandbox::world::{Fault, FaultKind},
    tui::{
        Outside,
        perform::Performer,
        screens::flow::planning::begin,
        state::{
            event::Event,
            look::{Look, Symbols, Theme},
            model::{Setting, World},
        },
        update::update,
    },
};
use tokio::sync::mpsc::Receiver;

use crate::support::{
    console::Console,
    stage::{QueueSetup, Stage},
};

/// A console that acts on a stage.
pub(super) struct Live {
    pub(super) console: Console,
    performer: Performer,
    events: Receiver<Event>,
}

/// Longest wait for what is awaited, in real time.
const WAIT: Duration = Duration::from_secs(30);

impl Live {
    pub(super) fn on(stage: &Stage) -> Self {
        Self::with(stage, opsctl::runbook::shelf::Shelf::default())
    }

    pub(super) fn with(stage: &Stage, shelf: opsctl::runbook::shelf::Shelf) -> Self {
        let environment = Arc::new(stage.environment.clone());
        let connect = Connect::through(stage.sandbox.clock(), stage.sandbox.http_client())
            .dialing(opsctl::cloud::Dial::Through(stage.sandbox.answerer()));
        let known = Arc::clone(&environment);
        let setting = Setting {
            environments: vec![environment],
            keymap: Arc::new(Keymap::shipped(Base::Default)),
            look: Look { theme: Theme::Dark, symbols: Symbols::Unicode },
            person: Text::from("nina"),
            origin: Text::from("a test"),
            world: World::Aws,
        };
        let model = opsctl::tui::update::begin(setting.clone(), stage.sandbox.clock().now(), (120, 40));
        let outside = Outside {
            reach: Arc::new(move |_| {
                let (connect, environment) = (connect.clone(), Arc::clone(&known));
                Box::pin(async move { connect.cloud(environment).await })
            }),
            clock: stage.sandbox.clock(),
            state: StateFolder::new(stage.state.path()),
            shelf,
            cache: None,
            setting,
            editor: None,
        };
        let (sender, events) = tokio::sync::mpsc::channel(64);
        let performer = Performer::start(Arc::new(outside), sender);
        Self { console: Console { model, effects: Vec::new() }, performer, events }
    }

    fn perform(&mut self) {
        for effect in self.console.take_effects() {
            // What needs a terminal is nobody's here.
            let _ = self.performer.perform(effect);
        }
    }

    pub(super) fn press(&mut self, text: &str) {
        for key in keys(text) {
            self.console.model.frames += 1;
            self.console.model.moment += Duration::from_secs(1);
            self.console.event(Event::Key(key));
            self.perform();
        }
    }

    /// Takes events in until the screen shows this.
    pub(super) async fn until(&mut self, text: &str) {
        let wait = async {
            while !self.console.text().contains(text) {
                let event = self.events.recv().await.expect("the performer lives");
                let effects = update(&mut self.console.model, event);
                self.console.effects.extend(effects);
                self.perform();
            }
        };
        if tokio::time::timeout(WAIT, wait).await.is_err() {
            panic!("{text} is not on the screen:\n{}", self.console.text());
        }
    }

    fn redrive(&mut self) {
        // One step: after each of several it would watch for minutes.
        let ramp = "all".parse().ok();
        let redrive = Redrive { queue: "orders-dlq".to_owned(), limit: Some(30), ramp, ..Redrive::default() };
        let dev = EnvironmentName("dev".to_owned());
        self.console.effects = begin(&mut self.console.model, &dev, Operation::Redrive(redrive));
        self.perform();
    }
}

pub(super) fn stage(protection: Protection) -> Stage {
    let orders = QueueSetup {
        name: "orders".to_owned(),
        dead_letter: Some(("orders-dlq".to_owned(), 3)),
        ..QueueSetup::default()
    };
    let dlq = QueueSetup {
        name: "orders-dlq".to_owned(),
        messages: 30,
        died_in: Some("orders".to_owned()),
        ..QueueSetup::default()
    };
    Stage::new(protection, &[orders, dlq])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redrive_from_the_key_to_the_journal() {
    let stage = stage(Protection::Confirm);
    let mut live = Live::on(&stage);
    live.redrive();
    live.until("[ No ]").await;
    assert_eq!(stage.count("orders"), 0, "planning moves nothing");
    live.press("y");
    live.until("✓ done").await;
    live.until("30 moved").await;
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (30, 0));
    live.press("J");
    live.until("ended: done").await;
    live.press("6");
    live.until("1 run").await;
    assert!(live.console.text().contains("✓ done"), "{}", live.console.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_send_is_reported_and_gone_on_with_under_its_name() {
    let stage = stage(Protection::TypeName);
    let call = "SendMessage*".to_owned();
    stage.fault(Fault { call, queue: None, nth: 1, times: 1, kind: FaultKind::Denied });
    let mut live = Live::on(&stage);
    live.redrive();
    live.until("type dev orders-dlq").await;
    live.press("d e v space o r d e r s - d l q enter d r i l l enter");
    // Other batches may have gone before: failed, or partly done.
    live.until("goes on with it").await;
    assert!(live.console.text().contains("allow sqs:SendMessage"), "{}", live.console.text());
    let run = stage.folder().list().expect("runs")[0].run.clone();
    live.press("R");
    live.until(&format!("go on with {run}")).await;
    live.until("type dev orders-dlq").await;
    live.press("d e v space o r d e r s - d l q enter d r i l l enter");
    live.until("✓ done").await;
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (30, 0));
    assert_eq!(stage.folder().list().expect("runs").len(), 1, "it is the same run");
}
