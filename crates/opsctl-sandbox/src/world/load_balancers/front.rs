//! What stands before target groups: one load balancer in each place that has any, with a listener for each of them.

use std::collections::BTreeMap;

use super::{ApiError, Caller, LoadBalancers, field, list};
use crate::world::{
    call::{Answered, Call},
    hash,
    rds::Xml,
};

const NAME: &str = "main";
/// Of the first listener; the others follow.
const PORT: usize = 8_000;

impl LoadBalancers {
    pub(super) fn describe_fronts(&self, call: Call, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let caller = call.caller;
        let (arns, names) = (list(form, "LoadBalancerArns"), list(form, "Names"));
        let own = arn(caller);
        let is_there = self.groups(caller).next().is_some();
        let is_wanted = arns.iter().all(|arn| *arn == own) && names.iter().all(|name| *name == NAME);
        let is_anything = arns.is_empty() && names.is_empty();
        if !(is_wanted && (is_there || is_anything)) {
            return Err(not_found());
        }
        Ok(Xml::of("LoadBalancers", |xml| {
            if !is_there {
                return;
            }
            xml.element("member", |xml| {
                xml.text("LoadBalancerArn", &own)
                    .text("LoadBalancerName", NAME)
                    .text(
                        "DNSName",
                        format!("{NAME}-{}.{}.elb.amazonaws.com", hash(own.bytes()) % 10_000_000_000, caller.region),
                    )
                    .text("CanonicalHostedZoneId", "Z268VQBMOI5EKX")
                    .text("CreatedTime", "2025-01-15T09:00:00.000Z")
                    .text("Scheme", "internal")
                    .text("VpcId", "vpc-0a1b2c3d4e5f60718")
                    .text("Type", "application")
                    .text("IpAddressType", "ipv4")
                    .element("State", |xml| {
                        xml.text("Code", "active");
                    })
                    .element("SecurityGroups", |xml| {
                        xml.text("member", "sg-0123456789abcdef0");
                    })
                    .element("AvailabilityZones", |xml| {
                        for (zone, subnet) in [("a", "subnet-0a1b2c3d4e5f60718"), ("b", "subnet-08172635445362718")] {
                            xml.element("member", |xml| {
                                xml.text("ZoneName", format!("{}{zone}", caller.region)).text("SubnetId", subnet);
                            });
                        }
                    });
            });
        }))
    }

    pub(super) fn describe_listeners(&self, call: Call, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let caller = call.caller;
        let own = arn(caller);
        if field(form, "LoadBalancerArn").is_some_and(|arn| arn != own) {
            return Err(not_found());
        }
        Ok(Xml::of("Listeners", |xml| {
            for (index, (group, _)) in self.groups(caller).enumerate() {
                xml.element("member", |xml| {
                    xml.text(
                        "ListenerArn",
                        format!("{}/{:016x}", own.replace(":loadbalancer/", ":listener/"), hash(group.bytes())),
                    )
                    .text("LoadBalancerArn", &own)
                    .text("Port", PORT + index)
                    .text("Protocol", "HTTP")
                    .element("DefaultActions", |xml| {
                        xml.element("member", |xml| {
                            xml.text("Type", "forward").text("TargetGroupArn", group);
                        });
                    });
                });
            }
        }))
    }
}

pub(super) fn arn(caller: &Caller) -> String {
    let Caller { account, region, .. } = caller;
    let id = hash(format!("{account}{region}").bytes());
    format!("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{NAME}/{id:016x}")
}

fn not_found() -> ApiError {
    ApiError::plain(400, "LoadBalancerNotFound", "One or more load balancers not found")
}
