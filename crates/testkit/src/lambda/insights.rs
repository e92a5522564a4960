//! As much of the query language of CloudWatch Logs Insights as the saved queries use
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html>): `fields`, `filter`,
//! `stats`, `sort`, `limit`. It is stricter than the service: a name that stands in none of the lines that
//! are left is an error. What `fields` names are columns of the result, so that those are the lines left in
//! the end, wherever the command stands.

mod condition;
mod row;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use condition::Condition;
pub use row::Row;
use row::row;

/// The rows that a query gives.
pub(crate) fn run(query: &str, lines: &[Value]) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = lines.iter().map(row).collect();
    let mut columns = Vec::new();
    for command in query.split('|') {
        let (verb, rest) = command.trim().split_once(' ').ok_or("a command has no argument")?;
        let rest = rest.trim();
        match verb {
            "fields" => columns.extend(rest.split(',').map(str::trim)),
            "filter" => {
                let condition = Condition::parse(rest)?;
                condition.names().into_iter().try_for_each(|name| known(&rows, name))?;
                rows.retain(|row| condition.holds(row));
            }
            "stats" if !columns.is_empty() => return Err("`stats` leaves no `fields`".to_owned()),
            "stats" => rows = stats(&rows, rest)?,
            "sort" => sort(&mut rows, rest)?,
            "limit" => rows.truncate(rest.parse().map_err(|_| format!("limit {rest}"))?),
            other => return Err(format!("`{other}` is not understood here")),
        }
    }
    columns.iter().try_for_each(|name| known(&rows, name))?;
    if !columns.is_empty() {
        rows.iter_mut().for_each(|row| row.retain(|name, _| columns.contains(&name.as_str())));
    }
    Ok(rows)
}

fn known(rows: &[Row], name: &str) -> Result<(), String> {
    let is_known = rows.is_empty() || rows.iter().any(|row| row.contains_key(name));
    is_known.then_some(()).ok_or_else(|| format!("no line has `{name}`"))
}

fn stats(rows: &[Row], text: &str) -> Result<Vec<Row>, String> {
    let (aggregates, by) = text.split_once(" by ").unwrap_or((text, ""));
    let by: Vec<&str> = by.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    by.iter().try_for_each(|name| known(rows, name))?;
    let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let key = by.iter().map(|name| row.get(*name).unwrap_or(&Value::Null).to_string());
        groups.entry(key.collect()).or_default().push(row);
    }
    let mut results = Vec::new();
    for members in groups.values() {
        let mut result = Row::new();
        for name in &by {
            result.extend(members[0].get(*name).map(|value| ((*name).to_owned(), value.clone())));
        }
        for aggregate in aggregates.split(", ") {
            let (call, alias) = aggregate.split_once(" as ").ok_or("an aggregate has no name")?;
            let call = call.trim().strip_suffix(')').ok_or("an aggregate has no end")?;
            let (function, argument) = call.split_once('(').ok_or("an aggregate has no field")?;
            if argument != "*" {
                known(rows, argument)?;
            }
            let values: Vec<f64> =
                members.iter().filter_map(|row| row.get(argument)?.as_f64()).collect();
            let value = match function {
                "count" => members.len() as f64,
                "sum" => values.iter().sum(),
                "max" => values.iter().copied().fold(f64::MIN, f64::max),
                "avg" => values.iter().sum::<f64>() / values.len() as f64,
                other => return Err(format!("`{other}` is not understood here")),
            };
            result.insert(alias.trim().to_owned(), json!(value));
        }
        results.push(result);
    }
    Ok(results)
}

fn sort(rows: &mut [Row], text: &str) -> Result<(), String> {
    let (name, direction) = text.split_once(' ').unwrap_or((text, "asc"));
    known(rows, name)?;
    let key = |row: &Row| row.get(name).map(|it| (it.as_f64(), it.to_string()));
    rows.sort_by(|one, other| {
        let order = key(one).partial_cmp(&key(other)).unwrap_or(std::cmp::Ordering::Equal);
        if direction == "desc" { order.reverse() } else { order }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::row::LOG_STREAM;
    use super::*;

    fn found(query: &str) -> Result<Vec<Row>, String> {
        let lines = [
            json!({"message": "batch processed", "record_count": 3, "View": "a"}),
            json!({"fields": {"message": "record parked"}, "level": "WARN"}),
            json!({"type": "platform.report", "record": {"status": "timeout"}}),
        ];
        run(query, &lines)
    }

    #[track_caller]
    fn check(query: &str, expected: Result<usize, &str>) {
        let found = found(query).map(|rows| rows.len());
        assert_eq!(found, expected.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn queries_find_what_is_there() {
        check("fields message | filter record_count >= 3", Ok(1));
        check("filter message = \"batch processed\" and record_count > 3", Ok(0));
        check("filter level = \"WARN\" or message = \"batch processed\"", Ok(2));
        check(
            "filter level = \"WARN\" or (type in [\"platform.report\"] and record.status != \"success\")",
            Ok(2),
        );
        check("filter record.status != \"timeout\"", Ok(0));
        check("stats sum(record_count) as n by View | sort n desc", Ok(2));
    }

    #[test]
    fn a_row_has_the_columns_that_were_asked_for() {
        let rows = found("fields message, @logStream | filter record_count > 0").expect("rows");
        let expected = [("message", "batch processed"), ("@logStream", LOG_STREAM)];
        let expected = expected.map(|(name, value)| (name.to_owned(), json!(value)));
        assert_eq!(rows, [Row::from(expected)]);
    }

    #[test]
    fn a_query_that_names_what_is_not_there_is_noticed() {
        check("fields nobody | filter level = \"WARN\"", Err("no line has `nobody`"));
        check("filter level = \"WARN\" | fields message", Err("no line has `message`"));
        check("fields message | filter level = \"WARN\"", Err("no line has `message`"));
        check("filter level = \"WARN\" | sort View", Err("no line has `View`"));
        check("filter level = \"WARN\" | stats count(*) as n by View", Err("no line has `View`"));
        check("fields View | stats count(*) as n by View", Err("`stats` leaves no `fields`"));
        check("filter nobody > 1 | fields message", Err("no line has `nobody`"));
        check("filter level = \"WARN\" or nobody = 1", Err("no line has `nobody`"));
        check("stats sum(nobody) as n by View", Err("no line has `nobody`"));
        check("stats sum(record_count) as n | sort m desc", Err("no line has `m`"));
        check("display message", Err("`display` is not understood here"));
        check("filter level like \"W\"", Err("`like` is not understood here"));
    }
}
