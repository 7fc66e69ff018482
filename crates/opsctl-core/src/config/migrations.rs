//! Migrations: what may be started, checked.

use super::{
    check::One,
    texts::Sort,
    typed::{Environment, Migration},
};
use crate::{
    domain::{EcsClusterName, Migration as Bound, Network, NetworkSource, ServiceId},
    files::{Spot, problem::Problem},
};

/// Subnets and security groups of a task (API reference of ECS).
const SUBNETS_MAX: usize = 16;
const SECURITY_GROUPS_MAX: usize = 5;
const TIMEOUT_SECONDS_MAX: i64 = 604_800;

impl One<'_> {
    /// The environment's migrations, in the order of their names.
    pub(super) fn migrations(&mut self, typed: &Environment) -> Vec<Bound> {
        typed.migrations.iter().flatten().filter_map(|(name, migration)| self.migration(name, migration)).collect()
    }

    fn migration(&mut self, name: &Spot<String>, typed: &Migration) -> Option<Bound> {
        self.plain(name, Sort::PlainName);
        // What is required and not there was said already.
        let (cluster, definition) = (typed.cluster.as_ref()?, typed.task_definition.as_ref()?);
        let cluster = EcsClusterName(self.plain(cluster, Sort::PlainName));
        let commands = typed.commands.iter().flatten();
        let commands = commands.map(|(name, words)| (name.value().clone(), self.command(name, words))).collect();
        Some(Bound {
            name: name.value().clone(),
            task_definition: self.plain(definition, Sort::TaskDefinition),
            network: self.network(name, typed, &cluster),
            container: typed.container.as_ref().map(|container| self.plain(container, Sort::PlainName)),
            commands,
            log_group: typed.log_group.as_ref().map(|group| self.plain(group, Sort::LogGroup)),
            database: typed.database.as_ref().map(|database| self.plain(database, Sort::PlainName)),
            timeout_seconds: typed.timeout_seconds.as_ref().and_then(|spot| self.seconds(spot)),
            cluster,
        })
    }

    fn command(&mut self, name: &Spot<String>, words: &[Spot<String>]) -> Vec<String> {
        self.plain(name, Sort::PlainName);
        if words.is_empty() {
            let problem = Problem::error(name.span(), format!("the command `{}` has no words", name.value()));
            self.problems.push(problem.help("write them one by one: [\"npm\", \"run\", \"migrate\"]"));
        }
        words.iter().map(|word| self.plain(word, Sort::Visible)).collect()
    }

    fn network(&mut self, name: &Spot<String>, typed: &Migration, cluster: &EcsClusterName) -> NetworkSource {
        let given = typed.subnets.as_ref().or(typed.security_groups.as_ref());
        if let Some(service) = &typed.network_of {
            if given.is_some() || typed.public_ip.is_some() {
                let problem = Problem::error(service.span(), "a network is either copied or given");
                self.problems
                    .push(problem.help("remove `network_of`, or `subnets`, `security_groups` and `public_ip`"));
            }
            let text = self.plain(service, Sort::ServiceName);
            let id = ServiceId::parse(&text).unwrap_or_else(|| ServiceId::new(&cluster.0, &text));
            return NetworkSource::Service(id);
        }
        let subnets = typed.subnets.as_deref().unwrap_or_default();
        let groups = typed.security_groups.as_deref().unwrap_or_default();
        if subnets.is_empty() {
            let problem = Problem::error(name.span(), format!("the migration `{}` has no network", name.value()));
            self.problems.push(problem.help("add `network_of = \"a service\"`, or `subnets`"));
        }
        for (spots, most, what) in [(subnets, SUBNETS_MAX, "subnets"), (groups, SECURITY_GROUPS_MAX, "security groups")]
        {
            if let Some(first) = spots.get(most) {
                let problem = Problem::error(first.span(), format!("more than {most} {what}"));
                self.problems.push(problem.help(format!("ECS takes at most {most}")));
            }
        }
        NetworkSource::Given(Network {
            subnets: subnets.iter().map(|subnet| self.plain(subnet, Sort::Subnet)).collect(),
            security_groups: groups.iter().map(|group| self.plain(group, Sort::SecurityGroup)).collect(),
            public_ip: typed.public_ip.as_ref().is_some_and(|public| *public.value()),
        })
    }

    fn seconds(&mut self, spot: &Spot<i64>) -> Option<u64> {
        if (1..=TIMEOUT_SECONDS_MAX).contains(spot.value()) {
            return u64::try_from(*spot.value()).ok();
        }
        let problem = Problem::error(spot.span(), format!("{} seconds make no sense here", spot.value()));
        self.problems.push(problem.help(format!("write a number from 1 to {TIMEOUT_SECONDS_MAX}, or leave it out")));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Paint, Source, Why, examine};

    const HEAD: &str = "[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n\n[environments.dev.migrations.wallet]\n";
    const PLACE: &str = "cluster = \"wallet-cluster-${env}\"\ntask_definition = \"wallet-migration\"\n";

    fn read(rest: &str) -> (String, Vec<crate::config::Configured>) {
        let source = Source { path: "opsctl.toml".into(), why: Why::Flag };
        let (report, bound) = examine(source, format!("{HEAD}{rest}"));
        (report.problems.render(Paint::Plain), bound)
    }

    #[test]
    fn names_are_filled_in_and_a_service_is_of_the_same_cluster() {
        let rest =
            "network_of = \"wallet\"\ncommands = { status = [\"npm\", \"run\", \"status\"] }\ntimeout_seconds = 60\n";
        let (problems, bound) = read(&format!("{PLACE}{rest}"));
        assert_eq!(problems, "");
        let reach = bound[0].reach();
        let migration = reach.services.migration("wallet").expect("there");
        assert_eq!((migration.cluster.0.as_str(), migration.timeout_seconds), ("wallet-cluster-dev", Some(60)));
        assert_eq!(migration.network, NetworkSource::Service(ServiceId::new("wallet-cluster-dev", "wallet")));
        assert_eq!(migration.commands["status"], ["npm", "run", "status"]);
    }

    #[test]
    fn what_cannot_be_started_is_refused_in_its_place() {
        let subnets: Vec<String> = (0..17).map(|number| format!("\"subnet-{number}\"")).collect();
        let subnets = format!("subnets = [{}]", subnets.join(", "));
        for (rest, words) in [
            ("", "has no network"),
            ("network_of = \"a*\"", "not a pattern"),
            ("network_of = \"api\"\nsubnets = [\"subnet-1\"]", "either copied or given"),
            (subnets.as_str(), "more than 16 subnets"),
            ("subnets = [\"vpc-1\"]", "not the id of a subnet"),
            ("network_of = \"api\"\ncommands = { up = [] }", "has no words"),
            ("network_of = \"api\"\nlog_group = \"a b\"", "not the name of a log group"),
            ("network_of = \"api\"\ntimeout_seconds = 0", "make no sense"),
            ("network_of = \"api\"\ncontainer = \"ssm:/x\"", "cannot be read from an SSM parameter"),
        ] {
            let (problems, _) = read(&format!("{PLACE}{rest}\n"));
            assert!(problems.contains(words), "{rest}: {problems}");
        }
        assert!(read("cluster = \"c\"\nnetwork_of = \"api\"\n").0.contains("task_definition"));
        assert!(
            read(&format!("{}network_of = \"api\"\n", PLACE.replace("migration\"", "migration:0\"")))
                .0
                .contains("family")
        );
    }
}
