//! Which class a text means, the same on the command line, in the element and on the page.
//!
//! The first of these that fits decides; where it fits several classes, the text is refused with their names:
//!
//! 1. a name, exactly as it is;
//! 2. a name, whether its accents are composed or decomposed (Unicode NFC), blanks at the ends aside;
//! 3. a name, whatever its case, or a synonym (the parts of a name between commas: `tench, Tinca tinca`);
//! 4. a synonym whatever its case, several in a row, or an id in an external vocabulary (`n02099601`);
//! 5. a number, unless classes are named by numbers; `#10` is the eleventh class in any case.
//!
//! A part of a name means nothing: what it means would change with the next class.

mod known;
mod list;
mod split;

pub use known::KnownClasses;
pub use list::ClassList;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// Most names that a message lists.
const MAX_LISTED: usize = 20;

/// The classes of a model: names such as `tench, Tinca tinca`, and ids in an external vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct ClassNames<'a> {
    /// A name for each class: one or more synonyms separated by commas.
    pub names: &'a [String],
    /// An id for each class (`n01440764`), or an empty list.
    pub ids: &'a [String],
}

/// The meaning of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    One(usize),
    Several(Vec<usize>),
    Nothing,
}

impl<'a> ClassNames<'a> {
    /// The class that a text means.
    ///
    /// # Errors
    /// If it means none, or several; the message lists the candidates.
    pub fn class(self, text: &str) -> Result<usize> {
        match Folded::new(self).find(text) {
            Found::One(class) => Ok(class),
            found => Err(self.refusal(&found, text)),
        }
    }

    /// The classes of a list separated by commas, in its order. The whole text is tried as a class first, and from
    /// the left every item is as long as possible: names may have commas. `*` is every class, and so is `all`, unless
    /// a class has that name.
    ///
    /// # Errors
    /// As [`ClassNames::class`], for the first item at fault.
    pub fn list(self, text: &str) -> Result<Vec<usize>> {
        let names = Folded::new(self);
        match names.find(text) {
            Found::One(class) => return Ok(vec![class]),
            Found::Several(_) => {}
            Found::Nothing if is_every(text) => return Ok((0..self.names.len()).collect()),
            Found::Nothing => {}
        }
        let find = |item: &str| match names.find(item) {
            Found::One(class) => Some(class),
            _ => None,
        };
        split::items(text, names.most_parts, find)
            .map_err(|item| self.refusal(&names.find(item), item))
    }

    /// The classes of a mix such as `dress:0.7,bag:0.3` with their weights; without one the weight is 1. Items are
    /// found as by [`ClassNames::list`], and a whole item is tried as a class first: names may have colons.
    ///
    /// # Errors
    /// As [`ClassNames::list`], or if a weight is not a number of 0 or more.
    pub fn mix(self, text: &str) -> Result<Vec<(usize, f64)>> {
        let names = Folded::new(self);
        let known = |name: &str| match names.find(name) {
            Found::One(class) => Some(class),
            _ => None,
        };
        let find = |item: &str| match known(item) {
            Some(class) => Some((class, 1.0)),
            None => {
                let (name, weight) = item.rsplit_once(':')?;
                Some((known(name)?, weight_of(weight)?))
            }
        };
        if let Some(class) = known(text) {
            return Ok(vec![(class, 1.0)]);
        }
        split::items(text, names.most_parts, find).map_err(|item| match item.rsplit_once(':') {
            Some((name, weight)) if weight_of(weight).is_some() => {
                self.refusal(&names.find(name), name)
            }
            Some((name, weight)) if known(name).is_some() => {
                Error::request(format_args!("the weight of class {:?}", name.trim()))
                    .found(format_args!("{:?}", weight.trim()))
                    .expected("a number, 0 or more")
            }
            _ => self.refusal(&names.find(item), item),
        })
    }

    /// Why a text is not one class.
    fn refusal(self, found: &Found, text: &str) -> Error {
        let text = text.trim();
        let Found::Several(classes) = found else {
            return self.unknown(text);
        };
        Error::request(format_args!("class {text:?}"))
            .found(format_args!("the name of {}", self.listed(classes)))
            .remedy(format_args!(
                "give one by its number, such as #{}",
                classes[0]
            ))
    }

    fn unknown(self, text: &str) -> Error {
        let error = Error::request(format_args!("class {text:?}"));
        if self.are_numbers()
            && let Some(class) = self.number(text)
        {
            return error
                .found("unknown, and numbers are names here")
                .remedy(format_args!(
                    "give one of {}, or #{class} for {:?}",
                    self.candidates(),
                    self.names[class]
                ));
        }
        let error = error.found("unknown");
        let similar = self.similar(text);
        if similar.is_empty() {
            error.remedy(format_args!("the model has {}", self.candidates()))
        } else {
            error.remedy(format_args!("did you mean {}", self.listed(&similar)))
        }
    }

    /// Classes with a synonym that begins with a text, then those whose name contains it.
    fn similar(self, text: &str) -> Vec<usize> {
        let text = folded(text);
        if text.is_empty() {
            return Vec::new();
        }
        let begins = |name: &str| name.split(',').any(|word| word.trim().starts_with(&text));
        let names: Vec<String> = self.names.iter().map(|name| folded(name)).collect();
        let all = || 0..names.len();
        let first = all().filter(|&class| begins(&names[class]));
        let then = all().filter(|&class| names[class].contains(&text) && !begins(&names[class]));
        first.chain(then).collect()
    }

    /// The first classes with their numbers, for a message.
    pub fn candidates(self) -> String {
        self.listed(&(0..self.names.len()).collect::<Vec<_>>())
    }

