//! [`Model`]: all that the console knows, as plain data.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    domain::{Environment, EnvironmentName, Invocation, QueueName, Text},
    journal::RunSummary,
    keymap::{Command, Key, Keymap},
    observe::{Seen, Snapshot, Verdict, acknowledged::Book},
    run::Failure,
    runbook::shelf::Shelved,
    state::{
        event::Notice,
        home::HomeView,
        letters::{Edits, LettersView, Saving},
        list::Topic,
        look::Look,
        run::{Past, RunState},
        runbook::Driven,
        ticket::{Load, Ticket},
        view::{Overlay, View},
    },
};

/// Everything on the screen, and everything that decides what a key does.
#[derive(Debug, Clone)]
pub struct Model {
    /// The time, as of the last tick.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The environments, in the configuration's order.
    pub sites: Vec<Site>,
    /// What is open; the last is shown. Never empty.
    pub views: Vec<View>,
    /// Lists that were left, as they were: filter, order, place. One of each.
    pub left: Vec<View>,
    pub overlay: Option<Overlay>,
    /// Keys pressed of a sequence that is not whole yet.
    pub pending: Vec<Key>,
    pub notice: Option<Notice>,
    /// The one environment that is shown; none: all.
    pub only: Option<EnvironmentName>,
    pub edits: Edits,
    /// Looks under way: what each one's ticket is, and how many messages it asked for at most.
    pub looks: BTreeMap<(EnvironmentName, QueueName), (Ticket, usize)>,
    pub saving: Option<Saving>,
    /// What is left out of Home for a time.
    pub acknowledged: Book,
    /// Runs of this console, oldest first.
    pub runs: Vec<RunState>,
    /// Runbooks as they were read last; none: they are not read yet.
    pub runbooks: Option<Result<Arc<Vec<Shelved>>, Failure>>,
    /// Runs of runbooks of this console, oldest first.
    pub driven: Vec<Driven>,
    /// Runs of runbooks that are open, whoever carries them out, newest first.
    pub open: Vec<RunSummary>,
    pub history: Load<Vec<Past>>,
    pub keymap: Arc<Keymap>,
    pub look: Look,
    /// Who sits here, as far as the system tells.
    pub person: Text,
    /// Where the environments come from, in words: a file's path, or the sandbox.
    pub origin: Text,
    pub world: World,
    /// What was chosen in the palette, newest last.
    pub palette_history: Vec<String>,
    /// Frames drawn so far: what came after the last one has been seen by nobody.
    pub frames: u64,
    /// Real time since the console began, as of the last event: it tells a key that is held down from one that is pressed
    /// again.
    pub moment: Duration,
    /// Whether it ends when the last run has.
    pub leaving: bool,
    /// Empty between two events.
    pub due: Due,
    next_ticket: u64,
}

/// What an event leaves to be done once it has been taken in. A screen says here what it wants, and needs no way to the others.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// A command, as if its key had been pressed.
    pub command: Option<Command>,
    pub way: Option<Way>,
    pub rows: bool,
    /// Other things are on the screen: they are watched closely.
    pub focus: bool,
    /// What was selected is selected no more: what it was for has begun, or other things are shown.
    pub let_go: bool,
}

#[derive(Debug, Clone)]
pub enum Way {
    /// To the view that stands for itself behind this command: an open one is taken up as it was left.
    To(Command),
    /// To a list, the cursor on the thing that is known by this.
    Thing(Topic, EnvironmentName, String),
}

#[derive(Debug, Clone)]
pub struct Setting {
    /// In the configuration's order.
    pub environments: Vec<Arc<Environment>>,
    pub keymap: Arc<Keymap>,
    pub look: Look,
    /// Who sits here, as far as the system tells.
    pub person: Text,
    /// Where the environments come from, in words.
    pub origin: Text,
    pub world: World,
}

impl Setting {
    /// How a command line comes to this world again.
    pub fn invocation(&self) -> Invocation {
        invocation_of(self.environments.iter())
    }
}

/// All environments of a console are of one world.
fn invocation_of<'a>(mut environments: impl Iterator<Item = &'a Arc<Environment>>) -> Invocation {
    environments.next().map(|environment| environment.invocation.clone()).unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// AWS, or what the configuration names in its place.
    Aws,
    Sandbox,
}

#[derive(Debug, Clone)]
pub struct Site {
    pub environment: Arc<Environment>,
    /// As last seen; nothing at the very first.
    pub snapshot: Option<Arc<Snapshot>>,
    pub verdicts: Vec<Verdict>,
}

