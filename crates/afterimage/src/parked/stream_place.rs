//! Where in its stream a parked record stood.

/// The place of a record in its stream, as the record says it. A record whose place cannot be used is
/// parked with what stands there, so that neither text is more than a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlace {
    /// The stream's label.
    pub stream_label: String,
    /// The record's sequence number.
    pub sequence_number: String,
}

impl StreamPlace {
    /// The place, where both parts of it are known.
    #[must_use]
    pub fn of(stream_label: Option<String>, sequence_number: Option<String>) -> Option<Self> {
        let (stream_label, sequence_number) = stream_label.zip(sequence_number)?;
        Some(Self { stream_label, sequence_number })
    }
}
