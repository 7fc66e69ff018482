//! The report as JUnit, for CI: a test case for each part of the score.

use super::Report;

pub fn junit(report: &Report) -> String {
    let score = &report.score;
    let failed = score.parts.iter().filter(|part| !part.losses.is_empty()).count() + usize::from(!score.passed);
    let (name, seconds) = (escape(&report.drill), report.seconds);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" time=\"{seconds}\">\n",
        score.parts.len() + 1
    );
    let head = format!("passed with {} of 100", score.total);
    case(&mut text, &name, &head, (!score.passed).then(|| format!("{} of 100", score.total)));
    for part in &score.parts {
        let lost = part.losses.iter().map(|loss| format!("-{}: {}", loss.points, loss.what)).collect::<Vec<_>>();
        case(&mut text, &name, part.name, (!lost.is_empty()).then(|| lost.join("\n")));
    }
    text.push_str("</testsuite>\n");
    text
}

fn case(text: &mut String, suite: &str, name: &str, failure: Option<String>) {
    let name = escape(name);
    match failure {
        None => text.push_str(&format!("  <testcase classname=\"{suite}\" name=\"{name}\"/>\n")),
        Some(failure) => text.push_str(&format!(
            "  <testcase classname=\"{suite}\" name=\"{name}\"><failure>{}</failure></testcase>\n",
            escape(&failure)
        )),
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
