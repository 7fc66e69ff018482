//! Elastic Load Balancing v2 on the pure world: target groups, and how the tasks of ECS services stand in them.
//!
//! A target group's targets are what ECS registers. Not simulated: load balancers and listeners that people make, rules, targets that
//! people register.

mod front;

use std::collections::BTreeMap;

use super::{
    ApiError, Caller, World,
    call::{Answered, Call, told},
    ecs::{Balancer, Target, TargetState},
    hash,
    page::page,
    rds::Xml,
    service::{Protocol, ServiceDef},
    sts::required,
};

/// Target groups of a page (API reference).
const PAGE_MAX: usize = 400;
/// Names or ARNs of one request.
const LISTED_MAX: usize = 100;
/// Characters of a name (API reference).
const NAME_MAX: usize = 32;

/// The target groups of a world, by account and region, then ARN.
#[derive(Debug, Default)]
pub struct LoadBalancers {
    places: BTreeMap<(String, String), BTreeMap<String, Group>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    port: u16,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Query {
        version: "2015-12-01",
        namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    },
    throttled: (400, "Throttling"),
    ..ServiceDef::new(
        "elasticloadbalancing",
        &[
            ("DescribeTargetHealth", |world, call, input| told(world.describe_target_health(call, &input.fields))),
            ("DescribeTargetGroups", |world, call, input| told(world.load_balancers.describe(call, &input.fields))),
            ("DescribeLoadBalancers", |world, call, input| {
                told(world.load_balancers.describe_fronts(call, &input.fields))
            }),
            ("DescribeListeners", |world, call, input| {
                told(world.load_balancers.describe_listeners(call, &input.fields))
            }),
            ("CreateTargetGroup", |world, call, input| told(world.load_balancers.create(call, &input.fields))),
        ],
    )
};

impl World {
    /// Puts a service behind a target group of this name, which is made where it is not there. Answers the target group's ARN.
    pub fn balance(&mut self, caller: &Caller, cluster: &str, service: &str, group: &str, port: u16) -> String {
        const GRACE_SECONDS: u32 = 60;
        let target_group = self.load_balancers.put(caller, group, port);
        let balancer = Balancer {
            target_group_arn: target_group.clone(),
            container_name: service.to_owned(),
            container_port: port,
        };
        self.ecs.balance(caller, cluster, service, balancer, GRACE_SECONDS);
        target_group
    }

    fn describe_target_health(&self, call: Call, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let Call { caller, now, .. } = call;
        let arn = field(form, "TargetGroupArn").ok_or_else(|| required("targetGroupArn"))?;
        if !is_arn(arn) {
            return Err(validation(&format!("'{arn}' is not a valid target group ARN")));
        }
        if !self.load_balancers.groups(caller).any(|(known, _)| known == arn) {
            return Err(not_found());
        }
        let targets = self.ecs.targets(now, caller, arn);
        Ok(Xml::of("TargetHealthDescriptions", |xml| {
            for target in &targets {
                xml.element("member", |xml| write_target(xml, target, caller));
            }
        }))
    }
}

impl LoadBalancers {
    fn groups(&self, caller: &Caller) -> impl Iterator<Item = (&String, &Group)> {
        self.places.get(&(caller.account.clone(), caller.region.clone())).into_iter().flatten()
    }

    fn put(&mut self, caller: &Caller, name: &str, port: u16) -> String {
        let arn = arn(caller, name);
        let place = self.places.entry((caller.account.clone(), caller.region.clone())).or_default();
        place.insert(arn.clone(), Group { name: name.to_owned(), port });
        arn
    }

    fn create(&mut self, call: Call, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let caller = call.caller;
        let name = field(form, "Name").ok_or_else(|| validation("A target group name must be specified"))?;
        let is_plain = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
        if !is_plain || name.len() > NAME_MAX || name.starts_with('-') || name.ends_with('-') {
            return Err(validation(&format!("Target group name '{name}' is not valid")));
        }
        let port = field(form, "Port").and_then(|port| port.parse().ok()).filter(|port| *port > 0);
        let port = port.ok_or_else(|| validation("A port must be specified"))?;
        let known = self.groups(caller).find(|(_, group)| group.name == name);
        if known.is_some_and(|(_, group)| group.port != port) {
            let text = format!("A target group with the same name '{name}' exists, but with different settings");
            return Err(ApiError::plain(400, "DuplicateTargetGroupName", text));
        }
        let arn = self.put(caller, name, port);
        let group = Group { name: name.to_owned(), port };
        Ok(Xml::of("TargetGroups", |xml| {
            xml.element("member", |xml| write_group(xml, caller, &arn, &group));
        }))
    }

