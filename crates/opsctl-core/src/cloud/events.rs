//! EventBridge: rules as they are, and the one change, whether a rule is enabled.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::json;

use super::{
    CloudError, classify,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};
use crate::domain::Text;

const DESCRIBE: &str = "events:DescribeRule";
const LIST: &str = "events:ListRules";
/// Pages of rules followed: an account's quota is 300 rules.
const PAGES_MAX: usize = 50;
const ENABLE: &str = "events:EnableRule";
const DISABLE: &str = "events:DisableRule";

const EVENTS: Service = Service {
    name: "events",
    host: "events",
    signing_name: "events",
    protocol: Protocol::Json { version: "1.1", target: "AWSEvents" },
};

#[derive(Debug, Clone)]
pub struct Events {
    read: Thin,
    once: Thin,
}

/// A rule of the default event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub name: String,
    /// `DISABLED` is the only state in which it starts nothing.
    pub enabled: bool,
    /// Whether its state is `ENABLED` or `DISABLED`: another one can't be set by enabling it.
    pub is_plain: bool,
    /// The AWS service that made the rule: nobody else may change it.
    pub managed_by: Option<Text>,
    /// `rate(1 minute)`, `cron(...)`; none: it waits for events.
    pub schedule: Option<Text>,
}

impl Events {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        Self { read: Thin::new(&EVENTS, shared, partition.clone()), once: Thin::once(&EVENTS, shared, partition, once) }
    }

    /// A rule of the default event bus.
    ///
    /// # Errors
    /// [`super::ErrorKind::NotFound`]: there is none of that name.
    pub async fn rule(&self, name: &str) -> Result<Rule, CloudError> {
        let answer = self.read.call(DESCRIBE, Request::Json(json!({ "Name": name })), from_json).await?;
        let state = answer.word("State").ok_or_else(|| classify::malformed(DESCRIBE, "the rule has no state"))?;
        Ok(Rule {
            name: name.to_owned(),
            enabled: state != "DISABLED",
            is_plain: matches!(state, "ENABLED" | "DISABLED"),
            managed_by: answer.line("ManagedBy"),
            schedule: answer.line("ScheduleExpression"),
        })
    }

    /// Names of all rules of the default event bus.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn rules(&self) -> Result<Vec<String>, CloudError> {
        let mut pages = Pages::new(LIST, PAGES_MAX);
        while pages.more()? {
            let page = self.read.call(LIST, Request::Json(json!({ "NextToken": pages.token() })), from_json).await?;
            let names = page.list("Rules").iter().filter_map(|rule| rule.word("Name").map(str::to_owned));
            pages.add(names, page.word("NextToken").map(str::to_owned))?;
        }
        Ok(pages.found())
    }

    /// Enables a rule, or disables it. Sent once. Absolute: twice is the same as once. It takes "a short period" until a disabled rule
    /// starts nothing more (API reference).
    ///
    /// # Errors
    /// [`super::ErrorKind::Unknown`]: it may have been applied; look, don't repeat.
    pub async fn set_enabled(&self, name: &str, enabled: bool) -> Result<(), CloudError> {
        let action = if enabled { ENABLE } else { DISABLE };
        self.once.write(action, Request::Json(json!({ "Name": name })), |_| Ok(())).await
    }
}
