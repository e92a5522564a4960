//! `views.toml`: any text is views that hold together, or an error that says what to do.

use afterimage::limits::{GROUP_ROWS_MAX, SORT_KEY_BYTES_MAX, VIEW_NAME_BYTES_MAX};
use afterimage::{View, Views, ViewsError};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::at_least;
use super::mutation::{Mutation, Splice, any_mutation, any_splice};

const SHIPPED: &str = include_str!("../../../../../views.toml");

/// What views that were accepted must be; what an error must say.
fn check(text: &str) {
    match Views::parse(text) {
        Ok(views) => views.iter().for_each(assert_sense),
        Err(ViewsError::Key(error)) => {
            assert!(!error.subject.is_empty() && !error.problem.is_empty(), "{error:?}\n{text}");
            assert!(!error.key.is_empty() && !error.fix.is_empty(), "{error:?}\n{text}");
        }
        Err(ViewsError::Syntax(_) | ViewsError::Empty) => {}
    }
}

fn assert_sense(view: &View) {
    assert!((1..=VIEW_NAME_BYTES_MAX).contains(&view.name().len()));
    match view {
        View::Count(view) => {
            assert!(view.target.sort.render("").len() < SORT_KEY_BYTES_MAX);
            assert!(
                !["ledger#", "head#", "parked#"]
                    .iter()
                    .any(|it| view.target.partition.starts_with(it))
            );
        }
        View::Latest(view) => {
            assert!((1..=GROUP_ROWS_MAX).contains(&view.rows.max));
            assert!(view.selection.excludes(&view.rows.selection));
            assert!(!view.copy.iter().any(|name| name == "pk" || name == "sk"));
        }
    }
}

fn mutated(mutations: &[Mutation], splices: &[Splice]) -> String {
    let mut json: Value = toml::from_str(SHIPPED).expect("the shipped views");
    for mutation in mutations {
        mutation.apply(&mut json);
    }
    let text = json.as_object().map_or_else(String::new, |file| {
        file.iter().map(|(key, value)| format!("{} = {}\n", json!(key), inline(value))).collect()
    });
    splices.iter().fold(text, |text, splice| splice.apply(&text))
}

/// The value as TOML has it inline: with the texts of JSON, and braces of its own. There is no null.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let entries = object.iter();
            let entries = entries.map(|(key, value)| format!("{} = {}", json!(key), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn unchanged_views_survive_their_inline_form() {
    let views = Views::parse(&mutated(&[], &[])).expect("the shipped views");
    assert_eq!(views, Views::parse(SHIPPED).expect("the shipped views"));
}

proptest! {
    #![proptest_config(at_least(3000))]

    #[test]
    fn mutated_views_are_views_or_an_error_with_its_key(
        mutations in vec(any_mutation(), 0..4),
        splices in prop_oneof![3 => Just(Vec::new()), 1 => vec(any_splice(), 1..3)],
    ) {
        check(&mutated(&mutations, &splices));
    }

    #[test]
    fn spliced_views_are_views_or_an_error_with_its_key(splices in vec(any_splice(), 1..4)) {
        check(&splices.iter().fold(SHIPPED.to_owned(), |text, splice| splice.apply(&text)));
    }

    #[test]
    fn any_text_is_views_or_an_error(text in "(?s).{0,60}") {
        check(&text);
    }
}
