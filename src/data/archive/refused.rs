//! Entries that are not used, with the reason each; a reason that many share is told once.

use std::collections::BTreeMap;

use super::unpack::{Method, method_name};
use crate::protocol::Skipped;

/// Up to so many entries are listed one by one.
const ONE_BY_ONE: usize = 3;
/// The same for reasons that belong to an entry alone.
const ONE_BY_ONE_OWN: usize = 20;

/// Why an entry is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Encrypted,
    /// Packed in a way that is not read.
    Method(u16),
    /// Said to be packed in a way in which none of them is.
    Damaged(Method),
    /// What only this entry is.
    Own(&'static str),
}

impl Reason {
    fn of_one(self) -> String {
        match self {
            Self::Encrypted => "is protected by a password".into(),
            Self::Method(n) => format!("is packed by {}, which is not read", method_name(n)),
            Self::Damaged(method) => format!("is damaged: its bytes are no {}", method.name()),
            Self::Own(reason) => reason.into(),
        }
    }

    /// `files` is "all 12 files" or "5 of 12 files".
    fn of_many(self, files: &str, example: &str) -> String {
        match self {
            Self::Encrypted => format!(
                "{files} are protected by a password; unpack it with the password and open the folder"
            ),
            Self::Method(n) => format!(
                "{files} are packed by {}, which is not read; pack them again as an ordinary zip",
                method_name(n)
            ),
            Self::Damaged(method) => format!(
                "{files} are damaged: their bytes are no {}; download it again",
                method.name()
            ),
            Self::Own(reason) => format!("{files}, such as {example}: each {reason}"),
        }
    }
}

/// One entry each for files that share a reason, or one for all if they are many.
pub(super) fn told_once(
    archive: &str,
    paths: Vec<String>,
    reason: &'static str,
    told: fn(String, String) -> Skipped,
) -> Vec<Skipped> {
    let n = paths.len();
    if n <= ONE_BY_ONE_OWN {
        let each = paths.into_iter().map(|path| told(path, reason.to_owned()));
        return each.collect();
    }
    let example = paths.first().map_or("", String::as_str);
    let reason = format!("{n} files, such as {example}: each {reason}");
    vec![told(archive.to_owned(), reason)]
}

/// The entries of one archive that are not used.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<Reason, Vec<String>>);

impl Refused {
    pub fn add(&mut self, reason: Reason, path: String) {
        self.0.entry(reason).or_default().push(path);
    }

    /// What is told about the archive called `archive`, which has `used` files besides. The reason for all of
    /// it, if not one can be used.
    pub fn told(self, archive: &str, used: usize) -> Result<Vec<Skipped>, String> {
        let all: usize = used + self.0.values().map(Vec::len).sum::<usize>();
        let mut told = Vec::new();
        for (reason, paths) in self.0 {
            let n = paths.len();
            let files = if n == all {
                format!("all {n} files")
            } else {
                format!("{n} of {all} files")
            };
            let example = paths.first().map_or("", String::as_str);
            let most = match reason {
                Reason::Own(_) => ONE_BY_ONE_OWN,
                _ => ONE_BY_ONE,
            };
            if n > 1 && n == all {
                return Err(reason.of_many(&files, example));
            }
            if n == all {
                return Err(format!("its only file, {example}, {}", reason.of_one()));
            }
            if n > most {
                told.push(Skipped::failed(archive, reason.of_many(&files, example)));
            } else {
                let reason = reason.of_one();
                told.extend(
                    paths
                        .into_iter()
                        .map(|p| Skipped::failed(p, reason.clone())),
                );
            }
        }
        match told.first() {
            Some(first) if used == 0 => Err(format!(
                "none of its {all} files can be used; {}: {}",
                first.file, first.reason
            )),
            _ => Ok(told),
        }
    }
}
