use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

const VIEWS: &str = r#"
[table.orders]
name          = "prod-orders"
partition_key = "customer"
sort_key      = { name = "order", type = "N" }
[table.orders.index.by-status]
partition_key = "status"

[table.chats]
partition_key = "pk"
sort_key      = "sk"

[[view]]
name     = "by-status"
kind     = "count"
source   = "orders"
group_by = "status"
remove   = "retract"
target   = { table = "derived", pk = "orders-by-status", sk = "{status}", count = "count" }

[[view]]
name     = "ever-by-status"
kind     = "count"
source   = "orders"
where    = { shop = { prefix = "eu-" } }
group_by = "status"
remove   = "skip"
target   = { table = "derived", pk = "ever", sk = "status/{status}", count = "orders" }

[[view]]
name     = "newest"
kind     = "latest"
source   = "chats"
where    = { pk = { prefix = "MSG#" } }
group_by = { attribute = "pk", strip_prefix = "MSG#" }
order_by = "sk"
copy     = ["text", "mood"]
rows     = { where = { pk = { prefix = "GRP#" } }, group = "chat", index = "by-chat", may_gain = ["pinned"] }
remove   = "skip"
"#;

fn oracle() -> Oracle {
    Oracle::read(VIEWS).expect("a views file")
}

fn order(number: &str, status: &Value) -> Value {
    let shop = if number.len() == 1 { "eu-1" } else { "us-1" };
    let mut order = json!({"customer": {"S": "c"}, "order": {"N": number}, "shop": {"S": shop}});
    if !status.is_null() {
        order["status"] = status.clone();
    }
    order
}

fn orders(items: Vec<Value>, delivered: Vec<Value>) -> GroundState {
    GroundState {
        items: [("orders".to_owned(), items)].into(),
        delivered: [("orders".to_owned(), delivered)].into(),
        ..GroundState::default()
    }
}