impl Site {
    pub fn queue(&self, name: &QueueName) -> Option<&Seen> {
        let queues = &self.snapshot.as_ref()?.queues;
        // They stand in the order of their names.
        let at = queues.binary_search_by(|seen| seen.name.cmp(name)).ok()?;
        Some(&queues[at])
    }
}

impl Model {
    /// As it is at the start: nothing is known yet.
    pub fn new(setting: Setting, now: Timestamp, size: (u16, u16)) -> Self {
        let sites = setting.environments.into_iter();
        Self {
            now,
            size,
            sites: sites.map(|environment| Site { environment, snapshot: None, verdicts: Vec::new() }).collect(),
            views: vec![View::Home(HomeView::default())],
            left: Vec::new(),
            overlay: None,
            pending: Vec::new(),
            notice: None,
            only: None,
            edits: Edits::default(),
            looks: BTreeMap::new(),
            saving: None,
            acknowledged: Book::default(),
            runs: Vec::new(),
            runbooks: None,
            driven: Vec::new(),
            open: Vec::new(),
            history: Load::Idle,
            keymap: setting.keymap,
            look: setting.look,
            person: setting.person,
            origin: setting.origin,
            world: setting.world,
            palette_history: Vec::new(),
            frames: 0,
            moment: Duration::ZERO,
            leaving: false,
            due: Due::default(),
            next_ticket: 0,
        }
    }

    pub fn view(&self) -> &View {
        self.views.last().unwrap_or_else(|| unreachable!("the first view is never closed"))
    }

    pub fn view_mut(&mut self) -> &mut View {
        self.views.last_mut().unwrap_or_else(|| unreachable!("the first view is never closed"))
    }

    /// The letters' view that is shown, or lies under what is.
    pub fn letters(&self) -> Option<&LettersView> {
        self.views.iter().rev().find_map(View::letters)
    }

    pub fn letters_mut(&mut self) -> Option<&mut LettersView> {
        self.views.iter_mut().rev().find_map(View::letters_mut)
    }

    pub fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    pub fn site(&self, name: &EnvironmentName) -> Option<&Site> {
        self.sites.iter().find(|site| site.environment.name == *name)
    }

    pub fn queue(&self, environment: &EnvironmentName, queue: &QueueName) -> Option<(&Site, &Seen)> {
        let site = self.site(environment)?;
        Some((site, site.queue(queue)?))
    }

    /// Whether something is being carried out.
    pub fn is_busy(&self) -> bool {
        self.runs.iter().any(RunState::is_active) || self.driven.iter().any(Driven::is_active)
    }

    pub fn driven(&self, ticket: Ticket) -> Option<&Driven> {
        self.driven.iter().find(|driven| driven.ticket == ticket)
    }

    /// Runs of runbooks that wait for a person.
    pub fn asking(&self) -> impl Iterator<Item = &Driven> {
        self.driven.iter().filter(|driven| driven.is_active() && driven.asked.is_some())
    }

    /// Runs of runbooks that somebody left, or that broke off: they wait for a person, and no process carries them out.
    pub fn left_open(&self) -> impl Iterator<Item = &RunSummary> {
        let shown = |run: &&RunSummary| self.only.as_ref().is_none_or(|only| run.environment() == Some(&only.0));
        let is_here = |run: &RunSummary| {
            self.driven.iter().any(|driven| driven.is_active() && driven.run.as_ref() == Some(&run.run))
        };
        self.open.iter().filter(shown).filter(move |run| !run.busy && !is_here(run))
    }

    /// Runbooks that can be carried out.
    pub fn shelved(&self) -> &[Shelved] {
        match &self.runbooks {
            Some(Ok(all)) => all,
            Some(Err(_)) | None => &[],
        }
    }

    pub fn shown_sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| self.only.as_ref().is_none_or(|only| *only == site.environment.name))
    }

    /// How a command line comes to this world again.
    pub fn invocation(&self) -> Invocation {
        invocation_of(self.sites.iter().map(|site| &site.environment))
    }

    pub fn say(&mut self, notice: Notice) {
        self.notice = Some(notice);
    }

    pub fn open(&mut self, view: View) {
        self.views.push(view);
        self.changed();
    }

    pub fn go(&mut self, way: Way) {
        self.due.way = Some(way);
    }

    /// What is shown has changed, and with it what is on the screen.
    pub fn changed(&mut self) {
        (self.due.rows, self.due.focus) = (true, true);
    }

    pub fn settle(&mut self) {
        self.due.rows = true;
    }

    pub fn moved(&mut self) {
        self.due.focus = true;
    }
}
