//! Expressions and what comes of them.

use super::*;

fn scope() -> Scope {
    let series = |points: &[(i64, f64)]| points.iter().map(|(minute, value)| (minute * 60_000, *value)).collect();
    let two: Vec<Series> = vec![series(&[(0, 1.0)]), series(&[(0, 2.0)])];
    Scope {
        series: BTreeMap::from([
            ("m1".to_owned(), vec![series(&[(0, 6.0), (2, 3.0)])]),
            ("m2".to_owned(), vec![series(&[(0, 2.0), (1, 4.0), (2, 0.0)])]),
            ("all".to_owned(), two),
        ]),
        metrics: vec!["m1".to_owned(), "m2".to_owned()],
        times: vec![0, 60_000, 120_000],
        period: 60_000,
    }
}

#[test]
fn it_counts_as_it_is_written() {
    for (text, expected) in [
        ("1 + 2 * 3", &[(0, 7.0), (1, 7.0), (2, 7.0)][..]),
        ("100*(m1 - 1)/(m1+4)", &[(0, 50.0), (2, 200.0 / 7.0)]),
        ("m1 / m2", &[(0, 3.0)]),
        ("m1 + missing", &[]),
        ("10 - 2 - 3", &[(0, 5.0), (1, 5.0), (2, 5.0)]),
        ("-m1", &[(0, -6.0), (2, -3.0)]),
        ("2 ^ 3", &[(0, 8.0), (1, 8.0), (2, 8.0)]),
        ("SUM(METRICS())", &[(0, 8.0), (1, 4.0), (2, 3.0)]),
        ("AVG([m1, m2])", &[(0, 4.0), (1, 4.0), (2, 1.5)]),
        ("MAX(METRICS())", &[(0, 6.0), (1, 4.0), (2, 3.0)]),
        ("m2 / SUM(m1)", &[(0, 2.0 / 9.0), (1, 4.0 / 9.0), (2, 0.0)]),
        ("SUM(all)", &[(0, 3.0)]),
        ("FILL(m1, 0)", &[(0, 6.0), (1, 0.0), (2, 3.0)]),
        ("FILL(m1, REPEAT)", &[(0, 6.0), (1, 6.0), (2, 3.0)]),
        ("IF(m2 > 1, m2, 0)", &[(0, 2.0), (1, 4.0), (2, 0.0)]),
        ("IF(m1 > 5 && m2 == 2, 1, -1)", &[(0, 1.0), (2, -1.0)]),
        ("RATE(m2)", &[(1, 2.0 / 60.0), (2, -4.0 / 60.0)]),
        ("DIFF(m1)", &[(2, -3.0)]),
        ("RUNNING_SUM(m2)", &[(0, 2.0), (1, 6.0), (2, 6.0)]),
        ("m1 / PERIOD(m1)", &[(0, 0.1), (2, 0.05)]),
        ("ABS(m1 - 5)", &[(0, 1.0), (2, 2.0)]),
    ] {
        let expression = Expression::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let expected: Series = expected.iter().map(|(minute, value)| (minute * 60_000, *value)).collect();
        assert_eq!(expression.series(&scope()), [expected], "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in ["", "1 +", "(1", "ANOMALY_DETECTION_BAND(m1)", "m1 m2", "SUM()", "IF(m1)", "[m1", &"(".repeat(50)] {
        assert!(Expression::parse(text).is_err(), "{text}");
    }
    assert_eq!(Expression::parse("SUM([m1, m2]) / IF(m3 > 1, m4, 2)").expect("good").names(), ["m1", "m2", "m3", "m4"]);
}
