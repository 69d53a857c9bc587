//! Text from outside, shown so that it cannot act: names of files and classes, words of a config or a server.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every control character as an escape: those of Unicode's class Cc (ESC, newline, tab), marks that
/// change the direction of what follows, line separators and letters without a shape.
///
/// The escapes are JSON's (`\n`, `\u001b`), so that JSON keeps its meaning. Joiners (U+200C, U+200D) stay: they are
/// part of words and of pictographs.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            letter if acts(letter) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // writing to a string cannot fail
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
            letter => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], for text of several lines: newlines and tabs stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    let stays = |letter: char| matches!(letter, '\n' | '\t');
    if !text.chars().any(|letter| !stays(letter) && acts(letter)) {
        return Cow::Borrowed(text);
    }
    let parts = text.split_inclusive(stays).map(|part| {
        let (words, end) = match part.strip_suffix(stays) {
            Some(words) => (words, &part[words.len()..]),
            None => (part, ""),
        };
        visible(words).into_owned() + end
    });
    Cow::Owned(parts.collect())
}

/// Whether a letter does something to a terminal or a page instead of standing there.
fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' // marks of direction, a blank without width
            | '\u{2028}'..='\u{202e}' // separators of lines and paragraphs, embeddings, overrides
            | '\u{2060}'..='\u{206f}' // isolates and formats without a shape
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}') // tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_as_json_escapes_them() {
        for (text, shown) in [
            ("café 猫 👩‍👧", "café 猫 👩‍👧"),
            ("a\u{1b}[31m", "a\\u001b[31m"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{7f}\u{9b}", "\\u007f\\u009b"),
            ("cat\u{202e}gpj.exe", "cat\\u202egpj.exe"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(visible(text), shown);
            let back: String = serde_json::from_str(&format!("\"{}\"", visible(text))).unwrap();
            assert_eq!(back, text);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(visible_lines("a\u{1b}\n\tb\n"), "a\\u001b\n\tb\n");
        assert_eq!(visible_lines("a\nb"), "a\nb");
    }
}
