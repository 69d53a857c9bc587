//! Colour profiles (ICC.1:2022): which of them are other colours than sRGB's. None is applied; `data check` names them.

/// sRGB's primaries as ICC profiles have them: X, Y and Z of red, green and blue under D50.
const SRGB: [(&[u8; 4], [f64; 3]); 3] = [
    (b"rXYZ", [0.4361, 0.2225, 0.0139]),
    (b"gXYZ", [0.3851, 0.7169, 0.0971]),
    (b"bXYZ", [0.1431, 0.0606, 0.7141]),
];
/// Profiles of sRGB differ by their rounding and adaptation; Display P3's red is 0.08 away.
const CLOSE: f64 = 0.005;
/// The name of a profile that has none.
const UNNAMED: &str = "without a name";

/// The name of a profile; none if its colours are sRGB's.
pub fn other_than_srgb(icc: &[u8]) -> Option<String> {
    let name = description(icc);
    let is_srgb = |name: &String| {
        let name = name.to_ascii_lowercase();
        name.contains("srgb") && !name.contains("linear")
    };
    let primaries_are_srgb = SRGB.iter().all(|(tag, expected)| {
        let found = xyz(icc, tag);
        found.is_some_and(|found| {
            let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
            apart.fold(0.0, f64::max) < CLOSE
        })
    });
    if name.as_ref().is_some_and(is_srgb) || (primaries_are_srgb && !is_linear(name.as_ref())) {
        return None;
    }
    Some(name.unwrap_or_else(|| UNNAMED.to_owned()))
}

fn is_linear(name: Option<&String>) -> bool {
    name.is_some_and(|name| name.to_ascii_lowercase().contains("linear"))
}

fn long(icc: &[u8], at: usize) -> Option<usize> {
    let bytes = icc.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

/// The data of a tag: from byte 128, the number of tags, then name, place and length of each.
fn tag<'a>(icc: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let entries = icc.get(132..)?.as_chunks::<12>().0;
    let entry = entries.iter().take(long(icc, 128)?);
    let entry = entry.into_iter().find(|entry| entry.starts_with(name))?;
    let (start, bytes) = (long(entry, 4)?, long(entry, 8)?);
    icc.get(start..start.checked_add(bytes)?)
}

/// Three numbers with 16 bits after the point.
fn xyz(icc: &[u8], name: &[u8; 4]) -> Option<[f64; 3]> {
    let values = tag(icc, name)?.get(8..)?.first_chunk::<12>()?;
    let values = values.as_chunks::<4>().0;
    Some([0, 1, 2].map(|at: usize| f64::from(i32::from_be_bytes(values[at])) / 65536.0))
}

/// Its name: ASCII (version 2), or the first of several languages (version 4).
fn description(icc: &[u8]) -> Option<String> {
    let data = tag(icc, b"desc")?;
    let text = if data.starts_with(b"desc") {
        let bytes = data.get(12..)?;
        let bytes = &bytes[..long(data, 8)?.min(bytes.len())];
        String::from_utf8_lossy(bytes).into_owned()
    } else if data.starts_with(b"mluc") {
        let (bytes, start) = (long(data, 20)?, long(data, 24)?);
        let bytes = data.get(start..start.checked_add(bytes)?)?;
        let units = bytes.as_chunks::<2>().0.iter().copied();
        String::from_utf16_lossy(&units.map(u16::from_be_bytes).collect::<Vec<_>>())
    } else {
        return None;
    };
    let shown = text.chars().filter(|c| !c.is_control()).take(60);
    Some(shown.collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile with a name of version 2 or 4 and primaries.
    fn profile(name: &str, version: u8, primaries: [[f64; 3]; 3]) -> Vec<u8> {
        let mut desc = Vec::new();
        if version == 2 {
            desc.extend(b"desc\0\0\0\0");
            desc.extend((name.len() as u32 + 1).to_be_bytes());
            desc.extend(name.as_bytes());
            desc.push(0);
        } else {
            let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
            desc.extend(b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS");
            desc.extend((text.len() as u32).to_be_bytes());
            desc.extend(28u32.to_be_bytes());
            desc.extend(text);
        }
        let mut tags = vec![(*b"desc", desc)];
        for ((tag, _), values) in SRGB.iter().zip(primaries) {
            let mut data = b"XYZ \0\0\0\0".to_vec();
            for value in values {
                data.extend(((value * 65536.0) as i32).to_be_bytes());
            }
            tags.push((**tag, data));
        }
        let mut icc = vec![0; 128];
        icc.extend((tags.len() as u32).to_be_bytes());
        let mut start = 132 + 12 * tags.len();
        for (tag, data) in &tags {
            icc.extend(tag);
            icc.extend((start as u32).to_be_bytes());
            icc.extend((data.len() as u32).to_be_bytes());
            start += data.len();
        }
        icc.extend(tags.into_iter().flat_map(|(_, data)| data));
        icc
    }

    const P3: [[f64; 3]; 3] = [
        [0.5151, 0.2412, -0.0011],
        [0.2920, 0.6922, 0.0419],
        [0.1571, 0.0666, 0.7841],
    ];

    #[test]
    fn profiles_other_than_srgb_are_named() {
        let srgb = SRGB.map(|(_, values)| values);
        for version in [2, 4] {
            let found = other_than_srgb(&profile("Display P3", version, P3));
            assert_eq!(found.as_deref(), Some("Display P3"));
            assert_eq!(other_than_srgb(&profile("c2", version, srgb)), None);
            let named = profile("sRGB IEC61966-2.1", version, P3);
            assert_eq!(other_than_srgb(&named), None);
            let linear = profile("Linear sRGB", version, srgb);
            assert_eq!(other_than_srgb(&linear).as_deref(), Some("Linear sRGB"));
        }
    }

    #[test]
    fn damaged_profiles_have_no_name() {
        let whole = profile("Display P3", 4, P3);
        for end in 0..whole.len() {
            let name = other_than_srgb(&whole[..end]);
            assert!(
                name.is_some_and(|n| n == UNNAMED || n == "Display P3"),
                "{end}"
            );
        }
        let mut far = whole;
        far[136..144].fill(0xff);
        assert_eq!(other_than_srgb(&far).as_deref(), Some(UNNAMED));
    }
}
