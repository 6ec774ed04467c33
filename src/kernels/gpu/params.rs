//! What a kernel is told besides its tensors: the Rust twins of each WGSL `struct Params`.
//!
//! Both sides are written by hand, so a test compares names, offsets and types by reflection
//! (`tests/shaders.rs`); without it a swapped field is a wrong picture, not an error.

/// A field of a `Params` struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, the same on both sides.
    pub name: &'static str,
    /// Where it starts, in bytes.
    pub offset: usize,
    /// `u32` or `f32`.
    pub kind: &'static str,
}

/// A type that a parameter may have: 32 bits, written as they are.
pub trait Word: Copy {
    /// The bits.
    fn word(self) -> u32;
}

impl Word for u32 {
    fn word(self) -> u32 {
        self
    }
}

impl Word for f32 {
    fn word(self) -> u32 {
        self.to_bits()
    }
}

/// Declares a `Params` struct of plain `u32` and `f32`, its `FIELDS` and its `words()`.
macro_rules! params {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $kind:ident),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $kind,)+
        }

        impl $name {
            /// The fields in order, to compare with the WGSL struct.
            pub const FIELDS: &'static [$crate::kernels::gpu::params::Field] = &[
                $($crate::kernels::gpu::params::Field {
                    name: stringify!($field),
                    offset: ::std::mem::offset_of!($name, $field),
                    kind: stringify!($kind),
                }),+
            ];

            /// The buffer's content.
            #[must_use]
            pub fn words(&self) -> Vec<u32> {
                vec![$($crate::kernels::gpu::params::Word::word(self.$field)),+]
            }
        }
    };
}
pub(crate) use params;

#[cfg(test)]
mod tests {
    use super::Field;
    use crate::kernels::gpu::peak::PeakFmaParams;

    #[test]
    fn words_and_fields_follow_the_declaration() {
        let params = PeakFmaParams {
            invocations: 3,
            rounds: 6,
            factor: 0.5,
            addend: -1.0,
        };
        let words = [3, 6, 0.5_f32.to_bits(), (-1.0_f32).to_bits()];
        assert_eq!(params.words(), words);
        let field = |name, offset, kind| Field { name, offset, kind };
        assert_eq!(
            PeakFmaParams::FIELDS,
            [
                field("invocations", 0, "u32"),
                field("rounds", 4, "u32"),
                field("factor", 8, "f32"),
                field("addend", 12, "f32"),
            ]
        );
    }
}
