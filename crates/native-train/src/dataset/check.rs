//! Checks for data that would ruin a run: findings about pictures, each with its remedy.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use super::picture::Traits;

/// Most places that a finding names.
const MAX_NAMED: usize = 5;
/// Class sizes that differ by more than this factor are uneven: G sees the small classes too rarely to learn them.
const UNEVEN: usize = 10;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Training stops at it, or its result is worthless.
    Fault,
    /// Training works, but worse than it could.
    Warning,
    /// Worth knowing.
    Note,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Short name.
    pub kind: &'static str,
    /// What was found, in words.
    pub message: String,
    /// What to do about it.
    pub remedy: Cow<'static, str>,
}

/// Facts about a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Part of the data set: `train` or `test`.
    pub part: &'static str,
    /// Its class.
    pub class: String,
    /// Path, or index in the data set.
    pub place: String,
    /// Width and height before resizing.
    pub size: [usize; 2],
    /// What else the file says.
    pub traits: Traits,
    /// The largest value of a channel.
    pub largest: u8,
    /// Whether all pixels have equal red, green and blue.
    pub grey: bool,
    /// Whether all pixels are equal.
    pub constant: bool,
    /// Whether the file name has the extension of another format.
    pub misnamed: bool,
    /// SHA-256 of the size and the decoded pixels.
    pub digest: [u8; 32],
}

/// A name in lower case with composed accents (Unicode's NFC): names that are equal so are one name on some file
/// systems.
pub fn folded(name: &str) -> String {
    name.nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect()
}

/// Judges the pictures of a data set, all but how they become images ([`super::check_pictures`]).
pub fn judge(facts: &[Facts]) -> Vec<Finding> {
    let mut findings = Vec::new();
    classes(facts, &mut findings);
    twins(facts, &mut findings);
    duplicates(facts, &mut findings);
    let mut some = |picked: Vec<&Facts>, kind, what: String, remedy| {
        if !picked.is_empty() {
            let places = named(&picked);
            findings.push(Finding {
                severity: Severity::Warning,
                kind,
                message: format!("{} of {} {what}: {places}", picked.len(), facts.len()),
                remedy: Cow::Borrowed(remedy),
            });
        }
    };
    let such = |test: &dyn Fn(&Facts) -> bool| facts.iter().filter(|f| test(f)).collect();
    some(
        such(&|f| f.constant),
        "constant",
        "show one colour only".to_owned(),
        "delete them: such files are often left over from a broken download",
    );
    some(
        such(&|f| f.misnamed),
        "misnamed",
        "have the extension of another format".to_owned(),
        "nothing needs doing here, since the content is read; other programs may refuse them",
    );
    let grey: Vec<&Facts> = such(&|f| f.grey);
    if 2 * grey.len() < facts.len() {
        some(
            grey,
            "grey",
            "are grey among coloured pictures".to_owned(),
            "check that they belong there",
        );
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// Pictures of each class of a part, by name.
pub fn counts<'a>(facts: &'a [Facts], part: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.part == part) {
        *counts.entry(fact.class.as_str()).or_default() += 1;
    }
    counts
}

fn classes(facts: &[Facts], findings: &mut Vec<Finding>) {
    let counts = counts(facts, "train");
    let by_count = || counts.iter().map(|(class, count)| (*count, *class));
    let (Some((least, small)), Some((most, large))) = (by_count().min(), by_count().max()) else {
        return;
    };
    if counts.len() == 1 {
        findings.push(Finding {
            severity: Severity::Note,
            kind: "one class",
            message: format!("all {most} training pictures are of the class {large:?}"),
            remedy: "nothing needs doing, unless data.path is one folder too deep: each folder in it is a class".into(),
        });
    } else if most > UNEVEN * least {
        findings.push(Finding {
            severity: Severity::Warning,
            kind: "uneven",
            message: format!("class {large:?} has {most} pictures, class {small:?} only {least}"),
            remedy: "add pictures to the small classes, or merge or drop them".into(),
        });
    }
}

/// Classes whose names differ in case only, or in how accents are composed.
fn twins(facts: &[Facts], findings: &mut Vec<Finding>) {
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for class in counts(facts, "train").into_keys() {
        alike.entry(folded(class)).or_default().push(class);
    }
    let twins: Vec<String> = alike
        .values()
        .filter(|names| names.len() > 1)
        .map(|names| {
            names
                .iter()
                .map(|name| format!("{name:?}"))
                .collect::<Vec<_>>()
                .join(" and ")
        })
        .collect();
    if !twins.is_empty() {
        findings.push(Finding {
            severity: Severity::Warning,
            kind: "alike",
            message: format!("classes differ in case or in composed accents only: {}", listed(&twins)),
            remedy: "merge them if they are one class, otherwise rename one: some file systems take them for one".into(),
        });
    }
}

