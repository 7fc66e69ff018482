//! Which authorities a server's certificate may be signed by.

use std::path::Path;

use super::hosts;

/// Authorities of RDS and Aurora in all regions, China's too, and those of RDS Proxy. Where they come from and under which licence stands
/// in `rds-authorities.md` beside them.
const RDS: &[u8] = include_bytes!("rds-authorities.pem");

/// What is trusted besides the public authorities.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Roots<'a> {
    /// Nothing.
    Public,
    File(&'a Path),
    /// PEM.
    Rds(&'static [u8]),
}

/// A file that is named takes the place of RDS's own authorities, which count only for names of RDS.
pub(super) fn roots<'a>(host: &str, file: Option<&'a Path>) -> Roots<'a> {
    match file {
        Some(file) => Roots::File(file),
        None if hosts::read(host).is_some() => Roots::Rds(RDS),
        None => Roots::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rds_is_trusted_for_its_own_names_only() {
        let own = Path::new("/ca.pem");
        assert!(matches!(roots("orders.cluster-abc.eu-west-1.rds.amazonaws.com", None), Roots::Rds(_)));
        assert!(matches!(roots("ORDERS.abc.rds.cn-north-1.amazonaws.com.cn", None), Roots::Rds(_)));
        assert_eq!(roots("orders.abc.eu-west-1.rds.amazonaws.com", Some(own)), Roots::File(own));
        for host in [
            "db.example.com",
            "orders.abc.eu-west-1.rds.amazonaws.com.example.com",
            "127.0.0.1",
            "evil-rds.amazonaws.com",
        ] {
            assert_eq!(roots(host, None), Roots::Public, "{host}");
        }
    }
}
