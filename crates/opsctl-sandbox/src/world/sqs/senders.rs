//! [`Senders`]: who sent messages, each remembered once.

use std::collections::HashMap;

/// User ids by number; what `SenderId` tells of a message, and STS of its sender.
#[derive(Debug, Default)]
pub(in crate::world) struct Senders {
    ids: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Senders {
    pub(super) fn number_of(&mut self, user_id: &str) -> u32 {
        if let Some(&number) = self.numbers.get(user_id) {
            return number;
        }
        let number = u32::try_from(self.ids.len()).expect("fewer senders than messages");
        self.ids.push(user_id.into());
        self.numbers.insert(user_id.into(), number);
        number
    }

    pub(super) fn id(&self, number: u32) -> &str {
        self.ids.get(number as usize).map_or("", |id| id)
    }
}
