//! The deployment template, compiled in: the one place where the settings of the stream trigger and
//! the routes stand.

use serde_yaml_ng::Value;

/// `template.yaml`, as it is deployed.
pub(crate) const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The resources of a template that are of one type, by their logical ids.
///
/// # Errors
/// Where the text is not YAML.
pub(crate) fn resources_of_type(
    template: &str,
    wanted: &str,
) -> Result<Vec<(String, Value)>, serde_yaml_ng::Error> {
    let template: Value = serde_yaml_ng::from_str(template)?;
    let mut found = Vec::new();
    let resources = template.get("Resources").and_then(Value::as_mapping);
    for (name, resource) in resources.into_iter().flatten() {
        let is_wanted = resource.get("Type").and_then(Value::as_str) == Some(wanted);
        if let (Some(name), true) = (name.as_str(), is_wanted) {
            let properties = resource.get("Properties").cloned();
            found.push((name.to_owned(), properties.unwrap_or(Value::Null)));
        }
    }
    Ok(found)
}

/// What a `!Ref` or `!GetAtt` names; `None` for any other value.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    match value {
        Value::Tagged(tagged) if tagged.tag == "!Ref" || tagged.tag == "!GetAtt" => {
            tagged.value.as_str()
        }
        _ => None,
    }
}
