//! A plan as lines: what matters most comes first.

use crate::{
    domain::Text,
    operations::plan::{
        Fact, Plan, SampledGroup,
        words::{NOTHING, Part as Section},
    },
    state::{
        look::{Look, Role},
        page::Page,
    },
    widgets::page::{bar, part, thousands},
};

/// Facts that come right after the summary: what, where, how many, how long still.
const FIRST: [&str; 9] =
    ["run", "from", "to", "messages", "only where", "at most", "selected", "expires in", "message keys"];
/// Items of a list that are shown; the rest is counted.
const ITEMS_MAX: usize = 50;
/// Columns of a group's bar.
const BAR_COLUMNS: usize = 10;

/// `expires` says sooner than the plan does when messages begin to be deleted.
pub(crate) fn page(
    plan: &Plan,
    command: &str,
    notes: &[Text],
    expires: Option<&Text>,
    (columns, look): (usize, Look),
) -> Page {
    let mut page = Page::new(columns);
    let warning = look.sign("▲", "!");
    for note in notes {
        page.text(note.as_str(), Role::Accent);
    }
    for blocker in Section::Blockers.items(plan).iter().take(ITEMS_MAX) {
        page.item(look.sign("✗", "x"), Role::Critical, blocker, Role::Critical);
    }
    page.text(plan.summary.as_str(), Role::Strong);
    if plan.empty {
        page.text(NOTHING, Role::Good);
    }
    let is_first = |fact: &&Fact| FIRST.contains(&fact.label.as_str());
    let width = plan.facts.iter().map(|fact| fact.label.chars().count()).max().unwrap_or(0).max("command".len());
    for fact in plan.facts.iter().filter(is_first) {
        let soon = fact.label == "expires in";
        if let Some(sooner) = expires.filter(|_| soon) {
            page.pair("expires in", width, sooner.as_str(), Role::Accent);
            continue;
        }
        pair(&mut page, fact, width, if soon { Role::Accent } else { Role::Text });
    }
    if let Some(sooner) = expires.filter(|_| !plan.facts.iter().any(|fact| fact.label == "expires in")) {
        page.pair("expires in", width, sooner.as_str(), Role::Accent);
    }
    if let Some(text) = &plan.no_way_back {
        page.item(warning, Role::Warning, text.as_str(), Role::Warning);
    }
    for text in Section::Warnings.items(plan).iter().take(ITEMS_MAX) {
        page.item(warning, Role::Warning, text, Role::Warning);
    }
    for fact in plan.facts.iter().filter(|fact| !is_first(fact)) {
        pair(&mut page, fact, width, Role::Text);
    }
    page.pair("cost", width, &Section::Cost.items(plan).join(", "), Role::Text);
    groups(&mut page, &plan.groups, look);
    for section in [Section::Changes, Section::Calls] {
        let items = section.items(plan);
        if !items.is_empty() {
            page.blank();
            page.heading(section.title());
        }
        for item in items.iter().take(ITEMS_MAX) {
            page.item(look.sign("·", "-"), Role::Dim, Text::line(item).as_str(), Role::Text);
        }
        more(&mut page, items.len());
    }
    page.blank();
    page.pair(
        "plan",
        width,
        &format!("{} for {} ({}, {})", plan.fingerprint, plan.environment, plan.account, plan.region),
        Role::Dim,
    );
    page.pair("command", width, command, Role::Dim);
    page
}

fn pair(page: &mut Page, fact: &Fact, width: usize, role: Role) {
    page.pair(Text::line(&fact.label).as_str(), width, fact.value.as_str(), role);
}

fn groups(page: &mut Page, groups: &[SampledGroup], look: Look) {
    let total: u64 = groups.iter().map(|group| group.count).sum();
    if total == 0 {
        return;
    }
    page.blank();
    page.heading(&format!("Why they failed, {} sampled", thousands(total)));
    for group in groups.iter().take(ITEMS_MAX) {
        let (done, open) = bar(group.count as f64 / total as f64, BAR_COLUMNS, look);
        page.line(vec![
            part(format!("  {done}"), Role::Accent),
            part(open, Role::Line),
            part(format!(" {:>3}  ", group.count), Role::Text),
            part(Text::line(group.title.as_str()).to_string(), Role::Text),
        ]);
    }
    more(page, groups.len());
}

fn more(page: &mut Page, items: usize) {
    if items > ITEMS_MAX {
        page.text(&format!("  and {} more", items - ITEMS_MAX), Role::Dim);
    }
}
