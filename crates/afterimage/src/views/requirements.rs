//! What must reach each view from its table's stream.

use std::collections::BTreeMap;

use afterimage_schema::Table;
use serde_json::{Value, json};

use super::{View, Views};
use crate::count::Removal;
use crate::record::Change;
use crate::selection::Selection;

/// What a table's mapping must deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRequirement {
    /// The table.
    pub table: Table,
    /// Slices of its records; each must be delivered whole, with new images.
    pub slices: Vec<Slice>,
}

/// Records that one view must get: every one of these changes of every item whose keys begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The view.
    pub view: String,
    /// What key attributes that are strings begin with; an attribute that is not named may hold anything.
    pub key_prefixes: BTreeMap<String, String>,
    /// The kinds of change.
    pub changes: Vec<Change>,
}

impl Slice {
    fn of(view: &View, selection: &Selection, changes: &[Change]) -> Self {
        let prefix = |attribute: &str| {
            let prefix = selection.prefix_of(attribute);
            (!prefix.is_empty()).then(|| (attribute.to_owned(), prefix.to_owned()))
        };
        Self {
            view: view.name().to_owned(),
            key_prefixes: view.definition().key_attributes().filter_map(prefix).collect(),
            changes: changes.to_vec(),
        }
    }

    /// The pattern of an event source mapping that delivers just this slice
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>).
    #[must_use]
    pub fn pattern(&self) -> Value {
        let names: Vec<_> = self.changes.iter().map(|change| change.event_name()).collect();
        if self.key_prefixes.is_empty() {
            return json!({ "eventName": names });
        }
        let keys = self.key_prefixes.iter();
        let keys = keys.map(|(name, it)| (name.clone(), json!({ "S": [{ "prefix": it }] })));
        let keys: BTreeMap<_, _> = keys.collect();
        json!({ "eventName": names, "dynamodb": { "Keys": keys } })
    }
}

impl Views {
    /// What the mapping of each table must deliver, by table: the union over all views. A table that no
    /// view reads needs no mapping, and is left out.
    #[must_use]
    pub fn requirements(&self) -> Vec<TableRequirement> {
        const PUTS: [Change; 2] = [Change::Insert, Change::Modify];
        const ALL: [Change; 3] = [Change::Insert, Change::Modify, Change::Remove];
        let mut slices: BTreeMap<&Table, Vec<Slice>> = BTreeMap::new();
        for view in self.iter() {
            slices.entry(view.source()).or_default().extend(match view {
                View::Count(count) => match count.removal {
                    Removal::Retract => vec![Slice::of(view, &count.selection, &ALL)],
                    Removal::Skip => vec![Slice::of(view, &count.selection, &PUTS)],
                },
                View::Latest(latest) => vec![
                    Slice::of(view, &latest.selection, &PUTS),
                    Slice::of(view, &latest.rows.selection, &PUTS),
                ],
            });
        }
        let requirement =
            |(table, slices): (&Table, _)| TableRequirement { table: table.clone(), slices };
        slices.into_iter().map(requirement).collect()
    }
}

/// What the processor's function must be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The view that needs it; `None` if every view does.
    pub view: Option<String>,
    /// The actions. Those of a transaction are authorised as those of single items
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>).
    pub actions: Vec<&'static str>,
    /// The table.
    pub table: Table,
    /// The index of the table that is queried; `None` for the table itself.
    pub index: Option<String>,
    /// What the partition keys of the items begin with; empty for any item.
    pub key_prefix: String,
}

impl Views {
    /// What the function that maintains these views must be allowed to do on tables. Reading the streams is not
    /// among it.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        let of_every_view = Statement {
            view: None,
            actions: vec![
                "dynamodb:BatchGetItem",
                "dynamodb:ConditionCheckItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ],
            table: Table::DERIVED,
            index: None,
            key_prefix: String::new(),
        };
        let mut statements = vec![of_every_view];
        for view in self.iter() {
            let latest = match view {
                View::Latest(latest) => latest,
                View::Count(count) => {
                    statements.push(Statement {
                        view: Some(count.name.to_string()),
                        // A count that comes to 0 is deleted.
                        actions: vec!["dynamodb:DeleteItem"],
                        table: Table::DERIVED,
                        index: None,
                        key_prefix: count.target.partition.clone(),
                    });
                    continue;
                }
            };
            let on = |actions: &[&'static str], index: Option<&str>, key_prefix: &str| Statement {
                view: Some(latest.name.to_string()),
                actions: actions.to_vec(),
                table: latest.definition.table.clone(),
                index: index.map(str::to_owned),
                key_prefix: key_prefix.to_owned(),
            };
            let rows = latest.rows.selection.prefix_of(&latest.partition_attribute);
            let moving = [
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ];
            statements.push(on(&["dynamodb:BatchGetItem", "dynamodb:Query"], None, ""));
            statements.push(on(&["dynamodb:Query"], Some(&latest.rows.index), ""));
            statements.push(on(&moving, None, rows));
        }
        statements
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_table_needs_what_all_its_views_need() {
        let views = Views::parse(
            r##"
            [table.cases]
            partition_key = "pk"
            sort_key = "sk"
            index.by-case = { partition_key = "case" }
            [table.unread]
            partition_key = "pk"
            [[view]]
            name = "events"
            kind = "count"
            source = "cases"
            where = { pk = { prefix = "EVENT#" }, kind = { equals = "call" } }
            group_by = "kind"
            remove = "retract"
            target = { table = "derived", pk = "events", sk = "{kind}", count = "count" }
            [[view]]
            name = "newest"
            kind = "latest"
            source = "cases"
            where = { pk = { prefix = "EVENT#" } }
            group_by = { attribute = "pk", strip_prefix = "EVENT#" }
            order_by = "sk"
            copy = ["text"]
            rows = { where = { pk = { prefix = "WATCH#" } }, group = "case", index = "by-case" }
            remove = "skip"
            "##,
        );
        let lines = views.expect("views").requirements().into_iter().flat_map(|it| {
            let table = it.table;
            it.slices.into_iter().map(move |it| format!("{table} {}: {}\n", it.view, it.pattern()))
        });
        expect![[r##"
            cases events: {"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"EVENT#"}]}}},"eventName":["INSERT","MODIFY","REMOVE"]}
            cases newest: {"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"EVENT#"}]}}},"eventName":["INSERT","MODIFY"]}
            cases newest: {"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"WATCH#"}]}}},"eventName":["INSERT","MODIFY"]}
        "##]]
        .assert_eq(&lines.collect::<String>());
    }
}
