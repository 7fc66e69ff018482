//! [`Model`]: all that the console knows, as plain data.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    acknowledged::Book,
    activity::ActivityView,
    estate::{EstateView, Sheet},
    event::Notice,
    flow::Flow,
    help::Help,
    home::{Asking, HomeView},
    letters::{Diff, Edits, LettersView, Picker, Saving},
    message::MessageView,
    overlay::Quitting,
    palette::Palette,
    queues::{Details, QueuesView, SortPicker},
    run_view::{RunState, RunView},
    theme::Look,
    ticket::{Load, Ticket},
    verbs::Past,
};
use crate::{
    domain::{Environment, EnvironmentName, Invocation, QueueName, Text},
    keymap::{Key, Keymap},
    observe::{Snapshot, Verdict},
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
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// Keys pressed of a sequence that is not whole yet.
    pub pending: Vec<Key>,
    /// What the status line says.
    pub notice: Option<Notice>,
    /// The one environment that is shown; none: all.
    pub only: Option<EnvironmentName>,
    /// Bodies that were edited, and not yet sent.
    pub edits: Edits,
    /// Looks under way: what each one's ticket is, and how many messages it asked for at most.
    pub looks: BTreeMap<(EnvironmentName, QueueName), (Ticket, usize)>,
    /// A redrive that waits for its files.
    pub saving: Option<Saving>,
    /// What is left out of Home for a time.
    pub acknowledged: Book,
    /// Runs of this console, oldest first.
    pub runs: Vec<RunState>,
    /// Runs that journals tell of.
    pub history: Load<Vec<Past>>,
    /// What keys mean.
    pub keymap: Arc<Keymap>,
    /// Colours and symbols.
    pub look: Look,
    /// Who sits here, as far as the system tells.
    pub person: Text,
    /// Where the environments come from, in words: a file's path, or the sandbox.
    pub origin: Text,
    /// Whether the environments are simulated.
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
    /// Number of the next question.
    pub(super) next_ticket: u64,
}

/// What a model starts with.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The environments, in the configuration's order.
    pub environments: Vec<Arc<Environment>>,
    /// What keys mean.
    pub keymap: Arc<Keymap>,
    /// Colours and symbols.
    pub look: Look,
    /// Who sits here, as far as the system tells.
    pub person: Text,
    /// Where the environments come from, in words.
    pub origin: Text,
    /// Whether it is all simulated.
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

/// Whether it is all simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// AWS, or what the configuration names in its place.
    Aws,
    /// The sandbox.
    Sandbox,
}

/// An environment, and what is known of it.
#[derive(Debug, Clone)]
pub struct Site {
    /// As configured.
    pub environment: Arc<Environment>,
    /// As last seen; nothing at the very first.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What needs somebody there.
    pub verdicts: Vec<Verdict>,
}

/// A whole screen.
#[derive(Debug, Clone)]
pub enum View {
    /// What needs somebody.
    Home(HomeView),
    /// Every queue.
    Queues(QueuesView),
    /// Services, databases, alarms or consumers.
    Estate(Box<EstateView>),
    /// A queue's dead letters.
    Letters(Box<LettersView>),
    /// One of them.
    Message(Box<MessageView>),
    /// What was done.
    Activity(ActivityView),
    /// One run.
    Run(RunView),
}

/// What lies over a view and takes the keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// The keys of the view below.
    Help(Help),
    /// Any command by name.
    Palette(Palette),
    /// A queue's settings.
    Details(Details),
    /// Everything that is known of a service, a database, an alarm or a consumer.
    Sheet(Box<Sheet>),
    /// Which column to sort by.
    Sort(SortPicker),
    /// Which columns messages have.
    Columns(Box<Picker>),
    /// What an edit changed, and whether to keep it.
    Diff(Box<Diff>),
    /// An operation on its way from a key to consent.
    Flow(Box<Flow>),
    /// For how long and why something is acknowledged.
    Acknowledge(Box<Asking>),
    /// Whether to leave although runs are active.
    Quitting(Quitting),
}

impl Model {
    /// As it is at the start: nothing is known yet.
    pub fn new(setting: Setting, now: Timestamp, size: (u16, u16)) -> Self {
        let sites = setting.environments.into_iter();
        let mut model = Self {
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
            next_ticket: 0,
        };
        super::observed::settle(&mut model);
        model
    }

    /// The view that is shown.
    pub fn view(&self) -> &View {
        self.views.last().unwrap_or_else(|| unreachable!("the first view is never closed"))
    }

    /// The view that is shown, to change it.
    pub fn view_mut(&mut self) -> &mut View {
        self.views.last_mut().unwrap_or_else(|| unreachable!("the first view is never closed"))
    }

    /// A ticket for a new question.
    pub fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// The environment of this name.
    pub fn site(&self, name: &EnvironmentName) -> Option<&Site> {
        self.sites.iter().find(|site| site.environment.name == *name)
    }

    /// The environments that are shown.
    pub fn shown_sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| self.only.as_ref().is_none_or(|only| *only == site.environment.name))
    }

    /// How a command line comes to this world again.
    pub fn invocation(&self) -> Invocation {
        invocation_of(self.sites.iter().map(|site| &site.environment))
    }

    /// Says something in the status line.
    pub fn say(&mut self, notice: Notice) {
        self.notice = Some(notice);
    }
}
