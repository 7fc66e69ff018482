//! [`Ticket`]: tells the answer to a question from answers to earlier ones.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

#[derive(Debug, Clone, Default, PartialEq)]
pub enum Load<T> {
    #[default]
    Idle,
    /// Asked for; only this ticket's answer counts. What came earlier is still shown.
    Waiting(Ticket, Option<T>),
    Here(T),
    /// Did not come. What came earlier is still shown.
    Failed(crate::run::Failure, Option<T>),
}

impl<T> Load<T> {
    pub fn shown(&self) -> Option<&T> {
        match self {
            Self::Idle => None,
            Self::Here(value) => Some(value),
            Self::Waiting(_, value) | Self::Failed(_, value) => value.as_ref(),
        }
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(..))
    }

    /// Asks anew; what there is stays to be shown.
    pub fn ask(&mut self, ticket: Ticket) {
        let shown = self.take();
        *self = Self::Waiting(ticket, shown);
    }

    /// Takes an answer in. Answers to other questions are dropped: then nothing happens, and the answer is `false`.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<T, crate::run::Failure>) -> bool {
        if !matches!(self, Self::Waiting(awaited, _) if *awaited == ticket) {
            return false;
        }
        let before = self.take();
        *self = match answer {
            Ok(value) => Self::Here(value),
            Err(failure) => Self::Failed(failure, before),
        };
        true
    }

    fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Self::Idle) {
            Self::Idle => None,
            Self::Here(value) => Some(value),
            Self::Waiting(_, value) | Self::Failed(_, value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_question_is_answered_and_old_answers_stay_in_sight() {
        let mut load = Load::Here(1);
        load.ask(Ticket(1));
        load.ask(Ticket(2));
        assert_eq!(load.shown(), Some(&1));
        assert!(!load.answer(Ticket(1), Ok(5)), "an answer to an old question");
        assert!(load.answer(Ticket(2), Ok(7)));
        assert_eq!(load, Load::Here(7));
        assert!(!load.answer(Ticket(2), Ok(9)), "nothing is awaited any more");
    }
}
