//! Text from before Unicode.

use encoding_rs as e;

use super::super::Encoding;

/// The text that the bytes stand for; none if any of them stands for nothing.
#[must_use]
pub fn decode(encoding: Encoding, bytes: &[u8]) -> Option<String> {
    let decoder = match encoding {
        Encoding::ShiftJis => e::SHIFT_JIS,
        Encoding::Gbk => e::GBK,
        Encoding::Big5 => e::BIG5,
        Encoding::EucKr => e::EUC_KR,
        Encoding::Ibm866 => e::IBM866,
        Encoding::Windows1251 => e::WINDOWS_1251,
        Encoding::Windows1252 => e::WINDOWS_1252,
    };
    decoder
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
}
