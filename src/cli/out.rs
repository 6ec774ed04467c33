//! Standard output.

use std::fmt::Display;
use std::io::Write;

/// Prints a line. Ends the program when nobody reads on (`retune classify *.jpg | head`), where
/// `println!` would panic.
pub fn line(text: impl Display) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(1);
    }
}
