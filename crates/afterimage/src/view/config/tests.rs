use afterimage_schema::TableNames;

use super::*;

const COUNT: &str = r#"
[[view]]
name = "genre-counts"
kind = "count"
source = "albums"
group_by = "Genre"
remove = "retract"
target = { table = "derived", pk = "albums-by-genre", sk = "{Genre}", count = "count" }
"#;

const LATEST: &str = r#"
[[view]]
name = "message-groups"
kind = "latest"
source = "messages"
where = { pk = { prefix = "MSG#" } }
group_by = { attribute = "pk", strip_prefix = "MSG#" }
order_by = "sk"
copy = ["message"]
rows = { where = { pk = { prefix = "GRP#" } }, group = "message_group_uuid", index = "message-group-sk-index", may_gain = ["pinned"] }
remove = "skip"
"#;

fn parse_text(text: &str) -> Result<Vec<View>, ViewsError> {
    parse(text, &Catalog::new(TableNames::default()).expect("compiled-in definitions"))
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
    assert_eq!(names, ["genre-counts", "message-groups"]);
    assert!(matches!(parse_text(""), Err(ViewsError::Empty)));
}

#[test]
fn mistakes_of_every_kind_name_view_key_and_fix() {
    check_refused(COUNT, "[[view]]", "[[views]]", "views.toml cannot be read");
    check_refused(
        COUNT,
        "group_by",
        "grup_by",
        "view `genre-counts` cannot be read: give it the keys that a view of its kind has in the shipped views.toml: unknown field `grup_by`",
    );
    check_refused(
        COUNT,
        "remove = \"retract\"",
        "",
        "view `genre-counts` cannot be read: give it the keys that a view of its kind has in the shipped views.toml: missing field `remove`",
    );
    check_refused(
        COUNT,
        "\"count\"\nsource",
        "\"sum\"\nsource",
        "view `genre-counts` cannot be read: give it the keys that a view of its kind has in the shipped views.toml: unknown variant `sum`",
    );
    check_refused(COUNT, "genre-counts", "Genre Counts", "view `Genre Counts`, key `name`: ");
    check_refused(
        COUNT,
        "\"albums\"",
        "\"songs\"",
        "view `genre-counts`, key `source`: there is no table `songs`; ",
    );
    check_refused(
        COUNT,
        "\"albums\"",
        "\"derived\"",
        "view `genre-counts`, key `source`: no view may read",
    );
    check_refused(
        COUNT,
        "retract",
        "forget",
        "view `genre-counts`, key `remove`: `forget` is no way",
    );
}

#[test]
fn a_target_is_the_views_own() {
    check_refused(COUNT, "\"derived\"", "\"albums\"", "view `genre-counts`, key `target.table`: ");
    check_refused(COUNT, "albums-by-genre", "head#x", "view `genre-counts`, key `target.pk`: ");
    check_refused(
        COUNT,
        "{Genre}",
        "{Artist}",
        "view `genre-counts`, key `target.sk`: it does not hold `{Genre}`",
    );
    check_refused(COUNT, "{Genre}", "{Genre}{Genre}", "view `genre-counts`, key `target.sk`: ");
    check_refused(
        COUNT,
        "count = \"count\"",
        "count = \"sk\"",
        "view `genre-counts`, key `target.count`: ",
    );
    let twice = [COUNT, &COUNT.replace("genre-counts", "other-counts")].concat();
    check_refused(
        &twice,
        "",
        "",
        "view `other-counts`, key `target.pk`: view `genre-counts` writes the same items",
    );
    let twice = [COUNT, &COUNT.replace("albums-by-genre", "else")].concat();
    check_refused(&twice, "", "", "view `genre-counts`, key `name`: another view has this name");
}

#[test]
fn a_latest_view_follows_the_keys_of_its_source() {
    for (part, replacement, key) in [
        ("attribute = \"pk\"", "attribute = \"sk\"", "group_by.attribute"),
        ("strip_prefix = \"MSG#\"", "strip_prefix = \"MSG#x\"", "group_by.strip_prefix"),
        ("order_by = \"sk\"", "order_by = \"pk\"", "order_by"),
        ("where = { pk", "where = { user = { equals = \"x\" }, pk", "where"),
        ("remove = \"skip\"", "remove = \"retract\"", "remove"),
        ("copy = [\"message\"]", "copy = [\"sk\"]", "copy"),
        ("may_gain = [\"pinned\"]", "may_gain = [\"message\"]", "rows.may_gain"),
        ("prefix = \"GRP#\"", "prefix = \"MSG#GRP\"", "rows.where"),
        ("prefix = \"GRP#\"", "prefix = \"\"", "rows.where"),
        ("message-group-sk-index", "other-index", "rows.index"),
        ("may_gain", "max = 0, may_gain", "rows.max"),
    ] {
        check_refused(LATEST, part, replacement, &format!("view `message-groups`, key `{key}`: "));
    }
}

#[test]
fn no_view_writes_or_reads_anothers_rows() {
    let other = LATEST.replace("message-groups", "others");
    check_refused(
        &[LATEST, &other].concat(),
        "",
        "",
        "view `others`, key `rows.where`: view `message-groups` writes the same items",
    );
    let reader = COUNT.replace("\"albums\"", "\"messages\"");
    check_refused(
        &[&reader, LATEST].concat(),
        "",
        "",
        "view `genre-counts`, key `where`: it selects rows that view `message-groups` writes",
    );
}
