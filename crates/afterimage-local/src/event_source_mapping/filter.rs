//! Filter patterns: which records a mapping delivers
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>).
//!
//! A pattern is matched against the record as the function would get it. Numbers of DynamoDB items
//! are strings there, so that `numeric` never matches one. Values of lists match where one of their
//! elements does; operators are for leaves.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The most filters of a mapping: 5, or 10 where the quota was raised.
const MAXIMUM_FILTERS: usize = 10;
/// The longest pattern, in characters.
const MAXIMUM_PATTERN_CHARS: usize = 4096;

/// The filters of a mapping: a record that matches one of them is delivered; without filters every
/// record is.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    patterns: Vec<Vec<Condition>>,
}

/// Why a filter is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There are more than Lambda takes.
    #[error("there are {count} filters; Lambda takes 10 at most")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// The pattern is too long.
    #[error("a pattern has {chars} characters; Lambda takes 4096 at most")]
    TooLong {
        /// Its length.
        chars: usize,
    },
    /// The pattern is not a JSON object.
    #[error("a pattern is no JSON object: {pattern}")]
    NoObject {
        /// The pattern.
        pattern: String,
    },
    /// A value is neither an object nor a list with something in it.
    #[error("`{key}` is neither an object nor a list of values")]
    NoList {
        /// The key that it belongs to.
        key: String,
    },
    /// An operator is not known, or its operand is not what it takes.
    #[error("`{key}` has an operator that is not understood: {operator}")]
    Operator {
        /// The key that it belongs to.
        key: String,
        /// The operator with its operand.
        operator: String,
    },
}

#[derive(Debug, Clone)]
enum Condition {
    Field { key: String, pattern: Pattern },
    Either(Vec<Vec<Condition>>),
}

#[derive(Debug, Clone)]
enum Pattern {
    Object(Vec<Condition>),
    Leaf(Vec<Matcher>),
}

#[derive(Debug, Clone)]
enum Matcher {
    /// A string, a number (compared by how it is written), a boolean or null.
    Equals(Value),
    EqualsIgnoringCase(String),
    AnythingBut(Vec<Matcher>),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
    Prefix(String),
    Suffix(String),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filters {
    /// Reads the patterns of a mapping.
    ///
    /// # Errors
    /// [`FilterError`] for a pattern that Lambda would refuse.
    pub fn compile(patterns: &[&str]) -> Result<Self, FilterError> {
        if patterns.len() > MAXIMUM_FILTERS {
            return Err(FilterError::TooMany { count: patterns.len() });
        }
        let patterns =
            patterns.iter().map(|text| compile_pattern(text)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether a record, as the function would get it, is delivered.
    #[must_use]
    pub fn accept(&self, record: &Value) -> bool {
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| all_hold(pattern, Some(record)))
    }
}

/// Records of one kind of change, whose string keys begin so: what a view must get whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) event_name: &'a str,
    pub(super) key_prefixes: &'a BTreeMap<String, String>,
}

impl Filters {
    /// Whether every such record is surely delivered, by one pattern. A pattern that tests anything but the
    /// kind of change and string keys is not taken to deliver all of them.
    pub(super) fn deliver_all(&self, wanted: Wanted<'_>) -> bool {
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| surely_hold(pattern, &[], wanted))
    }
}

/// Whether all conditions, at this place of a record, hold for every wanted record.
fn surely_hold(conditions: &[Condition], place: &[&str], wanted: Wanted<'_>) -> bool {
    conditions.iter().all(|condition| match condition {
        Condition::Either(alternatives) => {
            alternatives.iter().any(|it| surely_hold(it, place, wanted))
        }
        Condition::Field { key, pattern } => {
            let place = [place, &[key.as_str()]].concat();
            match pattern {
                Pattern::Object(conditions) => surely_hold(conditions, &place, wanted),
                Pattern::Leaf(matchers) => {
                    matchers.iter().any(|matcher| surely_matches(matcher, &place, wanted))
                }
            }
        }
    })
}

fn surely_matches(matcher: &Matcher, place: &[&str], wanted: Wanted<'_>) -> bool {
    match place {
        ["eventName"] => matcher.matches_leaf(&Value::from(wanted.event_name)),
        ["eventSource"] => matcher.matches_leaf(&Value::from("aws:dynamodb")),
        ["dynamodb", "Keys", attribute, "S"] => {
            let prefix = wanted.key_prefixes.get(*attribute);
            match (matcher, prefix) {
                (Matcher::Prefix(tested), Some(prefix)) => prefix.starts_with(tested.as_str()),
                _ => false,
            }
        }
        _ => false,
    }
}

fn compile_pattern(text: &str) -> Result<Vec<Condition>, FilterError> {
    let chars = text.chars().count();
    if chars > MAXIMUM_PATTERN_CHARS {
        return Err(FilterError::TooLong { chars });
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => compile_object(&object),
        Ok(_) | Err(_) => Err(FilterError::NoObject { pattern: text.to_owned() }),
    }
}

fn compile_object(object: &Map<String, Value>) -> Result<Vec<Condition>, FilterError> {
    object.iter().map(|(key, value)| compile_condition(key, value)).collect()
}

