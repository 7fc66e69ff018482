//! What is expected of databases: objectives, and how they are asked after a failover, checked.

use std::path::PathBuf;

use super::{
    check::One,
    texts::Sort,
    typed::{Check, Defaults, Environment},
    watch::Range,
};
use crate::{
    domain::{DatabaseRules, Password, SqlCheck, Tls},
    files::{Spot, problem::Problem},
};

const RTO: Range = Range { least: 1, most: 86_400, unit: "seconds" };
/// How a question begins. The transaction is read only, too; but some statements heed no transaction.
const QUESTIONS: [&str; 4] = ["select", "show", "values", "with"];

impl One<'_> {
    /// The environment's own come first.
    pub(super) fn databases(&mut self, typed: &Environment, defaults: &Defaults) -> DatabaseRules {
        let mut rules = DatabaseRules { connections: self.connections(typed, defaults), ..DatabaseRules::default() };
        for databases in [&typed.databases, &defaults.databases].into_iter().flatten() {
            for objective in databases.objectives.iter().flatten() {
                let (Some(database), Some(seconds)) = (&objective.database, &objective.rto_seconds) else { continue };
                let pattern = self.pattern(database);
                rules.objectives.extend(self.figure(seconds, &RTO).map(|seconds| (pattern, seconds)));
            }
            rules.checks.extend(databases.checks.iter().flatten().filter_map(|check| self.sql_check(check)));
        }
        rules.outboxes = self.outboxes(typed, defaults);
        rules
    }

    fn sql_check(&mut self, check: &Check) -> Option<SqlCheck> {
        let database = check.database.as_ref()?;
        let password = check.password.as_ref().map_or(Password::None, |spot| self.password(spot));
        if check.user.is_none() && !matches!(password, Password::Secret(_)) {
            let problem = Problem::error(database.span(), "this check has no user");
            self.problems.push(problem.help("add `user`, or name a secret that has a `username`"));
        }
        let tls = check.tls.as_ref().map_or(Tls::VerifyFull, |tls| *tls.value());
        if password == Password::Iam
            && let Some(spot) = check.tls.as_ref().filter(|_| tls == Tls::Off)
        {
            let problem = Problem::error(spot.span(), "a token is sent as it is, so it needs encryption");
            self.problems.push(problem.help("leave `tls` out"));
        }
        Some(SqlCheck {
            pattern: self.pattern(database),
            user: check.user.as_ref().map(|user| self.plain(user, Sort::Visible)),
            password,
            database: check.connect_to.as_ref().map(|name| self.plain(name, Sort::Visible)),
            tls,
            ca_file: check.ca_file.as_ref().map(|file| self.path(file)),
            sql: check.sql.as_ref().map(|sql| self.question(sql)),
        })
    }

    pub(super) fn password(&mut self, spot: &Spot<String>) -> Password {
        let text = self.expanded(spot);
        self.verdict(spot, Sort::Visible.check(&text));
        let place = match text.split_once(':') {
            None if text == "iam" => Some(Password::Iam),
            Some((_, "")) | None => None,
            Some(("env", name)) if !name.contains('=') => Some(Password::Variable(name.to_owned())),
            Some(("ssm", name)) => Some(Password::Parameter(name.to_owned())),
            Some(("secret", name)) => Some(Password::Secret(name.to_owned())),
            Some(_) => None,
        };
        place.unwrap_or_else(|| {
            // What stands here may be the password: it is not repeated.
            let problem = Problem::error(spot.span(), "not a place where a password is found");
            let help =
                "write \"env:VARIABLE\", \"ssm:/parameter\", \"secret:name\" or \"iam\"; never the password itself";
            self.problems.push(problem.help(help));
            Password::None
        })
    }

    pub(super) fn path(&mut self, spot: &Spot<String>) -> PathBuf {
        let path = PathBuf::from(self.plain(spot, Sort::Visible));
        if !path.is_absolute() {
            let problem = Problem::error(spot.span(), "not a path from the root");
            self.problems.push(problem.help("begin it with `/`"));
        }
        path
    }

    fn question(&mut self, spot: &Spot<String>) -> String {
        let sql = self.plain(spot, Sort::Visible);
        let first: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        if !QUESTIONS.contains(&first.to_ascii_lowercase().as_str()) || sql.contains(';') {
            let problem = Problem::error(spot.span(), "not a question: it could change something");
            self.problems
                .push(problem.help("write one statement that begins with select, show, values or with, without `;`"));
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Paint, Source, Why, examine};

    const HEAD: &str = "[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n";

    fn read(rest: &str) -> (String, DatabaseRules) {
        let (report, bound) = examine(
            Source { path: "opsctl.toml".into(), why: Why::Flag },
            format!("{HEAD}[environments.dev.databases]\n{rest}"),
        );
        let rules = bound.first().map(|bound| bound.reach().databases.clone()).unwrap_or_default();
        (report.problems.render(Paint::Plain), rules)
    }

    #[test]
    fn a_check_says_where_the_password_is_and_the_first_that_fits_counts() {
        let (problems, rules) = read(
            "checks = [{ database = \"orders-*\", user = \"reader\", password = \"secret:${env}/orders\", sql = \"SELECT 1\" },\
             { database = \"*\", user = \"other\", password = \"iam\", tls = \"verify-ca\", ca_file = \"/ca.pem\" }]",
        );
        assert_eq!(problems, "");
        let orders = rules.check("orders-dev").expect("a check");
        assert_eq!((&orders.password, orders.tls), (&Password::Secret("dev/orders".to_owned()), Tls::VerifyFull));
        assert_eq!(orders.words(), "asks as reader whether it writes and `SELECT 1`, read only, TLS verify-full");
        let other = rules.check("wallet").expect("a check");
        assert_eq!(
            (&other.password, other.ca_file.as_deref()),
            (&Password::Iam, Some(std::path::Path::new("/ca.pem")))
        );
    }

    #[test]
    fn what_could_leak_change_or_not_work_is_refused() {
        for (check, part) in [
            ("user = \"a\", password = \"hunter2\"", "not a place where a password is found"),
            ("user = \"a\", password = \"env:\"", "not a place where a password is found"),
            ("user = \"a\", password = \"iam\", tls = \"off\"", "it needs encryption"),
            ("password = \"env:X\"", "this check has no user"),
            ("user = \"a\", sql = \"delete from orders\"", "not a question"),
            ("user = \"a\", sql = \"select 1; drop table orders\"", "not a question"),
            ("user = \"a\", ca_file = \"ca.pem\"", "not a path from the root"),
            ("user = \"a\", tls = \"verify\"", "verify-full"),
        ] {
            let (problems, _) = read(&format!("checks = [{{ database = \"x\", {check} }}]"));
            assert!(problems.contains(part), "{check}: {problems}");
        }
    }
}
