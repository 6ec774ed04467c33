//! Any JSON as a value, within a budget, and the words that Python writes beyond JSON.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Most values of a file: each takes up to 56 bytes beside its text.
pub(super) const MAX_VALUES: usize = 1_500_000;

/// A value; numbers and truth values are kept as text.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data::table) enum Item {
    Text(String),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
}

/// Reads a value and counts its parts down.
struct Seed<'a>(&'a Cell<usize>);

impl Seed<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        if left == 0 {
            return Err(E::custom(format!("it has more than {MAX_VALUES} values")));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Item, D::Error> {
        self.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Item, E> {
        Ok(Item::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Seed(self.0))? {
            items.push(item);
        }
        Ok(Item::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            items.push((key, map.next_value_seed(Seed(self.0))?));
        }
        Ok(Item::Map(items))
    }
}

pub(super) fn value(text: &str, budget: &Cell<usize>) -> Result<Item, serde_json::Error> {
    let mut from = serde_json::Deserializer::from_str(text);
    let item = Seed(budget).deserialize(&mut from)?;
    from.end()?;
    Ok(item)
}

/// The text with null for NaN and Infinity, which Python writes and JSON has not; none if there are none.
pub(super) fn without_nan(text: &str) -> Option<String> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !WORDS.iter().any(|word| text.contains(word)) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = WORDS
            .iter()
            .find(|word| !quoted && rest.starts_with(**word));
        if let Some(word) = word {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Some(out)
}
