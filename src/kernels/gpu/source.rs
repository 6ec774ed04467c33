//! A kernel's WGSL, put together: a plain file, the functions it shares with others, and its tunables.
//!
//! The files stay valid WGSL that every shader tool reads; what differs between two launches is a handful
//! of `const` lines, rewritten here. `override` would not do: it cannot size an array that is
//! local to a function, and burn's launch sets no override values.

use std::collections::BTreeMap;
use std::fmt;

use super::params::Field;
use crate::fnv;

/// The value of a `const` line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constant {
    /// `const NAME: u32 = 8u;`
    U32(u32),
    /// `const NAME: f32 = 0.5f;`, finite.
    F32(f32),
    /// `const NAME: bool = true;`
    Bool(bool),
}

impl Constant {
    const fn wgsl_type(self) -> &'static str {
        match self {
            Self::U32(_) => "u32",
            Self::F32(_) => "f32",
            Self::Bool(_) => "bool",
        }
    }
}

/// The literal as WGSL writes it: `8u`, `0.5f`, `true`.
impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::U32(value) => write!(f, "{value}u"),
            // The debug form is the shortest that reads back as the same bits, with an exponent if need be.
            Self::F32(value) => write!(f, "{value:?}f"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

impl From<u32> for Constant {
    fn from(value: u32) -> Self {
        Self::U32(value)
    }
}

impl From<f32> for Constant {
    fn from(value: f32) -> Self {
        Self::F32(value)
    }
}

impl From<bool> for Constant {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A file of `shaders/`, with all that a launch and a test need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct Shader {
    /// Its name, without `.wgsl`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The files of `shaders/lib/` joined to it: name and text of each.
    pub libs: &'static [(&'static str, &'static str)],
    /// What its `@workgroup_size` comes to.
    pub workgroup: [u32; 3],
    /// The fields of its `Params`.
    pub params: &'static [Field],
}

impl Shader {
    /// The module: the file with its libraries, tunables as they stand there.
    #[must_use]
    pub fn source(&self) -> Source {
        let kernel = Source::new(self.name, self.text);
        let libs = self.libs.iter();
        libs.fold(kernel, |source, (_, text)| source.with_lib(text))
    }
}

/// `shader!("max_pool", [64, 1, 1], MaxPoolParams)`: a [`Shader`]. Names of library files may follow.
macro_rules! shader {
    ($name:literal, $workgroup:expr, $params:ty $(, $lib:literal)* $(,)?) => {
        $crate::kernels::gpu::source::Shader {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl")),
            libs: &[$((
                $lib,
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/lib/", $lib, ".wgsl")),
            )),*],
            workgroup: $workgroup,
            params: <$params>::FIELDS,
        }
    };
}
pub(crate) use shader;

/// A WGSL module under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: &'static str,
    text: String,
    libs: u64,
    values: BTreeMap<String, String>,
}

impl Source {
    /// A kernel's file name and content.
    #[must_use]
    pub fn new(name: &'static str, text: &str) -> Self {
        Self {
            name,
            text: text.to_owned(),
            libs: fnv::START,
            values: BTreeMap::new(),
        }
    }

    /// Adds shared functions. WGSL knows no order at module scope, so they simply follow the kernel.
    #[must_use]
    pub fn with_lib(mut self, text: &str) -> Self {
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.libs = fnv::add(self.libs, text.bytes());
        self
    }

    /// Rewrites the line `const NAME: TYPE = ...;` of the value's type.
    ///
    /// # Panics
    /// If there is no such line or more than one, or the value has no literal: a bug in the caller.
    #[must_use]
    #[track_caller]
    pub fn set(self, name: &str, value: impl Into<Constant>) -> Self {
        let value = value.into();
        if let Constant::F32(number) = value {
            assert!(
                number.is_finite(),
                "{}: {name} = {number} has no literal in WGSL",
                self.name
            );
        }
        let start = format!("const {name}: {} = ", value.wgsl_type());
        self.rewrite(name, &start, value.to_string())
    }

    #[track_caller]
    fn rewrite(mut self, name: &str, start: &str, value: String) -> Self {
        match rewritten(&self.text, start, &value) {
            Ok(text) => self.text = text,
            Err(found) => panic!(
                "{}: one line has to begin with \"{start}\" and end the declaration; found {found}",
                self.name
            ),
        }
        self.values.insert(name.to_owned(), value);
        self
    }

    /// The kernel's file name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The file name and every rewritten value, sorted by name: equal for equal text, so that it can be the
    /// key of a cache of pipelines. Shared functions show as a hash.
    #[must_use]
    pub fn id(&self) -> String {
        let libs = (self.libs != fnv::START).then(|| format!("+{:016x}", self.libs));
        let values = self
            .values
            .iter()
            .map(|(name, value)| format!(" {name}={value}"));
        std::iter::once(self.name.to_owned())
            .chain(libs)
            .chain(values)
            .collect()
    }

    /// The module, ready to be compiled.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The text with `value` between `start`, which begins a line, and the semicolon; whatever follows that is
/// kept. Otherwise the number of lines found.
fn rewritten(text: &str, start: &str, value: &str) -> Result<String, usize> {
    let mut found = 0;
    let mut result = String::with_capacity(text.len() + value.len());
    for line in text.split_inclusive('\n') {
        let tail = line
            .strip_prefix(start)
            .and_then(|rest| rest.find(';').map(|end| &rest[end..]));
        if let Some(tail) = tail {
            found += 1;
            result.push_str(start);
            result.push_str(value);
            result.push_str(tail);
        } else {
            result.push_str(line);
        }
    }
    if found == 1 { Ok(result) } else { Err(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "// A kernel.\nconst TILE_M: u32 = 4u; // rows\nconst TILE_MN: u32 = 2u;\n\
                        const SLOPE: f32 = 0.0f;\nconst RELU: bool = false;\n";

    fn source() -> Source {
        Source::new("kernel.wgsl", FILE)
    }

    #[test]
    fn a_set_value_replaces_that_one_line_and_nothing_else() {
        let set = source()
            .set("TILE_M", 8)
            .set("RELU", true)
            .set("SLOPE", 1e-9);
        let expected = FILE
            .replace("TILE_M: u32 = 4u;", "TILE_M: u32 = 8u;")
            .replace("= false;", "= true;")
            .replace("0.0f", "1e-9f");
        assert_eq!(set.text(), expected);
    }

    #[test]
    fn the_id_tells_apart_what_differs_and_only_that() {
        let set = source().set("TILE_M", 8).set("RELU", true);
        assert_eq!(source().id(), "kernel.wgsl");
        assert_eq!(set.id(), "kernel.wgsl RELU=true TILE_M=8u");
        assert_eq!(set.id(), source().set("RELU", true).set("TILE_M", 8).id());
        assert_eq!(set.clone().set("TILE_M", 9).set("TILE_M", 8), set);
        let (one, other) = (
            source().with_lib("fn a() {}"),
            source().with_lib("fn b() {}"),
        );
        assert_ne!(one.id(), other.id());
        assert_ne!(one.id(), source().id());
    }

    #[test]
    fn a_library_follows_on_a_line_of_its_own_and_can_be_set() {
        let set = Source::new("a.wgsl", "fn main() {}")
            .with_lib("const N: u32 = 1u;\n")
            .set("N", 2);
        assert_eq!(set.text(), "fn main() {}\nconst N: u32 = 2u;\n");
    }

    #[test]
    #[should_panic(expected = "found 0")]
    fn an_unknown_name_is_refused() {
        let _ = source().set("TILE_K", 8);
    }

    #[test]
    #[should_panic(expected = "found 0")]
    fn another_type_is_refused() {
        let _ = source().set("TILE_M", 8.0);
    }

    #[test]
    #[should_panic(expected = "found 2")]
    fn two_lines_are_refused() {
        let _ = source()
            .with_lib("const TILE_M: u32 = 1u;\n")
            .set("TILE_M", 8);
    }

    #[test]
    #[should_panic(expected = "no literal")]
    fn infinity_is_refused() {
        let _ = source().set("SLOPE", f32::INFINITY);
    }
}
