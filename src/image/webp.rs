//! The chunks of a WebP (RFC 9649), for what its decoder does not tell.

/// The chunks in order: kind and content. Ends at the first that is not there in full.
pub(super) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let kind = rest.first_chunk()?;
        let length = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?);
        let length = usize::try_from(length).ok()?;
        let body = rest.get(8..)?;
        let content = body.get(..length)?;
        // An odd length is followed by a byte that fills it up.
        rest = body.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some((kind, content))
    })
}

/// Whether the image data end in zeros, as the rest of an interrupted download is: zeros are codes to the decoder,
/// which paints them. An arithmetic coder (`VP8 `) writes no such run. Lossless data (`VP8L`) may have a short one,
/// where one colour follows another in every pixel.
pub(super) fn ends_in_zeros(bytes: &[u8]) -> bool {
    chunks(bytes).any(|(kind, content)| {
        let run = match kind {
            b"VP8 " => 64,
            b"VP8L" => 1024,
            _ => return false,
        };
        content.iter().rev().take_while(|&&b| b == 0).count() >= run
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
        for (kind, content) in chunks {
            bytes.extend(*kind);
            bytes.extend((content.len() as u32).to_le_bytes());
            bytes.extend(*content);
            bytes.extend(&[0][..content.len() % 2]);
        }
        bytes
    }

    #[test]
    fn chunks_follow_one_another_up_to_one_that_is_cut() {
        let mut bytes = webp(&[(b"VP8X", b"odd"), (b"EXIF", b"even")]);
        let found: Vec<_> = chunks(&bytes).collect();
        assert_eq!(found, [(b"VP8X", &b"odd"[..]), (b"EXIF", b"even")]);
        bytes.pop();
        assert_eq!(chunks(&bytes).count(), 1);
        assert_eq!(chunks(b"RIFF").count(), 0);
    }

    #[test]
    fn only_the_image_data_of_zeros_are_a_cut() {
        let tail = |zeros| [vec![7; 10], vec![0; zeros]].concat();
        assert!(ends_in_zeros(&webp(&[(b"VP8 ", &tail(64))])));
        assert!(!ends_in_zeros(&webp(&[(b"VP8 ", &tail(63))])));
        assert!(!ends_in_zeros(&webp(&[(b"VP8L", &tail(1023))])));
        assert!(ends_in_zeros(&webp(&[
            (b"VP8L", &tail(1024)),
            (b"XMP ", b"x")
        ])));
        assert!(!ends_in_zeros(&webp(&[
            (b"VP8 ", b"x"),
            (b"XMP ", &tail(500))
        ])));
    }
}
