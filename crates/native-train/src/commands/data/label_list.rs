//! The list of labels of a directory without class folders: one line per picture, or StyleGAN's `dataset.json`.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::source::{Entry, Listing};
use crate::dataset::folder_entries::entries;
use crate::dataset::passed::{Passed, Reason};
use crate::input_file;

/// Titles of a column of paths, in lower case.
const PATH_TITLES: [&str; 12] = [
    "file",
    "filename",
    "file_name",
    "filepath",
    "path",
    "image",
    "image_id",
    "image_name",
    "image_path",
    "images",
    "img",
    "id",
];
/// Titles of a column of classes, in lower case.
const CLASS_TITLES: [&str; 10] = [
    "label",
    "labels",
    "class",
    "classes",
    "class_name",
    "category",
    "categories",
    "tag",
    "tags",
    "target",
];
/// How a line is written.
const FORM: &str = "write PATH<tab>CLASS[<tab>CLASS...], or PATH,CLASS in a file called .csv";

/// What a list says.
#[derive(Debug)]
pub struct LabelList {
    /// Its pictures.
    pub listing: Listing,
    /// What in it is not used, in words.
    pub remarks: Vec<String>,
    /// Pictures of the directory that it does not name.
    pub passed: Passed,
}

/// A picture as listed.
struct Row {
    line: u64,
    path: String,
    classes: BTreeSet<String>,
}

/// Reads the list of the pictures of a directory.
///
/// # Errors
/// If a line has no class or its path leads out of the directory, or a picture has different classes in two lines; the
/// message has the line number.
pub fn read(folder: &Path, labels: &Path) -> Result<LabelList> {
    let named = || format!("labels {}", labels.display());
    let text = &input_file::read_text("labels", labels)?;
    let mut remarks = Vec::new();
    let ending = labels.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    let rows = match ending.as_str() {
        "json" => of_json(text).with_context(named)?,
        _ => of_lines(text, ending == "csv", folder, &mut remarks).with_context(named)?,
    };
    let (entries, class_names) = listed(&rows, folder, &mut remarks).with_context(named)?;
    ensure!(!entries.is_empty(), "{}: no picture; {FORM}", named());
    let mut passed = Passed::default();
    let known: BTreeSet<&Path> = entries.iter().map(|entry| entry.path.as_path()).collect();
    unlisted(folder, &known, &mut passed)?;
    Ok(LabelList {
        listing: Listing {
            entries,
            class_names,
        },
        remarks,
        passed,
    })
}

/// Which columns of a table are used.
struct Columns {
    path: usize,
    /// All others, if there is no header.
    classes: Option<Vec<usize>>,
}

/// Lines of fields, in quotes where they hold the delimiter.
fn of_lines(
    text: &str,
    commas: bool,
    folder: &Path,
    remarks: &mut Vec<String>,
) -> Result<Vec<Row>> {
    let delimiter = match text {
        _ if !commas => b'\t',
        _ if !text.contains(',') && text.contains('\t') => b'\t',
        _ if !text.contains(',') && text.contains(';') => b';',
        _ => b',',
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, |start| line_of(start, text));
        let fields: Vec<&str> = record.iter().collect();
        if fields.iter().all(|field| field.is_empty()) {
            continue;
        }
        ensure!(
            !fields.iter().any(|field| field.contains('\n')),
            "line {line}: a quote that does not end; end it, or write two for one"
        );
        let is_file = folder.join(fields[0]).is_file();
        if fields[0].starts_with('#') && !is_file {
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let header = if is_file { None } else { header(&fields)? };
                let is_header = header.is_some();
                if let Some((_, unused)) = &header
                    && !unused.is_empty()
                {
                    remarks.push(format!("columns that are not used: {}", unused.join(", ")));
                }
                let found = header.map_or(
                    Columns {
                        path: 0,
                        classes: None,
                    },
                    |(columns, _)| columns,
                );
                let found = columns.insert(found);
                if is_header {
                    continue;
                }
                found
            }
        };
        let is_class = |at: &usize| match &columns.classes {
            Some(classes) => classes.contains(at),
            None => *at != columns.path,
        };
        let classes = (0..fields.len()).filter(is_class).map(|at| fields[at]);
        rows.push(Row {
            line,
            path: fields
                .get(columns.path)
                .copied()
                .unwrap_or_default()
                .to_owned(),
            classes: classes
                .filter(|c| !c.is_empty())
                .map(str::to_owned)
                .collect(),
        });
    }
    Ok(rows)
}

