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
            pub const FIELDS: &'static [$crate::kernels::params::Field] = &[
                $($crate::kernels::params::Field {
                    name: stringify!($field),
                    offset: ::std::mem::offset_of!($name, $field),
                    kind: stringify!($kind),
                }),+
            ];

            /// The buffer's content.
            #[must_use]
            pub fn words(&self) -> Vec<u32> {
                vec![$($crate::kernels::params::Word::word(self.$field)),+]
            }
        }
    };
}
pub(crate) use params;

params! {
    /// `max_pool.wgsl`.
    pub struct MaxPoolParams {
        /// N * C.
        pub planes: u32,
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// OW.
        pub out_width: u32,
        /// Rows of the window.
        pub kernel_height: u32,
        /// Columns of the window.
        pub kernel_width: u32,
        /// Rows from one window to the next.
        pub stride_height: u32,
        /// Columns from one window to the next.
        pub stride_width: u32,
        /// Rows added above.
        pub pad_top: u32,
        /// Columns added at the left.
        pub pad_left: u32,
    }
}

params! {
    /// `global_avg_pool.wgsl`.
    pub struct GlobalAvgPoolParams {
        /// N * C.
        pub planes: u32,
        /// H * W.
        pub area: u32,
    }
}

params! {
    /// `preprocess_vertical.wgsl`.
    pub struct PreprocessVerticalParams {
        /// W, of source and result.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// Words of a row of the taps: start, length and the longest row's weights.
        pub row_length: u32,
        /// Bits after the point of a weight.
        pub shift: u32,
    }
}

params! {
    /// `preprocess_horizontal.wgsl`.
    pub struct PreprocessHorizontalParams {
        /// OH, of source and result.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OW.
        pub out_width: u32,
        /// Words of a row of the taps: start, length and the longest row's weights.
        pub row_length: u32,
        /// Bits after the point of a weight.
        pub shift: u32,
        /// Which image of the batch is written.
        pub image: u32,
    }
}

params! {
    /// `peak_fma.wgsl`.
    pub struct PeakFmaParams {
        /// I: as many results as invocations.
        pub invocations: u32,
        /// Eights of steps.
        pub rounds: u32,
        /// What a step multiplies with.
        pub factor: f32,
        /// What a step adds.
        pub addend: f32,
    }
}

params! {
    /// `peak_copy.wgsl`.
    pub struct PeakCopyParams {
        /// I: fours of values.
        pub elements: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
