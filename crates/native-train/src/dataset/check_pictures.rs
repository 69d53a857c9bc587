//! Findings about how picture files become images: what is lost, filled in, or not meant as a picture.

use biggan_pictures::color::Color;
use biggan_pictures::fit::Fit;

use super::check::{Facts, Finding, Severity, listed};

/// Pictures whose sides differ by this factor are far from square: half of them or more is cut off, or filled in.
const FAR_FROM_SQUARE: usize = 2;
/// Values below this are a quarter of the range or less: masks of classes, or values of 14 bits or fewer in 16.
const DARK: u8 = 64;

/// Files of 16 bits that use no more than these were meant to be scaled first; others lose nothing that is seen.
const FEW_BITS: u32 = 14;

/// Judges pictures for networks of a resolution.
pub fn judge(facts: &[Facts], resolution: usize, fit: Fit, background: Color) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut some = |kind, picked: Vec<&Facts>, what: &str, remedy: &'static str| {
        if !picked.is_empty() {
            let places: Vec<String> = picked.iter().map(|fact| fact.place.clone()).collect();
            findings.push(Finding {
                severity: Severity::Warning,
                kind,
                message: format!(
                    "{} of {} {what}: {}",
                    picked.len(),
                    facts.len(),
                    listed(&places)
                ),
                remedy: remedy.into(),
            });
        }
    };
    let such = |test: &dyn Fn(&Facts) -> bool| -> Vec<&Facts> {
        facts.iter().filter(|fact| test(fact)).collect()
    };
    let seen = |fact: &Facts| match fit {
        Fit::Crop => fact.size[0].min(fact.size[1]),
        Fit::Pad => fact.size[0].max(fact.size[1]),
    };

    let small = such(&|fact| seen(fact) < resolution);
    if let Some(smallest) = small.iter().min_by_key(|fact| seen(fact)) {
        let [width, height] = smallest.size;
        let what = format!(
            "are smaller than {resolution}x{resolution}, the smallest {width}x{height} (enlarged {:.1} times)",
            resolution as f64 / seen(smallest) as f64
        );
        some(
            "small",
            small,
            &what,
            "use a smaller resolution: enlarged pictures are blurred, and so will the samples be",
        );
    }
    let shape = such(&|fact| sides(fact)[1] >= FAR_FROM_SQUARE * sides(fact)[0]);
    let ratio = |fact: &Facts| sides(fact)[1] as f64 / sides(fact)[0] as f64;
    if let Some(farthest) = shape.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b))) {
        let [width, height] = farthest.size;
        let rest = 100.0 * (1.0 - 1.0 / ratio(farthest));
        let (what, remedy) = match fit {
            Fit::Crop => (
                format!(
                    "are far from square, such as {width}x{height}, of which the crop loses {rest:.0} %"
                ),
                "cut them to what matters, or set data.fit = \"pad\" (data pack --fit pad) to keep all of them",
            ),
            Fit::Pad => (
                format!(
                    "are far from square, such as {width}x{height}, whose image is {rest:.0} % {background} (data.background)"
                ),
                "cut them to what matters, or set data.fit = \"crop\"",
            ),
        };
        some("shape", shape, &what, remedy);
    }
    some(
        "transparent",
        such(&|fact| fact.traits.transparent),
        &format!("have transparent pixels, which become {background} (data.background)"),
        "choose another colour if they are to stand out: data.background = \"#000000\" (data pack --background)",
    );
    let bits = |fact: &Facts| {
        fact.traits
            .largest_of_16_bits
            .map(|value| 16 - value.leading_zeros())
    };
    let deep = such(&|fact| bits(fact).is_some_and(|bits| bits <= FEW_BITS));
    if let Some(most) = deep.iter().filter_map(|fact| bits(fact)).max() {
        some(
            "16 bits",
            deep,
            &format!("have 16 bits a value, of which {most} are in use and the upper 8 are taken"),
            "scale their values to all 16 bits, or save 8 bits chosen for what is to be seen",
        );
    }
    let dark = such(&|fact| fact.largest < DARK && !fact.constant);
    if let Some(largest) = dark.iter().map(|fact| fact.largest).max() {
        some(
            "range",
            dark,
            &format!("are nearly black: no value is above {largest} of 255"),
            "scale their values to 0 to 255, or take out masks of classes, which are not pictures",
        );
    }
    some(
        "animated",
        such(&|fact| fact.traits.animated),
        "are animations, of which only the first frame is used",
        "save the frames that are to be used as files of their own",
    );
    let profiled = such(&|fact| fact.traits.profile.is_some());
    if let Some(name) = profiled.iter().find_map(|fact| fact.traits.profile.clone()) {
        some(
            "profile",
            profiled,
            &format!(
                "have a colour profile other than sRGB, such as {name:?}, which is not applied"
            ),
            "convert them to sRGB if their colours matter",
        );
    }
    some(
        "cmyk",
        such(&|fact| fact.traits.cmyk),
        "are stored in four inks (CMYK) and are converted without their profile",
        "convert them to RGB if their colours matter",
    );
    findings
}

