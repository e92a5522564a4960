//! Several processors at once, each a step at a time, with crashes, lost responses, contention,
//! redelivery and an application that edits meanwhile.

use std::collections::BTreeMap;

use afterimage::count::{CountView, Entry};
use afterimage::engine::{Refusal, Routed, Step, Task};
use afterimage::fold;
use afterimage::{AttributeValue, Item, Outcome, Record, View, Views};
use afterimage_schema::{Table, TableNames};

use crate::application::{ALBUMS, Application, MESSAGES, own_attributes};
use crate::store::{Store, number};

/// A batch on its way: its records, and the tasks that are left.
struct Invocation {
    records: Vec<usize>,
    tasks: Vec<Box<dyn Task>>,
}

struct World {
    store: Store,
    application: Application,
    views: Views,
    invocations: Vec<Invocation>,
    /// Records that were not acknowledged yet.
    waiting: Vec<usize>,
    /// How many records were put into `waiting` so far.
    seen: usize,
    random: fastrand::Rng,
}

impl World {
    fn new(seed: u64) -> Self {
        let views = Views::compiled_in().expect("views");
        let names = TableNames::from_lookup(&views.all_tables(), |_| None).expect("names");
        let catalog = views.catalog(names).expect("a catalog");
        Self {
            store: Store::new(catalog),
            application: Application::default(),
            views,
            invocations: Vec::new(),
            waiting: Vec::new(),
            seen: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    fn run(&mut self) {
        for _ in 0..self.random.usize(20..250) {
            match self.random.u8(0..20) {
                0..5 => self.application.act(&mut self.store, &mut self.random),
                5 => self.store.refresh_index(),
                6..8 => self.start(),
                8 => self.crash(),
                _ => self.step(),
            }
            self.assert_whole();
        }
        self.drain();
        self.assert_exact();
    }

    /// Starts an invocation with some of the waiting records, and some that were applied long ago.
    fn start(&mut self) {
        self.waiting.extend(self.seen..self.store.records.len());
        self.seen = self.store.records.len();
        self.random.shuffle(&mut self.waiting);
        let count = self.random.usize(0..=self.waiting.len().min(8));
        let mut records: Vec<_> = self.waiting.drain(..count).collect();
        if self.seen > 0 && self.random.u8(0..3) == 0 {
            records.push(self.random.usize(0..self.seen));
        }
        let tasks = self.open(&records);
        self.invocations.push(Invocation { records, tasks });
    }

    fn open(&self, records: &[usize]) -> Vec<Box<dyn Task>> {
        let records: Vec<&Record> = records.iter().map(|it| &self.store.records[*it]).collect();
        let of_view = |view: &View| {
            let routed = records.iter().enumerate();
            let routed = routed.filter(|(_, record)| record.key.table == *view.source());
            let routed: Vec<_> = routed.map(|(index, record)| Routed { index, record }).collect();
            view.open(&routed).tasks
        };
        self.views.iter().flat_map(of_view).collect()
    }

    /// An invocation ends with nothing acknowledged; its records come again.
    fn crash(&mut self) {
        if let Some(invocation) = self.take_invocation() {
            self.waiting.extend(invocation.records);
        }
    }

    fn take_invocation(&mut self) -> Option<Invocation> {
        let index = self.random.usize(..).checked_rem(self.invocations.len())?;
        Some(self.invocations.swap_remove(index))
    }

    /// One step of one task of one invocation.
    fn step(&mut self) {
        let Some(mut invocation) = self.take_invocation() else { return };
        if let Some(index) = self.random.usize(..).checked_rem(invocation.tasks.len()) {
            let is_done = self.step_task(&mut *invocation.tasks[index]);
            if is_done {
                assert_settled(&*invocation.tasks[index]);
                drop(invocation.tasks.swap_remove(index));
            }
        }
        if !invocation.tasks.is_empty() {
            self.invocations.push(invocation);
        }
    }

    fn step_task(&mut self, task: &mut dyn Task) -> bool {
        match task.next() {
            Step::Done => return true,
            Step::Park(parkings) => {
                self.store.parked_count += parkings.len();
                task.parked();
            }
            Step::Read(reads) => {
                let answers = reads.into_iter().map(|read| {
                    let answer = self.store.answer(&read);
                    (read, answer)
                });
                task.answered(answers.collect());
            }
            Step::Commit(transactions) => {
                let results = transactions.iter().map(|transaction| match self.random.u8(0..12) {
                    0 => Err(Refusal::Contended),
                    1 => Err(Refusal::Unknown),
                    2 => {
                        // Applied, but the response is lost; or refused, and that is lost.
                        let _lost = self.store.commit(transaction);
                        Err(Refusal::Unknown)
                    }
                    _ => self.store.commit(transaction),
                });
                task.committed(results.collect());
            }
        }
        false
    }

    /// Delivers until nothing is left, the engine's own writes included.
    fn drain(&mut self) {
        for _ in 0..100_000 {
            if self.invocations.is_empty() {
                self.start();
            }
            let is_idle = self.invocations.iter().all(|it| it.tasks.is_empty());
            let is_drained = self.waiting.is_empty() && self.seen == self.store.records.len();
            if is_idle && is_drained {
                return;
            }
            self.step();
        }
        panic!("it is never drained");
    }

    /// What holds at every moment: no row is missing or doubled, what is the application's stays, and
    /// counts add up to the ledger.
    fn assert_whole(&self) {
        let mut standing: BTreeMap<(String, String), Vec<Item>> = BTreeMap::new();
        for (key, row) in self.store.table(MESSAGES) {
            let owner = key.partition.as_string().and_then(|it| it.strip_prefix("GRP#"));
            let group = row.get("message_group_uuid").and_then(AttributeValue::as_string);
            if let Some((owner, group)) = owner.zip(group) {
                let place = (owner.to_owned(), group.to_owned());
                standing.entry(place).or_default().push(own_attributes(row));
            }
        }
        let expected: BTreeMap<_, _> = self
            .application
            .rows
            .iter()
            .map(|(place, own)| (place.clone(), vec![own.clone()]))
            .collect();
        assert_eq!(standing, expected);
        assert_eq!(self.counts(), self.ledger_counts());
    }

    fn count_view(&self) -> &CountView {
        let mut views = self.views.iter();
        let view = views.find_map(|view| match view {
            View::Count(view) => Some(view),
            View::Latest(_) => None,
        });
        view.expect("a count view")
    }

    fn counts(&self) -> BTreeMap<String, i64> {
        let partition = AttributeValue::string(&self.count_view().target.partition);
        let derived = self.store.table(Table::DERIVED).map(|(_, item)| item);
        let counts = derived.filter(|item| item.get("pk") == Some(&partition));
        counts
            .map(|item| {
                let group = item.get("sk").and_then(AttributeValue::as_string).expect("a group");
                (group.to_owned(), number(item.get("count")))
            })
            .filter(|(_, count)| *count != 0)
            .collect()
    }

    fn ledger_counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for (key, item) in self.store.table(Table::DERIVED) {
            if !key.partition.as_string().is_some_and(|it| it.starts_with("ledger#")) {
                continue;
            }
            let entry = Entry::from_item(item).expect("an entry");
            if let Some(group) = entry.standing.group() {
                *counts.entry(group.to_string()).or_insert(0) += 1;
            }
        }
        counts
    }

    /// What holds once drained: derived state is the fold of ground state.
    fn assert_exact(&self) {
        let albums = self.store.table(ALBUMS).map(|(_, item)| item);
        let expected = fold::counts(self.count_view(), albums).expect("groups");
        let found = self.counts().into_iter().map(|(group, it)| (group, it.unsigned_abs()));
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
        for view in self.views.iter() {
            let View::Latest(view) = view else { continue };
            let rows = self.store.table(MESSAGES).map(|(_, item)| item);
            let rows = rows.filter(|item| view.rows.selection.selects(item));
            let faults = fold::row_faults(view, self.application.messages.values(), rows);
            assert_eq!(faults, BTreeMap::new());
        }
        assert_eq!(self.store.parked_count, 0);
    }
}

/// A task that is done has an outcome for every record, and leaves none to a redelivery.
fn assert_settled(task: &dyn Task) {
    for (index, outcome) in task.outcomes() {
        let outcome = outcome.unwrap_or_else(|| panic!("record {index} has no outcome"));
        assert_ne!(outcome, Outcome::Failed, "record {index}");
    }
}

/// Names the first seed, in place of 0.
const SEED_VARIABLE: &str = "AFTERIMAGE_TEST_SEED";

/// Seeds in one run of the test, from the first on.
const SEED_COUNT: u64 = 1_500;

fn first_seed() -> u64 {
    let Some(text) = std::env::var_os(SEED_VARIABLE) else { return 0 };
    let seed = text.to_str().and_then(|text| text.parse().ok());
    seed.unwrap_or_else(|| panic!("{SEED_VARIABLE} is {}, not a whole number", text.display()))
}

#[test]
fn every_interleaving_keeps_derived_state_whole_and_ends_exact() {
    let first = first_seed();
    for seed in first..first.saturating_add(SEED_COUNT) {
        let run = std::panic::catch_unwind(|| World::new(seed).run());
        assert!(
            run.is_ok(),
            "seed {seed}: see the assertion above, and again by \
             {SEED_VARIABLE}={seed} cargo test -p afterimage --test it interleavings::"
        );
    }
}
