//! All that the console knows, as plain data: the model, the views, what lies over them. Nothing here draws, and nothing decides.

pub mod cursor;
pub mod effect;
pub mod event;
pub mod field;
pub mod flow;
pub mod home;
pub mod letters;
pub mod list;
pub mod look;
pub mod message;
pub mod model;
pub mod run;
pub mod runbook;
pub mod ticket;
pub mod view;

pub use self::{
    cursor::Cursor,
    effect::{Edit, Effect, LookAt},
    event::{Event, Mouse, MouseWhat, Notice},
    field::{Field, Typed},
    flow::{ConsentLine, Consenting, Flow, Form, Wanted},
    home::{HomeOrder, HomeView, Summary},
    letters::{Diff, Digest, Letters, LettersView, Level, Narrow, Tried},
    list::{At, Grouping, ListGroup, ListRow, ListView, Sheet, Topic, Totals, Under},
    look::{Look, Needs, Page, Role, Symbols},
    message::MessageView,
    model::{Model, Setting, Site, Way},
    run::{ActivityView, Past, RunState, RunView},
    runbook::{Driven, RunbookRunView, RunbookView, RunbooksView},
    ticket::{Load, Ticket},
    view::{Choice, Help, Offers, Overlay, Palette, View},
};
pub(crate) use self::{
    flow::{Filled, FormLine},
    letters::LOOKS,
};
