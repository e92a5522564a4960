use super::*;

const COUNT: &str = r#"
[table.orders]
partition_key = "customer"
sort_key = "number"

[[view]]
name = "order-counts"
kind = "count"
source = "orders"
group_by = "status"
remove = "retract"
target = { table = "derived", pk = "orders-by-status", sk = "{status}", count = "count" }
"#;

const LATEST: &str = r#"
[table.cases]
partition_key = "pk"
sort_key = "sk"
index.by-case = { partition_key = "case", sort_key = "sk" }

[[view]]
name = "newest-events"
kind = "latest"
source = "cases"
where = { pk = { prefix = "EVENT#" } }
group_by = { attribute = "pk", strip_prefix = "EVENT#" }
order_by = "sk"
copy = ["message"]
rows = { where = { pk = { prefix = "WATCH#" } }, group = "case", index = "by-case", may_gain = ["pinned"] }
remove = "skip"
"#;

/// A text without its tables.
fn view_of(text: &str) -> &str {
    text.find("[[view]]").and_then(|start| text.get(start..)).expect("a view")
}

fn parse_text(text: &str) -> Result<Vec<View>, ViewsError> {
    parse(text).map(|(views, _)| views)
}

/// The text with one part replaced must be refused, in words that begin so.
#[track_caller]
fn check_refused(text: &str, part: &str, replacement: &str, expected: &str) {
    assert!(text.contains(part), "`{part}` is not in the text");
    let error = parse_text(&text.replacen(part, replacement, 1)).expect_err("must be refused");
    let chain = match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    assert!(chain.starts_with(expected), "{chain}");
}

#[test]
fn the_shipped_views_hold_together() {
    let views = parse_text(include_str!("../../../../../views.toml")).expect("shipped views");
    let names: Vec<_> = views.iter().map(View::name).collect();
    assert_eq!(names.len(), 2);
    assert!(matches!(parse_text(""), Err(ViewsError::Empty)));
}

#[test]
fn mistakes_of_every_kind_name_view_key_and_fix() {
    check_refused(COUNT, "[[view]]", "[[views]]", "the views file cannot be read");
    check_refused(
        COUNT,
        "group_by",
        "grup_by",
        "view `order-counts`, key `grup_by`: a `count` view has no such key; write one of `name`, ",
    );
    check_refused(
        COUNT,
        "remove = \"retract\"",
        "",
        "view `order-counts`, key `remove`: it is missing; write it as in `remove = \"retract\"`",
    );
    check_refused(
        COUNT,
        "\"count\"\nsource",
        "\"sum\"\nsource",
        "view `order-counts`, key `kind`: `sum` is not a kind of view; write `kind = \"count\"` or ",
    );
    check_refused(COUNT, "order-counts", "Order Counts", "view `Order Counts`, key `name`: ");
    check_refused(
        COUNT,
        "\"orders\"",
        "\"songs\"",
        "view `order-counts`, key `source`: there is no table `songs` in this file; declare it ",
    );
    check_refused(
        COUNT,
        "\"orders\"",
        "\"derived\"",
        "view `order-counts`, key `source`: no view may read",
    );
    check_refused(
        COUNT,
        "retract",
        "forget",
        "view `order-counts`, key `remove`: `forget` is not a way",
    );
}

#[test]
fn keys_of_a_wrong_type_or_place_are_named_with_an_example() {
    for (text, part, replacement, expected) in [
        (
            COUNT,
            "\"orders\"",
            "5",
            "key `source`: invalid type: integer `5`, expected a string; write it as in `source = \"orders\"`",
        ),
        (COUNT, "kind = \"count\"", "", "key `kind`: it is missing; write"),
        (COUNT, "kind = \"count\"", "kind = true", "key `kind`: it is not a string; write"),
        (
            COUNT,
            "\"orders-by-status\"",
            "[]",
            "key `target.pk`: invalid type: sequence, expected a string; write it as in `target = {",
        ),
        (
            COUNT,
            ", count = \"count\"",
            "",
            "key `target.count`: it is missing; write it as in `target = {",
        ),
        (
            COUNT,
            "count = \"count\"",
            "sum = \"count\"",
            "key `target.sum`: a `count` view has no such key; write one of `table`, `pk`, `sk`, `count`, or take it out",
        ),
        (
            COUNT,
            "group_by",
            "where = { status = { suffix = \"x\" } }\ngroup_by",
            "key `where.status`: unknown variant `suffix`, expected `prefix` or `equals`; write it as in `where = {",
        ),
        (
            COUNT,
            "group_by",
            "where = { status = { prefix = \"x\", equals = \"x\" } }\ngroup_by",
            "key `where.status`: ",
        ),
        (
            LATEST,
            "{ attribute = \"pk\", strip_prefix = \"EVENT#\" }",
            "\"pk\"",
            "key `group_by`: invalid type: string \"pk\", expected struct RawGroup; write it as in `group_by = { attribute",
        ),
        (
            LATEST,
            "[\"message\"]",
            "[1]",
            "key `copy`: invalid type: integer `1`, expected a string; write it as in `copy = [\"text\"]`",
        ),
        (
            LATEST,
            "may_gain",
            "max = -1, may_gain",
            "key `rows.max`: invalid value: integer `-1`, expected usize; write it as in `rows = { …, max = 500 }`",
        ),
        (LATEST, "prefix = \"WATCH#\"", "prefix = 1", "key `rows.where.pk"),
    ] {
        let name = if text == COUNT { "order-counts" } else { "newest-events" };
        check_refused(text, part, replacement, &format!("view `{name}`, {expected}"));
    }
}