    /// A class with its number, as in the messages.
    pub fn described(self, class: usize) -> String {
        let mark = if self.are_numbers() { "#" } else { "" };
        format!("{mark}{class} {}", shown(&self.names[class]))
    }

    fn listed(self, classes: &[usize]) -> String {
        let listed = classes.iter().take(MAX_LISTED);
        let listed: Vec<String> = listed.map(|&class| self.described(class)).collect();
        match classes.len().saturating_sub(MAX_LISTED) {
            0 => listed.join("; "),
            rest => format!("{}; and {rest} more", listed.join("; ")),
        }
    }

    /// Whether a class is named by a number: then a number is a name, and never a place in the list.
    pub fn are_numbers(self) -> bool {
        self.names.iter().any(|name| is_number(name))
    }

    /// The class of a number, if there are so many.
    fn number(self, digits: &str) -> Option<usize> {
        let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_digits.then(|| digits.parse().ok()).flatten();
        number.filter(|&class: &usize| class < self.names.len())
    }
}

/// Whether a text asks for every class, where no class has it for a name.
pub fn is_every(text: &str) -> bool {
    let text = text.trim();
    text == "*" || text.eq_ignore_ascii_case("all")
}

/// Digits, of any script, with signs and points: `7`, `-1`, `0.5`, `10-19`.
fn is_number(name: &str) -> bool {
    let name = name.trim();
    name.contains(char::is_numeric)
        && name
            .chars()
            .all(|c| c.is_numeric() || matches!(c, '+' | '-' | '.'))
}

/// A weight, if it is one.
fn weight_of(text: &str) -> Option<f64> {
    let weight: f64 = text.trim().parse().ok()?;
    (weight.is_finite() && weight >= 0.0).then_some(weight)
}

/// A name in a message: control characters are written out.
pub fn shown(name: &str) -> String {
    if name.chars().any(char::is_control) || name.trim() != name || name.is_empty() {
        format!("{name:?}")
    } else {
        name.to_owned()
    }
}

/// Composed, without blanks at the ends.
fn composed(text: &str) -> String {
    text.trim().nfc().collect()
}

/// A name without its case and the form of its accents: names with the same are hard to tell apart.
// lower case can decompose: the capital of `i̇`
pub fn folded(text: &str) -> String {
    composed(text).to_lowercase().nfc().collect()
}

/// The names in the forms that texts are compared with.
struct Folded<'a> {
    classes: ClassNames<'a>,
    names: Vec<FoldedName>,
    ids: Vec<String>,
    are_numbers: bool,
    /// Most parts of a name.
    most_parts: usize,
}

struct FoldedName {
    composed: String,
    folded: String,
    synonyms: Vec<String>,
    folded_synonyms: Vec<String>,
}

impl<'a> Folded<'a> {
    fn new(classes: ClassNames<'a>) -> Self {
        let parts = |name: &str, fold: fn(&str) -> String| name.split(',').map(fold).collect();
        let names: Vec<FoldedName> = classes
            .names
            .iter()
            .map(|name| FoldedName {
                composed: composed(name),
                folded: folded(name),
                synonyms: parts(name, composed),
                folded_synonyms: parts(name, folded),
            })
            .collect();
        let most_parts = names.iter().map(|name| name.synonyms.len()).max();
        Self {
            classes,
            ids: classes.ids.iter().map(|id| folded(id)).collect(),
            are_numbers: classes.are_numbers(),
            most_parts: most_parts.unwrap_or(1),
            names,
        }
    }

    fn find(&self, text: &str) -> Found {
        let exact = self.classes.names.iter().enumerate();
        let exact = exact.filter(|(_, name)| *name == text).map(|(c, _)| c);
        let (typed, lower) = (composed(text), folded(text));
        let parts: Vec<String> = text.split(',').map(folded).collect();
        let is_blank = parts.iter().any(String::is_empty);
        let has = |has: &dyn Fn(&FoldedName) -> bool| -> Vec<usize> {
            let names = self.names.iter().enumerate();
            names
                .filter(|(_, name)| has(name))
                .map(|(c, _)| c)
                .collect()
        };
        let by_name = |name: &FoldedName| name.composed == typed;
        let by_case = |name: &FoldedName| {
            name.folded == lower || (!is_blank && name.synonyms.contains(&typed))
        };
        let by_synonym = |name: &FoldedName| {
            let mut runs = name.folded_synonyms.windows(parts.len());
            !is_blank && runs.any(|run| run == parts)
        };
        let by_id = || -> Vec<usize> {
            let ids = self.ids.iter().enumerate();
            ids.filter(|(_, id)| **id == lower)
                .map(|(class, _)| class)
                .collect()
        };
        let by_number = || {
            let text = text.trim();
            let digits = match text.strip_prefix('#') {
                Some(digits) => Some(digits),
                None => (!self.are_numbers).then_some(text),
            };
            digits
                .and_then(|digits| self.classes.number(digits))
                .into_iter()
                .collect()
        };
        let steps: [&dyn Fn() -> Vec<usize>; 5] = [
            &|| exact.clone().collect(),
            &|| has(&by_name),
            &|| has(&by_case),
            &|| {
                let mut found = has(&by_synonym);
                found.extend(by_id());
                found.sort_unstable();
                found.dedup();
                found
            },
            &by_number,
        ];
        for step in steps {
            match step()[..] {
                [] => {}
                [class] => return Found::One(class),
                ref several => return Found::Several(several.to_vec()),
            }
        }
        Found::Nothing
    }
}

// its cases are in tests/fixtures/class-names, read by tests/models/class_names.rs and by the browser's tests