/// The line of a record; the reader counts it from the blank lines before.
fn line_of(start: &csv::Position, text: &str) -> u64 {
    let from = &text.as_bytes()[start.byte() as usize..];
    let blank = from.iter().take_while(|byte| b"\r\n".contains(byte));
    start.line() + blank.filter(|&&byte| byte == b'\n').count() as u64
}

/// The columns that a first line names, and the titles of those that are not used; `None` if it is no header.
fn header(fields: &[&str]) -> Result<Option<(Columns, Vec<String>)>> {
    let titles: Vec<String> = fields
        .iter()
        .map(|field| field.to_ascii_lowercase())
        .collect();
    let is_one_of = |known: &[&str], at: usize| known.contains(&titles[at].as_str());
    let Some(path) = (0..titles.len()).find(|&at| is_one_of(&PATH_TITLES, at)) else {
        return Ok(None);
    };
    let classes: Vec<usize> = (0..titles.len())
        .filter(|&at| is_one_of(&CLASS_TITLES, at))
        .collect();
    if classes.is_empty() {
        // a path and one more column, whatever that is called
        if path == 0 && titles.len() == 2 {
            let classes = Some(vec![1]);
            return Ok(Some((Columns { path, classes }, Vec::new())));
        }
        bail!(
            "the header has no column for classes; name one \"label\" or \"class\", found {}",
            fields.join(", ")
        );
    }
    let unused = (0..fields.len()).filter(|at| *at != path && !classes.contains(at));
    let unused = unused.map(|at| fields[at].to_owned()).collect();
    let classes = Some(classes);
    Ok(Some((Columns { path, classes }, unused)))
}

/// `{"labels": [["PATH", CLASS], ...]}`, or the list alone; a class is a number, a text, or a list of them.
fn of_json(text: &str) -> Result<Vec<Row>> {
    let all: Value = serde_json::from_str(text)?;
    let rows = all.get("labels").unwrap_or(&all).as_array();
    let rows = rows.context("no list of labels; write {\"labels\": [[\"PATH\", CLASS], ...]}")?;
    let class = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    };
    let row = |(number, row): (u64, &Value)| {
        let parsed = || {
            let [path, classes] = row.as_array()?.as_slice() else {
                return None;
            };
            let classes = match classes {
                Value::Array(several) => several.iter().map(class).collect::<Option<_>>()?,
                one => BTreeSet::from([class(one)?]),
            };
            Some(Row {
                line: number,
                path: path.as_str()?.to_owned(),
                classes,
            })
        };
        parsed().with_context(|| format!("label {number} is {row}, expected [\"PATH\", CLASS]"))
    };
    (1..).zip(rows).map(row).collect()
}

