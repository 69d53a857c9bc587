//! Exif's orientation: how a picture is turned before it is shown (Exif 3.0, 4.6.5.1.3).
//!
//! A reader of one tag: libraries read all of them and give up at a fault in any, where browsers still
//! find the orientation.

/// How the pixels are stored, 1 to 8 of the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

/// Tag of the orientation.
const TAG: u16 = 0x0112;
/// A value of 16 bits.
const SHORT: u16 = 3;

impl Orientation {
    /// Stored as it is seen.
    pub const UPRIGHT: Self = Self(1);

    /// The orientation in Exif data, which are a TIFF file: the first entry of the tag in the first directory. Upright if there
    /// is none, or none of 1 to 8; the directory of a thumbnail does not count.
    pub fn of(exif: &[u8]) -> Self {
        Self::tagged(exif).unwrap_or(Self::UPRIGHT)
    }

    fn tagged(exif: &[u8]) -> Option<Self> {
        let big = match exif.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let bytes = |at: usize| exif.get(at..)?.first_chunk::<4>();
        let long = |at: usize| {
            let bytes = *bytes(at)?;
            let value = if big {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            };
            usize::try_from(value).ok()
        };
        let short = |at: usize| {
            let bytes = *exif.get(at..)?.first_chunk::<2>()?;
            Some(if big {
                u16::from_be_bytes(bytes)
            } else {
                u16::from_le_bytes(bytes)
            })
        };
        let directory = long(4)?;
        let entries = usize::from(short(directory)?);
        let places = (0..entries).map(|entry| directory.saturating_add(2 + 12 * entry));
        let entry = places
            .take_while(|&at| at < exif.len())
            .find(|&at| short(at) == Some(TAG))?;
        let value = u8::try_from(short(entry + 8)?).ok()?;
        let valid = short(entry + 2)? == SHORT && long(entry + 4)? == 1;
        (valid && (1..=8).contains(&value)).then_some(Self(value))
    }

    /// Turns pixels of `N` bytes, `[height, width, N]`, as they are to be seen; also returns width and height.
    pub fn apply<const N: usize>(
        self,
        pixels: Vec<u8>,
        width: usize,
        height: usize,
    ) -> (Vec<u8>, usize, usize) {
        if self == Self::UPRIGHT {
            return (pixels, width, height);
        }
        // the stored column and row of a pixel that is seen at x, y
        let (right, bottom) = (width - 1, height - 1);
        let from = move |x: usize, y: usize| match self.0 {
            2 => (right - x, y),
            3 => (right - x, bottom - y),
            4 => (x, bottom - y),
            5 => (y, x),
            6 => (y, bottom - x),
            7 => (right - y, bottom - x),
            8 => (right - y, x),
            _ => (x, y),
        };
        let [seen_width, seen_height] = if self.0 >= 5 {
            [height, width]
        } else {
            [width, height]
        };
        let stored = pixels.as_chunks::<N>().0;
        let mut seen = Vec::with_capacity(pixels.len());
        for y in 0..seen_height {
            for x in 0..seen_width {
                let (column, row) = from(x, y);
                seen.extend_from_slice(&stored[row * width + column]);
            }
        }
        (seen, seen_width, seen_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exif data with directories of entries (tag, type, count, value), in either order of bytes.
    fn exif(big: bool, directories: &[&[[u16; 4]]]) -> Vec<u8> {
        let short = |value: u16| {
            if big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let long = |value: usize| {
            let value = u32::try_from(value).unwrap();
            if big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let mut data = if big { b"MM\0*" } else { b"II*\0" }.to_vec();
        data.extend(long(8));
        for (place, entries) in directories.iter().enumerate() {
            data.extend(short(entries.len() as u16));
            for &[tag, kind, count, value] in *entries {
                data.extend(short(tag));
                data.extend(short(kind));
                data.extend(long(count.into()));
                data.extend(short(value));
                data.extend([0; 2]);
            }
            let next = if place + 1 < directories.len() {
                data.len() + 4
            } else {
                0
            };
            data.extend(long(next));
        }
        data
    }

    fn found(data: &[u8]) -> u8 {
        Orientation::of(data).0
    }

    #[test]
    fn all_eight_orientations_are_read_in_both_byte_orders() {
        for big in [false, true] {
            for value in 0..=9 {
                let data = exif(big, &[&[[0x010f, 2, 4, 7], [TAG, SHORT, 1, value]]]);
                let expected = if (1..=8).contains(&value) { value } else { 1 };
                assert_eq!(u16::from(found(&data)), expected, "{value} {big}");
            }
        }
    }

    #[test]
    fn other_directories_types_and_damage_are_ignored() {
        let right = [TAG, SHORT, 1, 6];
        let thumbnail: &[&[[u16; 4]]] = &[&[[0x010f, 2, 4, 7]], &[right]];
        assert_eq!(found(&exif(false, thumbnail)), 1);
        assert_eq!(found(&exif(false, &[&[right], &[[TAG, SHORT, 1, 3]]])), 6);
        assert_eq!(found(&exif(false, &[&[right, [TAG, SHORT, 1, 3]]])), 6);
        assert_eq!(found(&exif(false, &[&[[TAG, 4, 1, 6]]])), 1, "LONG");
        assert_eq!(found(&exif(false, &[&[[TAG, SHORT, 2, 6]]])), 1, "two");
        let whole = exif(true, &[&[[0x010f, 2, 4, 7], right]]);
        assert_eq!(found(&whole), 6);
        let value_ends = whole.len() - 6;
        for end in 0..whole.len() {
            let expected = if end < value_ends { 1 } else { 6 };
            assert_eq!(found(&whole[..end]), expected, "{end} bytes");
        }
        let mut far = whole;
        far[4..8].fill(0xff);
        assert_eq!(found(&far), 1);
        assert_eq!(found(b"http://ns.adobe.com/xap/1.0/"), 1);
    }

    /// Two columns and three rows, 0 to 5 as stored.
    #[test]
    fn pixels_are_turned_as_they_are_seen() {
        let seen: [([usize; 2], &[u8]); 8] = [
            ([2, 3], &[0, 1, 2, 3, 4, 5]),
            ([2, 3], &[1, 0, 3, 2, 5, 4]),
            ([2, 3], &[5, 4, 3, 2, 1, 0]),
            ([2, 3], &[4, 5, 2, 3, 0, 1]),
            ([3, 2], &[0, 2, 4, 1, 3, 5]),
            ([3, 2], &[4, 2, 0, 5, 3, 1]),
            ([3, 2], &[5, 3, 1, 4, 2, 0]),
            ([3, 2], &[1, 3, 5, 0, 2, 4]),
        ];
        for (value, (size, expected)) in (1..).zip(seen) {
            let stored = (0..6).collect();
            let (pixels, width, height) = Orientation(value).apply::<1>(stored, 2, 3);
            assert_eq!(([width, height], &pixels[..]), (size, expected), "{value}");
        }
    }
}
