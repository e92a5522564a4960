//! Schedules: everything that one simulation does, drawn from its seed.

use crate::world::{ALBUMS, MESSAGES};
use std::fmt;

use afterimage_schema::Table;

use crate::delivery::Terms;
use crate::dynamodb::{FaultRates, TransactionTime};
use crate::world::{Album, Change, Edit, Message, Year};

/// Genres; one has a slash, one characters beyond ASCII, one looks like a number.
const GENRES: [&str; 5] = ["Rock", "AC/DC", "Ünïcode 漢", "1980", "true"];

/// Years as numbers: three of them are one number.
const YEAR_NUMBERS: [&str; 5] = ["1980", "1980.0", "1.98E3", "-0.5", "1975"];

/// Albums of a library: more than one transaction takes.
const LIBRARY: std::ops::Range<u8> = 190..210;

/// Records in a batch of a library.
const LIBRARY_BATCH_SIZE: usize = 250;

/// How long transactions hold their items: not at all, a little, and so long that most of them overlap.
const TRANSACTION_TIMES: [TransactionTime; 3] = [
    TransactionTime::NONE,
    TransactionTime { base_ms: 4, per_action_us: 300 },
    TransactionTime { base_ms: 40, per_action_us: 2_000 },
];

/// Members of a crowd: more than one chunk of the head, and more than one transaction.
const CROWD: std::ops::Range<u8> = 50..60;

/// In one of how many simulations people run commands.
const ACTORS_ONE_IN: u8 = 16;

/// What one simulation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Where its random choices come from.
    pub seed: u64,
    /// How its calls fare.
    pub rates: FaultRates,
    /// Lanes of each shard: the parallelization factor.
    pub lanes_per_shard: usize,
    /// Whether a failed batch is tried in halves.
    pub bisects: bool,
    /// Changes from before the deployment.
    pub before: Vec<Change>,
    /// What happens since.
    pub steps: Vec<Step>,
    /// Whether people run commands beside the processors, and verify in the end.
    pub has_actors: bool,
}

/// Something that happens, some time after what happened before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long after, in milliseconds.
    pub after_ms: u64,
    /// What happens.
    pub action: Action,
}

/// Something that happens. Numbers that pick are taken modulo what there is to pick from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The application changes something.
    Change(Change),
    /// The processor is invoked for a lane.
    Invoke {
        /// Which.
        pick: usize,
        /// On which terms.
        terms: Terms,
    },
    /// Records of any age are delivered once more, in any order.
    Redeliver {
        /// Which.
        picks: Vec<usize>,
        /// On which terms.
        terms: Terms,
    },
    /// The process of an invocation is cut.
    Cut {
        /// Which.
        pick: usize,
    },
    /// The mapping starts again at TRIM_HORIZON.
    Restart,
    /// A shard is split.
    Split {
        /// Which.
        pick: usize,
    },
    /// A stream is disabled and enabled again.
    EnableAgain {
        /// Which table's.
        table: Table,
    },
    /// The index catches up with its table, almost.
    RefreshIndex,
    /// A record appears that cannot be decoded.
    Damage {
        /// Which one it is a copy of.
        pick: usize,
    },
    /// Somebody verifies a view.
    Verify {
        /// Which.
        pick: usize,
        /// With how much patience, in milliseconds.
        patience_ms: u64,
    },
    /// Somebody tries the parked records again.
    RetryParked,
    /// A file that differs from the registry arrives, in the place of a process.
    OtherFile {
        /// Which process.
        pick: usize,
    },
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Change(change) => write!(formatter, "the application {change}"),
            Action::Invoke { pick, terms } => write!(
                formatter,
                "an invocation begins (lane {pick}, up to {} records, {} ms)",
                terms.batch_size, terms.deadline_ms
            ),
            Action::Redeliver { picks, .. } => {
                write!(formatter, "{} records are delivered once more", picks.len())
            }
            Action::Cut { .. } => write!(formatter, "a process is cut"),
            Action::Restart => write!(formatter, "the mapping starts again at TRIM_HORIZON"),
            Action::Split { .. } => write!(formatter, "a shard is split"),
            Action::EnableAgain { table } => {
                write!(formatter, "the stream of {table} is disabled and enabled again")
            }
            Action::RefreshIndex => write!(formatter, "the index catches up, almost"),
            Action::Damage { .. } => write!(formatter, "a damaged record appears"),
            Action::Verify { pick, patience_ms } => {
                write!(formatter, "somebody verifies a view ({pick}, {patience_ms} ms)")
            }
            Action::RetryParked => write!(formatter, "somebody tries the parked records again"),
            Action::OtherFile { .. } => write!(formatter, "a file that differs arrives"),
        }
    }
}