/// The pictures of the rows, each once, and the names of all classes.
fn listed(
    rows: &[Row],
    folder: &Path,
    remarks: &mut Vec<String>,
) -> Result<(Vec<Entry>, Vec<String>)> {
    let all: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.classes.iter().map(String::as_str))
        .collect();
    ensure!(
        all.len() <= usize::from(u16::MAX),
        "{} classes, more than {}",
        all.len(),
        u16::MAX
    );
    let class_names: Vec<&str> = all.into_iter().collect();
    let label = |class: &String| {
        let place = class_names.binary_search(&class.as_str());
        place.ok().map(|at| at as u16)
    };
    let mut first: HashMap<PathBuf, &Row> = HashMap::new();
    let (mut entries, mut twice) = (Vec::new(), Vec::new());
    for row in rows {
        ensure!(
            !row.classes.is_empty(),
            "line {} has no class; {FORM}",
            row.line
        );
        let path = inside(&row.path, folder).with_context(|| {
            format!(
                "line {}: the path {} leads out of the directory; write it from {} on",
                row.line,
                row.path,
                folder.display()
            )
        })?;
        match first.get(&path) {
            None => {
                entries.push(Entry {
                    path: path.clone(),
                    labels: row.classes.iter().filter_map(label).collect(),
                });
                first.insert(path, row);
            }
            Some(before) if before.classes == row.classes => twice.push(row),
            Some(before) => bail!(
                "lines {} and {} give {} different classes; write all its classes in one line",
                before.line,
                row.line,
                row.path
            ),
        }
    }
    if let [row, ..] = twice[..] {
        remarks.push(format!(
            "{} pictures are listed again and count once (line {}: {})",
            twice.len(),
            row.line,
            row.path
        ));
    }
    Ok((
        entries,
        class_names.iter().map(|&name| name.to_owned()).collect(),
    ))
}

/// A listed path in the directory; `None` if it leads out.
fn inside(path: &str, folder: &Path) -> Option<PathBuf> {
    let forward = path.replace('\\', "/");
    let literal = !path.contains('\\') || folder.join(path).is_file();
    let path = Path::new(if literal { path } else { &forward });
    let absolute = |folder: PathBuf| path.strip_prefix(folder).ok().map(Path::to_owned);
    let path = match path.is_absolute() {
        false => path.to_owned(),
        true => std::path::absolute(folder)
            .ok()
            .and_then(absolute)
            .or_else(|| folder.canonicalize().ok().and_then(absolute))?,
    };
    let mut within = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => within.push(name),
            Component::CurDir => {}
            Component::ParentDir if within.pop() => {}
            _ => return None,
        }
    }
    (within.components().next().is_some()).then(|| folder.join(within))
}

