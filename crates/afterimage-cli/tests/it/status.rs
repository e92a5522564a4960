//! `afterimage status`.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use testkit::dynamodb::UnservedEndpoint;

use crate::observed::Observed;
use crate::program::{Run, check, run, to_its_end};
use crate::service::{Service, on_aws};
use crate::world::World;

#[test]
fn a_stack_s_views_are_shown_with_lag_outcomes_parked_and_drift() {
    let observed = Observed::start();
    let stack = &observed.stack;
    let own = ["--endpoint", &stack.dynamodb_url, "--output", "json"];
    let verified = run(&[&["verify", "--patience", "0"], &own[..]].concat());
    assert_eq!(verified.code, Some(1), "a broken count has drifted: {}", verified.stderr);
    let drift: Value = serde_json::from_str(&verified.stdout).expect("JSON");
    let drift_count = drift["views"][0]["drift"].as_array().expect("drift").len();
    let shown = run(&[&["status", "--http-url", &stack.http_url], &own[..]].concat());
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["stack"]["drained"], false, "one record fails again and again: {shown}");
    let view = &shown["views"][0];
    assert_eq!(view["view"], "genre-counts");
    assert_eq!(view["parked"], 1, "{view}");
    assert_eq!(view["outcomes"]["applied"], 1, "{view}");
    assert_eq!(view["verified"]["drift"], drift_count, "{view}");
    assert!(view["lag_ms"].as_i64().is_some_and(|lag_ms| lag_ms >= 0), "{view}");
    assert_eq!(shown["views"][1]["view"], "message-groups");
    assert_eq!(shown["views"][1]["lag_ms"], Value::Null);

    let table = run(&["status", "--http-url", &stack.http_url, "--endpoint", &stack.dynamodb_url]);
    let lines: Vec<_> = table.stdout.lines().collect();
    assert!(lines[0].starts_with("not drained: "), "{}", table.stdout);
    assert!(lines[1].starts_with("VIEW "), "{}", table.stdout);
    assert!(lines[2].starts_with("genre-counts ") && lines[2].contains("parked=1"), "{lines:?}");
    assert_eq!(observed.stack.stop("TERM"), Some(0));
}

/// An event as CloudWatch answers it.
fn event(id: usize, at_ms: i64, line: &str) -> Value {
    json!({ "eventId": id.to_string(), "timestamp": at_ms, "message": line })
}

/// Runs `status --aws` against a log group, and a DynamoDB that is not on AWS; the requests for events.
fn with_log(dynamodb_url: &str, pages: Vec<Value>, arguments: &[&str]) -> (Run, Vec<Value>) {
    let service = Service::start(pages.into_iter().map(|page| (200, page)).collect());
    let arguments = [&["status", "--aws", "--log-group", "group"], arguments].concat();
    let mut command = service.command(&arguments);
    let run = to_its_end(command.env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url));
    (run, service.requests())
}

