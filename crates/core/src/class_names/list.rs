//! A file of class names, in the forms that people have.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::composed;
use crate::error::{Error, Result};
use crate::imagenet;

/// Largest file that is read.
const MAX_BYTES: usize = 16 << 20;
/// Keys of a JSON object below which the names are: Hugging Face's config, its data sets, torchvision's `classes` and
/// `class_to_idx`.
const KEYS: [&str; 6] = [
    "id2label",
    "label2id",
    "class_names",
    "names",
    "classes",
    "class_to_idx",
];

/// A name for each class, and ids in an external vocabulary, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassList {
    /// Names, in the order of the labels.
    pub names: Vec<String>,
    /// Ids such as WordNet's, or an empty list.
    pub ids: Vec<String>,
}

impl ClassList {
    /// Reads a file of names for so many classes: one name a line, with or without WordNet ids (`n01440764 tench`) or
    /// numbers from 0 before them; or JSON: a list, an object by number (`{"0": "tench"}`, as in Hugging Face's
    /// `id2label`), or by name (`{"tench": 0}`). A name may be a pair `["n01440764", "tench"]` there.
    ///
    /// # Errors
    /// If it is none of these, has another number of names, an empty one, or one twice that no id tells apart.
    pub fn read(bytes: &[u8], classes: usize) -> Result<Self> {
        let text = decode(bytes)?;
        let entries = if text.trim_start().starts_with(['[', '{']) {
            let value = serde_json::from_str(&text).map_err(|error| file().not_readable(error))?;
            of_json(value)?
        } else {
            of_lines(&text)
        };
        let list = Self::of(entries);
        list.check(classes)?;
        Ok(list)
    }

    fn of(entries: Vec<Entry>) -> Self {
        let has_ids = entries.iter().all(|entry| entry.id.is_some());
        let mut list = Self::default();
        for Entry { id, name } in entries {
            match id {
                Some(id) if has_ids => {
                    list.names.push(name.unwrap_or_else(|| words_of(&id)));
                    list.ids.push(id);
                }
                // some lines only look as if they had ids
                Some(id) => list.names.push(match name {
                    Some(name) => format!("{id} {name}"),
                    None => id,
                }),
                None => list.names.push(name.unwrap_or_default()),
            }
        }
        list
    }

    fn check(&self, classes: usize) -> Result<()> {
        if self.names.len() != classes {
            let first = self.names.first();
            let first = first.map_or(String::new(), |name| format!(", the first {name:?}"));
            return Err(file()
                .found(format_args!("of {} names{first}", self.names.len()))
                .expected(format_args!("{classes}, a name for each class"))
                .remedy("give one name a line, or a list in JSON, in the order of the labels"));
        }
        let mut seen: BTreeMap<(String, Option<&String>), usize> = BTreeMap::new();
        for (class, name) in self.names.iter().enumerate() {
            if name.trim().is_empty() {
                return Err(Error::file(format_args!("the name of class {class}")).found("empty"));
            }
            if let Some(before) = seen.insert((composed(name), self.ids.get(class)), class) {
                return Err(Error::file(format_args!("the class name {name:?}"))
                    .found(format_args!("that of {before} and of {class}"))
                    .expected("a name for one class")
                    .remedy("tell them apart, or begin every line with the class's WordNet id"));
            }
        }
        Ok(())
    }
}

/// A line, or an entry in JSON.
#[derive(Debug, Clone)]
struct Entry {
    id: Option<String>,
    name: Option<String>,
}

impl Entry {
    /// Of a text that may begin with a WordNet id.
    fn new(text: &str) -> Self {
        let (first, rest) = text
            .split_once(|c: char| c.is_whitespace() || c == ',')
            .unwrap_or((text, ""));
        if !is_wordnet_id(first) {
            return Self {
                id: None,
                name: Some(text.to_owned()),
            };
        }
        let rest = rest.trim();
        Self {
            id: Some(first.to_owned()),
            name: (!rest.is_empty()).then(|| rest.to_owned()),
        }
    }
}

