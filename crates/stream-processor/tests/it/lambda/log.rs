//! What the function writes to standard output.

use std::collections::BTreeMap;

use afterimage_schema::Table;
use serde_json::{Value, json};
use testkit::lambda::{Function, SavedQuery};

use super::endings::panicking_start;
use super::start::start_with;
use super::{ALBUMS, Deployment, batch, failed, record, text};

/// What stands in every item, keys included, and may stand in no line.
const SECRET: &str = "between-you-and-me";

/// The id of the second request.
const SECOND: &str = "00000000-0000-4000-8000-000000000002";

/// Longer than a reason is told.
const ATTRIBUTE_BYTES: usize = 3_000;

fn album(number: u64, genre: &Value) -> Value {
    let image = json!({
        "Artist": {"S": format!("{SECRET} {number}")}, "Album": {"S": SECRET}, "Genre": genre,
        "Note": {"S": SECRET},
    });
    let mut record = record(&ALBUMS, number, "INSERT", &["Artist", "Album"], &image);
    record["dynamodb"]["ApproximateCreationDateTime"] = json!(1_767_600_600);
    record
}

/// The lines of a process that met all that is logged: a first batch; one with a record that is new, one
/// that was there, two that are parked and one that fails; and one without a table.
async fn lines() -> Vec<Value> {
    let deployment = Deployment::new().await;
    let derived = deployment.tables.name(&Table::DERIVED);
    let put = deployment.client.put_item().table_name(derived);
    let put = put.item("pk", text("albums-by-genre")).item("sk", text("Broken"));
    put.item("count", text("many")).send().await.expect("a put");
    let (mut function, _dynamodb) = deployment.start(None).await;
    let rock = json!({"S": "Rock"});
    let mut unreadable = album(5, &rock);
    unreadable["dynamodb"]["NewImage"]["n".repeat(ATTRIBUTE_BYTES)] = json!(SECRET);
    let first = [album(1, &rock)];
    let second = [
        first[0].clone(),
        album(2, &rock),
        album(3, &json!({"L": [{"S": SECRET}]})),
        album(4, &json!({"S": "Broken"})),
        unreadable,
    ];
    deliver(&mut function, &first, 0).await;
    deliver(&mut function, &second, 1).await;
    let delete = deployment.client.delete_table().table_name(derived);
    delete.send().await.expect("a deletion");
    deliver(&mut function, &[album(6, &rock)], 1).await;
    let ended = function.terminate().await;
    ended.assert_hides(SECRET);
    ended.log()
}

async fn deliver(function: &mut Function, records: &[Value], failed_count: usize) {
    let response = function.invoke(&batch(records)).await.expect("a response");
    assert_eq!(failed(&response).len(), failed_count, "{response}");
}

fn of_second<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|it| it["message"] == message && it["requestId"] == SECOND).collect()
}

#[tokio::test]
async fn an_invocation_is_one_wide_event_and_the_metrics_of_its_views() {
    let lines = lines().await;
    let wide: Vec<_> = lines.iter().filter(|it| it["message"] == "batch processed").collect();
    assert_eq!(wide.iter().map(|it| &it["cold_start"]).collect::<Vec<_>>(), [true, false, false]);
    let wide = wide[1];
    let counts = json!({"applied": 1, "duplicate": 1, "failed": 1, "parked": 2});
    for (field, expected) in [
        ("record_count", json!(5)),
        ("failed_count", json!(1)),
        ("parked_count", json!(2)),
        ("duplicate_count", json!(1)),
        ("outcomes", json!({ "genre-counts": counts })),
        ("lowest_failed_sequence_number", json!("100000000000000000004")),
        ("requestId", json!(SECOND)),
        ("FunctionName", json!("under-test")),
        ("level", json!("INFO")),
    ] {
        assert_eq!(wide[field], expected, "{field} in {wide}");
    }
    for field in ["write_units", "read_units", "transaction_count", "oldest_record_lag_ms"] {
        assert!(wide[field].as_f64().is_some_and(|it| it > 0.0), "{field} in {wide}");
    }
    for field in ["conflict_count", "retry_count", "duration_ms"] {
        assert!(wide[field].is_u64(), "{field} in {wide}");
    }

    let counted: BTreeMap<_, _> = of_second(&lines, "outcome counted")
        .into_iter()
        .map(|it| (it["Outcome"].as_str().expect("an outcome"), it["record_count"].clone()))
        .collect();
    assert_eq!(json!(counted), counts);
    let [view] = of_second(&lines, "view updated")[..] else { unreachable!("{lines:?}") };
    assert_eq!(view["View"], "genre-counts");
    assert!(view["view_lag_seconds"].as_f64().is_some_and(|lag| lag > 0.0), "{view}");
}

#[tokio::test]
async fn each_parked_or_failed_record_is_told_by_its_ids() {
    let lines = lines().await;
    let of = |message: &str| -> Vec<&Value> {
        let own = lines.iter().filter(|it| it["span"]["requestId"] == SECOND);
        own.filter(|it| it["fields"]["message"] == message).collect()
    };
    // Records are parked at once, and told as each is.
    let mut parked = of("record parked");
    parked.sort_by_key(|line| line["fields"]["sequence_number"].to_string());
    for (number, line) in [3, 5].into_iter().zip(&parked) {
        let number = format!("1{number:020}");
        assert_eq!(
            (&line["level"], &line["fields"]["view"]),
            (&json!("WARN"), &json!("genre-counts"))
        );
        assert_eq!(line["fields"]["sequence_number"], number);
        let id = format!("genre-counts#2026-01-01T00:00:00.000#{number}");
        assert_eq!(line["fields"]["parked_id"], id);
    }
    let reasons: Vec<_> =
        parked.iter().map(|it| it["fields"]["reason"].as_str().expect("a reason")).collect();
    assert_eq!(
        reasons[0],
        "the group attribute `Genre` is a list; a group is a string, a number or a boolean"
    );
    assert_eq!((reasons.len(), reasons[1].len()), (2, 1024));

    let [failed] = of("record failed, to be delivered again")[..] else {
        unreachable!("one fails: {lines:?}")
    };
    assert_eq!(
        (&failed["level"], &failed["fields"]["view"]),
        (&json!("WARN"), &json!("genre-counts"))
    );
    assert_eq!(failed["fields"]["table"], ALBUMS.default_name());
    assert_eq!(failed["fields"]["sequence_number"], "100000000000000000004");
}

#[tokio::test]
async fn saved_queries_find_what_was_written() {
    let without_table = start_with("DERIVED_TABLE", None).await.log();
    let lines = [lines().await, without_table, panicking_start().await.log()].concat();
    let errors = ["function cannot start", "panicked", "the registry could not be used"];
    for query in SavedQuery::of_log_group("ProcessorLogs") {
        if query.name == "errors of the stream processor" {
            query.assert_finds_errors(&lines, &errors);
        } else {
            query.rows(&lines);
        }
    }
}
