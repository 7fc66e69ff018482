//! [`Node`]: the keys of one scope as a tree; what has been typed so far leads to a command, further on, or nowhere.

use super::{command::Command, key::Key};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A command; none: here the keys mean nothing, also where a wider scope gives them a meaning.
    End(Option<Command>),
    /// More keys, in the order of the file.
    Fork(Vec<(Key, Node)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// To a command, or to nothing on purpose.
    End(Option<Command>),
    Fork(&'a [(Key, Node)]),
    /// Past something that was complete before.
    Beyond,
    Nowhere,
}

impl Node {
    pub(super) fn empty() -> Self {
        Self::Fork(Vec::new())
    }

    /// Adds a line. Where it clashes with an earlier one, the earlier one stays.
    pub(super) fn insert(&mut self, keys: &[Key], command: Option<Command>) {
        let (Self::Fork(branches), [first, rest @ ..]) = (self, keys) else { return };
        if let Some((_, node)) = branches.iter_mut().find(|(key, _)| key == first) {
            return node.insert(rest, command);
        }
        let mut node = if rest.is_empty() { Self::End(command) } else { Self::empty() };
        node.insert(rest, command);
        branches.push((*first, node));
    }

    pub(super) fn at(&self, keys: &[Key]) -> Place<'_> {
        match (self, keys) {
            (Self::End(command), []) => Place::End(*command),
            (Self::End(_), [_, ..]) => Place::Beyond,
            (Self::Fork(branches), []) => Place::Fork(branches),
            (Self::Fork(branches), [first, rest @ ..]) => match branches.iter().find(|(key, _)| key == first) {
                Some((_, node)) => node.at(rest),
                None => Place::Nowhere,
            },
        }
    }
}
