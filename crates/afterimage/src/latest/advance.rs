//! Whether commits bring a group nearer to its end.

/// Commits in a row that may leave as much to do as there was. One that others undo in between is refused, and not
/// counted; a few more make room for rows that others put meanwhile.
const FRUITLESS_COMMITS_MAX: u32 = 3;

/// What a group's commits left to do since others last changed it. A group of any size comes to its end, since each
/// commit leaves less; a task that goes in circles is noticed after a few commits.
#[derive(Debug, Default)]
pub(super) struct Advance {
    least_left: Option<usize>,
    fruitless_count: u32,
}

impl Advance {
    /// Takes a commit that succeeded, and what was left to do before it.
    pub(super) fn committed(&mut self, left: usize) {
        if self.least_left.is_none_or(|least| left < least) {
            self.least_left = Some(left);
            self.fruitless_count = 0;
        } else {
            self.fruitless_count += 1;
        }
    }

    /// A commit was refused: others are at work, and what is left is found out anew.
    pub(super) fn set_back(&mut self) {
        *self = Self::default();
    }

    /// Whether the commits bring nothing nearer.
    pub(super) fn is_in_circles(&self) -> bool {
        self.fruitless_count >= FRUITLESS_COMMITS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks after how many commits, which found so much left, a task is stopped.
    #[track_caller]
    fn check(lefts: impl IntoIterator<Item = usize>, expected: Option<usize>) {
        let mut advance = Advance::default();
        let stopped = lefts.into_iter().position(|left| {
            advance.committed(left);
            advance.is_in_circles()
        });
        assert_eq!(stopped.map(|place| place + 1), expected);
    }

    #[test]
    fn a_large_group_comes_to_its_end() {
        check((0..10_000).rev(), None);
    }

    #[test]
    fn a_task_that_goes_in_circles_is_stopped_after_a_few_commits() {
        check(std::iter::repeat_n(7, 1_000), Some(4));
        check((0..1_000).map(|commit| 7 + commit % 2), Some(4));
        check((1..1_000).map(|commit| 10 + commit), Some(4));
    }

    #[test]
    fn what_others_undo_is_found_out_anew() {
        let mut advance = Advance::default();
        for _ in 0..1_000 {
            advance.committed(7);
            advance.set_back();
        }
        assert!(!advance.is_in_circles());
    }
}