/// The same pixels more than once.
fn duplicates(facts: &[Facts], findings: &mut Vec<Finding>) {
    let mut first: HashMap<[u8; 32], &Facts> = HashMap::new();
    let [mut across_parts, mut across_classes, mut within] = [vec![], vec![], vec![]];
    for fact in facts.iter().filter(|fact| !fact.constant) {
        let before = *first.entry(fact.digest).or_insert(fact);
        if before.place == fact.place && before.part == fact.part {
            continue;
        }
        let pair = format!("{} = {}", fact.place, before.place);
        if before.part != fact.part {
            across_parts.push(pair);
        } else if before.class != fact.class {
            across_classes.push(pair);
        } else {
            within.push(pair);
        }
    }
    for (severity, kind, what, pairs, remedy) in [
        (
            Severity::Fault,
            "test in train",
            "test pictures are also training pictures",
            across_parts,
            "delete them from one part: otherwise scores on held-out images mean nothing",
        ),
        (
            Severity::Warning,
            "two classes",
            "pictures are in two classes",
            across_classes,
            "choose one class, or pack them with several labels per image (`data pack --labels`)",
        ),
        (
            Severity::Warning,
            "duplicates",
            "pictures repeat others of their class",
            within,
            "delete them: D memorises what it sees often",
        ),
    ] {
        if !pairs.is_empty() {
            findings.push(Finding {
                severity,
                kind,
                message: format!("{} {what}: {}", pairs.len(), listed(&pairs)),
                remedy: remedy.into(),
            });
        }
    }
}

fn named(facts: &[&Facts]) -> String {
    let places: Vec<String> = facts.iter().map(|fact| fact.place.clone()).collect();
    listed(&places)
}

/// The first of a list, and how many more there are.
pub fn listed(places: &[String]) -> String {
    let mut text = places[..places.len().min(MAX_NAMED)].join("; ");
    if places.len() > MAX_NAMED {
        text += &format!("; and {} more", places.len() - MAX_NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(part: &'static str, class: &str, number: u8) -> Facts {
        Facts {
            part,
            class: class.to_owned(),
            place: format!("{part}/{class}/{number}.png"),
            size: [32, 32],
            traits: Traits::default(),
            largest: 255,
            grey: false,
            constant: false,
            misnamed: false,
            digest: [number; 32],
        }
    }

    fn kinds(facts: &[Facts]) -> Vec<&'static str> {
        judge(facts).iter().map(|f| f.kind).collect()
    }

    #[test]
    fn clean_sets_have_no_finding() {
        let facts = [
            fact("train", "a", 1),
            fact("train", "b", 2),
            fact("test", "a", 3),
        ];
        assert_eq!(kinds(&facts), [] as [&str; 0]);
    }

    #[test]
    fn every_fault_is_found() {
        let two = |change: &dyn Fn(&mut Facts)| {
            let mut facts = vec![
                fact("train", "a", 1),
                fact("train", "b", 2),
                fact("train", "b", 3),
            ];
            change(&mut facts[2]);
            kinds(&facts)
        };
        assert_eq!(two(&|f| f.part = "test"), [] as [&str; 0]);
        assert_eq!(two(&|f| f.constant = true), ["constant"]);
        assert_eq!(two(&|f| f.misnamed = true), ["misnamed"]);
        assert_eq!(two(&|f| f.grey = true), ["grey"]);
        assert_eq!(two(&|f| f.digest = [2; 32]), ["duplicates"]);
        assert_eq!(two(&|f| f.digest = [1; 32]), ["two classes"]);
        assert_eq!(
            two(&|f| (f.part, f.digest) = ("test", [1; 32])),
            ["test in train"]
        );
        assert_eq!(
            kinds(&[fact("train", "a", 1), fact("train", "a", 2)]),
            ["one class"]
        );
        for twin in ["A", "cafe\u{301}"] {
            let other = if twin == "A" { "a" } else { "Caf\u{e9}" };
            assert_eq!(
                kinds(&[fact("train", twin, 1), fact("train", other, 2)]),
                ["alike"]
            );
        }
        let uneven: Vec<Facts> = (0..12)
            .map(|i| fact("train", if i == 0 { "a" } else { "b" }, i))
            .collect();
        assert_eq!(kinds(&uneven), ["uneven"]);
        assert_eq!(kinds(&uneven[..11]), [] as [&str; 0]);
    }
}
