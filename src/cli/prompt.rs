//! Questions to a person. Only where there is one: standard input and standard error are terminals.

use std::io::{self, BufRead, IsTerminal, Write};

use super::wrap::{width_of, wrap};
use crate::{
    gate::{Answer, Ask},
    operations::plan::{Plan, words},
};

/// Longest answer read, in bytes.
const ANSWER_BYTES_MAX: u64 = 4_096;

pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for consent as the gate wants it. Anything but a clear yes, or the end of input, is [`Answer::None`].
pub fn consent(asked: &Ask, plan: &Plan) -> io::Result<Answer> {
    let question = match asked {
        // In a small terminal the plan's first lines have gone by: the question itself says where.
        Ask::Yes => {
            format!("{} [y/N] ", words::question(plan))
        }
        Ask::Type(phrase) => {
            let what = words::question(plan);
            format!("{what}\nType `{phrase}` to do it, anything else to stop:\n> ")
        }
    };
    let last = plan.no_way_back.as_ref().map(|text| format!("▲ {text}\n")).unwrap_or_default();
    let answer = read(&format!("{last}{question}"))?;
    Ok(match asked {
        Ask::Yes if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") => Answer::Yes,
        Ask::Yes => Answer::None,
        Ask::Type(_) if answer.is_empty() => Answer::None,
        Ask::Type(_) => Answer::Typed(answer),
    })
}

pub fn line(question: &str) -> io::Result<String> {
    read(question)
}

/// A terminal that goes away has said nothing.
fn read(question: &str) -> io::Result<String> {
    match asked(question) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(String::new()),
        answer => answer,
    }
}

fn asked(question: &str) -> io::Result<String> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{}", wrap(question, width_of(io::stderr())).join("\n"))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::Read::take(io::stdin().lock(), ANSWER_BYTES_MAX).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
