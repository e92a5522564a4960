//! What a SAM template lets a function do, compared with what its views need.

use afterimage::Views;
use afterimage::views::Statement;
use afterimage_schema::Table;
use serde_yaml_ng::Value;

use crate::event_source_mapping::{SettingsError, Starvation, read_settings, table_of_resource};
use crate::template::{reference, resources_of_type};

/// What a template says about the permissions that views need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// What no policy of the function allows.
    pub missing: Vec<Starvation>,
    /// What the template does not show, one sentence each: it may allow what seems to be missing.
    pub unknown: Vec<String>,
}

/// One action that a policy allows.
struct Grant {
    action: String,
    resource: Resource,
    /// What the partition keys of the items may begin with; empty for any item.
    key_prefix: String,
}

#[derive(PartialEq, Eq)]
enum Resource {
    Any,
    Table(Table),
    Index(Table, String),
}

/// The permissions of each function that maps a table of these views, or of `function` alone if it is named by its
/// logical id.
///
/// # Errors
/// [`SettingsError`] if the template or one of its mappings does not read.
pub fn permissions_by_template(
    views: &Views,
    template: &str,
    function: Option<&str>,
) -> Result<Permissions, SettingsError> {
    let read: Vec<&Table> = views.iter().map(afterimage::View::source).collect();
    let mut functions: Vec<_> = read_settings(template)?
        .into_iter()
        .filter(|it| read.contains(&&it.table))
        .map(|it| it.function_name)
        .filter(|name| function.is_none_or(|function| function == name))
        .collect();
    functions.sort();
    functions.dedup();
    let mut permissions = Permissions::default();
    let definitions = resources_of_type(template, "AWS::Serverless::Function")?;
    for name in functions {
        let definition = definitions.iter().find(|(it, _)| *it == name);
        let (grants, unknown) = definition.map_or_else(
            || (Vec::new(), vec!["it is not an AWS::Serverless::Function of the template"]),
            |(_, properties)| grants(properties),
        );
        let missing = views.statements().into_iter();
        let missing = missing.flat_map(|it| missing_of_views(&name, &grants, &it, views));
        match unknown.is_empty() {
            true => permissions.missing.extend(missing),
            // A policy that does not read may allow it.
            false => permissions.unknown.extend(unknown.into_iter().map(|why| {
                format!("whether the function {name} may do what the views need is unknown: {why}")
            })),
        }
    }
    Ok(permissions)
}

/// What of a statement no grant allows, for each view that needs it.
fn missing_of_views(
    function: &str,
    grants: &[Grant],
    statement: &Statement,
    views: &Views,
) -> Vec<Starvation> {
    let Some((problem, fix)) = missing(function, grants, statement) else { return Vec::new() };
    let needs_it = |view: &str| statement.view.as_ref().is_none_or(|it| it == view);
    let needing = views.iter().map(afterimage::View::name).filter(|view| needs_it(view));
    let starvation = |view: &str| Starvation {
        view: view.to_owned(),
        problem: problem.clone(),
        fix: fix.clone(),
    };
    needing.map(starvation).collect()
}

/// The problem and its fix, if no grant allows all of a statement.
fn missing(function: &str, grants: &[Grant], statement: &Statement) -> Option<(String, String)> {
    let resource = match &statement.index {
        None => Resource::Table(statement.table.clone()),
        Some(index) => Resource::Index(statement.table.clone(), index.clone()),
    };
    let is_granted = |action: &&str| {
        grants.iter().any(|grant| {
            (grant.resource == Resource::Any || grant.resource == resource)
                && allows(&grant.action, action)
                && statement.key_prefix.starts_with(&grant.key_prefix)
        })
    };
    let missing: Vec<_> = statement.actions.iter().filter(|it| !is_granted(it)).copied().collect();
    if missing.is_empty() {
        return None;
    }
    let place = match &statement.index {
        None => format!("the table `{}`", statement.table),
        Some(index) => format!("the index {index} of the table `{}`", statement.table),
    };
    let actions = missing.join(", ");
    Some((
        format!("the policies of the function {function} do not allow {actions} on {place}"),
        format!("add a statement with `Effect: Allow` and `Action: [{actions}]` for it"),
    ))
}

