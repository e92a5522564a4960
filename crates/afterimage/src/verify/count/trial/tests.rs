//! A small world of entries and counts, in which somebody moves entries between any two reads.

use proptest::prelude::*;

use super::*;
use crate::attribute_value::AttributeValue;

const GROUPS: [&str; 2] = ["Jazz", "Rock"];

const LIMITS: LookLimits = LookLimits { equal_look_count: 4, look_count_max: 12 };

/// A move: which entry, and into which group, if any.
type Move = (usize, Option<usize>);

#[derive(Debug, Clone)]
struct World {
    /// Version and group of each entry.
    entries: Vec<(u64, Option<usize>)>,
    /// What the counts of the groups have beside their entries.
    surplus: [i128; 2],
}

impl World {
    fn new(groups: &[Option<usize>], surplus: [i128; 2]) -> Self {
        Self { entries: groups.iter().map(|group| (1, *group)).collect(), surplus }
    }

    fn make(&mut self, to: Option<Move>) {
        if let Some((entry, group)) = to
            && let Some(entry) = self.entries.get_mut(entry)
        {
            *entry = (entry.0 + 1, group);
        }
    }

    /// Entries 0 and 1 share a bucket.
    fn partition(entry: usize) -> String {
        format!("ledger#view#{entry:04}{:04x}", entry.max(1))
    }

    fn item(&self, entry: usize) -> Item {
        let (version, group) = self.entries[entry];
        let standing = if group.is_some() { "counted" } else { "uncounted" };
        let texts = [
            ("stream_label", "2026-01-01T00:00:00".to_owned()),
            ("sequence_number", version.to_string()),
            ("standing", standing.to_owned()),
        ];
        let group = group.map(|group| ("group", GROUPS[group].to_owned()));
        let named = texts.into_iter().chain(group);
        named.map(|(name, text)| (name.to_owned(), AttributeValue::string(text))).collect()
    }

    fn sight(&self, question: &CountQuestion) -> CountSight {
        let count = |group: usize| {
            let entries = self.entries.iter().filter(|(_, it)| *it == Some(group)).count();
            entries as i128 + self.surplus[group]
        };
        let is_wanted =
            |group: &&str| question.groups.as_ref().is_none_or(|it| it.contains(*group));
        let groups = (0..GROUPS.len()).filter(|group| is_wanted(&GROUPS[*group]));
        let entry = |partition: &String| {
            let mut entries = 0..self.entries.len();
            entries.find(|it| Self::partition(*it) == *partition).map(|it| self.item(it))
        };
        CountSight {
            counts: groups.map(|group| (GROUPS[group].to_owned(), Some(count(group)))).collect(),
            entries: question.entries.iter().map(|it| (it.clone(), entry(it))).collect(),
        }
    }

    fn read(
        &mut self,
        mut reading: LedgerReading,
        between: &mut impl FnMut() -> Option<Move>,
    ) -> LedgerReading {
        for entry in 0..self.entries.len() {
            self.make(between());
            reading.add(&Self::partition(entry), &self.item(entry));
        }
        reading
    }

    /// Tries the counts, with `between` making the moves before each read. `sizes`: entries that a reading keeps
    /// singly, and that are read together with counts.
    fn judge(
        mut self,
        sizes: (usize, usize),
        mut between: impl FnMut() -> Option<Move>,
    ) -> CountVerdict {
        let first = LedgerReading::watching(BTreeSet::new(), sizes.0);
        let first = self.read(first, &mut between);
        let mut trial = CountTrial::new(first, LIMITS);
        (trial.entries_max, trial.together_max) = sizes;
        while let Some(question) = trial.question() {
            self.make(between());
            let sight = self.sight(&question);
            let reading = self.read(trial.reading(), &mut between);
            trial.take(&[sight], reading);
        }
        trial.verdict()
    }
}

fn names(groups: impl IntoIterator<Item = String>) -> Vec<String> {
    groups.into_iter().collect()
}

/// Entries that a reading keeps, and that are read together with counts: enough for all, too few, none.
const SIZES: [(usize, usize); 5] = [(10_000, 90), (2, 90), (10_000, 1), (1, 1), (0, 0)];

