//! Signs and short texts that several screens show alike.

use jiff::Timestamp;

use crate::{
    cloud::{CloudError, ErrorKind},
    domain::Text,
    observe::{
        Severity, Source,
        words::{span, thousands},
    },
    state::{Look, Model, Needs, Role, Site, look::Standing},
    widgets::fit::{width, wrap},
};

pub(crate) fn sign(severity: Severity, look: Look) -> (&'static str, Role) {
    match severity {
        Severity::Critical => (look.sign("✖", "!"), Role::Critical),
        Severity::Warning => (look.sign("▲", "*"), Role::Warning),
        Severity::Notice => (look.sign("•", "-"), Role::Text),
    }
}

pub(crate) fn environment(site: &Site, look: Look) -> String {
    Text::line(&look.environment_name(&site.environment)).to_string()
}

/// Parts side by side as long as there is room; one that is longer than a line is broken between words.
pub(crate) fn packed(parts: &[String], dot: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(last) if width(last) + width(dot) + width(part) <= room => {
                last.push_str(dot);
                last.push_str(part);
            }
            _ => lines.extend(wrap(part, room)),
        }
    }
    lines
}

impl Standing {
    fn new(role: Role, words: impl Into<String>) -> Self {
        Self { role, words: words.into(), busy: false, needs: Needs::Nothing }
    }

    fn busy(words: impl Into<String>) -> Self {
        Self { busy: true, ..Self::new(Role::Accent, words) }
    }
}

pub fn standing(site: &Site, now: Timestamp) -> Standing {
    let Some(snapshot) = &site.snapshot else { return Standing::busy("asking for its queues") };
    if let Some(error) = &snapshot.listing.error {
        return broken(site, error);
    }
    let listing = &snapshot.listing;
    match (snapshot.source, listing.at) {
        (Source::Cache, Some(at)) => {
            let words = format!("as of {} ago, asking", span(now.duration_since(at)));
            return Standing { role: Role::Stale, ..Standing::busy(words) };
        }
        (Source::Cache | Source::Live, None) => return Standing::busy("listing its queues"),
        (Source::Live, Some(_)) => {}
    }
    if listing.unseen > 0 {
        return Standing::busy(format!("{} to look at", thousands(listing.unseen as u64)));
    }
    if snapshot.spend.throttled > 0 {
        return Standing::new(Role::Warning, "throttled, slower");
    }
    Standing { busy: listing.busy, ..Standing::new(Role::Good, "live") }
}

fn broken(site: &Site, error: &CloudError) -> Standing {
    let hint = || error.hint(&site.environment).text().clone();
    if let Some(trouble) = &error.trouble {
        let needs = if trouble.is_of_endpoint() { Needs::Reaching(hint()) } else { Needs::Credentials(hint()) };
        return Standing { needs, ..Standing::new(Role::Warning, Text::line(&trouble.in_short()).to_string()) };
    }
    match error.kind {
        ErrorKind::CredentialsExpired => {
            Standing { needs: Needs::Credentials(hint()), ..Standing::new(Role::Warning, "credentials expired") }
        }
        ErrorKind::CredentialsMissing => {
            Standing { needs: Needs::Credentials(hint()), ..Standing::new(Role::Warning, "no credentials") }
        }
        ErrorKind::ClockSkew => {
            Standing { needs: Needs::Credentials(hint()), ..Standing::new(Role::Warning, "clock is off") }
        }
        ErrorKind::Unreachable | ErrorKind::Unknown => {
            Standing { needs: Needs::Reaching(hint()), ..Standing::new(Role::Warning, "not reached") }
        }
        ErrorKind::Denied => {
            Standing { needs: Needs::Reaching(hint()), ..Standing::new(Role::Warning, "listing is denied") }
        }
        ErrorKind::Throttled => Standing::new(Role::Warning, "throttled, slower"),
        ErrorKind::NotFound | ErrorKind::Invalid => {
            Standing { needs: Needs::Reaching(hint()), ..Standing::new(Role::Warning, "can't be listed") }
        }
    }
}

/// Why a queue could not be looked at, short: the whole is in its details.
pub fn short(error: &CloudError) -> String {
    let action = Text::line(&error.action);
    if let Some(trouble) = &error.trouble {
        return Text::line(&trouble.in_short()).to_string();
    }
    match error.kind {
        ErrorKind::Denied => format!("denied: {action}"),
        ErrorKind::Throttled => "throttled".to_owned(),
        ErrorKind::NotFound => "there is no such queue (any more)".to_owned(),
        ErrorKind::CredentialsExpired => "credentials expired".to_owned(),
        ErrorKind::CredentialsMissing => "no credentials".to_owned(),
        ErrorKind::Unreachable => "not reached".to_owned(),
        ErrorKind::Unknown => format!("no clear answer to {action}"),
        ErrorKind::Invalid => format!("AWS refuses {action}: {}", Text::line(error.message.as_str())),
        ErrorKind::ClockSkew => "this machine's clock is off".to_owned(),
    }
}

/// Turns once a second while something is awaited: a tick comes then anyway.
pub fn busy_sign(model: &Model) -> &'static str {
    let at = (model.now.as_second().rem_euclid(4)) as usize;
    let look: Look = model.look;
    [look.sign("◐", "|"), look.sign("◓", "/"), look.sign("◑", "-"), look.sign("◒", "\\")][at]
}
