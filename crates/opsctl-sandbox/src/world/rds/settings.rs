//! What clusters and instances have besides: parameter group, security groups, windows, protection; and how they are modified.

use super::{
    request::{Request, invalid},
    xml::Xml,
};
use crate::world::{ApiError, call::Answered};

/// Days of backups at most (RDS API reference).
const BACKUP_DAYS_MAX: i64 = 35;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// None: the default one of its engine.
    pub parameter_group: Option<String>,
    pub subnet_group: String,
    pub security_groups: Vec<String>,
    pub backup_window: String,
    pub maintenance_window: String,
    pub backup_days: u32,
    pub deletion_protection: bool,
    pub iam_authentication: bool,
    pub is_public: bool,
    pub master: String,
    pub database: Option<String>,
    pub port: Option<u16>,
    pub tags: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parameter_group: None,
            subnet_group: "default".to_owned(),
            security_groups: vec!["sg-0123456789abcdef0".to_owned()],
            backup_window: "00:15-00:45".to_owned(),
            maintenance_window: "sun:02:00-sun:02:30".to_owned(),
            backup_days: 7,
            deletion_protection: false,
            iam_authentication: false,
            is_public: false,
            master: "postgres".to_owned(),
            database: None,
            port: None,
            tags: Vec::new(),
        }
    }
}

impl Settings {
    /// Takes what a request says; `group` names its member for the parameter group.
    pub(super) fn take(&mut self, request: &Request, group: &str) -> Answered<()> {
        let text = |name: &str, into: &mut String| {
            if let Some(value) = request.field(name) {
                value.clone_into(into);
            }
        };
        text("DBSubnetGroupName", &mut self.subnet_group);
        text("PreferredBackupWindow", &mut self.backup_window);
        text("PreferredMaintenanceWindow", &mut self.maintenance_window);
        text("MasterUsername", &mut self.master);
        let flag = |name: &str, into: &mut bool| {
            if request.field(name).is_some() {
                *into = request.flag(name);
            }
        };
        flag("DeletionProtection", &mut self.deletion_protection);
        flag("EnableIAMDatabaseAuthentication", &mut self.iam_authentication);
        flag("PubliclyAccessible", &mut self.is_public);
        if let Some(days) = request.number("BackupRetentionPeriod")? {
            let days = u32::try_from(days).ok().filter(|days| i64::from(*days) <= BACKUP_DAYS_MAX);
            self.backup_days = days.ok_or_else(|| {
                invalid(format!("Invalid backup retention period. Must be between 0 and {BACKUP_DAYS_MAX}"))
            })?;
        }
        if let Some(port) = request.number("Port")? {
            self.port = Some(u16::try_from(port).map_err(|_| invalid(format!("Invalid value {port} for Port")))?);
        }
        self.parameter_group = request.field(group).map(str::to_owned).or(self.parameter_group.take());
        let database = request.field("DBName").or_else(|| request.field("DatabaseName"));
        self.database = database.map(str::to_owned).or(self.database.take());
        let groups = request.list("VpcSecurityGroupIds.VpcSecurityGroupId");
        if !groups.is_empty() {
            self.security_groups = groups.into_iter().map(str::to_owned).collect();
        }
        let tag = |number: usize| {
            let part = |part: &str| request.field(&format!("Tags.Tag.{number}.{part}"));
            Some((part("Key")?.to_owned(), part("Value").unwrap_or_default().to_owned()))
        };
        self.tags.extend((1..=50).map_while(tag));
        Ok(())
    }

    pub(super) fn write(&self, xml: &mut Xml) {
        xml.text("MasterUsername", &self.master)
            .text("PreferredBackupWindow", &self.backup_window)
            .text("PreferredMaintenanceWindow", &self.maintenance_window)
            .text("BackupRetentionPeriod", self.backup_days)
            .text("DeletionProtection", self.deletion_protection)
            .text("IAMDatabaseAuthenticationEnabled", self.iam_authentication)
            .text("AutoMinorVersionUpgrade", true)
            .text("CopyTagsToSnapshot", true)
            .element("VpcSecurityGroups", |xml| {
                for group in &self.security_groups {
                    xml.element("VpcSecurityGroupMembership", |xml| {
                        xml.text("VpcSecurityGroupId", group).text("Status", "active");
                    });
                }
            })
            .element("TagList", |xml| {
                for (key, value) in &self.tags {
                    xml.element("Tag", |xml| {
                        xml.text("Key", key).text("Value", value);
                    });
                }
            });
    }
}

/// `default.postgres16`, `default.aurora-mysql8.0`: what is taken where none is named.
pub(super) fn default_group(engine: &str, version: &str) -> String {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or("0"));
    let family = if engine.contains("mysql") { format!("{major}.{minor}") } else { major.to_owned() };
    format!("default.{engine}{family}")
}

pub(super) fn port(engine: &str) -> u16 {
    if engine.contains("mysql") || engine.contains("mariadb") { 3_306 } else { 5_432 }
}

/// The resource id that belongs to a name.
pub(super) fn resource_id(kind: &str, name: &str) -> String {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".as_bytes();
    let mut hash = crate::world::hash(name.bytes());
    let mut id = String::from(kind);
    for _ in 0..26 {
        id.push(char::from(digits[(hash % 32) as usize]));
        hash = hash.rotate_right(5).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    id
}

pub(super) fn combination(message: impl Into<String>) -> ApiError {
    ApiError::plain(400, "InvalidParameterCombination", message)
}