impl Schedule {
    /// The schedule of a seed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let mut draw = Draw { random: fastrand::Rng::with_seed(seed) };
        let rates = draw.rates();
        let lanes_per_shard = draw.random.usize(1..4);
        let bisects = draw.random.bool();
        let before = (0..draw.random.usize(0..10)).map(|_| draw.change_of_messages()).collect();
        let mut steps = Vec::new();
        if draw.is_one_in(60) {
            steps.extend(draw.crowd());
        }
        if draw.is_one_in(10) {
            steps.extend(draw.library());
        }
        steps.extend((0..draw.random.usize(8..70)).map(|_| draw.step()));
        let has_actors = draw.is_one_in(ACTORS_ONE_IN);
        if has_actors {
            draw.add_actors(&mut steps);
        }
        Self { seed, rates, lanes_per_shard, bisects, before, steps, has_actors }
    }
}

struct Draw {
    random: fastrand::Rng,
}

impl Draw {
    fn is_one_in(&mut self, count: u8) -> bool {
        self.random.u8(0..count) == 0
    }

    fn choice<T: Copy>(&mut self, choices: &[T], otherwise: T) -> T {
        self.random.choice(choices).copied().unwrap_or(otherwise)
    }

    fn rates(&mut self) -> FaultRates {
        FaultRates {
            per_mille: self.choice(&[0, 20, 80, 250], 0),
            delay_ms_max: self.choice(&[1, 10, 50, 400], 1),
            transaction_time: self.choice(&TRANSACTION_TIMES, TransactionTime::NONE),
        }
    }

    fn step(&mut self) -> Step {
        let after_ms = match self.random.u8(0..10) {
            0..3 => 0,
            3..8 => self.random.u64(0..30),
            _ => self.random.u64(0..800),
        };
        Step { after_ms, action: self.action() }
    }

    fn action(&mut self) -> Action {
        match self.random.u8(0..100) {
            0..52 => Action::Change(self.change()),
            52..80 => Action::Invoke { pick: self.random.usize(..), terms: self.terms() },
            80..87 => {
                let count = self.random.usize(1..8);
                let picks = (0..count).map(|_| self.random.usize(..)).collect();
                Action::Redeliver { picks, terms: self.terms() }
            }
            87..91 => Action::Cut { pick: self.random.usize(..) },
            91 => Action::Restart,
            92..94 => Action::Split { pick: self.random.usize(..) },
            94 => {
                let table = if self.random.bool() { ALBUMS } else { MESSAGES };
                Action::EnableAgain { table }
            }
            95..98 => Action::RefreshIndex,
            _ => Action::Damage { pick: self.random.usize(..) },
        }
    }

    fn terms(&mut self) -> Terms {
        let deadline_ms = match self.random.u8(0..6) {
            0 => self.random.u64(20..400),
            1 => self.random.u64(400..5_000),
            _ => 60_000,
        };
        Terms { batch_size: self.random.usize(1..20), deadline_ms }
    }

    fn change(&mut self) -> Change {
        if self.random.u8(0..10) < 4 { self.change_of_albums() } else { self.change_of_messages() }
    }

