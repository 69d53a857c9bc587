/** Checks for data that would ruin a run: findings about pictures, as in `native-train data check`. */

import type { TrainingData } from "./api.js";
import type { PictureTraits } from "./protocol.js";

/** A finding: a fault prevents training, a warning makes it worse than it could be, a note is good to know. */
export interface Finding {
  severity: "fault" | "warning" | "note";
  /** Short name. */
  kind: string;
  message: string;
  remedy: string;
}

/** Images, or null if a finding is a fault; findings are sorted, worst first. */
export interface ReadData {
  data: TrainingData | null;
  findings: Finding[];
}

/** Facts about a picture. */
export interface PictureFacts extends PictureTraits {
  class: string;
  path: string;
  /** Empty if unknown. */
  digest: string;
}

/** Most places that a finding names. */
const MOST_NAMED = 5;
/** Class sizes that differ by more than this factor are uneven: G sees the small classes too rarely to learn them. */
const UNEVEN = 10;
/** With fewer, D memorises the pictures within minutes. */
const FEW = 50;

/** The first of a list, and how many more there are. */
export function listed(places: string[]): string {
  const more = places.length - MOST_NAMED;
  return places.slice(0, MOST_NAMED).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

const SEVERITIES: Finding["severity"][] = ["fault", "warning", "note"];

/** Findings by severity, otherwise in their order. */
export const worstFirst = (findings: Finding[]): Finding[] =>
  SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));

/** A warning about some of the pictures, or none if there are none. */
export function some(
  picked: readonly PictureFacts[],
  all: readonly PictureFacts[],
  kind: string,
  what: string,
  remedy: string,
): Finding[] {
  if (picked.length === 0) return [];
  const places = listed(picked.map(({ path }) => path));
  return [{ severity: "warning", kind, message: `${picked.length} of ${all.length} ${what}: ${places}`, remedy }];
}

/** Judges pictures, all but how they become images (picture-findings.ts). */
export function judge(facts: PictureFacts[]): Finding[] {
  const constant = facts.filter((fact) => fact.constant);
  const grey = facts.filter((fact) => fact.grey);
  const odd = 2 * grey.length < facts.length ? grey : [];
  return [
    ...classes(facts),
    ...duplicates(facts),
    ...some(
      constant,
      facts,
      "constant",
      "pictures show one colour only",
      "delete them: such files are often left over from a broken download",
    ),
    ...some(odd, facts, "grey", "pictures are grey among coloured pictures", "check that they belong there"),
  ];
}

function classes(facts: PictureFacts[]): Finding[] {
  const counts = new Map<string, number>();
  for (const fact of facts) counts.set(fact.class, (counts.get(fact.class) ?? 0) + 1);
  const all = [...counts].sort(([, a], [, b]) => a - b);
  const [least, most] = [all[0], all.at(-1)];
  if (!least || !most) return [];
  const findings: Finding[] = [];
  const add = (severity: Finding["severity"], kind: string, message: string, remedy: string) =>
    findings.push({ severity, kind, message, remedy });
  if (all.length === 1) {
    add(
      "note",
      "one class",
      most[1] === 1 ? `the one picture is of the class "${most[0]}"` : `all ${most[1]} pictures are of the class "${most[0]}"`,
      "give one folder per class; training with one class works, but has nothing to condition on",
    );
  } else if (most[1] > UNEVEN * least[1]) {
    add(
      "warning",
      "uneven",
      `class "${most[0]}" has ${most[1]} pictures, class "${least[0]}" only ${least[1]}`,
      "add pictures to the small classes, or merge or drop them",
    );
  }
  if (facts.length < FEW) {
    add(
      "warning",
      "few",
      facts.length === 1 ? "there is 1 picture" : `there are ${facts.length} pictures`,
      `give ${FEW} or more: D memorises what it sees often; augmentation helps`,
    );
  }
  return findings;
}

/** The same pixels more than once. */
function duplicates(facts: PictureFacts[]): Finding[] {
  const first = new Map<string, PictureFacts>();
  const [across, within]: [string[], string[]] = [[], []];
  for (const fact of facts) {
    if (fact.constant) continue;
    const before = first.get(fact.digest);
    if (!before) first.set(fact.digest, fact);
    else (before.class === fact.class ? within : across).push(`${fact.path} = ${before.path}`);
  }
  const found = (pairs: string[], kind: string, [one, several]: [string, string], remedy: string): Finding[] =>
    pairs.length === 0
      ? []
      : [
          {
            severity: "warning",
            kind,
            message: `${pairs.length} ${pairs.length === 1 ? one : several}: ${listed(pairs)}`,
            remedy,
          },
        ];
  return [
    ...found(across, "two classes", ["picture is in two classes", "pictures are in two classes"], "choose one class"),
    ...found(
      within,
      "duplicates",
      ["picture repeats another of its class", "pictures repeat others of their class"],
      "delete them: D memorises what it sees often",
    ),
  ];
}
