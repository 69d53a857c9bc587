//! Round trips, exact bytes, broken files.

use super::*;

fn sample() -> HostTensors {
    let tensor = |shape: &[usize], values: &[f32]| HostTensor {
        shape: shape.to_vec(),
        values: values.to_vec(),
    };
    HostTensors(BTreeMap::from([
        ("w".to_owned(), tensor(&[2, 2], &[1.0, -0.5, 0.25, 3.0])),
        ("a".to_owned(), tensor(&[1], &[2.0])),
    ]))
}

fn metadata() -> BTreeMap<String, String> {
    ('a'..='p')
        .map(|letter| (letter.to_string(), format!("{letter}\"é")))
        .collect()
}

#[test]
fn round_trips() {
    for dtype in [Dtype::F32, Dtype::F16] {
        let bytes = encode(&sample(), &metadata(), dtype).unwrap();
        let back = decode(&bytes).unwrap();
        assert_eq!(back.tensors, sample());
        assert_eq!(back.metadata, metadata());
        assert_eq!(read_metadata(&bytes).unwrap(), metadata());
    }
}

#[test]
fn the_bytes_are_these() {
    let metadata = BTreeMap::from([("b", "2"), ("a", "1")])
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let dtype_of = |name: &str| if name == "a" { Dtype::F16 } else { Dtype::F32 };
    let bytes = encode_with(&sample(), &metadata, dtype_of).unwrap();
    let header = concat!(
        r#"{"__metadata__":{"a":"1","b":"2","tensors_crc32":"5e188f4b3705536f"},"#,
        r#""w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"#,
        r#""a":{"dtype":"F16","shape":[1],"data_offsets":[16,18]}}"#
    );
    let padded = header.len().next_multiple_of(8);
    assert_eq!(bytes[..8], (padded as u64).to_le_bytes());
    assert_eq!(
        &bytes[8..8 + padded],
        format!("{header:<padded$}").as_bytes()
    );
    assert_eq!(bytes[bytes.len() - 2..], [0, 0x40]); // 2 in f16
    // the library reads them
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().len(), 2);
}

#[test]
fn the_same_content_is_the_same_bytes() {
    let bytes = encode(&sample(), &metadata(), Dtype::F32).unwrap();
    for _ in 0..8 {
        // read back in between: a hash map of the reader must not show either
        let again = decode(&bytes).unwrap();
        assert_eq!(
            encode(&again.tensors, &again.metadata, Dtype::F32).unwrap(),
            bytes
        );
    }
    assert_eq!(replace_metadata(&bytes, &metadata()).unwrap(), bytes);
}

#[test]
fn metadata_is_replaced_and_values_stay() {
    let bytes = encode(&sample(), &BTreeMap::new(), Dtype::F16).unwrap();
    let new = replace_metadata(&bytes, &metadata()).unwrap();
    assert_eq!(new, encode(&sample(), &metadata(), Dtype::F16).unwrap());
}

#[test]
fn a_flipped_bit_is_named_with_its_tensor() {
    let bytes = encode(&sample(), &metadata(), Dtype::F32).unwrap();
    // a (4 bytes) before w (16 bytes)
    for (from_end, name) in [(1, "w"), (16, "w"), (17, "a"), (20, "a")] {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[bytes.len() - from_end] ^= 1 << bit;
            let error = decode(&damaged).unwrap_err();
            assert_eq!(error.fields().name, name);
            assert!(error.to_string().contains("damaged: CRC-32"), "{error}");
            // and is not hidden by new metadata
            assert!(replace_metadata(&damaged, &metadata()).is_err());
        }
    }
}

#[test]
fn files_without_digests_are_read_and_get_them_when_written_again() {
    let old = {
        let all = sample();
        let entries = all
            .0
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor, Dtype::F32));
        encode_entries(entries, &metadata()).unwrap()
    };
    assert!(!old.windows(5).any(|part| part == b"crc32"));
    assert_eq!(decode(&old).unwrap().tensors, sample());
    let new = encode(&sample(), &metadata(), Dtype::F32).unwrap();
    assert_eq!(replace_metadata(&old, &metadata()).unwrap(), new);
}

#[test]
fn every_cut_is_an_error() {
    let bytes = encode(&sample(), &BTreeMap::new(), Dtype::F32).unwrap();
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len]).is_err(), "cut at {len}");
    }
}

#[test]
fn f16_refuses_what_it_cannot_hold() {
    let mut tensors = sample();
    tensors.0.get_mut("w").unwrap().values[0] = 1e6;
    let error = encode(&tensors, &BTreeMap::new(), Dtype::F16).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Tensor);
    assert_eq!(error.fields().name, "w");
    assert_eq!(error.fields().found.as_deref(), Some("1000000"));
    assert!(error.to_string().contains("65504"), "{error}");
}

/// A file in memory, read in pieces; the second is how many bytes of it there are.
struct Pieces<'a>(&'a [u8], usize);

impl ReadAt for Pieces<'_> {
    fn length(&self) -> usize {
        self.1
    }

    fn read_at(&self, range: Range<usize>) -> Result<Vec<u8>> {
        let end = range.end.min(self.0.len());
        Ok(self.0[range.start.min(end)..end].to_vec())
    }
}

#[test]
fn what_is_read_in_pieces_is_what_is_read_at_once() {
    let bytes = encode(&sample(), &metadata(), Dtype::F16).unwrap();
    let file = Pieces(&bytes, bytes.len());
    let pieces = open_at(&file).unwrap();
    assert_eq!(pieces.metadata, metadata());
    assert_eq!(pieces.tensors().unwrap(), sample());

    // damaged anywhere, or cut anywhere, it is refused where it is refused at once, in the same words
    let both = |bytes: &[u8]| {
        let at_once = decode(bytes).map(|stored| stored.tensors);
        let file = Pieces(bytes, bytes.len());
        let in_pieces = open_at(&file).and_then(|file| file.tensors());
        [at_once, in_pieces].map(|found| found.map_err(|error| error.to_string()))
    };
    for length in 0..bytes.len() {
        let [at_once, in_pieces] = both(&bytes[..length]);
        assert!(
            at_once.is_err() && in_pieces == at_once,
            "{length}: {in_pieces:?} {at_once:?}"
        );
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x41;
        let [at_once, in_pieces] = both(&damaged);
        assert_eq!(
            in_pieces.is_err(),
            at_once.is_err(),
            "{place}: {in_pieces:?}"
        );
    }

    let shrunk = Pieces(&bytes[..bytes.len() - 2], bytes.len());
    let error = open_at(&shrunk).unwrap().tensors().unwrap_err().to_string();
    assert!(error.contains("open the file again"), "{error}");
}
