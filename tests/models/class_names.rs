//! Which class a text means: the cases that the browser's tests read too.

use biggan::class_names::{ClassList, ClassNames, KnownClasses};
use serde::Deserialize;

use crate::support::fixtures::fixture;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    about: String,
    #[serde(default)]
    names: Vec<String>,
    known: Option<String>,
    #[serde(default)]
    class: Vec<Case>,
    #[serde(default)]
    list: Vec<Case>,
    #[serde(default)]
    mix: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    text: String,
    class: Option<usize>,
    classes: Option<Vec<usize>>,
    mix: Option<Vec<(usize, f64)>>,
    refused: Option<Vec<String>>,
}

fn check<T: PartialEq + std::fmt::Debug>(
    about: &str,
    case: &Case,
    expected: Option<T>,
    found: biggan::Result<T>,
) {
    let place = format!("{about}: {:?}", case.text);
    match (&case.refused, found) {
        (None, found) => assert_eq!(found.ok(), Some(expected.expect(&place)), "{place}"),
        (Some(parts), Err(error)) => {
            for part in parts {
                let message = error.to_string();
                assert!(
                    message.contains(part),
                    "{place}: {message:?} lacks {part:?}"
                );
            }
        }
        (Some(_), Ok(found)) => panic!("{place} is {found:?}, expected a refusal"),
    }
}

#[test]
fn texts_mean_the_classes_that_the_cases_say() {
    let text = std::fs::read(fixture("class-names").join("cases.json")).unwrap();
    let models: Vec<Model> = serde_json::from_slice(&text).unwrap();
    let mut cases = 0;
    for model in models {
        let list = match &model.known {
            Some(name) => KnownClasses::called(name).unwrap().list(),
            None => ClassList {
                names: model.names,
                ids: Vec::new(),
            },
        };
        let names = ClassNames {
            names: &list.names,
            ids: &list.ids,
        };
        let about = &model.about;
        for case in &model.class {
            check(about, case, case.class, names.class(&case.text));
            // a list of one
            if let (Some(class), Ok(found)) = (case.class, names.list(&case.text)) {
                assert_eq!(found, [class], "{about}: {:?} as a list", case.text);
            }
        }
        for case in &model.list {
            check(about, case, case.classes.clone(), names.list(&case.text));
        }
        for case in &model.mix {
            check(about, case, case.mix.clone(), names.mix(&case.text));
        }
        cases += model.class.len() + model.list.len() + model.mix.len();
    }
    assert!(cases > 100, "{cases} cases");
}

#[test]
fn long_lists_take_no_time() {
    let list = KnownClasses::Imagenet.list();
    let names = ClassNames {
        names: &list.names,
        ids: &list.ids,
    };
    let all: Vec<String> = (0..1000).map(|class| class.to_string()).collect();
    let found = names.list(&all.join(",")).unwrap();
    assert!(found.into_iter().eq(0..1000));
}