/// The sort keys and counts of a view, a word each.
fn counts(view: &str, ground: &GroundState) -> String {
    let expected = oracle().expected(ground).expect("a fold");
    let word = |item: &Value| {
        let count = item.get("count").or_else(|| item.get("orders")).expect("a count");
        format!("{}={}", item["sk"]["S"].as_str().expect("a key"), count["N"].as_str().expect("it"))
    };
    expected.counts[view].iter().map(word).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check_groups(statuses: &[Value], expected: &str) {
    let items = statuses.iter().enumerate().map(|(at, it)| order(&at.to_string(), it)).collect();
    assert_eq!(counts("by-status", &orders(items, Vec::new())), expected);
}

#[test]
fn groups_are_equal_if_their_rendered_keys_are() {
    check_groups(
        &[json!({"S": "paid"}), json!({"S": "sent"}), json!({"S": "paid"})],
        "paid=2 sent=1",
    );
    check_groups(&[json!({"N": "1980"}), json!({"N": "1.98E3"}), json!({"S": "1980"})], "1980=3");
    check_groups(&[json!({"N": "-0.50"}), json!({"N": "0.5"})], "-0.5=1 0.5=1");
    check_groups(
        &[json!({"BOOL": true}), json!({"S": "true"}), json!({"BOOL": false})],
        "false=1 true=2",
    );
    check_groups(&[json!({"S": "{status}"})], "{status}=1");
}

#[test]
fn an_item_without_a_group_adds_nothing() {
    check_groups(&[Value::Null, json!({"NULL": true}), json!({"L": []}), json!({"B": "AA=="})], "");
    check_groups(&[json!({"S": ""}), json!({"S": "a".repeat(1025)})], "");
    check_groups(&[json!({"S": "é".repeat(512)})], &format!("{}=1", "é".repeat(512)));
}

#[test]
fn skipped_removals_stay_counted_as_last_delivered() {
    let paid = json!({"S": "paid"});
    let ground = orders(
        vec![order("1", &paid), order("22", &paid)],
        // 1 stands as it was changed since; 2.0 was deleted; 33 is of another shop.
        vec![order("1", &json!({"S": "new"})), order("2.0", &paid), order("33", &paid)],
    );
    assert_eq!(counts("by-status", &ground), "paid=2");
    assert_eq!(counts("ever-by-status", &ground), "status/paid=1");
    let mut ground = ground;
    ground.delivered.get_mut("orders").expect("it").push(order("4", &paid));
    assert_eq!(counts("ever-by-status", &ground), "status/paid=2");
}

#[test]
fn a_parked_item_adds_nothing_to_the_view_that_parked_it() {
    let mut ground = orders(vec![order("7", &json!({"S": "paid"}))], Vec::new());
    ground.parked.insert(
        "by-status".to_owned(),
        vec![json!({"customer": {"S": "c"}, "order": {"N": "7.0"}})],
    );
    assert_eq!(counts("by-status", &ground), "");
    assert_eq!(counts("ever-by-status", &ground), "status/paid=1");
}

fn message(chat: &str, at: &str, text: &str) -> Value {
    json!({"pk": {"S": format!("MSG#{chat}")}, "sk": {"S": at}, "text": {"S": text}})
}

fn row(owner: &str, chat: &str, at: &str, text: &str) -> Value {
    json!({
        "pk": {"S": format!("GRP#{owner}")}, "sk": {"S": at}, "chat": {"S": chat},
        "text": {"S": text}, "note": {"S": "mine"},
    })
}

fn chats(items: &[Value], delivered: &[Value]) -> GroundState {
    GroundState {
        items: [("chats".to_owned(), items.to_vec())].into(),
        delivered: [("chats".to_owned(), delivered.to_vec())].into(),
        ..GroundState::default()
    }
}

/// Checks every difference, a line each.
#[track_caller]
fn check_differences(ground: &GroundState, derived: &[Value], expected: &Expect) {
    let differences = oracle().differences(ground, derived).expect("a fold");
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn the_expectation_is_json() {
    let mut ground = orders(vec![order("1", &json!({"N": "2e1"}))], Vec::new());
    ground.items.insert("chats".to_owned(), vec![message("g", "t2", "hi"), message("g", "t1", "")]);
    let expected = oracle().expected(&ground).expect("a fold");
    let json = serde_json::to_string_pretty(&expected).expect("JSON");
    expect![[r#"
        {
          "counts": {
            "by-status": [
              {
                "count": {
                  "N": "1"
                },
                "pk": {
                  "S": "orders-by-status"
                },
                "sk": {
                  "S": "20"
                }
              }
            ],
            "ever-by-status": [
              {
                "orders": {
                  "N": "1"
                },
                "pk": {
                  "S": "ever"
                },
                "sk": {
                  "S": "status/20"
                }
              }
            ]
          },
          "latest": {
            "newest": {
              "g": {
                "newest": {
                  "pk": {
                    "S": "MSG#g"
                  },
                  "sk": {
                    "S": "t2"
                  },
                  "text": {
                    "S": "hi"
                  }
                },
                "rows": {
                  "sort_keys": [
                    "t2",
                    "t2#g"
                  ],
                  "copied": {
                    "text": {
                      "S": "hi"
                    }
                  }
                }
              }
            }
          }
        }"#]]
    .assert_eq(&json);
}

#[test]
fn rows_stand_once_at_the_newest_with_its_copies() {
    let messages = [message("g", "t1", "old"), message("g", "t2", "new")];
    let check = |rows: &[Value], expected: Expect| {
        check_differences(&chats(&[&messages[..], rows].concat(), &[]), &[], &expected);
    };
    check(&[row("a", "g", "t2", "new"), row("b", "g", "t2#g", "new")], expect![[""]]);
    check(&[row("a", "other", "t9", "as put")], expect![[""]]);
    check(
        &[row("a", "g", "t1", "new")],
        expect![[
            r#"newest: the row of GRP#a in g: the fold is at ["t2", "t2#g"], the row at "t1""#
        ]],
    );
    check(
        &[row("a", "g", "t2", "old")],
        expect![[
            r#"newest: the row of GRP#a in g: the fold copies {"text":{"S":"new"}}, the row has {"text":{"S":"old"}}"#
        ]],
    );
    check(
        &[row("a", "g", "t2", "new"), row("a", "g", "t2#g", "new")],
        expect!["newest: the row of GRP#a in g: it is not the only one"],
    );
    let mut moody = row("a", "g", "t2", "new");
    moody["mood"] = json!({"N": "1"});
    check(
        &[moody],
        expect![[
            r#"newest: the row of GRP#a in g: the fold copies {"text":{"S":"new"}}, the row has {"mood":{"N":"1"},"text":{"S":"new"}}"#
        ]],
    );
}

#[test]
fn a_deleted_message_stays_the_newest() {
    let ground = chats(
        &[message("g", "t1", "old"), row("a", "g", "t1", "old")],
        &[message("g", "t1", "old"), message("g", "t2", "deleted")],
    );
    check_differences(
        &ground,
        &[],
        &expect![[
            r#"newest: the row of GRP#a in g: the fold is at ["t2", "t2#g"], the row at "t1""#
        ]],
    );
}

#[test]
fn a_parked_row_stays_as_it_was_put() {
    let mut ground = chats(&[message("g", "t1", "hi"), row("a", "g", "t0", "put")], &[]);
    ground.parked.insert("newest".to_owned(), vec![row("a", "g", "t0", "")]);
    check_differences(&ground, &[], &expect![[""]]);
}

#[test]
fn counts_that_differ_are_told() {
    let ground = orders(vec![order("11", &json!({"S": "paid"}))], Vec::new());
    let count = |pk: &str, sk: &str, count: &str| json!({"pk": {"S": pk}, "sk": {"S": sk}, "count": {"N": count}});
    let zero = count("orders-by-status", "sent", "0");
    let paid = count("orders-by-status", "paid", "1");
    check_differences(&ground, &[paid.clone(), zero, count("others", "x", "1")], &expect![[""]]);
    check_differences(
        &ground,
        &[],
        &expect![[
            r#"by-status: the fold is {"count":{"N":"1"},"pk":{"S":"orders-by-status"},"sk":{"S":"paid"}}, derived is nothing"#
        ]],
    );
    check_differences(
        &ground,
        &[count("orders-by-status", "paid", "2")],
        &expect![[
            r#"by-status: the fold is {"count":{"N":"1"},"pk":{"S":"orders-by-status"},"sk":{"S":"paid"}}, derived is {"count":{"N":"2"},"pk":{"S":"orders-by-status"},"sk":{"S":"paid"}}"#
        ]],
    );
    check_differences(
        &ground,
        &[paid.clone(), count("orders-by-status", "new", "-1")],
        &expect![[
            r#"by-status: the fold is nothing, derived is {"count":{"N":"-1"},"pk":{"S":"orders-by-status"},"sk":{"S":"new"}}"#
        ]],
    );
    let mut more = paid;
    more["updated"] = json!({"BOOL": true});
    check_differences(
        &ground,
        &[more],
        &expect![[
            r#"by-status: the fold is {"count":{"N":"1"},"pk":{"S":"orders-by-status"},"sk":{"S":"paid"}}, derived is {"count":{"N":"1"},"pk":{"S":"orders-by-status"},"sk":{"S":"paid"},"updated":{"BOOL":true}}"#
        ]],
    );
}

#[track_caller]
fn check_refused(views: &str, expected: &Expect) {
    let error = Oracle::read(views).expect_err("no views file");
    let cause = std::error::Error::source(&error).map(|it| format!(": {it}")).unwrap_or_default();
    expected.assert_eq(&format!("{error}{cause}"));
}

#[test]
fn what_the_oracle_does_not_know_is_refused() {
    let view = |kind: &str, rest: &str| {
        format!("[[view]]\nname = \"v\"\nkind = \"{kind}\"\nsource = \"t\"\n{rest}")
    };
    let count = "group_by = \"g\"\nremove = \"retract\"\ntarget = { pk = \"p\", sk = \"{g}\", count = \"n\" }";
    check_refused(
        &view("count", count),
        &expect!["view `v` reads table `t`, and the file has no section `[table.t]`"],
    );
    check_refused(
        &view("ranked", count),
        &expect![[r#"
        the oracle cannot read the views file: it knows `[table.NAME]`, `count` and `latest`: TOML parse error at line 3, column 8
          |
        3 | kind = "ranked"
          |        ^^^^^^^^
        unknown variant `ranked`, expected `count` or `latest`
    "#]],
    );
    check_refused(
        &view("count", &format!("{count}\nhaving = 1")),
        &expect![[r#"
        the oracle cannot read the views file: it knows `[table.NAME]`, `count` and `latest`: TOML parse error at line 1, column 1
          |
        1 | [[view]]
          | ^^^^^^^^
        unknown field `having`, expected one of `name`, `source`, `where`, `group_by`, `remove`, `target`
    "#]],
    );
    let tested = format!("where = {{ g = {{ one_of = [\"a\"] }} }}\n{count}");
    check_refused(
        &view("count", &tested),
        &expect![[r#"
        the oracle cannot read the views file: it knows `[table.NAME]`, `count` and `latest`: TOML parse error at line 1, column 1
          |
        1 | [[view]]
          | ^^^^^^^^
        unknown variant `one_of`, expected `prefix` or `equals`
    "#]],
    );
}

#[test]
fn invalid_ground_state_is_refused() {
    let check = |ground: &GroundState, expected: Expect| {
        let error = oracle().expected(ground).expect_err("invalid ground state");
        expected.assert_eq(&error.to_string());
    };
    let paid = json!({"S": "paid"});
    check(
        &orders(vec![order("1", &json!({"N": "one"}))], Vec::new()),
        expect![
            "an item of table `orders` is invalid: attribute `status` is not a value in DynamoDB's JSON"
        ],
    );
    check(
        &orders(vec![order("1", &json!("paid"))], Vec::new()),
        expect![
            "an item of table `orders` is invalid: attribute `status` is not a value in DynamoDB's JSON"
        ],
    );
    check(
        &orders(vec![json!({"customer": {"S": "c"}})], Vec::new()),
        expect!["an item of table `orders` is invalid: it has no key attribute `order`"],
    );
    check(
        &orders(vec![order("1", &paid), order("1.0", &paid)], Vec::new()),
        expect![[r#"two items of table `orders` have the key [{"S":"c"},{"N":"1"}]"#]],
    );
}
