/**
 * A list of labels in place of class folders: a line per picture, or StyleGAN's `dataset.json`; what
 * `native-train data pack --labels` reads (docs/data.md, "Packing"), with one class a picture.
 */

import { type Folder, type PictureFile, picturesOf } from "./folder.js";
import { byBytes } from "./order.js";
import { LayoutError } from "./parts.js";
import type { Passed } from "./passed.js";

/** Titles of a column of paths, and of a column of classes. */
const PATHS = /^(file|filename|file_name|filepath|path|image|image_id|image_name|image_path|images|img|id)$/i;
const CLASSES = /^(label|labels|class|classes|class_name|category|categories|tag|tags|target)$/i;
const FORM = "write PATH<tab>CLASS, or PATH,CLASS in a file called .csv";

interface Row {
  line: number;
  path: string;
  classes: string[];
}

export interface Labelled {
  classNames: string[];
  /** In the order of the list. */
  pictures: (PictureFile & { label: number })[];
  remarks: string[];
}

/** The pictures of a folder that a list names; the others are counted. Throws a `LayoutError` with the line at fault. */
export async function readLabels(list: File, folder: Folder, passed: Passed): Promise<Labelled> {
  const named = (error: unknown) =>
    new LayoutError(`labels ${list.name}: ${error instanceof Error ? error.message : String(error)}`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await list.arrayBuffer());
    const files = new Map(picturesOf(folder).map((picture) => [picture.path.slice(folder.path.length), picture.file]));
    const remarks: string[] = [];
    const ending = /\.(\w+)$/.exec(list.name)?.[1]?.toLowerCase();
    const rows = ending === "json" ? rowsOfJson(text) : rowsOfLines(text, ending === "csv", files, remarks);
    return labelled(rows, folder, files, passed, remarks);
  } catch (error) {
    throw named(error instanceof TypeError ? "it is not UTF-8; save it as UTF-8" : error);
  }
}

function labelled(
  rows: Row[],
  folder: Folder,
  files: Map<string, PictureFile["file"]>,
  passed: Passed,
  remarks: string[],
): Labelled {
  const classNames = [...new Set(rows.flatMap(({ classes }) => classes))].sort(byBytes);
  const first = new Map<string, Row>();
  const twice: Row[] = [];
  const pictures: Labelled["pictures"] = [];
  for (const row of rows) {
    const [name, more] = row.classes;
    if (name === undefined) throw new Error(`line ${row.line} has no class; ${FORM}`);
    if (more !== undefined) {
      throw new Error(
        `line ${row.line} has ${row.classes.length} classes (${row.classes.join(", ")}), and a browser trains with one; ` +
          "native-train takes several",
      );
    }
    const path = inside(row.path, files);
    if (path === null) {
      throw new Error(`line ${row.line}: the path ${row.path} leads out of the directory; write it from the folder on`);
    }
    const before = first.get(path);
    if (!before) {
      first.set(path, row);
      const file = files.get(path);
      if (!file) throw new Error(`line ${row.line}: there is no picture ${path} in the folder; correct the path`);
      pictures.push({ path: folder.path + path, file, label: classNames.indexOf(name) });
    } else if (before.classes[0] === name) twice.push(row);
    else throw new Error(`lines ${before.line} and ${row.line} give ${row.path} different classes; choose one`);
  }
  if (pictures.length === 0) throw new Error(`no picture; ${FORM}`);
  if (twice[0]) {
    const { line, path } = twice[0];
    remarks.push(`${twice.length} pictures are listed again and count once (line ${line}: ${path})`);
  }
  for (const path of files.keys()) if (!first.has(path)) passed.add("unlisted", folder.path + path);
  return { classNames, pictures, remarks };
}

/** A listed path from the folder on; null if it leads out. */
function inside(path: string, files: Map<string, PictureFile["file"]>): string | null {
  if (files.has(path)) return path;
  const forward = path.replaceAll("\\", "/");
  if (forward.startsWith("/")) return null;
  const within: string[] = [];
  for (const part of forward.split("/")) {
    if (part === "..") {
      if (within.pop() === undefined) return null;
    } else if (part !== "." && part !== "") within.push(part);
  }
  return within.length > 0 ? within.join("/") : null;
}

