//! A function as `template.yaml` deploys it.

use std::collections::{BTreeMap, BTreeSet};

use afterimage_schema::TableNames;
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

use crate::lambda::policy::{Statement, TABLE_RESOURCES, differences};
use crate::lambda::{Access, repository};

/// What the template gives a function.
#[derive(Debug)]
pub struct DeployedFunction {
    /// Variables, and the tables' resources or plain texts that they hold.
    variables: BTreeMap<String, String>,
    statements: Vec<Statement>,
}

impl DeployedFunction {
    /// The function that runs this binary.
    ///
    /// # Panics
    /// Where there is none, or it holds what is not known here.
    #[must_use]
    pub fn of_binary(binary: &str) -> Self {
        let template = template();
        let function = template["Resources"]
            .as_object()
            .expect("resources")
            .values()
            .find(|it| it["Metadata"]["BuildProperties"]["Binary"] == binary)
            .unwrap_or_else(|| panic!("no function of the template runs {binary}"));
        let globals = &template["Globals"]["Function"]["Environment"]["Variables"];
        let own = &function["Properties"]["Environment"]["Variables"];
        let variables = [globals, own]
            .into_iter()
            .flat_map(|it| it.as_object().into_iter().flatten())
            .map(|(name, value)| (name.clone(), plain(&template, value)))
            .collect();
        let policies = function["Properties"]["Policies"].as_array().expect("policies");
        let statements = policies
            .iter()
            // What has no statements names a managed policy; none of those is about DynamoDB.
            .flat_map(|policy| policy["Statement"].as_array().into_iter().flatten())
            .filter_map(Statement::of_function)
            .collect();
        Self { variables, statements }
    }

    /// The binaries of a package that the template deploys, in their order.
    #[must_use]
    pub fn binaries_of(package: &str) -> Vec<String> {
        let template = template();
        let functions = template["Resources"].as_object().expect("resources").values();
        let code = format!("crates/{package}");
        let mut binaries: Vec<_> = functions
            .filter(|it| it["Properties"]["CodeUri"] == code)
            .map(|it| it["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary"))
            .map(str::to_owned)
            .collect();
        binaries.sort();
        binaries
    }

    /// The variables that it is given where its tables have these names.
    #[must_use]
    pub fn environment(&self, names: &TableNames) -> BTreeMap<String, String> {
        let with_table_name = |(variable, value): (&String, &String)| {
            let table = TABLE_RESOURCES.into_iter().find(|(_, resource)| resource == value);
            let value =
                table.map_or(value.as_str(), |(table, _)| names.name(&table).expect("a name"));
            (variable.clone(), value.to_owned())
        };
        self.variables.iter().map(with_table_name).collect()
    }

    /// Compares its permissions with what it needed.
    ///
    /// # Panics
    /// Where they are not equal.
    #[track_caller]
    pub fn assert_permissions(&self, needed: &BTreeSet<Access>) {
        let differences = differences(&self.statements, needed);
        assert!(
            differences.is_empty(),
            "permissions in template.yaml:\n{}",
            differences.join("\n")
        );
    }
}

/// `template.yaml`, without CloudFormation's tags.
pub(crate) fn template() -> Value {
    let text = std::fs::read_to_string(repository().join("template.yaml")).expect("a template");
    untagged(&serde_yaml_ng::from_str(&text).expect("YAML"))
}

/// The default of a parameter that is named, else the text itself.
fn plain(template: &Value, value: &Value) -> String {
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let default = value.as_str().map(|name| &template["Parameters"][name]["Default"]);
    text(default.filter(|it| !it.is_null()).unwrap_or(value))
}

/// The same without CloudFormation's tags (`!Ref`, `!GetAtt`, …), reduced to what they hold.
fn untagged(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => untagged(&tagged.value),
        Yaml::Sequence(items) => items.iter().map(untagged).collect(),
        Yaml::Mapping(mapping) => mapping
            .iter()
            .map(|(key, value)| (key.as_str().expect("a name").to_owned(), untagged(value)))
            .collect(),
        scalar => serde_json::to_value(scalar).expect("a scalar"),
    }
}
