//! Round trips, identity, broken files.

use std::io::Cursor;

use super::*;

fn written(name: &str, pixels: [u8; 8], rows: [&[u16]; 2], known: bool) -> (DatasetInfo, Vec<u8>) {
    let names = ["a", "b", "c"].map(String::from);
    let out = Cursor::new(Vec::new());
    let images = known.then_some(2);
    let mut writer = PackWriter::new(out, name, &names, [1, 2, 2], images).unwrap();
    assert!(writer.push(&[5], &[0]).is_err());
    for (image, labels) in pixels.chunks(4).zip(rows) {
        writer.push(image, labels).unwrap();
    }
    let (info, out) = writer.finish().unwrap();
    (info, out.into_inner())
}

const PIXELS: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn check_all(bytes: &[u8]) -> Result<Pack<'_>> {
    let pack = Pack::open(bytes)?;
    (0..pack.blocks()).try_for_each(|block| pack.check_block(block))?;
    Ok(pack)
}

#[test]
fn what_was_packed_is_read() {
    for (known, second) in [(false, &[0u16, 1][..]), (true, &[0])] {
        let (info, bytes) = written("three", PIXELS, [&[2], second], known);
        let pack = check_all(&bytes).unwrap();
        assert_eq!(pack.info, info);
        assert_eq!((info.name.as_str(), info.images), ("three", 2));
        assert_eq!((pack.images_u8, pack.shape), (&PIXELS[..], [1, 2, 2]));
        assert_eq!(pack.class_names, ["a", "b", "c"]);
        assert_eq!((pack.rows.row(0), pack.rows.row(1)), (&[2][..], second));
    }
}

#[test]
fn the_digest_depends_on_every_part() {
    let sha256 = |name, pixels, rows| written(name, pixels, rows, true).0.sha256;
    let labels: [&[u16]; 2] = [&[1], &[0]];
    let base = sha256("two", PIXELS, labels);
    assert_eq!(base, sha256("two", PIXELS, labels));
    assert_ne!(base, sha256("2", PIXELS, labels));
    assert_ne!(base, sha256("two", [1, 2, 3, 4, 5, 6, 7, 9], labels));
    assert_ne!(base, sha256("two", PIXELS, [&[0], &[1]]));
}

#[test]
fn several_blocks_have_a_digest_each() {
    let out = Cursor::new(Vec::new());
    let mut writer = PackWriter::new(out, "x", &["a".into()], [1, 1, 1], None).unwrap();
    for index in 0..=2 * BLOCK_IMAGES {
        writer.push(&[index as u8], &[0]).unwrap();
    }
    let (_, out) = writer.finish().unwrap();
    assert_eq!(check_all(&out.into_inner()).unwrap().blocks(), 3);
}

#[test]
fn another_number_of_images_than_promised_is_refused() {
    for (promised, says) in [(None, "images to pack is 0"), (Some(2), "expected 2")] {
        let out = Cursor::new(Vec::new());
        let writer = PackWriter::new(out, "x", &["a".into()], [1, 1, 1], promised).unwrap();
        let message = writer.finish().unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn cut_changed_and_foreign_files_are_refused() {
    let (_, whole) = written("three", PIXELS, [&[2], &[0]], false);
    let refused = |bytes: &[u8], part: &str| {
        let message = check_all(bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    };
    for end in [0, 7, 20, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..end], "");
    }
    let changed = |place: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[place] = byte;
        bytes
    };
    let labels = whole.len() - DIGEST - 2 * 2;
    refused(&changed(labels - 2 * 8 - 8, 9), "images 0 to 4095");
    refused(
        &changed(labels, 3),
        "label 3 is out of range, expected one of 3 classes",
    );
    let at = whole.windows(11).position(|w| w == b"biggan-pack").unwrap();
    refused(
        &changed(at + 8, b'i'),
        "format is biggan-pick, expected biggan-pack",
    );
}