/** Lines of fields, in quotes where they hold the delimiter. */
function rowsOfLines(text: string, commas: boolean, files: Map<string, PictureFile["file"]>, remarks: string[]): Row[] {
  const has = (delimiter: string) => text.includes(delimiter);
  const delimiter = !commas ? "\t" : has(",") ? "," : has("\t") ? "\t" : has(";") ? ";" : ",";
  let columns: { path: number; classes: number[] | null } | undefined;
  const rows: Row[] = [];
  for (const [place, one] of text.split(/\r\n|\n|\r/).entries()) {
    const line = place + 1;
    const fields = fieldsOf(one, delimiter, line);
    const [start = ""] = fields;
    if (fields.every((field) => field === "")) continue;
    const isFile = files.has(inside(start, files) ?? "");
    if (start.startsWith("#") && !isFile) continue;
    if (!columns) {
      const header = isFile ? null : headerOf(fields);
      columns = header ?? { path: 0, classes: null };
      if (header && header.unused.length > 0) remarks.push(`columns that are not used: ${header.unused.join(", ")}`);
      if (header) continue;
    }
    const { path, classes } = columns;
    const isClass = (at: number) => (classes ? classes.includes(at) : at !== path);
    const own = fields.filter((field, at) => isClass(at) && field !== "");
    rows.push({ line, path: fields[path] ?? "", classes: [...new Set(own)].sort(byBytes) });
  }
  return rows;
}

/** RFC 4180: a field in quotes may hold the delimiter, and two quotes for one. */
function fieldsOf(text: string, delimiter: string, line: number): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const blank = /^ */.exec(text.slice(at))![0].length;
    let field: string;
    if (text[at + blank] === '"') {
      const quoted = /^"((?:[^"]|"")*)"/.exec(text.slice(at + blank));
      if (!quoted) throw new Error(`line ${line}: a quote that does not end; end it, or write two for one`);
      field = quoted[1]!.replaceAll('""', '"');
      at += blank + quoted[0].length;
      const rest = text.indexOf(delimiter, at);
      at = rest < 0 ? text.length : rest;
    } else {
      const end = text.indexOf(delimiter, at);
      field = text.slice(at, end < 0 ? text.length : end);
      at = end < 0 ? text.length : end;
    }
    fields.push(field.trim());
    if (at >= text.length) return fields;
    at += delimiter.length;
  }
}

/** The columns that a first line names; null if it is no header. */
function headerOf(fields: string[]): { path: number; classes: number[]; unused: string[] } | null {
  const path = fields.findIndex((field) => PATHS.test(field));
  if (path < 0) return null;
  const classes = fields.flatMap((field, at) => (CLASSES.test(field) ? [at] : []));
  // a path and one more column, whatever that is called
  if (classes.length === 0 && path === 0 && fields.length === 2) return { path, classes: [1], unused: [] };
  if (classes.length === 0) {
    throw new Error(
      `the header has no column for classes; name one "label" or "class", found ${fields.join(", ")}`,
    );
  }
  return { path, classes, unused: fields.filter((_, at) => at !== path && !classes.includes(at)) };
}

/** `{"labels": [["PATH", CLASS], ...]}`, or the list alone. */
function rowsOfJson(text: string): Row[] {
  const all = JSON.parse(text);
  const list: unknown = Array.isArray(all) ? all : all?.labels;
  if (!Array.isArray(list)) throw new Error('no list of labels; write {"labels": [["PATH", CLASS], ...]}');
  const nameOf = (value: unknown): string | null =>
    typeof value === "string" ? value : Number.isSafeInteger(value) && Number(value) >= 0 ? String(value) : null;
  return list.map((row: unknown, place) => {
    const [path, of] = Array.isArray(row) && row.length === 2 ? row : [];
    const names = (Array.isArray(of) ? of : [of]).map(nameOf);
    if (typeof path !== "string" || names.includes(null)) {
      throw new Error(`label ${place + 1} is ${JSON.stringify(row)}, expected ["PATH", CLASS]`);
    }
    return { line: place + 1, path, classes: [...new Set(names as string[])].sort(byBytes) };
  });
}
