//! The lines of a file, whatever ends them.

/// Tells the lines of places in a file, from its beginning to its end. A line ends with LF, CRLF or a lone CR, in
/// quotes too, as editors count.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    file: &'a [u8],
    byte: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    /// At the beginning of the file, which is line 1.
    pub(super) fn of(file: &'a [u8]) -> Self {
        Self { file, byte: 0, line: 1 }
    }

    /// The line on which a CSV record begins that was looked for at this byte: empty lines before it are passed over.
    /// A byte before the one that was asked for last counts as that one.
    pub(super) fn of_record_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = self.file.get(byte..).unwrap_or_default();
        let empty = rest.iter().take_while(|it| matches!(it, b'\n' | b'\r')).count();
        let end = byte.saturating_add(empty).min(self.file.len());
        for at in self.byte..end {
            let is_end = match self.file.get(at) {
                Some(b'\r') => true,
                Some(b'\n') => at.checked_sub(1).and_then(|it| self.file.get(it)) != Some(&b'\r'),
                _ => false,
            };
            self.line += u64::from(is_end);
        }
        self.byte = self.byte.max(end);
        self.line
    }
}