    fn describe(&self, call: Call, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let (arns, names) = (list(form, "TargetGroupArns"), list(form, "Names"));
        let size = match field(form, "PageSize") {
            None => PAGE_MAX,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=PAGE_MAX).contains(size))
                .ok_or_else(|| validation(&format!("Page size must be between 1 and {PAGE_MAX}")))?,
        };
        let wanted = |arn: &str, group: &Group| {
            let is_any = arns.is_empty() && names.is_empty();
            is_any || arns.contains(&arn) || names.contains(&group.name.as_str())
        };
        let found: Vec<(&String, &Group)> =
            self.groups(call.caller).filter(|(arn, group)| wanted(arn.as_str(), group)).collect();
        if found.len() < arns.len().max(names.len()) {
            return Err(not_found());
        }
        let page = page(found, size, field(form, "Marker"), |(arn, _)| arn);
        let (groups, next) = page.ok_or_else(|| validation("Invalid marker"))?;
        let mut xml = Xml::of("TargetGroups", |xml| {
            for (arn, group) in groups {
                xml.element("member", |xml| write_group(xml, call.caller, arn, group));
            }
        });
        xml.maybe("NextMarker", next);
        Ok(xml)
    }
}

fn write_group(xml: &mut Xml, caller: &Caller, arn: &str, group: &Group) {
    xml.text("TargetGroupArn", arn)
        .text("TargetGroupName", &group.name)
        .text("Protocol", "HTTP")
        .text("Port", group.port)
        .text("VpcId", "vpc-0a1b2c3d4e5f60718")
        .text("HealthCheckProtocol", "HTTP")
        .text("HealthCheckPort", "traffic-port")
        .text("HealthCheckEnabled", true)
        .text("HealthCheckIntervalSeconds", 5)
        .text("HealthCheckTimeoutSeconds", 2)
        .text("HealthyThresholdCount", 2)
        .text("UnhealthyThresholdCount", 2)
        .text("HealthCheckPath", "/health")
        .element("Matcher", |xml| {
            xml.text("HttpCode", "200");
        })
        .element("LoadBalancerArns", |xml| {
            xml.text("member", front::arn(caller));
        })
        .text("TargetType", "ip")
        .text("ProtocolVersion", "HTTP1")
        .text("IpAddressType", "ipv4");
}

fn write_target(xml: &mut Xml, target: &Target, caller: &Caller) {
    let Target { address, port, state: TargetState(state, why) } = target;
    xml.text("HealthCheckPort", port)
        .element("Target", |xml| {
            xml.text("Id", address).text("Port", port).text("AvailabilityZone", format!("{}a", caller.region));
        })
        .element("TargetHealth", |xml| {
            xml.text("State", state);
            xml.maybe("Reason", why.map(|(reason, _)| reason));
            xml.maybe("Description", why.map(|(_, description)| description));
        });
}

fn field<'a>(form: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    form.get(name).map(String::as_str).filter(|text| !text.is_empty())
}

/// `Prefix.member.1`, `Prefix.member.2`, ...
fn list<'a>(form: &'a BTreeMap<String, String>, prefix: &str) -> Vec<&'a str> {
    (1..=LISTED_MAX).map_while(|number| field(form, &format!("{prefix}.member.{number}"))).collect()
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:aws:elasticloadbalancing:") && text.contains(":targetgroup/")
}

/// The last part is AWS's to choose; here the name decides it.
fn arn(caller: &Caller, name: &str) -> String {
    let hash = hash(name.bytes());
    let Caller { account, region, .. } = caller;
    format!("arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hash:016x}")
}

fn validation(message: &str) -> ApiError {
    ApiError::plain(400, "ValidationError", message)
}

