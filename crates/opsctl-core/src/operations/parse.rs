//! An operation from the words of a command line: forms and runbooks make it as the shell does.

use std::{
    error::Error,
    num::{IntErrorKind, ParseIntError},
};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Operation, OperationKind, RESUME};
use crate::domain::Text;

/// Reads words as the command line does, without the operation's name.
///
/// # Errors
/// What is wrong with them, in a line; a filter's mistakes too.
pub fn parse(kind: OperationKind, words: impl IntoIterator<Item = String>) -> Result<Operation, Text> {
    let arguments = kind.arguments().no_binary_name(true).disable_help_flag(true);
    // What is required is so unless a run is taken up: the command line has that option beside the operation's own.
    let arguments = arguments.arg(clap::Arg::new(RESUME).long(RESUME));
    let matches = arguments.try_get_matches_from(words).map_err(|error| in_words(&error))?;
    let operation = kind.operation(&matches).map_err(|error| in_words(&error))?;
    if operation.verb().filter().is_some_and(|filter| !filter.is_empty()) {
        // The lines after the first point at the place, which one line can't.
        let first = |error: &dyn std::fmt::Display| Text::line(error.to_string().lines().next().unwrap_or_default());
        operation.verb().check_filter().map_err(|error| first(&error))?;
    }
    Ok(operation)
}

/// What clap says, without what belongs to a command line.
fn in_words(error: &clap::Error) -> Text {
    if let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue)
        && !valid.is_empty()
    {
        return Text::line(&format!("it is one of {}", valid.join(", ")));
    }
    let missing = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => missing.as_slice(),
        _ => &[],
    };
    if !missing.is_empty() {
        return Text::line(&format!("missing: {}", missing.join(", ")));
    }
    let number = error.source().and_then(|source| source.downcast_ref::<ParseIntError>());
    if number.is_some_and(|error| *error.kind() == IntErrorKind::InvalidDigit) {
        return Text::from("it is a whole number");
    }
    let words = error.source().map(ToString::to_string).unwrap_or_else(|| error.kind().to_string());
    Text::line(&plainly(&words))
}

/// Rust's own words for numbers, as a person would say them.
fn plainly(words: &str) -> String {
    let largest = format!("..{}", u64::MAX);
    match words.strip_suffix(&largest).and_then(|words| words.rsplit(' ').next()) {
        Some(least) => format!("it is {least} or more"),
        None => words.to_owned(),
    }
}