/// Whether a pattern of a policy, such as `dynamodb:Batch*`, matches an action. Names of actions have no case
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>).
fn allows(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    match pattern.split_once('*') {
        None => pattern == action,
        Some((before, "")) => action.starts_with(before),
        Some((before, after)) => action.starts_with(before) && action.ends_with(after),
    }
}

/// What the policies of a function allow, and what of them does not read.
fn grants(properties: &Value) -> (Vec<Grant>, Vec<&'static str>) {
    let (mut grants, mut unknown) = (Vec::new(), Vec::new());
    if properties.get("Role").is_some() {
        return (grants, vec!["it has a role of its own"]);
    }
    let policies = match properties.get("Policies") {
        Some(Value::Sequence(policies)) => policies.clone(),
        Some(policy) => vec![policy.clone()],
        None => Vec::new(),
    };
    for policy in policies {
        let Some(statements) = policy.get("Statement") else {
            unknown.push("a policy is a name, an ARN or a SAM policy template");
            continue;
        };
        let statements = match statements {
            Value::Sequence(statements) => statements.clone(),
            statement => vec![statement.clone()],
        };
        for statement in &statements {
            match grants_of_statement(statement) {
                Some(allowed) => grants.extend(allowed),
                None => unknown.push("a statement denies, has another condition than on leading keys, or names an action or resource otherwise than by `!GetAtt`, `!Sub` or `*`"),
            }
        }
    }
    unknown.dedup();
    (grants, unknown)
}

/// `None` for a statement that does not read, and is of DynamoDB.
fn grants_of_statement(statement: &Value) -> Option<Vec<Grant>> {
    let texts = |key: &str| -> Option<Vec<String>> {
        match statement.get(key)? {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Sequence(texts) => {
                texts.iter().map(|it| Some(it.as_str()?.to_owned())).collect()
            }
            _ => None,
        }
    };
    let actions = texts("Action")?;
    let is_of_dynamodb = |action: &String| {
        let action = action.to_ascii_lowercase();
        action == "*" || action.starts_with("dynamodb:")
    };
    if !actions.iter().any(is_of_dynamodb) {
        return Some(Vec::new());
    }
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return None;
    }
    let key_prefix = match statement.get("Condition") {
        None => String::new(),
        Some(condition) => leading_keys(condition)?,
    };
    let resources = match statement.get("Resource")? {
        Value::Sequence(resources) => resources.iter().map(resource).collect::<Option<Vec<_>>>()?,
        one => vec![resource(one)?],
    };
    let grant = |action: &String, resource: &Option<Resource>| {
        let resource = match resource.as_ref()? {
            Resource::Any => Resource::Any,
            Resource::Table(table) => Resource::Table(table.clone()),
            Resource::Index(table, index) => Resource::Index(table.clone(), index.clone()),
        };
        Some(Grant { action: action.clone(), resource, key_prefix: key_prefix.clone() })
    };
    let granted = actions.iter().flat_map(|action| resources.iter().map(move |it| (action, it)));
    Some(granted.filter_map(|(action, it)| grant(action, it)).collect())
}

/// The literal text before the `*` of a condition on leading keys alone.
fn leading_keys(condition: &Value) -> Option<String> {
    let members = condition.as_mapping().filter(|it| it.len() == 1)?;
    let test = members.get("ForAllValues:StringLike")?;
    let test = test.as_mapping().filter(|it| it.len() == 1)?;
    let pattern = match test.get("dynamodb:LeadingKeys")? {
        Value::Sequence(patterns) if patterns.len() == 1 => patterns.first()?.as_str()?.to_owned(),
        pattern => pattern.as_str()?.to_owned(),
    };
    pattern.strip_suffix('*').filter(|it| !it.contains(['*', '?'])).map(str::to_owned)
}

