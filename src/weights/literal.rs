//! Python's literals: `str(dict)` is what people put into the metadata of safetensors, which takes text alone. It is
//! nearly JSON, and a reader that splits it on commas calls a class `{'fox': 5`.

use serde_json::{Map, Value};

/// Deepest nesting that is read; lists of names have two levels.
const DEEPEST: usize = 16;

/// Whether text begins as a list, a dict or a tuple does, of Python or of JSON.
pub(super) fn begins_as_one(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{', '('])
}

/// The value that a text is the literal of: a list, tuple or dict of strings, numbers, `True`, `False` and `None`. Keys
/// of a dict become text, as in JSON. None for anything else; a set has no order, so it is no list.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(DEEPEST)?;
    reader.blanks();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes this character, after blanks, if it is next.
    fn take(&mut self, wanted: char) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.blanks();
        match self.rest.chars().next()? {
            '[' => self.items('[', ']', depth),
            '(' => self.items('(', ')', depth),
            '{' => self.dict(depth),
            '\'' | '"' => self.string().map(Value::String),
            _ => self.word(),
        }
    }

    fn items(&mut self, open: char, close: char, depth: usize) -> Option<Value> {
        self.take(open);
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value(depth)?);
            if !self.take(',') {
                // Without a comma, brackets around one value make no tuple: `('a')` is `'a'`.
                let alone = open == '(' && items.len() == 1;
                return (self.take(close) && !alone).then_some(Value::Array(items));
            }
        }
        Some(Value::Array(items))
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        self.take('{');
        let mut pairs = Map::new();
        while !self.take('}') {
            let key = match self.value(depth)? {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            if !self.take(':') {
                return None;
            }
            // `{1: 'a', '1': 'b'}` are two keys in Python, and none of them is to be lost.
            if pairs.insert(key, self.value(depth)?).is_some() {
                return None;
            }
            if !self.take(',') {
                return self.take('}').then_some(Value::Object(pairs));
            }
        }
        Some(Value::Object(pairs))
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.next()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == quote => return Some(text),
                '\\' => text.push(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    /// What follows a backslash, as `repr` writes it.
    fn escaped(&mut self) -> Option<char> {
        let digits = match self.next()? {
            'n' => return Some('\n'),
            't' => return Some('\t'),
            'r' => return Some('\r'),
            same @ ('\\' | '\'' | '"' | '/') => return Some(same),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let code = self.rest.get(..digits)?;
        self.rest = &self.rest[digits..];
        char::from_u32(u32::from_str_radix(code, 16).ok()?)
    }

    /// A number, or one of Python's and JSON's words.
    fn word(&mut self) -> Option<Value> {
        let end = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | ']' | '}' | ')');
        let word = self.rest.split(end).next()?;
        self.rest = &self.rest[word.len()..];
        match word {
            "None" | "null" => Some(Value::Null),
            "True" | "true" => Some(Value::Bool(true)),
            "False" | "false" => Some(Value::Bool(false)),
            number => match number.parse::<i64>() {
                Ok(number) => Some(number.into()),
                Err(_) => serde_json::Number::from_f64(number.parse().ok()?).map(Value::Number),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_prints_is_read() {
        for (python, json) in [
            ("['ant', 'bee']", r#"["ant","bee"]"#),
            ("('ant', \"bee's\",)", r#"["ant","bee's"]"#),
            ("{'fox': 5, 'ant': 0}", r#"{"fox":5,"ant":0}"#),
            ("{0: 'a, b', 1: 'c\\'d'}", r#"{"0":"a, b","1":"c'd"}"#),
            (
                "[None, True, -1, 0.5, '\\xe9\\u0259']",
                r#"[null,true,-1,0.5,"éə"]"#,
            ),
            (
                "{'train': {'a': 0}, 'x': []}",
                r#"{"train":{"a":0},"x":[]}"#,
            ),
        ] {
            let json: Value = serde_json::from_str(json).unwrap();
            assert_eq!(parse(python), Some(json), "{python}");
        }
    }

    #[test]
    fn what_is_no_literal_is_none() {
        for text in [
            "",
            "ant, bee",
            "{'ant', 'bee'}",
            "['ant' 'bee']",
            "['ant', 'bee'",
            "['ant'] and more",
            "OrderedDict([('a', 0)])",
            "{'a': 0, 'a': 1}",
            "{1: 'a', '1': 'b'}",
            "('ant')",
            "['\\q']",
            "['\\xé']",
            "[nan]",
            "[Path('a')]",
            "{'a' 0}",
            &"[".repeat(1000),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