    fn change_of_albums(&mut self) -> Change {
        let number = self.random.u8(0..7);
        match self.random.u8(0..10) {
            0..6 => Change::PutAlbum(Album {
                number,
                genre: self.genre(),
                year: self.year(),
                is_selected: !self.is_one_in(3),
                note_bytes: if self.is_one_in(12) { self.random.u16(1_000..2_000) } else { 0 },
            }),
            6..8 => Change::SetGenre { number, genre: self.genre() },
            8 => Change::DeleteAlbum { number },
            _ => Change::ExpireAlbum { number },
        }
    }

    fn genre(&mut self) -> Option<&'static str> {
        if self.is_one_in(6) { None } else { self.random.choice(GENRES) }
    }

    fn year(&mut self) -> Year {
        match self.random.u8(0..12) {
            0..6 => Year::Number(self.choice(&YEAR_NUMBERS, "1980")),
            6 | 7 => Year::Boolean(self.random.bool()),
            8 => Year::Text("1980"),
            9 => Year::List,
            10 => Year::Null,
            _ => Year::Absent,
        }
    }

    fn change_of_messages(&mut self) -> Change {
        let group = self.random.u8(0..3);
        // Few times: equal ones within a group are edits, across groups equal target keys.
        let at = self.random.u8(0..12);
        match self.random.u8(0..12) {
            0..5 => Change::PutMessage(Message {
                group,
                at,
                text: self.random.u16(..),
                has_mood: self.random.bool(),
                more_bytes: if self.is_one_in(12) { self.random.u16(1_000..2_000) } else { 0 },
            }),
            5 => Change::DeleteMessage { pick: self.random.u16(..) },
            6..9 => Change::Join { owner: self.random.u8(0..3), group, at: self.random.u8(0..16) },
            9 => Change::Leave { pick: self.random.u16(..) },
            _ => Change::EditRow { pick: self.random.u16(..), edit: self.edit() },
        }
    }

    fn edit(&mut self) -> Edit {
        let value = self.random.u16(..);
        match self.random.u8(0..5) {
            0 => Edit::Note(value),
            1 => Edit::RemoveNote,
            2 => Edit::Pin(value),
            3 => Edit::Unpin,
            _ => Edit::Message(value),
        }
    }

    /// Many albums are put at once, most of them of one genre, and delivered in large batches.
    fn library(&mut self) -> Vec<Step> {
        let count = self.random.u8(LIBRARY);
        let mut actions: Vec<_> = (0..count)
            .map(|album| {
                Action::Change(Change::PutAlbum(Album {
                    number: 10 + album,
                    genre: if self.is_one_in(8) { self.genre() } else { Some("Rock") },
                    year: Year::Number("1980"),
                    is_selected: true,
                    note_bytes: 0,
                }))
            })
            .collect();
        let terms = Terms { batch_size: LIBRARY_BATCH_SIZE, ..Terms::CALM };
        actions.extend((0..3).map(|pick| Action::Invoke { pick, terms }));
        actions.into_iter().map(|action| Step { after_ms: 0, action }).collect()
    }

    /// Commands at any moment.
    fn add_actors(&mut self, steps: &mut Vec<Step>) {
        for _ in 0..self.random.usize(1..5) {
            let action = match self.random.u8(0..8) {
                0..5 => Action::Verify {
                    pick: self.random.usize(..),
                    patience_ms: self.choice(&[0, 40, 400, 4_000], 0),
                },
                5 | 6 => Action::RetryParked,
                _ => Action::OtherFile { pick: self.random.usize(..) },
            };
            let place = self.random.usize(0..=steps.len());
            steps.insert(place, Step { after_ms: self.random.u64(0..30), action });
        }
    }

    /// Many members join one group at once.
    fn crowd(&mut self) -> Vec<Step> {
        let count = self.random.u8(CROWD);
        let join = |owner| Change::Join { owner: 10 + owner, group: 0, at: 3 };
        let joins = (0..count).map(join).map(Action::Change);
        joins.map(|action| Step { after_ms: 0, action }).collect()
    }
}
