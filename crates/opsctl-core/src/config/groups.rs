//! Groups of services: their stages, checked.

use super::{
    check::One,
    texts::Sort,
    typed::{Consumer, Defaults, Environment, Group},
};
use crate::{
    domain::{ServiceGroup, ServiceRules},
    files::{Spot, problem::Problem},
};

/// Tasks that a service may be given unasked.
const SIZE_MOST: i64 = 100;

impl One<'_> {
    /// The environment's groups, in the order of their names.
    pub(super) fn services(&mut self, typed: &Environment, defaults: &Defaults) -> ServiceRules {
        let groups = typed.groups.iter().flatten().map(|(name, group)| self.group(name, group)).collect();
        let consumers = [&typed.consumers, &defaults.consumers].into_iter().flatten().flatten();
        let consumers = consumers.filter_map(|consumer| self.consumer(consumer)).collect();
        ServiceRules { groups, migrations: self.migrations(typed), consumers }
    }

    fn group(&mut self, name: &Spot<String>, group: &Group) -> ServiceGroup {
        let stages: Vec<Vec<String>> =
            group.stages.iter().flatten().map(|stage| stage.iter().map(|spot| self.service(spot)).collect()).collect();
        let always_on: Vec<String> = group.always_on.iter().flatten().map(|spot| self.service(spot)).collect();
        if stages.iter().all(Vec::is_empty) {
            let problem = Problem::error(name.span(), format!("the group `{}` has no services", name.value()));
            self.problems.push(problem.help("add `stages = [[\"first\"], [\"second\", \"third\"]]`"));
        }
        if let Some(size) = group.size.as_ref().filter(|size| !(1..=SIZE_MOST).contains(size.value())) {
            let problem = Problem::error(size.span(), format!("{} tasks make no sense here", size.value()));
            self.problems.push(problem.help(format!("write a number from 1 to {SIZE_MOST}")));
        }
        ServiceGroup {
            name: name.value().clone(),
            stages,
            always_on,
            size: group.size.as_ref().and_then(|size| u32::try_from(*size.value()).ok()).unwrap_or(1),
            sleep_allowed: group.sleep_allowed.as_ref().is_some_and(|allowed| *allowed.value()),
        }
    }

    fn consumer(&mut self, typed: &Consumer) -> Option<(String, String)> {
        let (queue, service) = (typed.queue.as_ref()?, typed.service.as_ref()?);
        if queue.value().starts_with("ssm:") {
            let problem = Problem::error(queue.span(), "this cannot be read from an SSM parameter");
            self.problems.push(problem.help("write the queue's name, or a pattern of it"));
            return None;
        }
        Some((self.plain(queue, Sort::QueuePattern), self.service(service)))
    }

    fn service(&mut self, spot: &Spot<String>) -> String {
        self.plain(spot, Sort::ServicePattern)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Paint, Source, Why, examine};

    #[test]
    fn consumers_are_read_the_environments_own_first() {
        let text = "[defaults]\nconsumers = [{ queue = \"*\", service = \"shop-${env}/worker\" }]\n\
                    [environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n\
                    consumers = [{ queue = \"orders-*\", service = \"router\" }]\n";
        let read = |text: &str| examine(Source { path: "opsctl.toml".into(), why: Why::Flag }, text.to_owned());
        let (report, bound) = read(text);
        assert!(report.problems.list.is_empty(), "{}", report.render(Paint::Plain));
        let rules = bound[0].reach().services.consumers.clone();
        let pair = |queue: &str, service: &str| (queue.to_owned(), service.to_owned());
        assert_eq!(rules, [pair("orders-*", "router"), pair("*", "shop-dev/worker")]);
        for wrong in ["queue = \"a\"", "queue = \"a\", service = \"b c\"", "queue = \"ssm:/a\", service = \"b\""] {
            let text = text.replace("queue = \"*\", service = \"shop-${env}/worker\"", wrong);
            assert!(!read(&text).0.is_good(), "{wrong}");
        }
    }

    #[test]
    fn groups_are_read_and_empty_ones_refused() {
        let head = "[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n";
        let read = |rest: &str| examine(Source { path: "opsctl.toml".into(), why: Why::Flag }, format!("{head}{rest}"));
        let (report, bound) = read(
            "[environments.dev.groups.shop]\nstages = [[\"auth\"], [\"shop-${env}/*\"]]\nalways_on = [\"kong\"]\nsize = 2\n",
        );
        assert!(report.problems.list.is_empty(), "{}", report.render(Paint::Plain));
        let reach = bound[0].reach();
        let group = reach.services.group("shop").expect("there");
        assert_eq!((group.stages[1][0].as_str(), group.size, group.sleep_allowed), ("shop-dev/*", 2, false));
        for wrong in ["stages = []", "stages = [[\"a b\"]]", "stages = [[\"a\"]]\nsize = 0"] {
            assert!(!read(&format!("[environments.dev.groups.shop]\n{wrong}\n")).0.is_good(), "{wrong}");
        }
    }
}
