//! `sheet` and `standing-stats`.

use biggan::file::{Dtype, decode, encode};

use crate::support::models::{CLASSIFIER, with_model, with_test_images};
use crate::support::setting::{Setting, png_size};

fn sheet(setting: &Setting, kind: &str, more: &[&str]) -> (u32, u32) {
    let mut args = vec![
        "sheet",
        "model.safetensors",
        "--kind",
        kind,
        "--out",
        "s.png",
    ];
    args.extend(more);
    setting.ok(&args);
    png_size(&setting.path("s.png"))
}

/// Pixels of a sheet of rows and columns.
fn of(rows: u32, columns: u32) -> (u32, u32) {
    (columns * 34 + 2, rows * 34 + 2)
}

/// The cell of a sheet as RGBA.
fn cell(setting: &Setting, row: usize, column: usize) -> Vec<u8> {
    let file = std::io::BufReader::new(std::fs::File::open(setting.path("s.png")).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let width = reader.next_frame(&mut pixels).unwrap().width as usize;
    let start = |y: usize| ((2 + row * 34 + y) * width + 2 + column * 34) * 4;
    (0..32)
        .flat_map(|y| pixels[start(y)..start(y) + 128].to_vec())
        .collect()
}

#[test]
fn sheets_show_what_they_are_named_after() {
    let setting = with_model();
    assert_eq!(sheet(&setting, "interpolation-z", &[]), of(3, 9));
    assert_ne!(cell(&setting, 0, 0), cell(&setting, 0, 8));
    // from z 0 to z 1 in the class of the row, then from z 2 to z 3
    let ends = [cell(&setting, 0, 0), cell(&setting, 0, 8)];
    assert_eq!(
        sheet(&setting, "by-class", &["--rows", "2", "--columns", "3"]),
        of(2, 3)
    );
    assert_eq!(ends, [cell(&setting, 0, 0), cell(&setting, 0, 1)]);
    let second_class = cell(&setting, 1, 0);

    assert_eq!(
        sheet(&setting, "interpolation-y", &["--columns", "5"]),
        of(3, 5)
    );
    // from class 0 to class 1 with z 0
    assert_eq!(
        [cell(&setting, 0, 0), cell(&setting, 0, 4)],
        [ends[0].clone(), second_class]
    );

    assert_eq!(sheet(&setting, "truncation", &["--columns", "4"]), of(5, 4));
    // at 0.04 z hardly differs, so pictures of a class do not either; columns 0 and 3 are of class 0
    let difference = |row| {
        let (a, b) = (cell(&setting, row, 0), cell(&setting, row, 3));
        a.iter()
            .zip(&b)
            .map(|(&a, &b)| u32::from(a.abs_diff(b)))
            .sum::<u32>()
    };
    assert!(
        3 * difference(4) < difference(0),
        "{} {}",
        difference(4),
        difference(0)
    );
}

#[test]
fn neighbours_are_training_images_in_order_of_distance() {
    let setting = with_test_images();
    setting.ok(&CLASSIFIER);
    let with = [
        "--classifier",
        "tiny.safetensors",
        "--dataset",
        "idx",
        "--data",
        "data",
    ];
    let args = [&with[..], &["--columns", "4", "--rows", "2"]].concat();
    assert_eq!(sheet(&setting, "neighbours", &args), of(2, 5));
    assert!(
        cell(&setting, 0, 1).iter().all(|&byte| byte == 255),
        "a gap"
    );
    // the tiny set's images are grey: 28x28 in a black border of 2
    let first = cell(&setting, 0, 2);
    assert!(
        first[..128]
            .chunks_exact(4)
            .all(|pixel| pixel == [0, 0, 0, 255])
    );
    assert_ne!(first, cell(&setting, 0, 3));

    let refused = |code, args: &[&str], parts: &[&str]| {
        let start = ["sheet", "model.safetensors", "--out", "x.png", "--kind"];
        setting.refused(code, &[&start[..], args].concat(), parts);
    };
    refused(
        2,
        &["neighbours"],
        &["--classifier", "--features inception"],
    );
    refused(
        1,
        &[&["neighbours"], &with[..], &["--columns", "26"]].concat(),
        &["24 training images", "25"],
    );
    refused(2, &["interpolation-y", "--class", "1"], &["--class A,B"]);
    refused(
        2,
        &["interpolation-z", "--columns", "1"],
        &["--columns 1", "2 columns"],
    );
    refused(2, &["by-class", "--rows", "0"], &["--rows 0"]);
    refused(
        2,
        &["by-class", "--rows", "99", "--columns", "99"],
        &["4096"],
    );
    refused(2, &["truncation", "--rows", "2"], &["--rows", "threshold"]);
    assert!(!setting.path("x.png").exists());
}

#[test]
fn a_table_of_statistics_is_made_anew() {
    let setting = with_model();
    let said = setting.ok(&[
        "standing-stats",
        "model.safetensors",
        "--thresholds",
        "1,0.25",
        "--passes",
        "3",
        "--batch",
        "8",
        "--out",
        "new.safetensors",
    ]);
    let rows: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for (row, truncation) in rows[1..4].iter().zip(["off", "1", "0.25"]) {
        assert_eq!(row[0], truncation, "{said}");
        let numbers = row[1..].iter().map(|n| n.parse::<f64>().unwrap());
        assert!(
            numbers.clone().count() == 4 && numbers.clone().all(|n| n > 0.0 && n < 2.0),
            "{said}"
        );
    }
    let inside = setting.ok(&["inspect", "new.safetensors"]);
    assert!(
        inside.contains("3 rows of 24 samples: off 1 0.25"),
        "{inside}"
    );
    // weights and their type stay
    let read = |name: &str| std::fs::read(setting.path(name)).unwrap();
    let [old, new] = ["model.safetensors", "new.safetensors"]
        .map(read)
        .map(|b| decode(&b).unwrap().tensors);
    for (name, tensor) in &old.0 {
        let same = new.0[name] == *tensor;
        assert_eq!(same, !name.starts_with("stats."), "{name}");
    }
    assert!(new.0.contains_key("stats.output_bn.mean"));
    let size = |name: &str| read(name).len();
    assert!(
        size("new.safetensors") < size("model.safetensors"),
        "11 rows less"
    );

    // the same again is the same; a model stored in f32 stays so
    let again = |from: &str, out: &str| {
        setting.ok(&[
            "standing-stats",
            from,
            "--passes",
            "2",
            "--batch",
            "4",
            "--out",
            out,
        ]);
        read(out)
    };
    assert_eq!(again("new.safetensors", "a"), again("new.safetensors", "b"));
    let mut stored = decode(&read("model.safetensors")).unwrap();
    stored.tensors.0.get_mut("linear.weight").unwrap().values[0] = 0.1;
    std::fs::write(
        setting.path("f32"),
        encode(&stored.tensors, &stored.metadata, Dtype::F32).unwrap(),
    )
    .unwrap();
    let widened = decode(&again("f32", "c")).unwrap();
    assert_eq!(widened.tensors.0["linear.weight"].values[0], 0.1);

    for (args, parts) in [
        (["--thresholds", "9"], ["9", "0.001 to 8"]),
        (["--thresholds", "much"], ["\"much\"", "off"]),
        (["--passes", "0"], ["--passes 0", "1 pass"]),
        (["--batch", "1"], ["--batch 1", "2 images"]),
    ] {
        let all = [
            &["standing-stats", "model.safetensors", "--out", "x"],
            &args[..],
        ]
        .concat();
        setting.refused(2, &all, &parts);
    }
    assert!(!setting.path("x").exists());
}