#[test]
fn what_the_stream_processor_logs_is_summed_up() {
    let observed = Observed::start();
    let path = observed.folder.path().join("logs/functions.jsonl");
    let text = std::fs::read_to_string(path).expect("a log");
    let is_of_batch =
        |line: &&str| line.contains("\"batch processed\"") || line.contains("\"view updated\"");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter(is_of_batch).enumerate();
    let events: Vec<Value> = lines.map(|(id, line)| event(id, 1, line)).collect();
    let url = &observed.stack.dynamodb_url;
    let (run, _) = with_log(url, vec![json!({ "events": events })], &["--output", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let shown: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let view = &shown["views"][0];
    assert_eq!(view["outcomes"]["applied"], 1, "{view}");
    assert!(view["outcomes"]["failed"].as_u64().is_some_and(|count| count > 0), "{view}");
    assert_eq!(view["parked"], 1, "{view}");
    assert!(view["lag_ms"].as_i64().is_some_and(|lag_ms| lag_ms >= 0), "{view}");
    assert_eq!(shown["views"][1]["lag_ms"], Value::Null);
}

fn batch(outcomes: &Value) -> String {
    json!({ "message": "batch processed", "outcomes": outcomes, "oldest_record_lag_ms": 9 })
        .to_string()
}

fn lag(view: &str, seconds: Option<f64>) -> String {
    let mut line = json!({ "message": "view updated", "View": view, "parked_count": 0 });
    if let Some(seconds) = seconds {
        line["view_lag_seconds"] = seconds.into();
    }
    line.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_added_up_and_the_newest_lag_counts() {
    let world = World::new().await;
    let pages = || {
        let first = [
            event(
                1,
                1000,
                &batch(&json!({ "genre-counts": { "applied": 2 }, "-": { "parked": 1 } })),
            ),
            event(2, 1000, &lag("genre-counts", Some(0.5))),
            event(3, 2000, &lag("genre-counts", Some(1.25))),
        ];
        let second = [
            event(4, 500, &lag("genre-counts", Some(7.0))),
            event(5, 3000, &lag("genre-counts", None)),
            event(6, 3000, &batch(&json!({ "genre-counts": { "applied": 3, "failed": 1 } }))),
        ];
        vec![json!({ "events": first, "nextToken": "t" }), json!({ "events": second })]
    };
    let (run, requests) = with_log(&world.endpoint(), pages(), &[]);
    let (title, table) = run.stdout.split_once('\n').expect("lines");
    let since = title.strip_prefix("group since ").and_then(|it| it.strip_suffix(": 2 batches"));
    assert!(since.is_some_and(|since| since.ends_with('Z')), "{run:?}");
    expect![[r#"
        VIEW            LAG    OUTCOMES            PARKED  DRIFT  VERIFIED AT  STATE
        -               -      parked=1            0       -      never        -
        genre-counts    1.2 s  applied=5 failed=1  0       -      never        -
        message-groups  -      none                0       -      never        -
        note: there is no registry yet: the first batch or the first `up` makes it
    "#]]
    .assert_eq(table);
    assert_eq!(requests[0]["logGroupName"], "group");
    expect![[r#"{ ($.message = "batch processed") || ($.message = "view updated") }"#]]
        .assert_eq(requests[0]["filterPattern"].as_str().expect("a pattern"));
    let (run, _) = with_log(&world.endpoint(), pages(), &["--output", "json", "--since", "1d"]);
    let mut shown: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert!(shown["log"]["since"].take().is_string(), "{shown}");
    expect![[r#"
        {"log":{"batches":2,"log_group":"group","since":null},"notes":["there is no registry yet: the first batch or the first `up` makes it"],"stack":null,"views":[{"generation":null,"lag_ms":null,"outcomes":{"parked":1},"parked":0,"state":null,"verified":null,"view":"-"},{"generation":null,"lag_ms":1250,"outcomes":{"applied":5,"failed":1},"parked":0,"state":null,"verified":null,"view":"genre-counts"},{"generation":null,"lag_ms":null,"outcomes":{},"parked":0,"state":null,"verified":null,"view":"message-groups"}]}
    "#]].assert_eq(&format!("{shown}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_log_group_it_is_said_how_lag_and_outcomes_are_had() {
    let world = World::new().await;
    let check = |arguments: &[&str], expected: &Expect| {
        let arguments = [&["status", "--aws"], arguments].concat();
        let run = to_its_end(&mut on_aws(&world.endpoint(), &arguments));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        expected.assert_eq(&(run.stdout + &run.stderr));
    };
    check(
        &[],
        &expect![[r#"
            lag and outcomes are in a log group: give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup
            VIEW            LAG  OUTCOMES  PARKED  DRIFT  VERIFIED AT  STATE
            genre-counts    -    -         0       -      never        -
            message-groups  -    -         0       -      never        -
            note: there is no registry yet: the first batch or the first `up` makes it
        "#]],
    );
    check(
        &["--output", "json"],
        &expect![[r#"
            {"log":null,"notes":["there is no registry yet: the first batch or the first `up` makes it"],"stack":null,"views":[{"generation":null,"lag_ms":null,"outcomes":null,"parked":0,"state":null,"verified":null,"view":"genre-counts"},{"generation":null,"lag_ms":null,"outcomes":null,"parked":0,"state":null,"verified":null,"view":"message-groups"}]}
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_summed_up_is_no_status() {
    let world = World::new().await;
    let line = r#"{"message":"batch processed","outcomes":"many"}"#;
    let page = json!({ "events": [event(1, 1000, line)] });
    let (run, _) = with_log(&world.endpoint(), vec![page], &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    expect![[r#"
        error: a line in group tells of no batch in the way of this version
          because: invalid type: string "many", expected a map
          next: name the log group in the deployed stack's output ProcessorLogGroup, or give a shorter --since
    "#]].assert_eq(&run.stderr);
}

#[test]
fn a_stack_that_does_not_answer_is_said() {
    let nobody = UnservedEndpoint::hold();
    let url = format!("{}/", nobody.url());
    let run = run(&["status", "--http-url", &url, "--endpoint", &url]);
    assert_eq!(run.code, Some(1));
    let expected = format!("error: no local stack answers at {url}\n");
    assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    assert!(run.stderr.contains("next: start it with `cargo run -- up`"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_stack_is_said() {
    let world = World::new().await;
    let endpoint = world.endpoint();
    let url = format!("{endpoint}/");
    let run = run(&["status", "--http-url", &url, "--endpoint", &endpoint]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("name the URL of a local stack with --http-url"), "{}", run.stderr);
    check(
        &endpoint,
        &["status", "--aws", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint and --aws exclude each other
              next: give the one that you mean
        "#]],
    );
}

#[test]
fn options_that_mix_two_stacks_are_refused() {
    let url = "http://127.0.0.1:1";
    for (arguments, expected) in [
        (
            &["status", "--endpoint", url] as &[&str],
            expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint alone would show the lag and the outcomes of another stack
              next: give --http-url too: `afterimage up` prints both URLs of a stack
        "#]],
        ),
        (
            &["status", "--http-url", url],
            expect![[r#"
            exit code 2
            on standard error:
            error: --http-url alone would show what is parked on another stack
              next: give --endpoint too: `afterimage up` prints both URLs of a stack
        "#]],
        ),
        (
            &["status", "--http-url", url, "--aws"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --http-url is of a local stack, and --aws is not
              next: give the one that you mean: on AWS, lag and outcomes are in --log-group
        "#]],
        ),
        (
            &["status", "--log-group", "group"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --log-group is on AWS
              next: give --aws with it, or --http-url for a local stack
        "#]],
        ),
        (
            &["status", "--since", "1d"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --since is of a log group on AWS: a local stack counts from its start
              next: leave it out, or give --aws with it
        "#]],
        ),
        (
            &["status", "--aws", "--since", "1d"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --since is of a log group, and none is named
              next: give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup
        "#]],
        ),
        (
            &["token", "mira", "--endpoint", url],
            expect![[r#"
            exit code 2
            on standard error:
            error: token asks the local stack's HTTP API, and no DynamoDB: --endpoint says nothing to it
              next: name the stack with --http-url
        "#]],
        ),
    ] {
        check("no endpoint", arguments, &expected);
    }
}