/// `n` and eight digits.
fn is_wordnet_id(text: &str) -> bool {
    let digits = text.strip_prefix('n').unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of ImageNet's class of an id; the id itself, if it has none.
fn words_of(id: &str) -> String {
    let class = imagenet::classes().find(|class| class.wordnet_id == id);
    class.map_or(id, |class| class.words).to_owned()
}

fn file() -> Error {
    Error::file("the list of class names")
}

fn decode(bytes: &[u8]) -> Result<String> {
    if bytes.len() > MAX_BYTES {
        return Err(file()
            .found(format_args!("{} bytes", bytes.len()))
            .expected(format_args!("at most {MAX_BYTES}")));
    }
    crate::text::decode(bytes)
        // a model or a picture, say, which happens to be UTF-8
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| file().found("not text in UTF-8").remedy("save it as UTF-8"))
}

/// Lines that are not blank; numbers before the names are dropped if they count from 0.
fn of_lines(text: &str) -> Vec<Entry> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let counted = |(place, line): (usize, &str)| -> Option<String> {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = line.split_at(digits);
        let rest = rest.strip_prefix([' ', '\t', ',', ':', ';'])?.trim();
        (number.parse() == Ok(place) && !rest.is_empty()).then(|| rest.to_owned())
    };
    let names: Option<Vec<String>> = lines().enumerate().map(counted).collect();
    match names {
        Some(names) => names.iter().map(|name| Entry::new(name)).collect(),
        None => lines().map(Entry::new).collect(),
    }
}

fn of_json(value: Value) -> Result<Vec<Entry>> {
    match value {
        Value::Array(items) => {
            let entries = items.into_iter().enumerate();
            entries.map(|(class, item)| entry(class, &item)).collect()
        }
        Value::Object(mut object) => {
            let below = KEYS.iter().find_map(|key| {
                let is_nested = object.get(*key)?.is_object() || object.get(*key)?.is_array();
                is_nested.then(|| object.remove(*key))?
            });
            match below {
                // once: a class may be called "names"
                Some(Value::Object(object)) => of_object(&object),
                Some(list) => of_json(list),
                None => of_object(&object),
            }
        }
        _ => Err(file().expected("a list or an object")),
    }
}

/// `{"0": "tench"}` or `{"tench": 0}`.
fn of_object(object: &Map<String, Value>) -> Result<Vec<Entry>> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let by_name = !object.is_empty() && object.values().all(Value::is_u64);
    let numbered: Option<Vec<(usize, Value)>> = object
        .iter()
        .map(|(key, value)| match (by_name, value.as_u64()) {
            (true, Some(class)) => Some((usize::try_from(class).ok()?, key.as_str().into())),
            _ => Some((number(key)?, value.clone())),
        })
        .collect();
    let Some(mut numbered) = numbered else {
        return Err(file()
            .found("an object of other keys")
            .expected("the numbers of the classes as keys, or names as keys of numbers"));
    };
    numbered.sort_by_key(|(class, _)| *class);
    for (place, (class, _)) in numbered.iter().enumerate() {
        if *class != place {
            return Err(file()
                .found(format_args!("without a class {place}, or with it twice"))
                .expected("each number from 0 once"));
        }
    }
    numbered
        .iter()
        .map(|(class, value)| entry(*class, value))
        .collect()
}

