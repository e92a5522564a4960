//! The way of a batch: records are routed to views, superseded ones are coalesced, and what became of the
//! tasks is joined to outcomes by record. Processor, model and benchmark all run this code.

use std::collections::BTreeMap;

use crate::engine::{Opening, Parking, ParkingTask, Routed, Settled, Task};
use crate::outcome::Outcome;
use crate::parked::{NO_VIEW, ParkedRecord};
use crate::reason::reason;
use crate::record::{DecodeError, Record};
use crate::views::{View, Views};

/// A task, and the view that it works for.
#[derive(Debug)]
pub struct ViewTask {
    /// The view's name, or [`NO_VIEW`].
    pub view: String,
    /// The task.
    pub task: Box<dyn Task>,
}

/// A batch that was opened: which views read each record, and what was settled without a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// By record: the names of the views that read it, or [`NO_VIEW`] alone.
    routes: Vec<Vec<String>>,
    settled: BTreeMap<String, Vec<Settled>>,
}

/// What became of one record in each view that reads it, in the order of the views.
pub type RecordOutcomes = Vec<(String, Outcome)>;

impl Batch {
    /// Routes the records of an event, and returns the tasks that are left to do.
    ///
    /// A record that cannot be decoded is parked beside all views. A record of a table that no view reads
    /// is skipped, and one of a table whose view cannot be maintained fails.
    #[must_use]
    pub fn open<'a>(
        views: &Views,
        records: impl IntoIterator<Item = Result<&'a Record, &'a DecodeError>>,
    ) -> (Self, Vec<ViewTask>) {
        let all: Vec<_> = records.into_iter().collect();
        let mut batch = Self { routes: vec![Vec::new(); all.len()], settled: BTreeMap::new() };
        let mut tasks = Vec::new();
        for view in views.iter() {
            let records: Vec<_> = all
                .iter()
                .enumerate()
                .filter_map(|(index, record)| Some(Routed { index, record: record.ok()? }))
                .filter(|routed| routed.record.key.table == *view.source())
                .collect();
            batch.take(view.name(), &records, view.open(&records), &mut tasks);
        }
        batch.route_the_rest(&all, &mut tasks);
        (batch, tasks)
    }

    /// Routes what a view parked to that view alone: a record, or rows that it told of.
    #[must_use]
    pub fn retry(view: &View, record: &Record, parked: &ParkedRecord) -> (Self, Vec<ViewTask>) {
        let mut batch = Self { routes: vec![Vec::new()], settled: BTreeMap::new() };
        let mut tasks = Vec::new();
        let routed = Routed { index: 0, record };
        batch.take(view.name(), &[routed], view.retry(routed, parked), &mut tasks);
        (batch, tasks)
    }

    fn take(
        &mut self,
        view: &str,
        records: &[Routed<'_>],
        opening: Opening,
        tasks: &mut Vec<ViewTask>,
    ) {
        for routed in records {
            if let Some(route) = self.routes.get_mut(routed.index) {
                route.push(view.to_owned());
            }
        }
        self.settled.entry(view.to_owned()).or_default().extend(opening.settled);
        let of_view = |task| ViewTask { view: view.to_owned(), task };
        tasks.extend(opening.tasks.into_iter().map(of_view));
    }

    /// Records that no view takes.
    fn route_the_rest(&mut self, all: &[Result<&Record, &DecodeError>], tasks: &mut Vec<ViewTask>) {
        let (mut settled, mut parkings) = (Vec::new(), Vec::new());
        for (index, (route, record)) in self.routes.iter_mut().zip(all).enumerate() {
            if !route.is_empty() {
                continue;
            }
            route.push(NO_VIEW.to_owned());
            match record {
                Err(DecodeError::UnreadTable) | Ok(_) => {
                    settled.push(Settled::Outcome { index, outcome: Outcome::Skipped });
                }
                // It can be applied once the definition can be used: nothing else may be done with it.
                Err(DecodeError::UnreadableView) => {
                    settled.push(Settled::Outcome { index, outcome: Outcome::Failed });
                }
                Err(error) => parkings.push(Parking { index, reason: reason(error), rows: None }),
            }
        }
        if !settled.is_empty() {
            self.settled.insert(NO_VIEW.to_owned(), settled);
        }
        if !parkings.is_empty() {
            let task = Box::new(ParkingTask::new(parkings));
            tasks.push(ViewTask { view: NO_VIEW.to_owned(), task });
        }
    }

    /// The outcomes of each record, in the order of the event, from what became of the tasks: view, and
    /// [`Task::outcomes`]. A superseded record shares the fate of the one that superseded it. What has no
    /// outcome was not done: it is [`Outcome::Failed`].
    #[must_use]
    pub fn outcomes<'a>(
        &self,
        tasks: impl IntoIterator<Item = (&'a str, Vec<(usize, Option<Outcome>)>)>,
    ) -> Vec<RecordOutcomes> {
        let mut known: BTreeMap<(&str, usize), Outcome> = BTreeMap::new();
        for (view, outcomes) in tasks {
            let outcomes = outcomes.into_iter();
            known.extend(outcomes.filter_map(|(index, it)| Some(((view, index), it?))));
        }
        for (view, settled) in &self.settled {
            join(view, settled, &mut known);
        }
        let outcomes_of = |(index, route): (usize, &Vec<String>)| {
            let outcome = |view: &String| {
                let outcome = known.get(&(view.as_str(), index)).copied();
                (view.clone(), outcome.unwrap_or(Outcome::Failed))
            };
            route.iter().map(outcome).collect()
        };
        self.routes.iter().enumerate().map(outcomes_of).collect()
    }
}

