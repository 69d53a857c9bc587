//! `sheet --kind loop`: moving pictures.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::support::models::with_model;
use crate::support::setting::{Setting, png_size};

fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let first = [
        "sheet",
        "model.safetensors",
        "--kind",
        "loop",
        "--seed",
        "3",
    ];
    [&first[..], more].concat()
}

/// All frames of an APNG as RGBA, and the seconds of one.
fn apng(path: &Path) -> (Vec<Vec<u8>>, f64) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap()))
        .read_info()
        .unwrap();
    let count = reader.info().animation_control().unwrap().num_frames;
    let mut frames = Vec::new();
    for _ in 0..count {
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        frames.push(pixels);
    }
    let control = reader.info().frame_control().unwrap();
    (
        frames,
        f64::from(control.delay_num) / f64::from(control.delay_den),
    )
}

/// Mean absolute difference of two frames.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}

#[test]
fn a_loop_begins_at_a_sample_and_comes_back_to_it() {
    let setting = with_model();
    setting.ok(&run(&[
        "--class", "1", "--frames", "40", "--keys", "2", "--out", "loop.png",
    ]));
    let (frames, seconds) = apng(&setting.path("loop.png"));
    assert_eq!((frames.len(), seconds), (40, 0.05));
    assert_eq!(
        png_size(&setting.path("loop.png")),
        (32, 32),
        "one picture has no margins"
    );
    // the samples that it passes are those of `sample`
    setting.ok(&[
        "sample",
        "model.safetensors",
        "--class",
        "1",
        "--seed",
        "3",
        "--count",
        "2",
        "--out",
        "two.png",
    ]);
    let mut reader =
        png::Decoder::new(BufReader::new(File::open(setting.path("two.png")).unwrap()))
            .read_info()
            .unwrap();
    let mut sheet = vec![0; reader.output_buffer_size().unwrap()];
    let width = reader.next_frame(&mut sheet).unwrap().width as usize;
    let cell = |column: usize| -> Vec<u8> {
        (0..32)
            .flat_map(|y| sheet[((2 + y) * width + 2 + 34 * column) * 4..][..128].to_vec())
            .collect()
    };
    assert_eq!([&frames[0], &frames[20]], [&cell(0), &cell(1)]);
    // no frame jumps, the last to the first neither
    let far = difference(&frames[0], &frames[20]);
    for (at, frame) in frames.iter().enumerate() {
        let step = difference(frame, &frames[(at + 1) % 40]);
        assert!(
            step < far / 4.0,
            "{step} after frame {at}, {far} between the samples"
        );
    }
}

#[test]
fn gifs_and_folders_of_frames() {
    let setting = with_model();
    setting.ok(&run(&["--frames", "6", "--fps", "10", "--out", "loop.gif"]));
    let mut decoder = gif::DecodeOptions::new()
        .read_info(File::open(setting.path("loop.gif")).unwrap())
        .unwrap();
    // a picture a class: three in a square of four
    assert_eq!((decoder.width(), decoder.height()), (70, 70));
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    let mut count = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert_eq!(frame.delay, 10);
        count += 1;
    }
    assert_eq!(count, 6);

    setting.ok(&run(&[
        "--frames",
        "5",
        "--rows",
        "1",
        "--columns",
        "2",
        "--out",
        "frames",
    ]));
    let mut names: Vec<_> = std::fs::read_dir(setting.path("frames"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        (0..5)
            .map(|at| std::ffi::OsString::from(format!("{at:06}.png")))
            .collect::<Vec<_>>()
    );
    assert_eq!(png_size(&setting.path("frames/000004.png")), (70, 36));
    setting.refused(
        2,
        &run(&["--frames", "5", "--out", "frames"]),
        &["frames is not empty", "new folder"],
    );
}

#[test]
fn what_cannot_move_is_refused_before_anything_is_drawn() {
    let setting = Setting::new();
    for (more, parts) in [
        (
            &["--frames", "10001", "--out", "a.gif"][..],
            &["--frames 10001", "2 to 10000"][..],
        ),
        (&["--frames", "1", "--out", "a.gif"], &["--frames 1"]),
        (
            &["--fps", "60", "--out", "a.gif"],
            &["--fps 60", "at most 50"],
        ),
        (&["--fps", "0", "--out", "a.png"], &["--fps 0"]),
        (&["--keys", "1", "--out", "a.png"], &["--keys 1"]),
        (&["--out", "a.mp4"], &["a.mp4", "a.gif", "a.png", "folder"]),
    ] {
        setting.refused(2, &run(more), parts);
    }
    let setting = with_model();
    setting.refused(2, &run(&["--rows", "0", "--out", "a.gif"]), &["--rows 0"]);
    setting.refused(2, &run(&["--class", "7", "--out", "a.gif"]), &["7"]);
    setting.refused(
        2,
        &[
            "sheet",
            "model.safetensors",
            "--kind",
            "by-class",
            "--keys",
            "3",
            "--out",
            "a.png",
        ],
        &["--keys", "loop"],
    );
    setting.refused(1, &run(&["--out", "nowhere/a.gif"]), &["nowhere"]);
    let left = std::fs::read_dir(setting.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        left.into_iter()
            .all(|name| !name.starts_with(".partial") && !name.starts_with("a."))
    );
}
