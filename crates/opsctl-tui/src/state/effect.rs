//! [`Effect`]: everything that the console wants done outside of itself.

use std::sync::Arc;

use crate::{
    domain::{Envelope, EnvironmentName, Message, QueueUrl, RunId, Text},
    gate::Approved,
    leave::Force,
    observe::{Focus, acknowledged::Acknowledgement},
    operations::{Operation, choices::Draft},
    runbook::Kind,
    state::{
        runbook::{Begin, Said},
        ticket::Ticket,
    },
};

/// Something to be done outside. Each answer comes as an event with the ticket.
#[derive(Debug, Clone)]
pub enum Effect {
    Focus(Focus),
    /// Ask AWS again now, in this environment or in all.
    Refresh(Option<EnvironmentName>),
    /// Look at messages and put them back: [`crate::state::event::Event::Looked`].
    Look(Ticket, LookAt),
    /// Try a jq filter on messages: [`crate::state::event::Event::Matched`].
    Match(Ticket, String, Arc<[Message]>, Arc<[Envelope]>),
    /// Plan an operation: [`crate::state::event::Event::Planned`].
    Plan(Ticket, EnvironmentName, Box<Operation>),
    /// Plan again what a run left: [`crate::state::event::Event::Planned`].
    PlanResume(Ticket, RunId),
    /// Carry out what was approved: progress, then [`crate::state::event::Event::Finished`].
    Run(Ticket, Box<Approved>),
    /// Go on with a run: progress, then [`crate::state::event::Event::Finished`].
    Resume(Ticket, RunId, Box<Approved>),
    /// Stop a run after what is in hand.
    Cancel(Ticket),
    /// List what journals tell of: [`crate::state::event::Event::Runs`].
    ReadRuns(Ticket),
    /// Read a run's journal: [`crate::state::event::Event::JournalRead`].
    ReadJournal(Ticket, RunId),
    /// Tell which messages a run has sent: [`crate::state::event::Event::Sent`].
    ReadSent(Ticket, RunId),
    /// Read what an alarm went through: [`crate::state::event::Event::AlarmHistory`].
    ReadAlarm(Ticket, EnvironmentName, String),
    /// Let the person edit text in their editor; the name's end tells it what it is: [`crate::state::event::Event::Edited`].
    Edit(Ticket, Edit),
    /// Write files for an operation into a folder of their own, for this person alone: [`crate::state::event::Event::Saved`].
    Save(Ticket, Vec<Draft>),
    /// Read the runbooks: [`crate::state::event::Event::Runbooks`].
    ReadRunbooks,
    /// List the real things of these kinds: [`crate::state::event::Event::Names`] for each.
    ReadNames(EnvironmentName, Vec<Kind>),
    /// Carry out a runbook: [`crate::state::event::Event::RunbookHeard`], then
    /// [`crate::state::event::Event::RunbookFinished`].
    CarryOut(Ticket, Box<Begin>),
    /// Answer a question of a run, which has this number.
    Answer(Ticket, u64, Box<Said>),
    /// Read where a run of a runbook stands: [`crate::state::event::Event::Stood`].
    ReadStanding(Ticket, RunId),
    /// Write a run's timeline into the working folder.
    Export(RunId),
    /// Say in the terminal's title that somebody is waited for, and ring the bell; none: nobody is waited for any more.
    Attention(Option<Text>),
    /// Keep that something was acknowledged, or that this was taken back: [`crate::state::event::Event::Acknowledged`].
    Acknowledge(Box<Acknowledgement>),
    Copy(String),
    /// Give the terminal back to the shell until it wakes this process again.
    Suspend,
    /// Draw everything anew: something else wrote on the screen.
    Redraw,
    Quit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAt {
    pub environment: EnvironmentName,
    pub queue: QueueUrl,
    pub messages_max: usize,
    pub force: Force,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub text: String,
    /// End of the file's name: `.json`, `.txt`.
    pub suffix: &'static str,
}
