//! Files of `torch.save`: whole ones are read, malformed ones are refused with a reason.

use biggan::import::torch::TorchFile;

use crate::support::torch_writer::{Item, TorchWriter, ZipOptions};

fn text(text: &str) -> Item {
    Item::Text(text.to_owned())
}

/// A state_dict with every type and layout of tensor, and what surrounds it in a checkpoint.
fn sample() -> (TorchWriter, Item) {
    let mut writer = TorchWriter::default();
    let f32 = writer.f32(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let f16 = writer.tensor("HalfStorage", 2, &[2], vec![0x00, 0x3c, 0x00, 0xc0]);
    let bf16 = writer.tensor("BFloat16Storage", 2, &[2], vec![0x80, 0x3f, 0x00, 0xc0]);
    let f64 = writer.tensor("DoubleStorage", 8, &[1], 0.5f64.to_le_bytes().to_vec());
    let i64 = writer.tensor("LongStorage", 8, &[], 7i64.to_le_bytes().to_vec());
    let view = |offset, shape: &[i64], strides: &[i64], parameter| Item::Tensor {
        storage: 0,
        offset,
        shape: shape.to_vec(),
        strides: strides.to_vec(),
        parameter,
    };
    let state = Item::Ordered(vec![
        ("f32".into(), f32),
        ("f16".into(), f16),
        ("bf16".into(), bf16),
        ("f64".into(), f64),
        ("i64".into(), i64),
        ("transposed".into(), view(0, &[3, 2], &[1, 3], false)),
        ("parameter".into(), view(3, &[3], &[1], true)),
    ]);
    let score = Item::Call(
        "numpy.core.multiarray",
        "scalar",
        vec![
            Item::Call(
                "numpy",
                "dtype",
                vec![text("f8"), Item::Int(0), Item::Int(1)],
            ),
            Item::Call("_codecs", "encode", vec![text("\u{0}"), text("latin1")]),
        ],
    );
    let root = Item::Dict(vec![
        (text("state_dict"), state),
        (text("optimizer"), Item::None),
        (text("step"), Item::Int(100_000)),
        (text("id"), Item::Int(140_234_567_890_123)),
        (text("best_fid"), score),
        (
            text("betas"),
            Item::Tuple(vec![Item::Float(0.0), Item::Float(0.999)]),
        ),
        (
            text("lr"),
            Item::List(vec![Item::Bool(true), Item::Int(-3)]),
        ),
    ]);
    (writer, root)
}

fn containers() -> Vec<(&'static str, Vec<u8>)> {
    let (writer, root) = sample();
    let zip64 = ZipOptions {
        zip64: true,
        ..ZipOptions::default()
    };
    vec![
        ("zip", writer.zip(&root, ZipOptions::default())),
        ("zip64", writer.zip(&root, zip64)),
        ("legacy", writer.legacy(&root)),
    ]
}

#[test]
fn every_container_and_type_is_read() {
    for (name, bytes) in containers() {
        let file = TorchFile::open(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let tensors = file.root().get("state_dict").unwrap().state_dict().unwrap();
        let read: Vec<(&str, Vec<f32>)> = tensors
            .iter()
            .map(|(name, tensor)| (*name, tensor.to_f32().unwrap()))
            .collect();
        let expected: [(&str, &[f32]); 7] = [
            ("f32", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
            ("f16", &[1.0, -2.0]),
            ("bf16", &[1.0, -2.0]),
            ("f64", &[0.5]),
            ("i64", &[7.0]),
            ("transposed", &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
            ("parameter", &[3.0, 4.0, 5.0]),
        ];
        assert_eq!(read.len(), expected.len(), "{name}");
        for ((found, values), (expected, wanted)) in read.iter().zip(expected) {
            assert_eq!((*found, values.as_slice()), (expected, wanted), "{name}");
        }
        let root = file.root();
        assert_eq!(root.get("step").unwrap().integer(), Some(100_000));
        assert_eq!(root.get("id").unwrap().integer(), Some(140_234_567_890_123));
        let betas = root.get("betas").unwrap().items().unwrap();
        assert_eq!(betas[1].number(), Some(0.999));
    }
}

#[test]
fn every_cut_is_an_error() {
    for (name, bytes) in containers() {
        for len in 0..bytes.len() {
            assert!(
                TorchFile::open(&bytes[..len]).is_err(),
                "{name} cut at {len}"
            );
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(TorchFile::open(&longer).is_err(), "{name} with a byte more");
    }
}

/// A flipped bit is an error or changes a value; it never panics, and in a zip with checksums no
/// stored number changes unnoticed.
#[test]
fn flipped_bits_do_no_harm() {
    for (name, bytes) in containers() {
        let values = |bytes: &[u8]| -> Option<Vec<u32>> {
            let file = TorchFile::open(bytes).ok()?;
            let tensors = file.root().get("state_dict")?.state_dict().ok()?;
            let mut all = Vec::new();
            for (_, tensor) in tensors {
                all.extend(tensor.to_f32().ok()?.into_iter().map(f32::to_bits));
            }
            Some(all)
        };
        let whole = values(&bytes).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let found = values(&flipped);
            if name != "legacy"
                && let Some(found) = found
            {
                assert_eq!(found, whole, "{name}, bit {bit}");
            }
        }
    }
}

/// The error of a file whose root is this.
fn refusal(writer: &TorchWriter, root: &Item) -> String {
    let zip = TorchFile::open(&writer.zip(root, ZipOptions::default()))
        .unwrap_err()
        .to_string();
    assert!(TorchFile::open(&writer.legacy(root)).is_err());
    zip
}

#[test]
fn other_globals_are_refused_by_name() {
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("__builtin__", "getattr"),
        ("torch.nn.modules.activation", "ReLU"),
        ("torch", "load"),
        ("collections", "defaultdict"),
    ] {
        let root = Item::Call(module, name, vec![text("echo harm")]);
        let message = refusal(&TorchWriter::default(), &root);
        assert!(
            message.contains(&format!("{module}.{name}")) && message.contains("not executed"),
            "{message}"
        );
    }
}

#[test]
fn tensors_that_lie_are_refused() {
    let lie = |offset: i64, shape: &[i64], strides: &[i64]| {
        let mut writer = TorchWriter::default();
        writer.f32(&[4], &[0.0; 4]);
        let tensor = Item::Tensor {
            storage: 0,
            offset,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
            parameter: false,
        };
        refusal(&writer, &Item::Dict(vec![(text("w"), tensor)]))
    };
    for (message, part) in [
        (lie(1, &[4], &[1]), "passes the end of its storage"),
        (lie(0, &[2, 2], &[3, 2]), "passes the end of its storage"),
        (lie(0, &[1 << 40], &[0]), "passes the end of its storage"),
        (lie(0, &[1 << 40, 1 << 40], &[0, 0]), "too many elements"),
        (lie(i64::MAX, &[1], &[1]), "passes the end of its storage"),
        (lie(0, &[4], &[-1]), "strides hold -1"),
        (lie(-1, &[4], &[1]), "offset"),
        (lie(0, &[-4], &[1]), "sizes hold -4"),
        (lie(0, &[4], &[]), "strides []"),
        (lie(0, &[1; 9], &[1; 9]), "9 dimensions"),
    ] {
        assert!(message.contains(part), "{message} lacks {part}");
    }
}

#[test]
fn many_views_of_one_storage_are_refused() {
    let mut writer = TorchWriter::default();
    writer.f32(&[100_000], &vec![0.0; 100_000]);
    let view = Item::Tensor {
        storage: 0,
        offset: 0,
        shape: vec![100_000],
        strides: vec![1],
        parameter: false,
    };
    let views = (0..200).map(|i| (i.to_string(), view.clone()));
    let message = refusal(&writer, &Item::Ordered(views.collect()));
    assert!(message.contains("they share storages"), "{message}");
}

#[test]
fn a_missing_storage_is_named() {
    let tensor = Item::Tensor {
        storage: 5,
        offset: 0,
        shape: vec![1],
        strides: vec![1],
        parameter: false,
    };
    let root = Item::Dict(vec![(text("w"), tensor)]);
    let writer = TorchWriter::default();
    let zip = TorchFile::open(&writer.zip(&root, ZipOptions::default())).unwrap_err();
    assert!(zip.to_string().contains("archive/data/5"), "{zip}");
    assert!(TorchFile::open(&writer.legacy(&root)).is_err());
}

#[test]
fn pickles_that_refer_to_themselves_end() {
    // a list in itself, a dictionary in itself, a tuple of a list of the tuple
    for pickle in [
        b"\x80\x02]q\0h\0a.".as_slice(),
        b"\x80\x02}q\0X\x01\0\0\0ah\0s.",
        b"\x80\x02]q\0h\0\x85q\x01a.",
        b"\x80\x02ccollections\nOrderedDict\nq\0)Rq\x01X\x01\0\0\0ah\x01s.",
    ] {
        let writer = TorchWriter::default();
        let bytes = writer.zip_of_pickle(pickle, ZipOptions::default());
        let file = TorchFile::open(&bytes).unwrap();
        assert!(file.root().state_dict().is_err());
    }
}

#[test]
fn stacks_that_do_not_fit_are_refused() {
    for pickle in [
        b"\x80\x02.".as_slice(),         // nothing to return
        b"\x80\x02(.",                   // a mark is no value
        b"\x80\x02t.",                   // no mark
        b"\x80\x02N(a.",                 // the list stands below the mark
        b"\x80\x02Na.",                  // nothing to append to
        b"\x80\x02NNa.",                 // appended to None
        b"\x80\x02}(Nu.",                // a key without a value
        b"\x80\x02NNs.",                 // an entry of nothing
        b"\x80\x02h\x07.",               // memo not set
        b"\x80\x02NN\x86R.",             // nothing callable
        b"\x80\x02)Nb.",                 // attributes of a tuple
        b"\x80\x02NQ.",                  // no storage
        b"\x80\x09N.",                   // protocol
        b"\x80\x02X\xff\xff\xff\xffab.", // a string of 4 GB
        b"\x80\x02B\xff\xff\xff\x7fab.", // bytes of 2 GB
        b"\x80\x02X\x01\0\0\0\xff.",     // no UTF-8
        b"\x80\x02cos\nsystem",          // a name without an end
        b"\x80\x02i",                    // an opcode of protocol 0
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
    ] {
        let writer = TorchWriter::default();
        for bytes in [
            writer.zip_of_pickle(pickle, ZipOptions::default()),
            writer.legacy_of_pickle(pickle),
        ] {
            let error = TorchFile::open(&bytes).unwrap_err().to_string();
            assert!(error.contains("byte "), "{pickle:?}: {error}");
        }
    }
}

#[test]
fn endless_pickles_are_refused() {
    let mut pickle = b"\x80\x02".to_vec();
    pickle.resize(1 << 20, b'N');
    pickle.push(b'.');
    let bytes = TorchWriter::default().zip_of_pickle(&pickle, ZipOptions::default());
    let message = TorchFile::open(&bytes).unwrap_err().to_string();
    assert!(message.contains("opcodes"), "{message}");
}

#[test]
fn compressed_and_overlapping_entries_are_refused() {
    let (writer, root) = sample();
    let deflate = ZipOptions {
        method: 8,
        ..ZipOptions::default()
    };
    let message = TorchFile::open(&writer.zip(&root, deflate))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("deflate") && message.contains("archive/data.pkl"),
        "{message}"
    );

    // the directory's second entry is given the place of the first
    let plain = ZipOptions {
        checksums: false,
        ..ZipOptions::default()
    };
    let mut bytes = writer.zip(&root, plain);
    let entries: Vec<usize> = (0..bytes.len() - 4)
        .filter(|&at| bytes[at..].starts_with(b"PK\x01\x02"))
        .collect();
    let names = |at: usize| usize::from(u16::from_le_bytes([bytes[at + 28], bytes[at + 29]]));
    let (first, last) = (entries[0], entries[entries.len() - 1]);
    assert_ne!(names(first), names(last));
    let first_record: Vec<u8> = bytes[first..first + 46 + names(first)].to_vec();
    // an archive of the same entry twice: directory of two, and the end record of it
    let directory = entries[0];
    bytes.truncate(directory);
    let at = bytes.len() as u32;
    bytes.extend(&first_record);
    bytes.extend(&first_record);
    let len = 2 * first_record.len() as u32;
    bytes.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    bytes.extend(len.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0; 2]);
    let message = TorchFile::open(&bytes).unwrap_err().to_string();
    assert!(message.contains("overlap"), "{message}");
}

#[test]
fn other_files_are_named() {
    let message = |bytes: &[u8]| TorchFile::open(bytes).unwrap_err().to_string();
    assert!(message(b"").contains("expected a file of torch.save"));
    let mut safetensors = 2u64.to_le_bytes().to_vec();
    safetensors.extend(b"{}");
    assert!(message(&safetensors).contains("safetensors"));
    assert!(message(b"PK\x05\x06").contains("end record"));
}
