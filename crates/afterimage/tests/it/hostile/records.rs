//! Records: any text, decoded, routed and driven against tables that hold anything.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use afterimage::attribute_value::{item_from_json, item_to_json};
use afterimage::engine::{Refusal, Routed, Settled, Step};
use afterimage::limits::{PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
use afterimage::{Catalog, Outcome, Record, Views, decode};
use afterimage_schema::TableNames;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use testkit::stream_record::StreamRecord;

use super::at_least;
use super::mutation::{Mutation, Splice, any_mutation, any_splice};
use super::service::Service;

pub static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let names = TableNames::from_lookup(&VIEWS.all_tables(), |_| None).expect("names");
    VIEWS.catalog(names).expect("a catalog")
});

static VIEWS: LazyLock<Views> = LazyLock::new(|| Views::compiled_in().expect("the shipped views"));

/// The records of the shipped events.
static GOOD_RECORDS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/stream");
    let files = std::fs::read_dir(folder).expect("events").map(|it| it.expect("a file").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let records = |file| {
        let text = std::fs::read_to_string(file).expect("a text");
        let event: Value = serde_json::from_str(&text).expect("an event");
        event["Records"].as_array().expect("records").clone()
    };
    files.into_iter().flat_map(records).collect()
});

/// A record of each view that nothing hostile touches, and that must always get through.
fn controls() -> [Value; 2] {
    let record = |table_name: &str, keys: &[&str], item: &Value| {
        StreamRecord::new(table_name, "INSERT", 1).item(keys, item).json()
    };
    let album = json!({"Artist": {"S": "control"}, "Album": {"S": "control"}});
    let message = json!({"pk": {"S": "MSG#control"}, "sk": {"S": "t"}});
    [
        record("afterimage-albums", &["Artist", "Album"], &album),
        record("afterimage-messages", &["pk", "sk"], &message),
    ]
}

/// A good record with changes to its structure, and then to its text.
#[derive(Debug, Clone)]
struct Hostile {
    base: Index,
    mutations: Vec<Mutation>,
    splices: Vec<Splice>,
}

impl Hostile {
    fn text(&self) -> String {
        let mut json = self.base.get(&GOOD_RECORDS).clone();
        for mutation in &self.mutations {
            mutation.apply(&mut json);
        }
        self.splices.iter().fold(json.to_string(), |text, splice| splice.apply(&text))
    }
}

fn any_hostile() -> impl Strategy<Value = Hostile> {
    let splices = prop_oneof![4 => Just(Vec::new()), 1 => vec(any_splice(), 1..3)];
    (any::<Index>(), vec(any_mutation(), 0..4), splices)
        .prop_map(|(base, mutations, splices)| Hostile { base, mutations, splices })
}

fn any_refusal() -> impl Strategy<Value = Option<Refusal>> {
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(Refusal::Contended)),
        1 => Just(Some(Refusal::Throttled)),
        1 => Just(Some(Refusal::Unknown)),
        1 => vec(0..4_usize, 0..3).prop_map(|writes| Some(Refusal::Changed(writes))),
        1 => vec(0..4_usize, 0..3).prop_map(|writes| Some(Refusal::Invalid(writes))),
    ]
}

/// What a record that was accepted must be.
fn assert_sense(text: &str, record: &Record) {
    let json: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(json["eventName"], record.change.event_name());
    let definition = CATALOG.definition(&record.key.table).expect("a definition");
    let keys = record.key.to_item(definition);
    assert!(means_same(&json["dynamodb"]["Keys"], &item_to_json(&keys)), "{text}");
    assert!((1..=PARTITION_KEY_BYTES_MAX).contains(&record.key.partition.byte_count()));
    let mut sort = record.key.sort.iter();
    assert!(sort.all(|sort| (1..=SORT_KEY_BYTES_MAX).contains(&sort.byte_count())));
    if let Ok(Some(image)) = &record.image {
        let encoded = item_to_json(image);
        assert!(means_same(&json["dynamodb"]["NewImage"], &encoded), "{text}\n{encoded}");
        assert_eq!(item_from_json("item", encoded).as_ref(), Ok(image));
        assert!(keys.iter().all(|(name, value)| image.get(name) == Some(value)));
    }
}

/// Whether two documents of typed values mean the same: numbers by value, sets in any order.
fn means_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| match (other.get(name), name.as_str()) {
                    (None, _) => false,
                    (Some(other), "N") => value == other || is_same_number(value, other),
                    (Some(other), "SS" | "NS" | "BS") => is_same_set(value, other),
                    (Some(other), _) => means_same(value, other),
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(it, other)| means_same(it, other))
        }
        (one, other) => one == other,
    }
}

fn is_same_number(one: &Value, other: &Value) -> bool {
    // An attribute may itself be called `N`, or `NS`.
    let (Some(one), Some(other)) = (one.as_str(), other.as_str()) else {
        return means_same(one, other);
    };
    one.parse::<f64>().ok().zip(other.parse::<f64>().ok()).is_some_and(|(one, other)| one == other)
}

