//! Groups of services: their stages, checked.

use super::{
    check::One,
    texts::Sort,
    typed::{Environment, Group},
};
use crate::{
    domain::service_rules::{ServiceGroup, ServiceRules},
    files::{Spot, problem::Problem},
};

/// Tasks that a service may be given unasked.
const SIZE_MOST: i64 = 100;

impl One<'_> {
    /// The environment's groups, in the order of their names.
    pub(super) fn services(&mut self, typed: &Environment) -> ServiceRules {
        let groups = typed.groups.iter().flatten().map(|(name, group)| self.group(name, group)).collect();
        ServiceRules { groups, migrations: self.migrations(typed) }
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

    fn service(&mut self, spot: &Spot<String>) -> String {
        self.plain(spot, Sort::ServicePattern)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Paint, Source, Why, examine};

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
