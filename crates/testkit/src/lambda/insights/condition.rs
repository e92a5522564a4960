//! What `filter` asks of a row: comparisons joined by `and` and `or`, in parentheses or not. A row without
//! the field meets no comparison.

use serde_json::Value;

use super::row::Row;

pub(super) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Is { name: String, operator: String, wanted: Vec<Value> },
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut words = Words(words(text)?);
        let condition = words.any()?;
        words.0.is_empty().then_some(condition).ok_or_else(|| format!("what follows in {text}"))
    }

    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::names).collect(),
            Self::Is { name, .. } => vec![name],
        }
    }

    pub(super) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|it| it.holds(row)),
            Self::All(parts) => parts.iter().all(|it| it.holds(row)),
            Self::Is { name, operator, wanted } => row
                .get(name)
                .is_some_and(|found| wanted.iter().any(|it| compare(found, operator, it))),
        }
    }
}

fn compare(found: &Value, operator: &str, wanted: &Value) -> bool {
    match (operator, found.as_f64(), wanted.as_f64()) {
        ("=" | "in", _, _) => found == wanted,
        ("!=", _, _) => found != wanted,
        (">", Some(found), Some(wanted)) => found > wanted,
        ("<", Some(found), Some(wanted)) => found < wanted,
        (">=", Some(found), Some(wanted)) => found >= wanted,
        ("<=", Some(found), Some(wanted)) => found <= wanted,
        _ => false,
    }
}

/// The words that are left, the first one last.
struct Words(Vec<String>);

impl Words {
    fn any(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.all()?];
        while self.take("or") {
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.one()?];
        while self.take("and") {
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Result<Condition, String> {
        if self.take("(") {
            let inner = self.any()?;
            return if self.take(")") {
                Ok(inner)
            } else {
                Err("a parenthesis is open".to_owned())
            };
        }
        let (name, operator) = (self.next()?, self.next()?);
        let wanted = match operator.as_str() {
            "in" => self.list()?,
            "=" | "!=" | ">" | "<" | ">=" | "<=" => vec![self.value()?],
            other => return Err(format!("`{other}` is not understood here")),
        };
        Ok(Condition::Is { name, operator, wanted })
    }

    fn list(&mut self) -> Result<Vec<Value>, String> {
        if !self.take("[") {
            return Err("`in` wants a list".to_owned());
        }
        let mut values = vec![self.value()?];
        while self.take(",") {
            values.push(self.value()?);
        }
        if self.take("]") { Ok(values) } else { Err("a list is open".to_owned()) }
    }

    fn value(&mut self) -> Result<Value, String> {
        let word = self.next()?;
        serde_json::from_str(&word).map_err(|error| format!("{word}: {error}"))
    }

    fn next(&mut self) -> Result<String, String> {
        self.0.pop().ok_or_else(|| "a comparison lacks something".to_owned())
    }

    fn take(&mut self, word: &str) -> bool {
        self.0.pop_if(|it| it == word).is_some()
    }
}

/// Names, operators, numbers and texts of a condition, the first one last.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').map(|end| end + 2).ok_or("a text is open")?,
            '(' | ')' | '[' | ']' | ',' => 1,
            _ => {
                let is_end = |it: char| it.is_whitespace() || "()[],\"".contains(it);
                rest.find(is_end).unwrap_or(rest.len())
            }
        };
        let (word, left) = rest.split_at(length);
        words.push(word.to_owned());
        rest = left.trim_start();
    }
    words.reverse();
    Ok(words)
}