/// Adds the outcomes that were settled when the batch was opened.
fn join<'a>(view: &'a str, settled: &[Settled], known: &mut BTreeMap<(&'a str, usize), Outcome>) {
    let mut superseded_by = BTreeMap::new();
    for it in settled {
        match it {
            Settled::Outcome { index, outcome } => {
                known.insert((view, *index), *outcome);
            }
            Settled::Coalesced { index, by } => {
                superseded_by.insert(*index, *by);
            }
        }
    }
    for index in superseded_by.keys() {
        let mut last = *index;
        while let Some(by) = superseded_by.get(&last) {
            last = *by;
        }
        let is_done = known.get(&(view, last)).is_some_and(|it| *it != Outcome::Failed);
        let outcome = if is_done { Outcome::Coalesced } else { Outcome::Failed };
        known.insert((view, *index), outcome);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use testkit::stream_record::StreamRecord;

    use crate::record::Decoded;

    const VIEWS: &str = r#"
        [table.orders]
        partition_key = "id"
        [table.customers]
        partition_key = "id"
        [[view]]
        name = "by-status"
        kind = "count"
        source = "orders"
        group_by = "status"
        remove = "skip"
        target = { table = "derived", pk = "orders-by-status", sk = "{status}", count = "count" }
    "#;

    fn decoded(table: &str, sequence_number: u64, event_name: &str) -> Decoded {
        let views = Views::parse(VIEWS).expect("views");
        let names = afterimage_schema::TableNames::from_lookup(&views.all_tables(), |_| None);
        let catalog = views.catalog(names.expect("names")).expect("a catalog");
        let record = StreamRecord::new(&format!("afterimage-{table}"), event_name, sequence_number);
        let item = serde_json::json!({ "id": { "S": "7" }, "status": { "S": "paid" } });
        let json = record.keys(serde_json::json!({ "id": { "S": "7" } })).image(item).json();
        crate::record::decode(&catalog, None, &json.to_string())
    }

    #[track_caller]
    fn check(decoded: &[Decoded], ends: &[Option<Outcome>], expected: &Expect) {
        let views = Views::parse(VIEWS).expect("views");
        let (batch, tasks) = Batch::open(&views, decoded.iter().map(|it| it.record.as_ref()));
        assert_eq!(tasks.len(), ends.len());
        let ends = tasks.iter().zip(ends).map(|(task, end)| {
            let outcomes = task.task.outcomes();
            (task.view.as_str(), outcomes.into_iter().map(|(index, _)| (index, *end)).collect())
        });
        let outcomes = batch.outcomes(ends).into_iter().map(|outcomes| {
            let words = outcomes.iter().map(|(view, outcome)| format!("{view} {outcome}"));
            words.collect::<Vec<_>>().join(", ") + "\n"
        });
        expected.assert_eq(&outcomes.collect::<String>());
    }

    #[test]
    fn every_record_has_an_outcome_in_each_view_that_reads_it_or_beside_them() {
        check(
            &[
                decoded("orders", 1, "INSERT"),
                decoded("orders", 2, "MODIFY"),
                decoded("orders", 3, "REMOVE"),
                decoded("customers", 4, "INSERT"),
                decoded("others", 5, "INSERT"),
            ],
            &[Some(Outcome::Applied), Some(Outcome::Parked)],
            &expect![[r"
                by-status coalesced
                by-status applied
                by-status skipped
                - skipped
                - parked
            "]],
        );
    }

    #[test]
    fn a_superseded_record_shares_the_fate_of_its_successor() {
        check(
            &[
                decoded("orders", 1, "INSERT"),
                decoded("orders", 2, "MODIFY"),
                decoded("orders", 3, "MODIFY"),
            ],
            &[None],
            &expect![[r"
                by-status failed
                by-status failed
                by-status failed
            "]],
        );
    }
}