/// The resource that a value names; `Some(None)` for one that is neither a table nor an index of the template.
fn resource(value: &Value) -> Option<Option<Resource>> {
    if value.as_str() == Some("*") {
        return Some(Some(Resource::Any));
    }
    if let Some(path) = reference(value) {
        let table = path.strip_suffix(".Arn").and_then(table_of_resource);
        return Some(table.map(Resource::Table));
    }
    let Value::Tagged(tagged) = value else { return None };
    let text = tagged.value.as_str().filter(|_| tagged.tag == "!Sub")?;
    let (name, rest) = text.strip_prefix("${")?.split_once(".Arn}")?;
    let table = table_of_resource(name)?;
    match (rest, rest.strip_prefix("/index/")) {
        ("", _) => Some(Some(Resource::Table(table))),
        (_, Some(index)) => Some(Some(Resource::Index(table, index.to_owned()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::template::TEMPLATE;

    #[track_caller]
    fn check(replaced: &str, by: &str, expected: &Expect) {
        let views = Views::compiled_in().expect("views");
        assert!(TEMPLATE.contains(replaced));
        let template = TEMPLATE.replace(replaced, by);
        let found = permissions_by_template(&views, &template, None).expect("a template");
        let missing = found.missing.iter().map(|it| format!("{it}\n"));
        let unknown = found.unknown.iter().map(|it| format!("{it}\n"));
        expected.assert_eq(&missing.chain(unknown).collect::<String>());
    }

    #[test]
    fn the_templates_policies_allow_what_its_views_need() {
        check("", "", &expect![[""]]);
    }

    #[test]
    fn what_a_policy_does_not_allow_is_named_by_view_action_and_table() {
        check(
            "                - dynamodb:UpdateItem\n              Resource: !GetAtt DerivedTable.Arn",
            "              Resource: !GetAtt DerivedTable.Arn",
            &expect![[r#"
                view `genre-counts`: the policies of the function StreamProcessor do not allow dynamodb:UpdateItem on the table `derived`; add a statement with `Effect: Allow` and `Action: [dynamodb:UpdateItem]` for it
                view `message-groups`: the policies of the function StreamProcessor do not allow dynamodb:UpdateItem on the table `derived`; add a statement with `Effect: Allow` and `Action: [dynamodb:UpdateItem]` for it
            "#]],
        );
        check(
            "index/message-group-sk-index",
            "index/other",
            &expect![[r#"
                view `message-groups`: the policies of the function StreamProcessor do not allow dynamodb:Query on the index message-group-sk-index of the table `messages`; add a statement with `Effect: Allow` and `Action: [dynamodb:Query]` for it
            "#]],
        );
        check(
            "dynamodb:LeadingKeys: GRP#*",
            "dynamodb:LeadingKeys: GROUP#*",
            &expect![[r#"
            view `message-groups`: the policies of the function StreamProcessor do not allow dynamodb:ConditionCheckItem, dynamodb:DeleteItem, dynamodb:PutItem, dynamodb:UpdateItem on the table `messages`; add a statement with `Effect: Allow` and `Action: [dynamodb:ConditionCheckItem, dynamodb:DeleteItem, dynamodb:PutItem, dynamodb:UpdateItem]` for it
        "#]],
        );
    }

    #[test]
    fn what_does_not_read_is_unknown() {
        check(
            "dynamodb:LeadingKeys: GRP#*",
            "aws:SourceIp: 10.*",
            &expect![[r#"
            whether the function StreamProcessor may do what the views need is unknown: a statement denies, has another condition than on leading keys, or names an action or resource otherwise than by `!GetAtt`, `!Sub` or `*`
        "#]],
        );
        check(
            "      Policies:\n        - Statement:\n            # The transactions' actions",
            "      Policies:\n        - AmazonDynamoDBFullAccess\n        - Statement:\n            # The transactions' actions",
            &expect![[r#"
                whether the function StreamProcessor may do what the views need is unknown: a policy is a name, an ARN or a SAM policy template
            "#]],
        );
    }

    #[test]
    fn a_pattern_of_actions_matches_as_in_a_policy() {
        for (pattern, action, expected) in [
            ("dynamodb:PutItem", "dynamodb:PutItem", true),
            ("dynamodb:*", "dynamodb:PutItem", true),
            ("*", "dynamodb:PutItem", true),
            ("dynamodb:*Item", "dynamodb:PutItem", true),
            ("DynamoDB:putitem", "dynamodb:PutItem", true),
            ("dynamodb:Put", "dynamodb:PutItem", false),
            ("dynamodb:*Items", "dynamodb:PutItem", false),
        ] {
            assert_eq!(allows(pattern, action), expected, "{pattern}");
        }
    }
}
