//! Classes by name: which one a text means, and names for models that have none.

use std::path::Path;

use biggan::file::{ModelFile, ModelInfo};

use crate::support::fixtures::fixture;
use crate::support::models::{image, with_model};
use crate::support::setting::{Setting, stderr};

fn info(path: &Path) -> ModelInfo {
    ModelFile::decode(&std::fs::read(path).unwrap())
        .unwrap()
        .info
}

/// Gives the model of three classes these names.
fn name(setting: &Setting, names: [&str; 3]) {
    let path = setting.path("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let mut info = ModelFile::decode(&bytes).unwrap().info;
    info.class_names = names.map(str::to_owned).to_vec();
    std::fs::write(&path, ModelFile::replace_info(&bytes, &info).unwrap()).unwrap();
}

const SAMPLE: [&str; 6] = [
    "sample",
    "model.safetensors",
    "--count",
    "1",
    "--raw",
    "raw.safetensors",
];

/// The pictures of `--class`, each by its numbers.
fn drawn(setting: &Setting, choice: &[&str]) -> Vec<Vec<f32>> {
    setting.ok(&[&SAMPLE[..], choice].concat());
    let image = image(&setting.path("raw.safetensors"));
    let pixels = image.values.len() / image.shape[0];
    image.values.chunks(pixels).map(<[f32]>::to_vec).collect()
}

#[test]
fn a_class_is_what_it_is_called_before_anything_else() {
    let setting = with_model();
    name(&setting, ["x", "y", "z"]);
    let of: Vec<Vec<f32>> = ["x", "y", "z"]
        .iter()
        .flat_map(|class| drawn(&setting, &["--class", class]))
        .collect();
    assert!(of[0] != of[1] && of[1] != of[2] && of[0] != of[2]);
    let means = |choice: &[&str], classes: &[usize]| {
        let expected: Vec<Vec<f32>> = classes.iter().map(|&class| of[class].clone()).collect();
        assert!(
            drawn(&setting, choice) == expected,
            "{choice:?} is {classes:?}"
        );
    };
    let refused = |choice: &str, parts: &[&str]| {
        setting.refused(2, &[&SAMPLE[..], &["--class", choice]].concat(), parts);
    };

    // folders 1, 10, 2
    name(&setting, ["1", "10", "2"]);
    means(&["--class", "10"], &[1]);
    means(&["--class", "#0"], &[0]);
    refused("0", &["class \"0\" is unknown", "#0 1; #1 10; #2 2"]);

    // one of leukaemia's classes is called all
    name(&setting, ["all", "hem", "x"]);
    means(&["--class", "all"], &[0]);
    means(&["--class", "*"], &[0, 1, 2]);
    let output = setting.run(&[&SAMPLE[..], &["--class", "all"]].concat());
    let note = "note: \"all\" is one of the classes; all of them are --class '*'";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));

    // commas in names
    name(&setting, ["tench, Tinca tinca", "crane", "-1"]);
    means(&["--class", "tench, tinca tinca,crane"], &[0, 1]);
    means(&["--class", "-1"], &[2]);
    means(&["--class", "crane", "--class=-1,tench"], &[1, 2, 0]);

    // upper and lower case, and a comma
    name(&setting, ["A", "a", "a,b"]);
    means(&["--class", "a"], &[1]);
    means(&["--class", "A"], &[0]);
    means(&["--class", "a,b"], &[2]);
    means(&["--class", "a", "--class", "b"], &[1, 2]);

    // composed and decomposed accents
    name(&setting, ["cafe\u{301}", "the\u{301}", "x"]);
    means(&["--class", "caf\u{e9},th\u{e9}"], &[0, 1]);

    name(&setting, ["Cat", "CAT", "x"]);
    refused("cat", &["0 Cat; 1 CAT", "such as #0"]);
}

#[test]
fn a_sheet_takes_classes_as_sample_does() {
    let setting = with_model();
    name(&setting, ["all", "hem", "x"]);
    let sheet = |more: &[&str]| {
        let args = [
            "sheet",
            "model.safetensors",
            "--kind",
            "by-class",
            "--columns",
            "1",
        ];
        setting.ok(&[&args[..], &["--out", "a.png"], more].concat());
        std::fs::read(setting.path("a.png")).unwrap()
    };
    let every = sheet(&[]);
    assert!(sheet(&["--class", "*"]) == every);
    assert!(sheet(&["--class", "all", "--rows", "3"]) != every);
    assert!(sheet(&["--class", "all", "--class", "hem,x"]) == every);
}