/// A name, or a pair of an id and a name.
fn entry(class: usize, value: &Value) -> Result<Entry> {
    match value {
        Value::String(name) if !is_wordnet_id(name.split(' ').next().unwrap_or_default()) => {
            Ok(Entry {
                id: None,
                name: Some(name.clone()),
            })
        }
        Value::String(name) => Ok(Entry::new(name)),
        Value::Array(pair) => match &pair[..] {
            [Value::String(id), Value::String(name)] => Ok(Entry {
                id: Some(id.clone()),
                name: Some(name.clone()),
            }),
            _ => Err(Error::file(format_args!("the name of class {class}"))
                .found(value)
                .expected("a text, or a pair of an id and a text")),
        },
        _ => Err(Error::file(format_args!("the name of class {class}"))
            .found(value)
            .expected("a text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8], classes: usize) -> Vec<String> {
        ClassList::read(bytes, classes).unwrap().names
    }

    fn refused(bytes: &[u8], classes: usize) -> String {
        ClassList::read(bytes, classes).unwrap_err().to_string()
    }

    #[test]
    fn one_name_a_line_whatever_the_editor() {
        let utf16: Vec<u8> = "\u{feff}cat\r\ndog, hound\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [
            &b"cat\ndog, hound"[..],
            b"cat\r\ndog, hound\r\n\r\n",
            b"\xef\xbb\xbfcat\n\n  dog, hound\n",
            b"0 cat\n1 dog, hound\n",
            b"0: cat\n1: dog, hound\n",
            b"0,cat\n1,dog, hound\n",
            &utf16,
        ] {
            assert_eq!(names(bytes, 2), ["cat", "dog, hound"], "{bytes:?}");
        }
        // these numbers are part of the names
        assert_eq!(names(b"1 cat\n2 dogs", 2), ["1 cat", "2 dogs"]);
        assert_eq!(names(b"0\n1\n2", 3), ["0", "1", "2"]);
        assert_eq!(names("café\nthé".as_bytes(), 2), ["café", "thé"]);
    }

    #[test]
    fn json_of_hugging_face_torchvision_and_keras() {
        for text in [
            r#"["cat", "dog"]"#,
            "\u{feff}[\"cat\",\"dog\"]",
            r#"{"1": "dog", "0": "cat"}"#,
            r#"{"dog": 1, "cat": 0}"#,
            r#"{"model_type": "vit", "id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}}"#,
            r#"{"class_to_idx": {"cat": 0, "dog": 1}}"#,
            r#"{"names": ["cat", "dog"]}"#,
        ] {
            assert_eq!(names(text.as_bytes(), 2), ["cat", "dog"], "{text}");
        }
        let keras = br#"{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}"#;
        let list = ClassList::read(keras, 2).unwrap();
        assert_eq!(list.names, ["tench", "goldfish"]);
        assert_eq!(list.ids, ["n01440764", "n01443537"]);
        // classes called as the keys are
        let odd = br#"{"names": 0, "classes": 1}"#;
        assert_eq!(names(odd, 2), ["names", "classes"]);
    }

    #[test]
    fn wordnet_ids_before_names() {
        for text in [
            "n02012849 crane\nn03126707 crane\n",
            "n02012849\tcrane\nn03126707\tcrane",
            "0 n02012849 crane\n1 n03126707 crane",
            r#"["n02012849 crane", "n03126707 crane"]"#,
            "n02012849\nn03126707\n",
        ] {
            let list = ClassList::read(text.as_bytes(), 2).unwrap();
            assert_eq!(list.names, ["crane", "crane"], "{text}");
            assert_eq!(list.ids, ["n02012849", "n03126707"], "{text}");
        }
        let list = ClassList::read(b"n02012849 crane\nother", 2).unwrap();
        assert_eq!(list.names, ["n02012849 crane", "other"]);
        assert!(list.ids.is_empty());
    }

    #[test]
    fn another_number_doubles_and_what_is_no_list_are_refused() {
        assert_eq!(
            refused(b"cat\ndog\n", 3),
            "the list of class names is of 2 names, the first \"cat\", expected 3, a name for each class; \
             give one name a line, or a list in JSON, in the order of the labels"
        );
        assert!(refused(b"", 3).contains("of 0 names"));
        let twice = refused(b"crane\ncat\ncrane\n", 3);
        assert!(
            twice.contains("\"crane\" is that of 0 and of 2") && twice.contains("WordNet id"),
            "{twice}"
        );
        assert!(refused("café\ncafe\u{301}".as_bytes(), 2).contains("of 0 and of 1"));
        assert!(refused(br#"["cat", ""]"#, 2).contains("name of class 1 is empty"));
        assert!(refused(br#"["cat", 2]"#, 2).contains("class 1 is 2, expected a text"));
        assert!(refused(br#"{"0": "cat", "2": "dog"}"#, 2).contains("without a class 1"));
        assert!(refused(br#"{"cat": 0, "dog": 0}"#, 2).contains("without a class 1"));
        assert!(refused(br#"{"a": "cat"}"#, 1).contains("an object of other keys"));
        assert!(refused(b"[\"cat\"", 1).contains("not readable"));
        assert!(refused(b"\x89PNG\r\n", 1).contains("not text in UTF-8"));
        assert!(refused(b"a\0b", 1).contains("not text in UTF-8"));
    }
}
