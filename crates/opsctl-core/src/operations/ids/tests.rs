use super::*;

const A: &str = "6f1d3f1e-0000-4000-8000-00000000000a";
const B: &str = "6f1d3f1e-0000-4000-8000-00000000000b";
const MD5: &str = "098f6bcd4621d373cade4e832627b4f6";

fn read(bytes: &[u8]) -> Result<Vec<String>, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let read = messages(file.path()).map_err(|error| error.to_string())?;
    Ok(read.into_iter().map(|id| id.0).collect())
}

fn read_rows(columns: &[&str], text: &str) -> Result<Vec<String>, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let read = rows(file.path(), &columns, 1_048_576).map_err(|error| error.to_string())?;
    Ok(read.into_iter().map(|id| id.join("/")).collect())
}

#[test]
fn message_ids_are_taken_as_people_have_them() {
    let upper = A.to_uppercase();
    let lists = [
        format!("{A}\n{B}\n"),
        format!("\u{feff}{A}\r\n\r\n{B}\r\n"),
        format!("# those of tuesday\n  {A}\n// and\n-- and\n{B}  "),
        format!("{A}, {B}"),
        format!("{A},{B},"),
        format!("{A}\t{B}"),
        format!("{A} {B}"),
        format!("{A};{B}"),
        format!("'{A}',\n'{B}',\n"),
        format!("\"{A}\"\n\"{B}\""),
        format!("“{A}”,“{B}”"),
        format!("['{A}', '{B}']"),
        format!("[\"{A}\", \"{B}\",]"),
        format!("WHERE id IN ('{A}', '{B}')"),
        format!("ids = [\n  '{A}',\n  '{B}',\n]"),
        format!("- {A}\n- {B}"),
        format!("* {A}\n* `{B}`"),
        format!("1. {A}\n2. {B}"),
        format!("- [ ] {A}\n- [x] {B}"),
        format!("{{{A}}}\n{{{B}}}"),
        format!("{upper}\nurn:uuid:{B}\n{A}"),
        format!("{A}\u{a0}\u{200b}\n{B}"),
        // JSON of the AWS CLI, jq and opsctl.
        format!("[\"{A}\", \"{B}\"]"),
        format!("\"{A}\"\n\"{B}\"\n"),
        format!(
            r#"{{"Messages": [{{"MessageId": "{A}", "ReceiptHandle": "AQEB", "MD5OfBody": "{MD5}", "Body": "x"}}, {{"MessageId": "{B}"}}]}}"#
        ),
        format!(r#"[[["{A}"], ["{B}"]]]"#),
        format!(r#"[{{"messageId": "{A}"}}, {{"messageId": "{B}"}}]"#),
        format!("{{\"id\": \"{A}\", \"body\": \"x\"}}\n{{\"id\": \"{B}\"}}\n"),
        format!(r#"{{"queue": "q", "messages": [{{"id": "{A}", "attributes": {{}}}}, {{"id": "{B}"}}]}}"#),
        format!(
            r#"{{"Successful": [{{"Id": "0", "MessageId": "{A}"}}, {{"Id": "1", "MessageId": "{B}"}}], "Failed": []}}"#
        ),
        format!(r#"{{"ids": ["{A}", "{B}"]}}"#),
        format!("\"{A} {B}\""),
        // Text, YAML and tables of the AWS CLI.
        format!(
            "MESSAGES\tthe body\t{MD5}\t{A}\tAQEBx\nATTRIBUTES\t1\nMESSAGES\t{{\"a\": \"{MD5}\"}}\t{MD5}\t{B}\tAQEBy"
        ),
        format!(
            "Messages:\n- Body: x\n  MD5OfBody: {MD5}\n  MessageId: {A}\n  ReceiptHandle: AQEB\n- MessageId: {B}\n"
        ),
        format!("---\n- {A}\n- {B}\n"),
        format!("-----------\n|  ReceiveMessage  |\n+---------+\n|  {A}  |\n|  {B}  |\n+---------+\n"),
        format!(
            "-----\n|  ReceiveMessage  |\n+-----+\n||  Messages  ||\n|+---+|\n||  Body  |  MD5OfBody  |  MessageId  ||\n|+--+---+---+|\n\
             ||  {{\"a\": 1}}  |  {MD5}  |  {A}  ||\n||  x  |  {MD5}  |  {B}  ||\n|+--+---+---+|\n"
        ),
        format!("MessageId: {A}\nMessageId: {B}"),
        format!("messageId={A}\nmessageId={B}"),
        // Tables, spreadsheets, reports.
        format!("MessageId\n{A}\n{B}"),
        format!("sent,message_id,body\n2026-11-21,{A},\"a, b\"\n2026-11-22,{B},c"),
        format!("\"Message Id\";\"Body\"\r\n\"{A}\";\"x\"\r\n\"{B}\";\"y\"\r\n"),
        format!("request_id\tmessage_id\n{B}\t{A}\n{A}\t{B}\n"),
        format!("orders,{A},3\norders,{B},4"),
        format!("| id | queue |\n|----|-------|\n| {A} | q |\n| {B} | q |"),
        format!("    message_id    \n------------\n {A}\n {B}\n(2 rows)"),
        format!("+----+\n| message_id |\n+----+\n| {A} |\n| {B} |\n+----+\n2 rows in set"),
    ];
    for list in lists {
        let mut found = read(list.as_bytes()).unwrap_or_else(|error| panic!("{list}\n{error}"));
        found.sort();
        assert_eq!(found, [A, B], "{list}");
    }
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(format!("{A}\r\n{B}").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(&utf16), Ok(vec![A.to_owned(), B.to_owned()]));
}

#[test]
fn what_is_no_message_id_is_refused_with_its_line() {
    for (list, because) in [
        (String::new(), "it has no message id in it"),
        ("# nothing\n\n".to_owned(), "it has no message id in it"),
        ("[]".to_owned(), "it has no message id in it"),
        (r#"{"Messages": []}"#.to_owned(), "it has no message id in it"),
        (format!("{A}\n\nordres-17\n"), "line 3: `ordres-17` is not a message id"),
        (format!("{A}\n{}", &B[..20]), "line 2: `6f1d3f1e-0000-4000-8` is cut off"),
        (MD5.to_owned(), "line 1: `098f6bcd4621d373cade4e832627b4f6` is an MD5"),
        (format!("{A}\nAQEB{}", "x".repeat(80)), "line 2: `AQEBxxxx"),
        (r#"{"Messages": [{"Body": "x"}]}"#.to_owned(), "an object has no MessageId in it"),
        (format!("[\"{A}\",\n null]"), "line 2: `null` is not a message id"),
        (format!("[\"{A}\",\n 17]"), "line 2: `17` is not a message id"),
        (format!("{{\"MessageId\": \"{A}\""), "line 1: the JSON ends before it is complete"),
        (format!("[\n  \"{A}\",\n  \"{B}\","), "the JSON ends before it is complete"),
        (format!("a,b\n{A},{B}"), "line 1: `a` is not a message id"),
        (format!("x,{A},{B}\ny,{B},{A}"), "line 1: several columns may be the message id"),
        (format!("MessageId,x\n{A},1\n,2"), "line 3: `` is not a message id"),
        ("the quick brown fox".to_owned(), "line 1: `the` is not a message id"),
        ("arn:aws:sqs:x:1:q".to_owned(), "is an ARN"),
    ] {
        let refused = read(list.as_bytes()).expect_err(&list);
        assert!(refused.contains(because), "{list}\n{refused}");
    }
    assert!(read(&[0xff, 0xfe, 0x00]).is_err());
    assert!(read(&[0x89, b'P', b'N', b'G', 0]).expect_err("binary").contains("it is not a text"));
    assert!(messages(Path::new("/does/not/exist")).expect_err("missing").to_string().contains("No such file"));
}

#[test]
fn row_ids_are_taken_as_sql_clients_and_people_have_them() {
    for list in [
        "7\n8\n",
        "7,8",
        "7 8",
        "'7', '8'",
        "[7, 8]",
        "[\"7\", \"8\"]",
        "[{\"id\": 7, \"type\": \"x\"}, {\"id\": 8}]",
        "{\"rows\": [{\"id\": \"7\"}, {\"id\": \"8\"}]}",
        "{\"columns\": [\"id\", \"type\"], \"rows\": [{\"id\": [\"7\"], \"tags\": [\"a\"]}, {\"id\": [\"8\"]}]}",
        "{\"ids\": [7, 8], \"states\": [\"failed\"]}",
        "id\n7\n8",
        "id,type\n7,x\n8,y",
        "id\ttype\n7\tx\n8\ty",
        " id |  type\n----+-------\n  7 | x\n  8 | y\n(2 rows)\n",
        "+----+\n| id |\n+----+\n|  7 |\n|  8 |\n+----+\n2 rows in set (0.00 sec)\n",
        "IN (7, 8)",
        "- 7\n- 8",
    ] {
        assert_eq!(read_rows(&["id"], list), Ok(vec!["7".to_owned(), "8".to_owned()]), "{list}");
    }
    for list in [
        "a,7\nb,8",
        "tenant,id\na,7\nb,8",
        "id,x,tenant\n7,z,a\n8,z,b",
        "[[\"a\", 7], [\"b\", 8]]",
        "[{\"id\": 7, \"tenant\": \"a\"}, {\"tenant\": \"b\", \"id\": 8}]",
        "[\"a,7\", \"b,8\"]",
    ] {
        assert_eq!(read_rows(&["tenant", "id"], list), Ok(vec!["a/7".to_owned(), "b/8".to_owned()]), "{list}");
    }
    for (columns, list, because) in [
        (&["id"][..], "", "it has no row id in it"),
        (
            &["id"],
            "order_no\n7\n8\n9",
            "line 1: `order_no` is not an id like the others, which are numbers; if it is a heading, name the column id",
        ),
        (&["id"], "7\n8\nx9\n10", "line 3: `x9` is not an id like the others"),
        (&["id"], "{\"tags\": [\"a\"]}", "an object has no id in it"),
        (&["id"], "my row 1", "line 1: `my row 1` may be one id or several"),
        (&["tenant", "id"], "a,7\nb", "line 2: an id here has 2 columns, and `b` has 1"),
        (&["tenant", "id"], "7", "line 1: an id here has 2 columns"),
        (&["tenant", "id"], "[{\"id\": 7}]", "an object has no tenant, id in it"),
        (&["id"], "| a | b |\n|---|---|\n| 1 | 2 |", "several columns may be the row id"),
    ] {
        let refused = read_rows(columns, list).expect_err(list);
        assert!(refused.contains(because), "{list}\n{refused}");
    }
    assert_eq!(read_rows(&["id"], "'my row 1', \"b,c\""), Ok(vec!["my row 1".to_owned(), "b,c".to_owned()]));
}
