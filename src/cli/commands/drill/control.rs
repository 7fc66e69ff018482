//! `opsctl drill control`: orders to the drill that runs in another terminal.

use crate::{
    cli::{
        args::{ControlDrill, DrillOrder, Format, Global},
        commands::change::person,
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{Try, words::within},
    drill::{
        Answer, Order,
        control::{Request, View},
    },
    sandbox::join,
};

pub(super) async fn run(args: ControlDrill, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let order = order_of(args.order);
    let request = Request { by: person(global), order };
    let answer = match &global.inside {
        Some(_) => Err("a drill's own process is led from another terminal".to_owned()),
        None => tokio::task::spawn_blocking(move || ask(&request)).await.unwrap_or_else(|error| Err(error.to_string())),
    };
    let hint = "`opsctl drill run` begins one; `opsctl drill list` shows which there are";
    match answer.map_err(|because| CliError::failed(&because, Try::UseOther.says(hint)))? {
        Answer::Done(text) => {
            match out.format {
                Format::Human => out.line(text.as_str())?,
                Format::Json | Format::Jsonl => {
                    out.document("opsctl/drill-order/1", &serde_json::json!({ "done": text }))?
                }
            }
            Ok(Exit::Done)
        }
        Answer::Refused { because, hint } => Err(CliError::failed(because.as_str(), Try::UseOther.says(hint.as_str()))),
        Answer::Look(view) => {
            match out.format {
                Format::Human => show(&view, out)?,
                Format::Json | Format::Jsonl => out.document("opsctl/drill-view/1", &view)?,
            }
            Ok(Exit::Done)
        }
    }
}

fn ask(request: &Request) -> Result<Answer, String> {
    let joined = join::running().ok_or("no drill runs on this machine")?;
    let document = serde_json::to_string(request).map_err(|error| error.to_string())?;
    let answer = join::ask_leader(&joined, &document).map_err(|_| "no drill is played on the sandbox that runs")?;
    serde_json::from_str(&answer).map_err(|error| format!("the drill's answer makes no sense: {error}"))
}

pub(super) fn order_of(order: Option<DrillOrder>) -> Order {
    match order {
        None => Order::Look,
        Some(DrillOrder::Status) => Order::Brief,
        Some(DrillOrder::Hint) => Order::Hint,
        Some(DrillOrder::Over) => Order::Over,
        Some(DrillOrder::Note { text }) => Order::Note(text),
        Some(DrillOrder::Next) => Order::Next,
        Some(DrillOrder::Skip { inject }) => Order::Skip(inject),
        Some(DrillOrder::Delay { inject, by }) => Order::Delay { inject, seconds: u64::from(by.0) },
        Some(DrillOrder::Harder) => Order::Harder,
        Some(DrillOrder::Stop) => Order::Stop,
    }
}

/// A drill as it stands.
pub(super) fn show(view: &View, out: &mut Output) -> Result<(), CliError> {
    let time = |seconds| within(jiff::SignedDuration::from_secs(seconds));
    out.heading(view.title.as_str())?;
    let left = time(view.seconds_left);
    out.line(&format!("{} in {} (seed {}), {left} left", time(view.seconds), view.environment, view.seed))?;
    let mark = |is: bool| if is { "yes" } else { "no" };
    let (mitigated, recovered) = (mark(view.mitigated), mark(view.recovered));
    let over = if view.declared_over { ", declared over" } else { "" };
    if let Some(truth) = &view.truth {
        out.line(&format!("mitigated: {mitigated}, recovered: {recovered}{over}"))?;
        out.line(&format!("cause: {}: {}", truth.cause, truth.truth))?;
        out.line(&format!("way out: {}", truth.better))?;
        for inject in &truth.injects {
            let when = match (inject.has_happened, inject.in_seconds) {
                (true, _) => "happened".to_owned(),
                (false, Some(seconds)) => format!("in {}", time(seconds)),
                (false, None) => "to make it harder".to_owned(),
            };
            let decoy = if inject.is_decoy { " (decoy)" } else { "" };
            out.line(&format!("inject {}{decoy}: {when}: {}", inject.name, inject.truth))?;
        }
    }
    let harm = view.harm;
    out.line(&format!(
        "messages: {} lost, {} in snapshots only, {} worked off twice, {} expired",
        harm.lost, harm.kept, harm.doubled, harm.expired
    ))?;
    let players: Vec<&str> = view.players.iter().map(|player| player.as_str()).collect();
    out.line(&format!("players: {}; hints: {} of {}", players.join(", "), view.hints_given, view.hints))?;
    if view.truth.is_some() {
        view.last.iter().try_for_each(|line| out.line(&format!("  {line}")))?;
    }
    if let Some(ended) = &view.ended {
        out.line(&format!("ended: {ended}"))?;
    }
    Ok(())
}