/// Holds whatever moves when: a right count is never drift; and where the entries that change can all be read
/// with it, a wrong one is never right.
fn check(
    world: &World,
    sizes: (usize, usize),
    between: impl FnMut() -> Option<Move>,
) -> CountVerdict {
    let verdict = world.clone().judge(sizes, between);
    for (group, name) in GROUPS.into_iter().enumerate() {
        let drift = verdict.drifted.get(name);
        let surplus = drift.map(|it| it.surplus());
        if world.surplus[group] == 0 {
            assert_eq!(drift, None, "{world:?}, {sizes:?}");
        } else {
            assert!(
                surplus.is_none_or(|it| it == Some(world.surplus[group])),
                "{world:?} {drift:?}"
            );
            let is_missed = drift.is_none() && !verdict.undecided.contains(name);
            assert!(!is_missed || sizes != SIZES[0], "{world:?}: {name} is taken for right");
        }
    }
    verdict
}

#[test]
fn whatever_moves_in_every_look_a_right_count_is_no_drift_and_a_wrong_one_is_not_right() {
    let moves: [Option<Move>; 6] = [
        None,
        Some((0, None)),
        Some((0, Some(0))),
        Some((0, Some(1))),
        Some((1, Some(0))),
        Some((1, Some(1))),
    ];
    // Before each of two entries is read, and before the counts are.
    for program in 0..moves.len().pow(3) {
        let at = |place: u32| moves[program / moves.len().pow(place) % moves.len()];
        let program = [at(0), at(1), at(2)];
        for surplus in [[0, 0], [0, 1], [0, -1]] {
            for groups in [[Some(0), Some(1)], [None, Some(0)]] {
                for sizes in [SIZES[0], SIZES[1], SIZES[4]] {
                    let mut places = program.iter().copied().cycle();
                    check(&World::new(&groups, surplus), sizes, || places.next().flatten());
                }
            }
        }
    }
}

#[test]
fn once_it_is_quiet_every_count_is_decided() {
    for sizes in SIZES {
        // The entry that passes through Rock whenever the counts are read, and then stays.
        for busy_read_count in [0, 1, 9, 23] {
            let mut reads = 0;
            let between = || {
                reads += 1;
                let at_counts = reads % 5 == 0;
                (reads <= busy_read_count).then_some((0, Some(usize::from(at_counts))))
            };
            let world = World::new(&[Some(0), Some(0), Some(1), Some(1)], [0, 1]);
            let verdict = check(&world, sizes, between);
            let drifted: Vec<_> = verdict.drifted.into_iter().collect();
            let rock = CountDifference { expected: 2, found: Some(3) };
            assert_eq!(drifted, [("Rock".to_owned(), rock)], "{sizes:?} {busy_read_count}");
            assert_eq!(names(verdict.undecided), Vec::<String>::new());
        }
    }
}

#[test]
fn an_entry_that_never_rests_leaves_nothing_undecided() {
    for sizes in &SIZES[..2] {
        for surplus in [0, 1] {
            let mut reads = 0;
            let between = || {
                reads += 1;
                Some((0, Some(reads % 2)))
            };
            let world = World::new(&[Some(0), Some(0), Some(1), Some(1)], [0, surplus]);
            let verdict = check(&world, *sizes, between);
            assert_eq!(names(verdict.undecided), Vec::<String>::new(), "{sizes:?}");
            assert_eq!(verdict.drifted.len(), usize::from(surplus != 0));
        }
    }
}

#[test]
fn a_count_that_no_reading_can_decide_stays_undecided() {
    // Passes through Rock at every count, and cannot be read with it.
    let mut reads = 0;
    let between = || {
        reads += 1;
        match reads % 5 {
            0 => Some((0, Some(1))),
            1 => Some((0, Some(0))),
            _ => None,
        }
    };
    let world = World::new(&[Some(0), Some(0), Some(1), Some(1)], [0, 0]);
    let verdict = check(&world, (0, 0), between);
    assert_eq!(names(verdict.drifted.into_keys()), Vec::<String>::new());
    assert_eq!(names(verdict.undecided), ["Jazz", "Rock"]);
}

proptest! {
    #[test]
    fn no_history_makes_a_right_count_drift_or_a_wrong_one_right(
        groups in proptest::collection::vec(proptest::option::of(0..2_usize), 1..6),
        surplus in [-1..2_i128, -1..2_i128],
        sizes in 0..SIZES.len(),
        moves in proptest::collection::vec(
            proptest::option::of((0..6_usize, proptest::option::of(0..2_usize))), 0..80
        ),
    ) {
        let mut moves = moves.into_iter();
        check(&World::new(&groups, surplus), SIZES[sizes], || moves.next().flatten());
    }
}