/// Counts the pictures of a directory that are not known.
fn unlisted(folder: &Path, known: &BTreeSet<&Path>, passed: &mut Passed) -> Result<()> {
    let here = entries(folder)?;
    passed.absorb(here.passed);
    for path in here.pictures.iter().map(|name| folder.join(name)) {
        if !known.contains(path.as_path()) {
            passed.add(Reason::Unlisted, path);
        }
    }
    for below in here.folders.iter().filter(|below| !below.is_symlink()) {
        unlisted(below, known, passed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list of the pictures `a.png`, `b.png` and `sub/c.png`.
    fn of(name: &str, list: &str) -> Result<Vec<String>> {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("pictures");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        for picture in ["a.png", "b.png", "sub/c.png"] {
            std::fs::write(folder.join(picture), "").unwrap();
        }
        let labels = directory.path().join(name);
        let list = list.replace("FOLDER", folder.to_str().unwrap());
        std::fs::write(&labels, list).unwrap();
        let list = read(&folder, &labels)?;
        let row = |entry: &Entry| {
            let path = entry.path.strip_prefix(&folder).unwrap().display();
            let names = entry.labels.iter();
            let names: Vec<&str> = names
                .map(|&label| list.listing.class_names[usize::from(label)].as_str())
                .collect();
            format!("{path}={}", names.join("+"))
        };
        let rows = list.listing.entries.iter().map(row);
        Ok(rows
            .chain(list.remarks.clone())
            .chain(list.passed.line(&folder))
            .collect())
    }

    fn refused(name: &str, list: &str, part: &str) {
        let text = format!("{:#}", of(name, list).unwrap_err());
        assert!(
            text.contains(part) && !text.contains('\n'),
            "{text:?} lacks {part:?}"
        );
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        let whole = ["a.png=cat", "b.png=dog", "sub/c.png=cat+dog"];
        for (name, list) in [
            ("l.tsv", "a.png\tcat\nb.png\tdog\nsub/c.png\tdog\tcat\n"),
            (
                "l.tsv",
                "\u{feff}a.png\tcat\r\n\r\nb.png\tdog\r\nsub\\c.png\tdog\tcat",
            ),
            (
                "l.tsv",
                "# mine\n./a.png\tcat\n  \n./sub/../b.png\tdog\nsub/./c.png\tcat\tdog\n",
            ),
            (
                "l.tsv",
                "file\tlabel\tlabel\na.png\tcat\t\nb.png\tdog\nFOLDER/sub/c.png\tdog\tcat\n",
            ),
            ("l.csv", "\"a.png\",\"cat\"\nb.png,dog\nsub/c.png,cat,dog\n"),
            (
                "L.CSV",
                "Filename;Class;Class\na.png;cat\nb.png;dog\nsub/c.png;cat;dog\n",
            ),
            (
                "dataset.json",
                r#"{"labels": [["a.png", "cat"], ["b.png", "dog"], ["sub/c.png", ["cat", "dog"]]]}"#,
            ),
        ] {
            assert_eq!(of(name, list).unwrap(), whole, "{list:?}");
        }
        let numbers = of(
            "d.json",
            r#"[["a.png", 10], ["b.png", 2], ["sub/c.png", 2]]"#,
        )
        .unwrap();
        assert_eq!(numbers, ["a.png=10", "b.png=2", "sub/c.png=2"]);
    }

    #[test]
    fn what_is_not_used_is_said() {
        let said = of("l.csv", "id,width,class\na.png,640,cat\n./a.png,640,cat\n").unwrap();
        assert_eq!(
            said,
            [
                "a.png=cat",
                "columns that are not used: width",
                "1 pictures are listed again and count once (line 3: ./a.png)",
                "passed over: 2 pictures that are not listed (e.g. b.png)"
            ]
        );
    }

    #[test]
    fn other_lists_are_refused_by_line() {
        refused(
            "l.tsv",
            "a.png\n",
            "line 1 has no class; write PATH<tab>CLASS",
        );
        refused(
            "l.tsv",
            "a.png,cat\n",
            "or PATH,CLASS in a file called .csv",
        );
        refused(
            "l.tsv",
            "a.png\tcat\n../x.png\tdog\n",
            "line 2: the path ../x.png leads out",
        );
        refused(
            "l.tsv",
            "sub/../../x.png\tdog\n",
            "leads out of the directory",
        );
        refused("l.tsv", "/etc/x.png\tdog\n", "leads out of the directory");
        refused(
            "l.tsv",
            "a.png\tcat\n\na.png\tdog\n",
            "lines 1 and 3 give a.png different classes",
        );
        refused(
            "l.csv",
            "file,width,height\na.png,1,2\n",
            "no column for classes",
        );
        refused(
            "l.csv",
            "a.png,\"cat\nb.png,dog\n",
            "a quote that does not end",
        );
        refused("l.json", "{\"labels\": null}", "no list of labels");
        refused("l.json", "[[\"a.png\", 1.5]]", "label 1 is");
        refused("l.tsv", "# nothing\n", "no picture");
        let directory = tempfile::tempdir().unwrap();
        let labels = directory.path().join("l.tsv");
        for (bytes, part) in [
            (&b"\xff\xfea"[..], "not UTF-8"),
            (b"a\tb\n\xe9\tc", "line 2, byte 4 is not UTF-8"),
            (b"PK\x03\x04", "a zip archive"),
        ] {
            std::fs::write(&labels, bytes).unwrap();
            let text = format!("{:#}", read(directory.path(), &labels).unwrap_err());
            assert!(text.contains(part), "{text}");
        }
        let error = read(directory.path(), &directory.path().join("l.tvs"));
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("did you mean") && text.contains("l.tsv"),
            "{text}"
        );
    }
}
