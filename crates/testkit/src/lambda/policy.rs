//! Permissions, and whether they are what a function needs: nothing missing, nothing too much.

use std::collections::BTreeSet;

use afterimage_schema::Table;
use serde_json::Value;

use crate::lambda::Access;

/// What Lambda does with a function's permissions, and not the function.
const ACTIONS_OF_LAMBDA: [&str; 5] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:SendMessage",
];

/// The resource of each table in `template.yaml`.
pub(crate) const TABLE_RESOURCES: [(Table, &str); 3] = [
    (Table::literal("albums"), "AlbumsTable"),
    (Table::literal("messages"), "MessagesTable"),
    (Table::DERIVED, "DerivedTable"),
];

/// A statement that allows the function something.
#[derive(Debug)]
pub(crate) struct Statement {
    actions: Vec<String>,
    resources: Vec<(Table, Option<String>)>,
    /// Patterns of partition keys, `*` at the end; `None` where any key is allowed.
    leading_keys: Option<Vec<String>>,
}

impl Statement {
    /// Reads a statement, its tags removed; `None` for one of actions that only Lambda does.
    ///
    /// # Panics
    /// Where it holds what is not known here.
    pub(crate) fn of_function(statement: &Value) -> Option<Self> {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let actions = texts(&statement["Action"]);
        let of_lambda = actions.iter().filter(|it| ACTIONS_OF_LAMBDA.contains(&it.as_str()));
        match of_lambda.count() {
            0 => {}
            count if count == actions.len() => return None,
            _ => panic!("a statement is of Lambda or of the function: {statement}"),
        }
        let resources = texts(&statement["Resource"]).iter().map(|it| resource(it)).collect();
        let leading_keys = statement["Condition"].as_object().map(|condition| {
            let operators: Vec<_> = condition.iter().collect();
            let [(operator, keys)] = operators.as_slice() else {
                panic!("one condition is known: {statement}")
            };
            let is_known = ["ForAllValues:StringEquals", "ForAllValues:StringLike"];
            assert!(is_known.contains(&operator.as_str()), "{operator}");
            assert_eq!(keys.as_object().map(serde_json::Map::len), Some(1), "{statement}");
            texts(&keys["dynamodb:LeadingKeys"])
        });
        Some(Self { actions, resources, leading_keys })
    }

    fn allows(&self, access: &Access) -> bool {
        self.actions.contains(&access.action)
            && self.resources.contains(&(access.table.clone(), access.index.clone()))
            && self.leading_keys.as_ref().is_none_or(|patterns| {
                let key = access.leading_key.as_deref();
                key.is_some_and(|key| patterns.iter().any(|pattern| is_like(key, pattern)))
            })
    }

    /// What of the statement none of these accesses needs.
    fn unused(&self, accesses: &BTreeSet<Access>) -> Vec<String> {
        let used: Vec<_> = accesses.iter().filter(|access| self.allows(access)).collect();
        let mut unused = Vec::new();
        for action in &self.actions {
            for (table, index) in &self.resources {
                let is_used = |access: &&&Access| {
                    access.action == *action && access.table == *table && access.index == *index
                };
                if !used.iter().any(|access| is_used(&access)) {
                    let index = index.as_ref().map(|it| format!("/index/{it}")).unwrap_or_default();
                    unused.push(format!("too much: {action} on {table}{index}"));
                }
            }
        }
        for pattern in self.leading_keys.iter().flatten() {
            let keys = used.iter().filter_map(|access| access.leading_key.as_deref());
            if !keys.into_iter().any(|key| is_like(key, pattern)) {
                unused.push(format!("too much: {} of {pattern}", self.actions.join(", ")));
            }
        }
        unused
    }
}

/// How the permissions differ from what is needed; nothing where they are equal.
pub(crate) fn differences(statements: &[Statement], accesses: &BTreeSet<Access>) -> Vec<String> {
    let missing = accesses
        .iter()
        .filter(|access| !statements.iter().any(|statement| statement.allows(access)))
        .map(|access| format!("missing: {access}"));
    let unused = statements.iter().flat_map(|statement| statement.unused(accesses));
    missing.chain(unused).collect()
}

/// A table, or an index of one: `AlbumsTable.Arn`, `${AlbumsTable.Arn}/index/genre-index`.
fn resource(text: &str) -> (Table, Option<String>) {
    let found = TABLE_RESOURCES.into_iter().find_map(|(table, name)| {
        if text == format!("{name}.Arn") {
            return Some((table, None));
        }
        let index = text.strip_prefix(&format!("${{{name}.Arn}}/index/"))?;
        Some((table, Some(index.to_owned())))
    });
    found.unwrap_or_else(|| panic!("`{text}` is no table and no index"))
}

fn is_like(key: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == pattern,
    }
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    let text = |it: &Value| it.as_str().unwrap_or_else(|| panic!("{it} is no text")).to_owned();
    list.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access(action: &str, table: &str, index: Option<&str>, key: Option<&str>) -> Access {
        Access {
            action: format!("dynamodb:{action}"),
            table: table.parse().expect("a table"),
            index: index.map(str::to_owned),
            leading_key: key.map(str::to_owned),
        }
    }

    #[track_caller]
    fn check(accesses: &[Access], expected: &[&str]) {
        let statements = [
            json!({"Effect": "Allow", "Action": "dynamodb:Query",
                   "Resource": "${AlbumsTable.Arn}/index/genre-index"}),
            json!({"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:DeleteItem"],
                   "Resource": "MessagesTable.Arn",
                   "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["GRP#*", "one"]}}}),
            json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "Queue.Arn"}),
        ];
        let statements: Vec<_> = statements.iter().filter_map(Statement::of_function).collect();
        let accesses = accesses.iter().cloned().collect();
        assert_eq!(differences(&statements, &accesses), expected);
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_told() {
        let query = access("Query", "albums", Some("genre-index"), Some("Jazz"));
        let put = access("PutItem", "messages", None, Some("GRP#1"));
        let delete = access("DeleteItem", "messages", None, Some("one"));
        check(&[query.clone(), put.clone(), delete.clone()], &[]);
        check(
            &[put.clone(), delete.clone()],
            &["too much: dynamodb:Query on albums/index/genre-index"],
        );
        check(
            &[query.clone(), put],
            &[
                "too much: dynamodb:DeleteItem on messages",
                "too much: dynamodb:PutItem, dynamodb:DeleteItem of one",
            ],
        );
        let other_key = access("PutItem", "messages", None, Some("MSG#1"));
        let scan = access("Query", "albums", None, None);
        check(
            &[query, delete, other_key, scan],
            &[
                "missing: dynamodb:PutItem on messages of MSG#1",
                "missing: dynamodb:Query on albums",
                "too much: dynamodb:PutItem on messages",
                "too much: dynamodb:PutItem, dynamodb:DeleteItem of GRP#*",
            ],
        );
    }
}
