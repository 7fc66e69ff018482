//! CloudWatch's forms and XML, where they differ from its documents (botocore's model of 2010-08-01).

use crate::world::service::Form;

pub(super) static FORM: Form = Form {
    versions: &["2010-08-01"],
    namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
    flattened: &[],
    numbers: &[
        "Counts",
        "DatapointsToAlarm",
        "EvaluationPeriods",
        "MaxDatapoints",
        "MaxRecords",
        "Maximum",
        "Minimum",
        "MetricData.Value",
        "Period",
        "SampleCount",
        "StorageResolution",
        "Sum",
        "Threshold",
        "Values",
    ],
    flags: &["ActionsEnabled", "ReturnData"],
    times: &[
        "AlarmConfigurationUpdatedTimestamp",
        "LastUpdatedTimestamp",
        "StateTransitionedTimestamp",
        "StateUpdatedTimestamp",
        "Timestamp",
        "Timestamps",
    ],
    silent: &[
        "DeleteAlarmMuteRule",
        "DeleteAlarms",
        "DisableAlarmActions",
        "EnableAlarmActions",
        "PutAlarmMuteRule",
        "PutCompositeAlarm",
        "PutMetricAlarm",
        "PutMetricData",
        "SetAlarmState",
    ],
    wordings: &[],
};
