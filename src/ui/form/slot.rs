//! A number of the settings and the text that means it.

use crate::{
    config::SizeFrom,
    error::{Error, Result},
};

/// A number of the settings, of the kind it is.
pub(super) enum Slot<'a> {
    Number(&'a mut f64),
    Whole(&'a mut usize),
    Seed(&'a mut u64),
    Sizes(&'a mut Vec<SizeFrom>),
}

impl Slot<'_> {
    /// Takes what was typed.
    pub(super) fn write(self, text: &str, name: &str) -> Result<()> {
        let text = text.trim();
        let whole = || Error::setting(name, format!("“{text}” is not a whole number"));
        match self {
            Self::Number(value) => {
                let no_number = || Error::setting(name, format!("“{text}” is not a number"));
                *value = number(text).ok_or_else(no_number)?;
            }
            Self::Whole(value) => *value = text.parse().map_err(|_| whole())?,
            Self::Seed(value) => *value = text.parse().map_err(|_| whole())?,
            Self::Sizes(value) => {
                let no_sizes =
                    || Error::setting(name, format!("“{text}” is not a list of epoch:pixels"));
                *value = sizes(text).ok_or_else(no_sizes)?;
            }
        }
        Ok(())
    }

    /// What is typed to mean the value.
    pub(super) fn text(self) -> String {
        match self {
            // A camera's ratio, which has no end as a decimal number.
            Self::Number(value) if *value == 4.0 / 3.0 => "4/3".to_owned(),
            Self::Number(value) => value.to_string(),
            Self::Whole(value) => value.to_string(),
            Self::Seed(value) => value.to_string(),
            Self::Sizes(sizes) => {
                let sizes: Vec<_> = sizes
                    .iter()
                    .map(|s| format!("{}:{}", s.epoch, s.size))
                    .collect();
                sizes.join(" ")
            }
        }
    }

    /// A value beyond every range, so that the check says what the range is.
    pub(super) fn spoil(self) -> bool {
        match self {
            Self::Number(value) => *value = f64::NAN,
            Self::Whole(value) => *value = usize::MAX,
            Self::Seed(_) | Self::Sizes(_) => return false,
        }
        true
    }
}

/// A number, or a fraction such as `4/3`.
fn number(text: &str) -> Option<f64> {
    match text.split_once('/') {
        Some((above, below)) => {
            Some(above.trim().parse::<f64>().ok()? / below.trim().parse::<f64>().ok()?)
        }
        None => text.parse().ok(),
    }
}

fn sizes(text: &str) -> Option<Vec<SizeFrom>> {
    let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    let size = |part: &str| {
        let (epoch, size) = part.split_once(':')?;
        Some(SizeFrom {
            epoch: epoch.parse().ok()?,
            size: size.parse().ok()?,
        })
    };
    parts.map(size).collect()
}