fn not_found() -> ApiError {
    ApiError::plain(400, "TargetGroupNotFound", "One or more target groups not found")
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::world::ecs::{Breaker, Program, ServiceFixture, TargetCheck};

    const PREFIX: &str = "elasticloadbalancing";

    fn caller() -> Caller {
        Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1_000) + SignedDuration::from_secs(seconds)
    }

    /// A service with one task behind the target group `api`, and its ARN.
    fn world(target_check: TargetCheck, desired: u32) -> (World, String) {
        let mut world = World::new(7, at(0));
        let fixture = ServiceFixture {
            cluster: "main".into(),
            name: "api".into(),
            family: "api".into(),
            image: "api:1".into(),
            revision: 1,
            program: Program { target_check, ..Program::default() },
            desired,
            breaker: Breaker::Off,
            tags: BTreeMap::new(),
        };
        world.ecs.settle(at(0), &caller(), &fixture);
        let arn = world.balance(&caller(), "main", "api", "api", 8080);
        (world, arn)
    }

    fn health(world: &mut World, seconds: i64, arn: &str) -> String {
        let form = [("TargetGroupArn".to_owned(), arn.to_owned())].into();
        world.ask_form(at(seconds), &caller(), (PREFIX, "DescribeTargetHealth"), form).expect("an answer")
    }

    #[test]
    fn a_task_is_registered_checked_healthy_and_drained() {
        let (mut world, arn) = world(TargetCheck::Passes, 0);
        assert_eq!(health(&mut world, 0, &arn), "<TargetHealthDescriptions></TargetHealthDescriptions>");
        world.ecs.set_desired(at(0), &caller(), "main", "api", 1);
        // Runs from the 12th second on.
        assert!(!health(&mut world, 11, &arn).contains("<Target>"), "no target before it runs");
        assert!(health(&mut world, 13, &arn).contains("Elb.RegistrationInProgress"));
        assert!(health(&mut world, 16, &arn).contains("Elb.InitialHealthChecking"));
        let healthy = health(&mut world, 30, &arn);
        assert!(healthy.contains("<TargetHealth><State>healthy</State></TargetHealth>"), "{healthy}");
        assert!(healthy.contains("<Id>10.0.") && healthy.contains("<Port>8080</Port>"), "{healthy}");
        world.ecs.set_desired(at(31), &caller(), "main", "api", 0);
        assert!(health(&mut world, 32, &arn).contains("<State>draining</State>"));
        assert!(!health(&mut world, 60, &arn).contains("<Target>"));
    }

    #[test]
    fn a_program_decides_what_its_checks_find() {
        for (check, reason) in [
            (TargetCheck::BAD_GATEWAY, "Target.ResponseCodeMismatch"),
            (TargetCheck::SILENT, "Target.FailedHealthChecks"),
        ] {
            let (mut world, arn) = world(check, 2);
            let told = health(&mut world, 0, &arn);
            assert_eq!(told.matches("<State>unhealthy</State>").count(), 2, "{told}");
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn what_is_not_there_or_not_allowed_is_refused() {
        let (mut world, arn) = world(TargetCheck::Passes, 1);
        let mut code = |action: &str, name: &str, value: &str| {
            let form = [(name.to_owned(), value.to_owned())].into();
            world.ask_form(at(0), &caller(), (PREFIX, action), form).map_err(|error| error.code).err()
        };
        assert_eq!(code("DescribeTargetHealth", "TargetGroupArn", &arn), None);
        assert_eq!(code("DescribeTargetGroups", "Names.member.1", "api"), None);
        assert_eq!(code("DescribeTargetHealth", "TargetGroupArn", &format!("{arn}0")), Some("TargetGroupNotFound"));
        assert_eq!(code("DescribeTargetGroups", "Names.member.1", "nobody"), Some("TargetGroupNotFound"));
        assert_eq!(code("DescribeTargetHealth", "TargetGroupArn", "api"), Some("ValidationError"));
        assert_eq!(code("DescribeTargetHealth", "Other", "x"), Some("ValidationError"));
        assert_eq!(code("DeleteEverything", "Other", "x"), Some("InvalidAction"));
    }

    #[test]
    fn target_groups_come_in_pages() {
        let (mut world, _) = world(TargetCheck::Passes, 1);
        for name in ["b", "c"] {
            world.load_balancers.put(&caller(), name, 80);
        }
        let (mut marker, mut pages) = (None::<String>, Vec::new());
        loop {
            let mut form = BTreeMap::from([("PageSize".to_owned(), "2".to_owned())]);
            form.extend(marker.take().map(|marker| ("Marker".to_owned(), marker)));
            let page = world.ask_form(at(0), &caller(), (PREFIX, "DescribeTargetGroups"), form).expect("a page");
            pages.push(page.matches("<TargetGroupName>").count());
            let next = page.split_once("<NextMarker>").and_then(|(_, rest)| rest.split_once('<'));
            let Some((next, _)) = next else { break };
            marker = Some(next.to_owned());
        }
        assert_eq!(pages, [2, 1]);
    }
}
