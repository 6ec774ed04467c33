//! Records of a text with separators, one at a time.

use crate::data::table::parse::MAX_COLUMNS;

/// Records of a text with separators; blank lines are none.
pub(super) struct Records<'a> {
    reader: csv_core::Reader,
    rest: &'a [u8],
    ended: bool,
    /// The cells of the last record, one after the other with room behind them, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, separator: u8) -> Self {
        Self {
            reader: csv_core::ReaderBuilder::new().delimiter(separator).build(),
            rest: text.as_bytes(),
            ended: false,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Goes on to the next record; false at the end.
    pub(super) fn next(&mut self) -> Result<bool, String> {
        use csv_core::ReadFieldResult::{End, Field, InputEmpty, OutputFull};
        const ROOM: usize = 4096;
        self.ends.clear();
        if self.ended {
            return Ok(false);
        }
        let mut used = 0;
        loop {
            if self.text.len() < used + ROOM {
                self.text.resize((used + ROOM) * 2, 0);
            }
            let (result, read, written) = self.reader.read_field(self.rest, &mut self.text[used..]);
            used += written;
            self.rest = self.rest.get(read..).unwrap_or_default();
            match result {
                // The reader then wants to be told the end by an empty input, which the rest now is.
                InputEmpty | OutputFull => {}
                Field { record_end } => {
                    self.ends.push(used);
                    if self.ends.len() > MAX_COLUMNS {
                        return Err(format!("has more than {MAX_COLUMNS} columns"));
                    }
                    if record_end {
                        return Ok(true);
                    }
                }
                End => {
                    self.ended = true;
                    return Ok(!self.ends.is_empty());
                }
            }
        }
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        let mut begin = 0;
        self.ends.iter().map(move |&end| {
            let cell = self.text.get(begin..end).unwrap_or_default();
            begin = end;
            // Cut from UTF-8 at separators, which are ASCII.
            std::str::from_utf8(cell).unwrap_or_default()
        })
    }
}