#[test]
fn a_view_without_a_name_is_told_by_its_place_and_a_key_without_one_as_it_is_written() {
    for (part, replacement, expected) in [
        ("name = \"order-counts\"", "", "view `number 1`, key `name`: it is missing; "),
        ("\"order-counts\"", "1", "view `number 1`, key `name`: invalid type: integer `1`, "),
        ("\"order-counts\"", "\"\"", "view `number 1`, key `name`: it is not a name "),
        (
            "\"order-counts\"\nkind = \"count\"",
            "\"\"",
            "view `number 1`, key `name`: it is not a name ",
        ),
        (
            "remove",
            "\"\" = 1\nremove",
            "view `order-counts`, key `\"\"`: a `count` view has no such",
        ),
    ] {
        check_refused(COUNT, part, replacement, expected);
    }
}

#[test]
fn keys_that_no_item_can_have_are_refused() {
    let long = "x".repeat(2049);
    for (part, replacement, key) in [
        ("orders-by-status", long.clone(), "target.pk"),
        ("{status}", format!("{}{{status}}", &long[..1024]), "target.sk"),
        ("count = \"count\"", format!("count = \"{}\"", &long[..256]), "target.count"),
        ("group_by = \"status\"", format!("group_by = \"{}\"", &long[..256]), "group_by"),
        ("count = \"count\"", "count = \"count\", \"\" = 1".to_owned(), "target.\"\""),
        ("remove", "where.\"\" = { equals = \"\" }\nremove".to_owned(), "where"),
    ] {
        check_refused(COUNT, part, &replacement, &format!("view `order-counts`, key `{key}`: "));
    }
    let many: Vec<_> = (0..71).map(|number| format!("\"name {number}\"")).collect();
    for (part, replacement, key) in [
        ("[\"message\"]", format!("[{}]", many.join(", ")), "copy"),
        ("[\"message\"]", format!("[\"{}\"]", &long[..256]), "copy"),
        ("[\"pinned\"]", format!("[\"{}\"]", &long[..256]), "rows.may_gain"),
    ] {
        check_refused(LATEST, part, &replacement, &format!("view `newest-events`, key `{key}`: "));
    }
    let prefixed = LATEST.replace("EVENT#", &long[..1025]);
    check_refused(
        &prefixed,
        "",
        "",
        "view `newest-events`, key `group_by.strip_prefix`: it is longer",
    );
}

#[test]
fn a_target_is_the_views_own() {
    check_refused(COUNT, "\"derived\"", "\"orders\"", "view `order-counts`, key `target.table`: ");
    check_refused(COUNT, "orders-by-status", "head#x", "view `order-counts`, key `target.pk`: ");
    check_refused(
        COUNT,
        "{status}",
        "{customer}",
        "view `order-counts`, key `target.sk`: it does not hold `{status}`",
    );
    check_refused(COUNT, "{status}", "{status}{status}", "view `order-counts`, key `target.sk`: ");
    check_refused(
        COUNT,
        "count = \"count\"",
        "count = \"sk\"",
        "view `order-counts`, key `target.count`: ",
    );
    let twice = [COUNT, &view_of(COUNT).replace("order-counts", "other-counts")].concat();
    check_refused(
        &twice,
        "",
        "",
        "view `other-counts`, key `target.pk`: view `order-counts` writes the same items",
    );
    let twice = [COUNT, &view_of(COUNT).replace("orders-by-status", "else")].concat();
    check_refused(&twice, "", "", "view `order-counts`, key `name`: another view has this name");
}

#[test]
fn a_latest_view_follows_the_keys_of_its_source() {
    for (part, replacement, key) in [
        ("attribute = \"pk\"", "attribute = \"sk\"", "group_by.attribute"),
        ("strip_prefix = \"EVENT#\"", "strip_prefix = \"EVENT#x\"", "group_by.strip_prefix"),
        ("order_by = \"sk\"", "order_by = \"pk\"", "order_by"),
        ("where = { pk", "where = { user = { equals = \"x\" }, pk", "where"),
        ("remove = \"skip\"", "remove = \"retract\"", "remove"),
        ("copy = [\"message\"]", "copy = [\"sk\"]", "copy"),
        ("may_gain = [\"pinned\"]", "may_gain = [\"message\"]", "rows.may_gain"),
        ("prefix = \"WATCH#\"", "prefix = \"EVENT#GRP\"", "rows.where"),
        ("prefix = \"WATCH#\"", "prefix = \"\"", "rows.where"),
        ("by-case", "other-index", "rows.index"),
        ("may_gain", "max = 0, may_gain", "rows.max"),
    ] {
        check_refused(LATEST, part, replacement, &format!("view `newest-events`, key `{key}`: "));
    }
}

#[test]
fn no_view_writes_or_reads_anothers_rows() {
    let other = view_of(LATEST).replace("newest-events", "others");
    check_refused(
        &[LATEST, &other].concat(),
        "",
        "",
        "view `others`, key `rows.where`: view `newest-events` writes the same items",
    );
    let reader = view_of(COUNT).replace("\"orders\"", "\"cases\"");
    check_refused(
        &[&reader, LATEST].concat(),
        "",
        "",
        "view `order-counts`, key `where`: it selects rows that view `newest-events` writes",
    );
}
