//! Which dictionary of a file has the weights that are wanted: people save them alone, with the rest of a run
//! (`{"model": .., "optimizer": ..}`), or wrapped (`module.`).

use super::Source;
use super::looks_like::{Looks, looks_like};
use super::torch::Node;
use crate::error::{Error, Result};

/// Levels of dictionaries below the file's own that are looked at.
const MAX_DEPTH: usize = 3;
/// Most dictionaries that are looked at.
const MAX_DICTIONARIES: usize = 256;
/// A dictionary of tensors, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Place<'f, 'a> {
    /// The dictionary.
    pub node: Node<'f, 'a>,
    /// Keys that lead to it; empty for the file's own value.
    pub path: Vec<&'a str>,
}

impl Place<'_, '_> {
    /// Whether it is an average, by its keys.
    fn is_average(&self) -> bool {
        let is = |key: &&str| {
            let key = key.to_ascii_lowercase();
            ["ema", "avg", "average"].iter().any(|word| {
                key.split(['_', '.', '-'])
                    .any(|part| part.starts_with(word))
            })
        };
        self.path.iter().any(is)
    }

    /// Where it was found, unless that is where its program puts it.
    pub fn remark(&self) -> Option<String> {
        let is_usual = matches!(self.path[..], [] | ["state_dict"]);
        (!is_usual).then(|| format!("its weights are those under {:?}", self.path.join(".")))
    }
}

/// All dictionaries of a file, the outer ones first.
fn places<'f, 'a>(root: Node<'f, 'a>) -> Vec<Place<'f, 'a>> {
    let mut all = vec![Place {
        node: root,
        path: Vec::new(),
    }];
    let mut next = 0;
    while next < all.len() && all.len() < MAX_DICTIONARIES {
        let place = all[next].clone();
        next += 1;
        if place.path.len() == MAX_DEPTH {
            continue;
        }
        for (key, node) in place.node.entries().into_iter().flatten() {
            // a file can name one dictionary many times, or within itself
            let is_new = || all.iter().all(|place| !place.node.is_same(node));
            if let Some(key) = key.text()
                && node.entries().is_some()
                && all.len() < MAX_DICTIONARIES
                && is_new()
            {
                let path = place.path.iter().copied().chain([key]).collect();
                all.push(Place { node, path });
            }
        }
    }
    all
}

/// The dictionaries that look like something known.
pub(super) fn known<'f, 'a>(root: Node<'f, 'a>) -> Vec<(Place<'f, 'a>, Looks)> {
    let places = places(root).into_iter();
    places
        .filter_map(|place| looks_like(place.node).map(|looks| (place, looks)))
        .collect()
}

/// The dictionary of the wanted network: its average, if there are several.
///
/// # Errors
/// If the file has another program's weights, another network, or only the state of an optimiser.
pub(super) fn network<'f, 'a>(
    source: Source,
    root: Node<'f, 'a>,
    is_generator: bool,
) -> Result<Place<'f, 'a>> {
    let known = known(root);
    let wanted = |looks: &Looks| looks.source == Some(source) && looks.is_generator == is_generator;
    let fitting = || known.iter().filter(|(_, looks)| wanted(looks));
    let average = fitting().find(|(place, _)| place.is_average());
    if let Some((place, _)) = average.or_else(|| fitting().next()) {
        return Ok(place.clone());
    }
    // networks say more than optimisers do
    let other = known.iter().find(|(_, looks)| looks.source.is_some());
    let Some((_, looks)) = other.or(known.first()) else {
        return Ok(unknown(root));
    };
    let error = Error::file("the file").found(&looks.what);
    let network = if is_generator {
        "generator"
    } else {
        "discriminator"
    };
    Err(match looks.source {
        Some(other) if other != source => error.remedy(format_args!("try --from {}", other.name())),
        _ => error.remedy(format_args!("give the file of a {network}")),
    })
}

/// The dictionary that is most likely meant, where none is known: that of the most tensors.
fn unknown<'f, 'a>(root: Node<'f, 'a>) -> Place<'f, 'a> {
    let tensors = |place: &Place<'f, 'a>| {
        let entries = place.node.entries().into_iter().flatten();
        entries
            .filter(|(_, value)| value.tensor().is_some())
            .count()
    };
    let own = Place {
        node: root,
        path: Vec::new(),
    };
    let mut best = (tensors(&own), own);
    for place in places(root) {
        let count = tensors(&place);
        if count > best.0 {
            best = (count, place);
        }
    }
    best.1
}
