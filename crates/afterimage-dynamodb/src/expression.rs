//! Writes of the core as transaction actions of the SDK: every name and value by placeholder, since
//! any name may be a reserved word.

use std::collections::HashMap;

use afterimage::write::{Action, Changes, Clause, Write};
use afterimage::{AttributeValue, Item};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeValue as SdkValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};

use crate::convert::{SdkItem, item_to_sdk, value_to_sdk};

/// Collects the names and values of an expression.
#[derive(Default)]
struct Placeholders {
    names: HashMap<String, String>,
    values: HashMap<String, SdkValue>,
}

impl Placeholders {
    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value_to_sdk(value));
        placeholder
    }

    fn condition(&mut self, clauses: &[Clause]) -> Option<String> {
        let clauses: Vec<_> = clauses.iter().map(|clause| self.clause(clause)).collect();
        (!clauses.is_empty()).then(|| clauses.join(" AND "))
    }

    fn clause(&mut self, clause: &Clause) -> String {
        match clause {
            Clause::Equals(name, value) => {
                format!("{} = {}", self.name(name), self.value(value))
            }
            Clause::Differs(name, value) => {
                let name = self.name(name);
                let value = self.value(value);
                format!("(attribute_not_exists({name}) OR {name} <> {value})")
            }
            Clause::Missing(name) => format!("attribute_not_exists({})", self.name(name)),
        }
    }

    fn update(&mut self, changes: &Changes) -> String {
        let set: Vec<_> = changes
            .set
            .iter()
            .map(|(name, value)| format!("{} = {}", self.name(name), self.value(value)))
            .collect();
        let remove: Vec<_> = changes.remove.iter().map(|name| self.name(name)).collect();
        let add: Vec<_> = changes
            .add
            .iter()
            .map(|(name, number)| {
                let value = AttributeValue::N((*number).into());
                format!("{} {}", self.name(name), self.value(&value))
            })
            .collect();
        [("SET", set), ("REMOVE", remove), ("ADD", add)]
            .into_iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(verb, parts)| format!("{verb} {}", parts.join(", ")))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn names(self) -> (Option<HashMap<String, String>>, Option<SdkItem>) {
        let names = (!self.names.is_empty()).then_some(self.names);
        let values = (!self.values.is_empty()).then_some(self.values);
        (names, values)
    }
}

/// The action of a transaction that does this write to the table with this real name.
pub(crate) fn transact_action(
    table_name: &str,
    key: &Item,
    write: &Write,
) -> Result<TransactWriteItem, BuildError> {
    let mut placeholders = Placeholders::default();
    let condition = placeholders.condition(&write.conditions);
    let action = TransactWriteItem::builder();
    let built = match &write.action {
        Action::Put(item) => {
            let (names, values) = placeholders.names();
            action.put(
                Put::builder()
                    .table_name(table_name)
                    .set_item(Some(item_to_sdk(item)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            )
        }
        Action::Update(changes) => {
            let update = placeholders.update(changes);
            let (names, values) = placeholders.names();
            action.update(
                Update::builder()
                    .table_name(table_name)
                    .set_key(Some(item_to_sdk(key)))
                    .update_expression(update)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            )
        }
        Action::Delete => {
            let (names, values) = placeholders.names();
            action.delete(
                Delete::builder()
                    .table_name(table_name)
                    .set_key(Some(item_to_sdk(key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            )
        }
        Action::Check => {
            let (names, values) = placeholders.names();
            action.condition_check(
                ConditionCheck::builder()
                    .table_name(table_name)
                    .set_key(Some(item_to_sdk(key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            )
        }
    };
    Ok(built.build())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(changes: &Changes, clauses: &[Clause], expected: &Expect) {
        let mut placeholders = Placeholders::default();
        let condition = placeholders.condition(clauses);
        let update = placeholders.update(changes);
        let mut names: Vec<_> = placeholders.names.into_iter().collect();
        names.sort();
        let names = names.iter().map(|(it, name)| format!("{it}={name}")).collect::<Vec<_>>();
        let condition = condition.unwrap_or_default();
        expected.assert_eq(&format!("{condition}\n{update}\n{}\n", names.join(" ")));
    }

    #[test]
    fn expressions_name_everything_by_placeholder() {
        check(
            &Changes {
                set: [("message".to_owned(), AttributeValue::string("hi"))].into(),
                remove: vec!["Year".to_owned()],
                add: [("count".to_owned(), -1)].into(),
            },
            &[
                Clause::Equals("a".to_owned(), AttributeValue::Null),
                Clause::Differs("b".to_owned(), AttributeValue::Bool(true)),
                Clause::Missing("c".to_owned()),
            ],
            &expect![[r#"
                #n0 = :v0 AND (attribute_not_exists(#n1) OR #n1 <> :v1) AND attribute_not_exists(#n2)
                SET #n3 = :v2 REMOVE #n4 ADD #n5 :v3
                #n0=a #n1=b #n2=c #n3=message #n4=Year #n5=count
            "#]],
        );
    }
}