/// The shorter side, then the longer.
fn sides(fact: &Facts) -> [usize; 2] {
    let [width, height] = fact.size;
    [width.min(height), width.max(height)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::picture::Traits;

    fn fact(change: &dyn Fn(&mut Facts)) -> Facts {
        let mut fact = Facts {
            part: "train",
            class: "a".to_owned(),
            place: "train/a/0.png".to_owned(),
            size: [32, 32],
            grey: false,
            constant: false,
            misnamed: false,
            traits: Traits::default(),
            largest: 255,
            digest: [0; 32],
        };
        change(&mut fact);
        fact
    }

    fn found(fit: Fit, change: &dyn Fn(&mut Facts)) -> Vec<(&'static str, String)> {
        let facts = [fact(&|_| {}), fact(change)];
        let findings = judge(&facts, 32, fit, Color::default());
        findings.into_iter().map(|f| (f.kind, f.message)).collect()
    }

    fn one(kind: &str, words: &str, change: &dyn Fn(&mut Facts)) {
        let findings = found(Fit::Crop, change);
        let [(found, message)] = &findings[..] else {
            panic!("{kind}: {findings:?}");
        };
        assert_eq!(*found, kind);
        assert!(
            message.starts_with("1 of 2 ")
                && message.contains(words)
                && message.contains("train/a/0.png"),
            "{message}"
        );
    }

    #[test]
    fn every_kind_is_found_with_its_count_and_an_example() {
        assert_eq!(found(Fit::Crop, &|_| {}), []);
        one("small", "31x40 (enlarged 1.0 times)", &|f| {
            f.size = [31, 40]
        });
        one("small", "4x5 (enlarged 8.0 times)", &|f| f.size = [4, 5]);
        one("shape", "1600x100, of which the crop loses 94 %", &|f| {
            f.size = [1600, 100]
        });
        one("shape", "32x64", &|f| f.size = [32, 64]);
        one("transparent", "#ffffff", &|f| f.traits.transparent = true);
        one("16 bits", "of which 12 are in use", &|f| {
            f.traits.largest_of_16_bits = Some(4095)
        });
        let full = |f: &mut Facts| f.traits.largest_of_16_bits = Some(1 << 14);
        assert_eq!(found(Fit::Crop, &full), []);
        one("range", "above 2 of 255", &|f| f.largest = 2);
        one("animated", "first frame", &|f| f.traits.animated = true);
        one("profile", "\"Display P3\"", &|f| {
            f.traits.profile = Some("Display P3".into())
        });
        one("cmyk", "four inks", &|f| f.traits.cmyk = true);
    }

    #[test]
    fn padded_pictures_are_small_by_their_long_side() {
        assert_eq!(found(Fit::Pad, &|f| f.size = [31, 40]), []);
        let [(kind, message)] = &found(Fit::Pad, &|f| f.size = [40, 10])[..] else {
            panic!("one finding");
        };
        assert!(
            *kind == "shape" && message.contains("75 % #ffffff"),
            "{message}"
        );
        assert_eq!(found(Fit::Crop, &|f| f.size = [32, 63]), []);
    }
}
