//! Changes of good JSON that keep most of its structure, so that they get past the first check.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// One change of a JSON document.
#[derive(Debug, Clone)]
pub enum Mutation {
    /// A node goes.
    Remove(Index),
    /// A node becomes something else.
    Replace(Index, Value),
    /// A node comes to stand inside so many lists.
    Bury(Index, usize),
    /// A node takes the value of another.
    Copy(Index, Index),
}

/// One change of a text: some of its bytes go, and others come in their place.
#[derive(Debug, Clone)]
pub struct Splice {
    place: Index,
    removed_byte_count: usize,
    inserted: String,
}

impl Mutation {
    /// The document after the change.
    pub fn apply(&self, json: &mut Value) {
        let pointers = pointers(json);
        match self {
            Mutation::Remove(node) => {
                let pointer = chosen(node, &pointers);
                let Some((parent, name)) = pointer.rsplit_once('/') else { return };
                let name = name.replace("~1", "/").replace("~0", "~");
                match json.pointer_mut(parent) {
                    Some(Value::Object(object)) => drop(object.remove(&name)),
                    Some(Value::Array(array)) => {
                        drop(array.remove(name.parse().expect("an index")));
                    }
                    _ => {}
                }
            }
            Mutation::Replace(node, value) => {
                *json.pointer_mut(chosen(node, &pointers)).expect("a node") = value.clone();
            }
            Mutation::Bury(node, depth) => {
                let node = json.pointer_mut(chosen(node, &pointers)).expect("a node");
                *node = buried(node.take(), *depth);
            }
            Mutation::Copy(from, to) => {
                let value = json.pointer(chosen(from, &pointers)).expect("a node").clone();
                *json.pointer_mut(chosen(to, &pointers)).expect("a node") = value;
            }
        }
    }
}

impl Splice {
    /// The text after the change.
    pub fn apply(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let start = self.place.index(bytes.len() + 1);
        let end = (start + self.removed_byte_count).min(bytes.len());
        let spliced = [&bytes[..start], self.inserted.as_bytes(), &bytes[end..]].concat();
        String::from_utf8_lossy(&spliced).into_owned()
    }
}

/// The value inside so many typed lists.
fn buried(value: Value, depth: usize) -> Value {
    (0..depth).fold(value, |value, _| json!({ "L": [value] }))
}

fn chosen<'a>(node: &Index, pointers: &'a [String]) -> &'a str {
    node.get::<String>(pointers)
}

/// Pointers of all nodes, the root first.
fn pointers(json: &Value) -> Vec<String> {
    let mut pointers = vec![String::new()];
    let mut next = 0;
    while let Some(pointer) = pointers.get(next).cloned() {
        next += 1;
        let within =
            |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match json.pointer(&pointer) {
            Some(Value::Object(object)) => pointers.extend(object.keys().map(|it| within(it))),
            Some(Value::Array(array)) => {
                pointers.extend((0..array.len()).map(|it| within(&it.to_string())));
            }
            _ => {}
        }
    }
    pointers
}

pub fn any_mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        2 => any::<Index>().prop_map(Mutation::Remove),
        6 => (any::<Index>(), any_json()).prop_map(|(node, value)| Mutation::Replace(node, value)),
        1 => (any::<Index>(), prop_oneof![1..4_usize, 30..36_usize, 60..140_usize])
            .prop_map(|(node, depth)| Mutation::Bury(node, depth)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Copy(from, to)),
    ]
}

pub fn any_splice() -> impl Strategy<Value = Splice> {
    let inserted = prop_oneof![
        any_text(),
        Just(r#""eventName":"REMOVE","#.to_owned()),
        Just(r#"\ud800"#.to_owned()),
        Just("1e999".to_owned()),
        Just("[".repeat(300)),
        Just("\u{feff}".to_owned()),
        "[\\[\\]{}\",:\\\\ ]{0,3}",
    ];
    (any::<Index>(), prop_oneof![0..4_usize, Just(usize::MAX / 2)], inserted).prop_map(
        |(place, removed_byte_count, inserted)| Splice { place, removed_byte_count, inserted },
    )
}

/// Texts that are special to somebody: keys, numbers, times, names, encodings.
pub fn any_text() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(
        [
            "",
            " ",
            "#",
            "\u{0}",
            "\u{202e}",
            "😀",
            "e\u{301}",
            "\u{fffd}",
            "1",
            "-0",
            "007",
            "1e125",
            "1e126",
            "1E-131",
            "NaN",
            "0x10",
            "true",
            "null",
            "%%%",
            "QQ==",
            "QR==",
            "Q",
            "INSERT",
            "REMOVE",
            "insert",
            "MSG#",
            "GRP#",
            "MSG#g",
            "GRP#ada",
            "head",
            "entry",
            "counted",
            "removed",
            "parked",
            "2026-01-01T00:00:00",
            "9999-99-99T99:99:99",
            "9999-12-31T23:59:60",
            "18446744073709551615",
            "18446744073709551616",
            "pk",
            "sk",
            "-",
            "..",
            "1.5",
            "arn:aws:dynamodb:us-east-1:1:table/afterimage-derived/stream/2026-01-01T00:00:00",
            "arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/",
            "arn:aws:dynamodb:us-east-1:1:table//stream/2026-01-01T00:00:00",
            "arn:aws:dynamodb:::table/afterimage-albums/stream/2026-01-01T00:00:00/stream/x",
        ]
        .as_slice(),
    );
    let long = (
        proptest::sample::select(["9", "x", "é", "#"].as_slice()),
        proptest::sample::select(
            [37_usize, 38, 39, 40, 41, 200, 1023, 1024, 1025, 2047, 2048, 2049, 5000].as_slice(),
        ),
    );
    prop_oneof![
        6 => known.prop_map(str::to_owned),
        2 => long.prop_map(|(text, count)| text.repeat(count)),
        1 => ".{0,12}",
    ]
}

/// JSON of any kind, typed values more often than not.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        proptest::sample::select(
            [json!(0), json!(-1), json!(1.5), json!(1e308), json!(u64::MAX), json!([]), json!({})]
                .to_vec()
        ),
        any_text().prop_map(Value::from),
    ];
    let tag = proptest::sample::select(
        ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "X", ""].as_slice(),
    );
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let many = proptest::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            4 => (tag.clone(), inner.clone()).prop_map(|(tag, value)| json!({ tag: value })),
            2 => (tag.clone(), many.clone()).prop_map(|(tag, values)| json!({ tag: values })),
            1 => many.prop_map(Value::from),
            1 => (any_text(), inner.clone()).prop_map(|(name, value)| json!({"M": { name: value }})),
            1 => (tag.clone(), inner.clone(), inner)
                .prop_map(|(tag, one, other)| json!({ tag: one, "S": other })),
        ]
    })
}
