//! The report as Markdown.

use super::{Report, after};
use crate::score::{Loss, Part};

pub fn markdown(report: &Report) -> String {
    let Report { drill, seed, version, digest, cause, score, .. } = report;
    let mut text = format!("# {}: {} of 100\n\n", report.title, score.total);
    let word = if score.passed { "passed" } else { "not passed" };
    let players: Vec<&str> = report.players.iter().map(|player| player.as_str()).collect();
    let ended = report.ended.unwrap_or("not ended");
    let begun = report.begun_at.strftime("%Y-%m-%d %H:%M:%S");
    text.push_str(&format!(
        "**{word}** · {ended} after {} · {begun} UTC · {}\n\n",
        after(report.seconds),
        players.join(", ")
    ));
    text.push_str(&format!("What was wrong ({cause}): {}\n\n", report.truth));
    text.push_str("| | Points | Of |\n| --- | ---: | ---: |\n");
    for Part { name, points, of, .. } in &score.parts {
        text.push_str(&format!("| {name} | {points} | {of} |\n"));
    }
    if score.hints > 0.0 {
        text.push_str(&format!("| hints | -{} | |\n", score.hints));
    }
    let losses: Vec<&Loss> = score.parts.iter().flat_map(|part| &part.losses).collect();
    if !losses.is_empty() {
        text.push_str("\n## Points lost\n\n| Points | When | What | Better |\n| ---: | --- | --- | --- |\n");
        for Loss { points, after_seconds, what, better } in losses {
            let when = after_seconds.map(after).unwrap_or_default();
            text.push_str(&format!("| {points} | {when} | {} | {} |\n", cell(what.as_str()), cell(better.as_str())));
        }
    }
    text.push_str("\n## Timeline\n\n| After | What |\n| --- | --- |\n");
    for line in &report.timeline {
        text.push_str(&format!("| {} | {} |\n", after(line.after_seconds), cell(line.text.as_str())));
    }
    let short = digest.get(..12).unwrap_or(digest);
    text.push_str(&format!(
        "\nDrill `{drill}` (file {short}), seed {seed}, opsctl {version}, speed {}. Record `{}`.\n",
        report.speed, report.record
    ));
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
