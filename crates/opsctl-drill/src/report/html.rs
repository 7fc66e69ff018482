//! The report as one HTML file: nothing is fetched, and it prints. The timeline is drawn as SVG.

use std::collections::BTreeMap;

use super::{Report, after, junit::escape};
use crate::event::{Event, Stamped};

const WIDTH: f64 = 920.0;
const LEFT: f64 = 150.0;
const ROW: f64 = 56.0;
/// Figures that are drawn.
const ROWS_MAX: usize = 8;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}td,th{border-bottom:1px solid #d0d7de;padding:.25rem .75rem;text-align:left;vertical-align:top}\
.n{text-align:right;font-variant-numeric:tabular-nums}.big{font-size:2.4rem;font-weight:600}svg{width:100%;height:auto}small{color:#57606a}\
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}td,th{border-color:#30363d}small{color:#9198a1}}";

pub fn html(report: &Report) -> String {
    let score = &report.score;
    let title = escape(report.title.as_str());
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title><style>{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    let word = if score.passed { "passed" } else { "not passed" };
    let players: Vec<String> = report.players.iter().map(|player| escape(player.as_str())).collect();
    text.push_str(&format!(
        "<p><span class=\"big\">{}</span> of 100, {word}<br><small>{} after {} · {} UTC · {}</small></p>\n",
        score.total,
        report.ended.unwrap_or("not ended"),
        after(report.seconds),
        report.begun_at.strftime("%Y-%m-%d %H:%M:%S"),
        players.join(", ")
    ));
    text.push_str(&format!("<p>What was wrong ({}): {}</p>\n", escape(&report.cause), escape(report.truth.as_str())));
    text.push_str(&drawing(report));
    text.push_str("<table><tr><th><th class=\"n\">points<th class=\"n\">of\n");
    for part in &score.parts {
        text.push_str(&format!("<tr><td>{}<td class=\"n\">{}<td class=\"n\">{}\n", part.name, part.points, part.of));
    }
    if score.hints > 0.0 {
        text.push_str(&format!("<tr><td>hints<td class=\"n\">-{}<td>\n", score.hints));
    }
    text.push_str("</table>\n<table><tr><th class=\"n\">points lost<th>when<th>what<th>better\n");
    for loss in score.parts.iter().flat_map(|part| &part.losses) {
        text.push_str(&format!(
            "<tr><td class=\"n\">{}<td>{}<td>{}<td>{}\n",
            loss.points,
            loss.after_seconds.map(after).unwrap_or_default(),
            escape(loss.what.as_str()),
            escape(loss.better.as_str())
        ));
    }
    text.push_str("</table>\n<h2>Timeline</h2>\n<table>\n");
    for line in &report.timeline {
        text.push_str(&format!(
            "<tr><td class=\"n\">{}<td>{}\n",
            after(line.after_seconds),
            escape(line.text.as_str())
        ));
    }
    text.push_str(&format!(
        "</table>\n<small>Drill {} (file {}), seed {}, opsctl {}, speed {}. Record {}.</small>\n</html>\n",
        escape(&report.drill),
        escape(&report.digest),
        report.seed,
        escape(&report.version),
        report.speed,
        escape(&report.record)
    ));
    text
}

/// Figures over time, with what happened and what was done as marks.
fn drawing(report: &Report) -> String {
    let mut figures: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    let total = report.seconds.max(1) as f64;
    let x = |stamped: &Stamped| {
        let seconds = stamped.at.duration_since(report.begun_at).as_secs_f64();
        LEFT + (WIDTH - LEFT - 10.0) * (seconds / total).clamp(0.0, 1.0)
    };
    for stamped in &report.events {
        if let Event::Figures { figures: now } = &stamped.event {
            for (name, value) in now {
                figures.entry(name).or_default().push((x(stamped), *value));
            }
        }
    }
    let rows = figures.len().min(ROWS_MAX);
    let height = 60.0 + ROW * rows as f64;
    let mut text = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"figures over time\">\n");
    for stamped in &report.events {
        let Some((colour, name)) = mark(&stamped.event) else { continue };
        let at = x(stamped);
        text.push_str(&format!(
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"22\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-dasharray=\"2 3\"><title>{}</title></line>\
             <circle cx=\"{at:.1}\" cy=\"14\" r=\"5\" fill=\"{colour}\"><title>{}</title></circle>\n",
            height - 20.0,
            escape(&name),
            escape(&name)
        ));
    }
    for (number, (name, points)) in figures.iter().take(ROWS_MAX).enumerate() {
        let top = 28.0 + ROW * number as f64;
        let most = points.iter().map(|(_, value)| *value).fold(1.0_f64, f64::max);
        let line: Vec<String> = points
            .iter()
            .map(|(at, value)| format!("{at:.1},{:.1}", top + (ROW - 12.0) * (1.0 - value / most)))
            .collect();
        text.push_str(&format!(
            "<text x=\"0\" y=\"{:.1}\" font-size=\"12\" fill=\"currentColor\">{}</text>\
             <text x=\"0\" y=\"{:.1}\" font-size=\"11\" fill=\"#8b949e\">up to {most}</text>\
             <polyline points=\"{}\" fill=\"none\" stroke=\"#2f81f7\" stroke-width=\"1.8\"/>\n",
            top + 18.0,
            escape(name),
            top + 33.0,
            line.join(" ")
        ));
    }
    text.push_str(&format!(
        "<text x=\"{LEFT}\" y=\"{:.1}\" font-size=\"11\" fill=\"#8b949e\">0</text>\
         <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#8b949e\" text-anchor=\"end\">{}</text></svg>\n\
         <small><span style=\"color:#d29922\">●</span> happens <span style=\"color:#2f81f7\">●</span> done \
         <span style=\"color:#3fb950\">●</span> reached <span style=\"color:#f85149\">●</span> harm</small>\n",
        height - 4.0,
        WIDTH - 10.0,
        height - 4.0,
        after(report.seconds)
    ));
    text
}

/// Colour and words of what is marked.
fn mark(event: &Event) -> Option<(&'static str, String)> {
    let colour = match event {
        Event::Injected { .. } => "#d29922",
        Event::RunBegun { .. } | Event::Hinted { .. } | Event::DeclaredOver { .. } | Event::Noted { .. } => "#2f81f7",
        Event::Found { .. } | Event::Acted { .. } | Event::Mitigated {} | Event::Recovered { .. } => "#3fb950",
        Event::Harm(_) | Event::WrongEnvironment { .. } | Event::Relapsed {} => "#f85149",
        Event::Begun { .. }
        | Event::Skipped { .. }
        | Event::Delayed { .. }
        | Event::Called { .. }
        | Event::RunEnded { .. }
        | Event::Figures { .. }
        | Event::Ended { .. } => return None,
    };
    Some((colour, super::words(event)?))
}