fn is_same_set(one: &Value, other: &Value) -> bool {
    let (Some(members), Some(others)) = (one.as_array(), other.as_array()) else {
        return means_same(one, other);
    };
    let is_in = |member: &Value| {
        others.iter().any(|other| means_same(member, other) || is_same_number(member, other))
    };
    members.len() == others.len() && members.iter().all(is_in)
}

/// Drives a batch as an engine does, and tells each record's outcome in each view that reads it.
fn outcomes(service: &mut Service, texts: &[String]) -> Vec<Vec<Option<Outcome>>> {
    let decoded: Vec<_> = texts.iter().map(|text| decode(&CATALOG, None, text)).collect();
    let mut all = vec![Vec::new(); texts.len()];
    for view in VIEWS.iter() {
        let routed: Vec<_> = decoded
            .iter()
            .enumerate()
            .filter_map(|(index, it)| Some(Routed { index, record: it.record.as_ref().ok()? }))
            .filter(|routed| routed.record.key.table == *view.source())
            .collect();
        let mut opening = view.open(&routed);
        // First reads go out together: one that is refused would fail the whole batch.
        for task in &mut opening.tasks {
            if let Step::Read(reads) = task.next() {
                assert!(reads.iter().all(Service::takes), "{reads:?}");
            }
        }
        opening.tasks.iter_mut().for_each(|task| service.drive(&mut **task));
        let settled = opening.settled.iter().map(|settled| match settled {
            Settled::Outcome { index, outcome } => (*index, Some(*outcome)),
            Settled::Coalesced { index, by } => {
                assert!(routed.iter().any(|it| it.index == *by) && index != by);
                (*index, Some(Outcome::Coalesced))
            }
        });
        let found: Vec<_> =
            settled.chain(opening.tasks.iter().flat_map(|it| it.outcomes())).collect();
        let told: BTreeSet<_> = found.iter().map(|(index, _)| *index).collect();
        assert_eq!(told.len(), found.len(), "a record has two outcomes: {found:?}");
        assert_eq!(told, routed.iter().map(|it| it.index).collect(), "a record has no outcome");
        found.into_iter().for_each(|(index, outcome)| all[index].push(outcome));
    }
    all
}

/// Whatever decodes has sense, and whatever happens to it, the controls get through.
fn check(hostile: &[String], service: &mut Service) {
    for text in hostile {
        if let Ok(record) = decode(&CATALOG, None, text).record {
            assert_sense(text, &record);
        }
    }
    let texts: Vec<_> =
        hostile.iter().cloned().chain(controls().iter().map(Value::to_string)).collect();
    let outcomes = outcomes(service, &texts);
    // A hostile record may be a copy of a control, or break a head that nobody else could.
    let controls = &outcomes[hostile.len()..];
    assert!(controls.iter().all(|outcomes| outcomes.len() == 1), "{controls:?}");
}

proptest! {
    #![proptest_config(at_least(1500))]

    #[test]
    fn hostile_records_against_sound_tables_harm_no_other(hostile in vec(any_hostile(), 1..5)) {
        let hostile: Vec<_> = hostile.iter().map(Hostile::text).collect();
        let mut service = Service::new(CATALOG.clone(), Vec::new(), Vec::new());
        check(&hostile, &mut service);
        let again = outcomes(&mut service, &controls().map(|it| it.to_string()));
        // They were committed among all the others.
        prop_assert_eq!(again, [[Some(Outcome::Duplicate)], [Some(Outcome::Duplicate)]]);
    }

    #[test]
    fn good_records_against_hostile_tables_come_to_an_end(
        bases in vec(any::<Index>(), 1..6),
        mutations in vec(vec(any_mutation(), 0..3), 0..12),
        refusals in vec(any_refusal(), 0..8),
    ) {
        let texts: Vec<_> = bases.iter().map(|it| it.get(&GOOD_RECORDS).to_string()).collect();
        check(&texts, &mut Service::new(CATALOG.clone(), mutations, refusals));
    }

    #[test]
    fn hostile_records_against_hostile_tables_come_to_an_end(
        hostile in vec(any_hostile(), 1..5),
        mutations in vec(vec(any_mutation(), 0..3), 0..12),
        refusals in vec(any_refusal(), 0..8),
    ) {
        let hostile: Vec<_> = hostile.iter().map(Hostile::text).collect();
        check(&hostile, &mut Service::new(CATALOG.clone(), mutations, refusals));
    }

    #[test]
    fn any_text_is_decoded_or_refused(text in "(?s).{0,60}", splice in any_splice()) {
        let decoded = decode(&CATALOG, None, &splice.apply(&text));
        prop_assert!(decoded.record.is_err());
    }
}