fn compile_condition(key: &str, value: &Value) -> Result<Condition, FilterError> {
    let no_list = || FilterError::NoList { key: key.to_owned() };
    if key == "$or" {
        let alternatives = value.as_array().filter(|it| !it.is_empty()).ok_or_else(no_list)?;
        let alternatives = alternatives
            .iter()
            .map(|it| compile_object(it.as_object().ok_or_else(no_list)?))
            .collect::<Result<_, _>>()?;
        return Ok(Condition::Either(alternatives));
    }
    let pattern = match value {
        Value::Object(object) => Pattern::Object(compile_object(object)?),
        Value::Array(values) if !values.is_empty() => Pattern::Leaf(
            values.iter().map(|value| compile_matcher(key, value)).collect::<Result<_, _>>()?,
        ),
        _ => return Err(no_list()),
    };
    Ok(Condition::Field { key: key.to_owned(), pattern })
}

fn compile_matcher(key: &str, value: &Value) -> Result<Matcher, FilterError> {
    let refused = || FilterError::Operator { key: key.to_owned(), operator: value.to_string() };
    let object = match value {
        Value::Object(object) => object,
        Value::Array(_) => return Err(refused()),
        scalar => return Ok(Matcher::Equals(scalar.clone())),
    };
    let mut operators = object.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
        return Err(refused());
    };
    let text = || operand.as_str().map(str::to_owned).ok_or_else(refused);
    match operator.as_str() {
        "equals-ignore-case" => Ok(Matcher::EqualsIgnoringCase(text()?)),
        "prefix" => Ok(Matcher::Prefix(text()?)),
        "suffix" => Ok(Matcher::Suffix(text()?)),
        "exists" => operand.as_bool().map(Matcher::Exists).ok_or_else(refused),
        "numeric" => compile_numeric(operand).map(Matcher::Numeric).ok_or_else(refused),
        "anything-but" => {
            let excluded = match operand {
                Value::Array(values) if !values.is_empty() => values.clone(),
                Value::Array(_) => return Err(refused()),
                value => vec![value.clone()],
            };
            let excluded =
                excluded.iter().map(|it| compile_matcher(key, it)).collect::<Result<_, _>>()?;
            Ok(Matcher::AnythingBut(excluded))
        }
        _ => Err(refused()),
    }
}

/// Reads `[">", 10, "<=", 20]`.
fn compile_numeric(operand: &Value) -> Option<Vec<(Comparison, f64)>> {
    let parts = operand.as_array().filter(|parts| !parts.is_empty())?;
    parts
        .chunks(2)
        .map(|pair| {
            let [comparison, bound] = pair else {
                return None;
            };
            let comparison = match comparison.as_str()? {
                "=" => Comparison::Equal,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => return None,
            };
            Some((comparison, bound.as_f64()?))
        })
        .collect()
}

fn all_hold(conditions: &[Condition], value: Option<&Value>) -> bool {
    conditions.iter().all(|condition| match condition {
        Condition::Either(alternatives) => alternatives.iter().any(|it| all_hold(it, value)),
        Condition::Field { key, pattern } => {
            let field = value.and_then(|value| value.get(key));
            match pattern {
                Pattern::Object(conditions) => all_hold(conditions, field),
                Pattern::Leaf(matchers) => {
                    let leaves = leaves(field);
                    matchers.iter().any(|matcher| matcher.matches(&leaves))
                }
            }
        }
    })
}

/// The leaves at a place: none for an object or for nothing.
fn leaves(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Object(_)) => Vec::new(),
        Some(Value::Array(values)) => {
            values.iter().filter(|value| !value.is_object() && !value.is_array()).collect()
        }
        Some(scalar) => vec![scalar],
    }
}

impl Matcher {
    fn matches(&self, leaves: &[&Value]) -> bool {
        match self {
            Matcher::Exists(wanted) => leaves.is_empty() != *wanted,
            matcher => leaves.iter().any(|leaf| matcher.matches_leaf(leaf)),
        }
    }

    fn matches_leaf(&self, leaf: &Value) -> bool {
        let text_is = |test: &dyn Fn(&str) -> bool| leaf.as_str().is_some_and(test);
        match self {
            Matcher::Equals(Value::Number(wanted)) => {
                matches!(leaf, Value::Number(found) if found.to_string() == wanted.to_string())
            }
            Matcher::Equals(wanted) => leaf == wanted,
            Matcher::EqualsIgnoringCase(wanted) => {
                text_is(&|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Matcher::AnythingBut(excluded) => {
                !excluded.iter().any(|matcher| matcher.matches_leaf(leaf))
            }
            Matcher::Numeric(bounds) => {
                matches!(leaf, Value::Number(_))
                    && leaf.as_f64().is_some_and(|number| {
                        bounds.iter().all(|(comparison, bound)| comparison.holds(number, *bound))
                    })
            }
            Matcher::Exists(wanted) => *wanted,
            Matcher::Prefix(prefix) => text_is(&|text| text.starts_with(prefix)),
            Matcher::Suffix(suffix) => text_is(&|text| text.ends_with(suffix)),
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Comparison::Equal => number == bound,
            Comparison::Less => number < bound,
            Comparison::LessOrEqual => number <= bound,
            Comparison::Greater => number > bound,
            Comparison::GreaterOrEqual => number >= bound,
        }
    }
}

#[cfg(test)]
mod tests;
