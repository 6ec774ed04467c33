//! What a setting can hold, and the text that means it: the same in an input of the page, in a flag, in a message.

use super::SizeFrom;

/// A word of a list, and what it is called in a menu.
pub type Word = (&'static str, &'static str);

/// How a value is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Typed.
    Text,
    /// Chosen from a list.
    Words(&'static [Word]),
    /// On or off: `true` or `false`.
    Switch,
}

/// The value of a setting.
pub trait Value {
    /// How it is given.
    fn input(&self) -> Input {
        Input::Text
    }

    /// The text that means it; [`Value::read`] reads it back.
    fn text(&self) -> String;

    /// Takes a text over.
    ///
    /// # Errors
    /// What is wrong with the text, as the rest of a sentence that begins with it.
    fn read(&mut self, text: &str) -> Result<(), String>;

    /// The numbers that the setting's range limits.
    fn numbers(&self) -> Vec<f64> {
        Vec::new()
    }
}

/// Puts a value in place, if the text meant one.
fn put<T>(value: &mut T, read: Option<T>, what: &str) -> Result<(), String> {
    *value = read.ok_or_else(|| format!("is not {what}"))?;
    Ok(())
}

/// The end of a message about a text that is none of the words.
pub(super) fn none_of(words: &[Word]) -> String {
    let names: Vec<_> = words.iter().map(|word| word.0).collect();
    format!("is none of {}", names.join(", "))
}

/// A number as it stands in messages and hints.
pub(super) fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-4 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

impl Value for f64 {
    fn text(&self) -> String {
        // A camera's ratio, which has no end as a decimal number.
        if *self == 4.0 / 3.0 {
            "4/3".to_owned()
        } else {
            self.to_string()
        }
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let parse = |part: &str| part.trim().parse::<f64>().ok();
        let number = match text.split_once('/') {
            Some((above, below)) => parse(above).zip(parse(below)).map(|(a, b)| a / b),
            None => parse(text),
        };
        let what = match text.split_once(',') {
            Some((whole, rest))
                if number.is_none() && parse(rest).is_some() && parse(whole).is_some() =>
            {
                format!("a number: write {whole}.{rest}, with a point")
            }
            _ => "a number".to_owned(),
        };
        put(self, number, &what)
    }

    fn numbers(&self) -> Vec<f64> {
        vec![*self]
    }
}

impl Value for usize {
    fn text(&self) -> String {
        self.to_string()
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        put(self, text.parse().ok(), "a whole number")
    }

    fn numbers(&self) -> Vec<f64> {
        vec![*self as f64]
    }
}

/// A seed, which no range limits.
impl Value for u64 {
    fn text(&self) -> String {
        self.to_string()
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        put(self, text.parse().ok(), "a whole number")
    }
}

/// A number that need not be given.
impl Value for Option<usize> {
    fn text(&self) -> String {
        self.map_or_else(String::new, |value| value.to_string())
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let given = (!text.is_empty()).then(|| text.parse().ok());
        // Outside: whether it could be read. Inside: whether there was anything.
        put(
            self,
            given.map_or(Some(None), |n| n.map(Some)),
            "a whole number",
        )
    }

    fn numbers(&self) -> Vec<f64> {
        self.iter().map(|value| *value as f64).collect()
    }
}

impl Value for bool {
    fn input(&self) -> Input {
        Input::Switch
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        put(self, text.parse().ok(), "true or false")
    }
}

impl Value for Vec<SizeFrom> {
    fn text(&self) -> String {
        let part = |from: &SizeFrom| format!("{}:{}", from.epoch, from.size);
        self.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
        let from = |part: &str| {
            let (epoch, size) = part.split_once(':')?;
            let (epoch, size) = (epoch.parse().ok()?, size.parse().ok()?);
            Some(SizeFrom { epoch, size })
        };
        put(self, parts.map(from).collect(), "a list of epoch:pixels")
    }

    fn numbers(&self) -> Vec<f64> {
        self.iter().map(|from| from.size as f64).collect()
    }
}

/// The words of an enum: of each variant the one in files, flags and addresses, as serde writes it, and the one in a menu.
macro_rules! words {
    ($type:ident { $($variant:ident = $name:literal, $label:literal;)+ }) => {
        impl $type {
            /// All of them, in the order they are offered.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The word in files, in flags and in addresses.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// What it is, for a menu.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label),+
                }
            }

            /// The one of that word, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.name() == name)
            }
        }

        impl $crate::config::Value for $type {
            fn input(&self) -> $crate::config::Input {
                $crate::config::Input::Words(&[$(($name, $label)),+])
            }

            fn text(&self) -> String {
                self.name().to_owned()
            }

            fn read(&mut self, text: &str) -> std::result::Result<(), String> {
                let none = || $crate::config::value::none_of(&[$(($name, $label)),+]);
                *self = Self::from_name(text).ok_or_else(none)?;
                Ok(())
            }
        }
    };
}
pub(super) use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_comma_is_answered_with_the_point_to_write() {
        let mut value = 0.5;
        let reason = value.read("0,001").unwrap_err();
        assert_eq!(reason, "is not a number: write 0.001, with a point");
        assert_eq!(value.read("a,b").unwrap_err(), "is not a number");
        assert_eq!((value.read("4/8"), value), (Ok(()), 0.5));
    }
}