#[test]
fn a_mix_of_classes_by_name_is_the_mix_by_number() {
    let setting = with_model();
    name(&setting, ["a:1", "b", "c"]);
    let numbers = |more: &[&str]| {
        let args = ["sample", "model.safetensors", "--raw", "raw.safetensors"];
        setting.ok(&[&args[..], more].concat());
        image(&setting.path("raw.safetensors")).values
    };
    let mixed = numbers(&["--mix", "a:1:0.5,B:0.5", "--count", "2", "--seed", "3"]);
    let picture = |index: u8| {
        format!(
            r#"{{"from": {{"classes": [{{"class": 0, "weight": 1}}, {{"class": 1, "weight": 1}}],
                "z": {{"seed": 3, "index": {index}}}}}}}"#
        )
    };
    let pictures = format!("[{}, {}]", picture(0), picture(1));
    std::fs::write(setting.path("pictures.json"), pictures).unwrap();
    assert!(mixed == numbers(&["--pictures", "pictures.json"]));
    let refused = |mix: &str, parts: &[&str]| {
        let args = ["sample", "model.safetensors", "--raw", "r", "--mix", mix];
        setting.refused(2, &args, parts);
    };
    refused("a:1:x,b:1", &["weight of class \"a:1\" is \"x\""]);
    refused("d:1", &["class \"d\" is unknown"]);
    refused("b:0", &["the sum of the class weights is 0"]);
}

#[test]
fn a_model_is_given_names_afterwards() {
    let setting = with_model();
    let path = setting.path("model.safetensors");
    let before = std::fs::read(&path).unwrap();
    std::fs::write(
        setting.path("names.txt"),
        "\u{feff}cat\r\ndog, hound\r\nfox\r\n",
    )
    .unwrap();
    let rename = ["classes", "model.safetensors", "--class-names"];
    setting.ok(&[&rename[..], &["names.txt"]].concat());
    assert_eq!(info(&path).class_names, ["cat", "dog, hound", "fox"]);
    let listed = setting.ok(&["classes", "model.safetensors"]);
    assert_eq!(listed, "0\tcat\n1\tdog, hound\n2\tfox\n");
    // the weights stay as they are
    let tensors = |bytes: &[u8]| ModelFile::decode(bytes).unwrap().tensors;
    let after = std::fs::read(&path).unwrap();
    assert!(tensors(&after) == tensors(&before));

    for (text, parts) in [
        ("cat\ndog\n", &["of 2 names", "expected 3", "names.txt"][..]),
        ("cat\ndog\ncat\n", &["\"cat\" is that of 0 and of 2"]),
        ("{\"a\": \"cat\"}", &["an object of other keys"]),
    ] {
        std::fs::write(setting.path("names.txt"), text).unwrap();
        setting.refused(2, &[&rename[..], &["names.txt"]].concat(), parts);
    }
    setting.refused(
        2,
        &[&rename[..], &["cifar10"]].concat(),
        &["CIFAR-10 has 10", "expected 3"],
    );
    setting.refused(
        1,
        &[&rename[..], &["none.txt"]].concat(),
        &["class names none.txt"],
    );
    assert!(std::fs::read(&path).unwrap() == after);

    let ids = "n01440764 tench\nn01443537\nn02012849 crane\n";
    std::fs::write(setting.path("names.txt"), ids).unwrap();
    let export = [
        "export",
        "run",
        "--passes",
        "1",
        "--out",
        "named.safetensors",
    ];
    setting.ok(&[&export[..], &["--class-names", "names.txt"]].concat());
    let named = info(&setting.path("named.safetensors"));
    assert_eq!(
        named.class_names,
        ["tench", "goldfish, Carassius auratus", "crane"]
    );
    assert_eq!(named.class_ids, ["n01440764", "n01443537", "n02012849"]);
}

#[test]
fn imported_weights_have_the_names_of_their_data_set() {
    let setting = Setting::new();
    let weights = fixture("aj-32").join("G.pth");
    let import = |config: &str, more: &[&str]| {
        std::fs::write(setting.path("flags.json"), config).unwrap();
        let weights = weights.to_str().unwrap();
        let args = [
            "import",
            "--from",
            "biggan-pytorch",
            weights,
            "--out",
            "m.safetensors",
        ];
        setting.run(&[&args[..], &["--config", "flags.json"], more].concat())
    };
    // five classes of nothing known
    let output = import("{\"BN_eps\": 1e-5, \"dataset\": \"C10\"}", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let note = "note: 5 classes, but the config's data set \"C10\" has 10";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    assert_eq!(
        info(&setting.path("m.safetensors")).class_names[4],
        "class 4"
    );

    std::fs::write(
        setting.path("id2label.json"),
        "{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\", \
        \"3\": \"d\", \"4\": \"e\"}}",
    )
    .unwrap();
    let output = import("{\"BN_eps\": 1e-5}", &["--class-names", "id2label.json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("numbered"), "{}", stderr(&output));
    assert_eq!(
        info(&setting.path("m.safetensors")).class_names,
        ["a", "b", "c", "d", "e"]
    );
}
