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
        "view `genre-counts`, key `grup_by`: a `count` view has no such key; write one of `name`, ",
    );
    check_refused(
        COUNT,
        "remove = \"retract\"",
        "",
        "view `genre-counts`, key `remove`: it is missing; write it as in `remove = \"retract\"`",
    );
    check_refused(
        COUNT,
        "\"count\"\nsource",
        "\"sum\"\nsource",
        "view `genre-counts`, key `kind`: `sum` is no kind of view; write `kind = \"count\"` or ",
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
fn keys_of_a_wrong_type_or_place_are_named_with_an_example() {
    for (text, part, replacement, expected) in [
        (
            COUNT,
            "\"albums\"",
            "5",
            "key `source`: invalid type: integer `5`, expected a string; write it as in `source = \"albums\"`",
        ),
        (COUNT, "kind = \"count\"", "", "key `kind`: it is missing; write"),
        (COUNT, "kind = \"count\"", "kind = true", "key `kind`: it is no text; write"),
        (
            COUNT,
            "\"albums-by-genre\"",
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
            "where = { Genre = { suffix = \"x\" } }\ngroup_by",
            "key `where.Genre`: unknown variant `suffix`, expected `prefix` or `equals`; write it as in `where = {",
        ),
        (
            COUNT,
            "group_by",
            "where = { Genre = { prefix = \"x\", equals = \"x\" } }\ngroup_by",
            "key `where.Genre`: ",
        ),
        (
            LATEST,
            "{ attribute = \"pk\", strip_prefix = \"MSG#\" }",
            "\"pk\"",
            "key `group_by`: invalid type: string \"pk\", expected struct RawGroup; write it as in `group_by = { attribute",
        ),
        (
            LATEST,
            "[\"message\"]",
            "[1]",
            "key `copy`: invalid type: integer `1`, expected a string; write it as in `copy = [\"message\"]`",
        ),
        (
            LATEST,
            "may_gain",
            "max = -1, may_gain",
            "key `rows.max`: invalid value: integer `-1`, expected usize; write it as in `rows = { …, max = 500 }`",
        ),
        (LATEST, "prefix = \"GRP#\"", "prefix = 1", "key `rows.where.pk"),
    ] {
        let name = if text == COUNT { "genre-counts" } else { "message-groups" };
        check_refused(text, part, replacement, &format!("view `{name}`, {expected}"));
    }
}

#[test]
fn a_view_without_a_name_is_told_by_its_place_and_a_key_without_one_as_it_is_written() {
    for (part, replacement, expected) in [
        ("name = \"genre-counts\"", "", "view `number 1`, key `name`: it is missing; "),
        ("\"genre-counts\"", "1", "view `number 1`, key `name`: invalid type: integer `1`, "),
        ("\"genre-counts\"", "\"\"", "view `number 1`, key `name`: it is not a name "),
        (
            "\"genre-counts\"\nkind = \"count\"",
            "\"\"",
            "view `number 1`, key `name`: it is not a name ",
        ),
        (
            "remove",
            "\"\" = 1\nremove",
            "view `genre-counts`, key `\"\"`: a `count` view has no such",
        ),
    ] {
        check_refused(COUNT, part, replacement, expected);
    }
}

#[test]
fn keys_that_no_item_can_have_are_refused() {
    let long = "x".repeat(2049);
    for (part, replacement, key) in [
        ("albums-by-genre", long.clone(), "target.pk"),
        ("{Genre}", format!("{}{{Genre}}", &long[..1024]), "target.sk"),
        ("count = \"count\"", format!("count = \"{}\"", &long[..256]), "target.count"),
        ("group_by = \"Genre\"", format!("group_by = \"{}\"", &long[..256]), "group_by"),
        ("count = \"count\"", "count = \"count\", \"\" = 1".to_owned(), "target.\"\""),
        ("remove", "where.\"\" = { equals = \"\" }\nremove".to_owned(), "where"),
    ] {
        check_refused(COUNT, part, &replacement, &format!("view `genre-counts`, key `{key}`: "));
    }
    let many: Vec<_> = (0..71).map(|number| format!("\"name {number}\"")).collect();
    for (part, replacement, key) in [
        ("[\"message\"]", format!("[{}]", many.join(", ")), "copy"),
        ("[\"message\"]", format!("[\"{}\"]", &long[..256]), "copy"),
        ("[\"pinned\"]", format!("[\"{}\"]", &long[..256]), "rows.may_gain"),
    ] {
        check_refused(LATEST, part, &replacement, &format!("view `message-groups`, key `{key}`: "));
    }
    let prefixed = LATEST.replace("MSG#", &long[..1025]);
    check_refused(
        &prefixed,
        "",
        "",
        "view `message-groups`, key `group_by.strip_prefix`: it is longer",
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
