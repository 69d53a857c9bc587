//! Weights as 8-bit integers, a quarter of their size as f32: `w = scale * q` with `q` from -127 to 127 and a scale for each
//! output channel, `max |w| / 127` of its weights. A weight `NAME` (the first axis counts output channels) is then the integers
//! `NAME` and the scales `NAME.q8_scale`; vectors have few values and stay floats.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::container::{Dtype, SCALE, decode, encode_with};
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};

const LARGEST: f32 = 127.0;
/// Begins the names of statistics, which are few and small: they stay f32.
const STATISTICS: &str = "stats.";

fn is_quantised(name: &str, tensor: &HostTensor) -> bool {
    !name.starts_with(STATISTICS) && tensor.shape.len() >= 2 && tensor.shape[0] > 0
}

/// The type that one of these tensors is stored as, where weights are stored as `weights`.
pub(super) fn dtype_of(name: &str, weights: Dtype, all: &HostTensors) -> Dtype {
    if name.starts_with(STATISTICS) || name.ends_with(SCALE) {
        return Dtype::F32;
    }
    match weights {
        Dtype::Q8 if !all.0.contains_key(&format!("{name}{SCALE}")) => Dtype::F16,
        _ => weights,
    }
}

/// The tensors as they are stored, where weights are stored as `weights`.
pub(super) fn stored(tensors: &HostTensors, weights: Dtype) -> Cow<'_, HostTensors> {
    match weights {
        Dtype::Q8 => Cow::Owned(quantised(tensors)),
        Dtype::F32 | Dtype::F16 => Cow::Borrowed(tensors),
    }
}

/// The tensors rounded as they will be stored, but for those that `is_exact` names.
///
/// # Errors
/// If a value does not fit the type.
pub fn rounded(
    tensors: &HostTensors,
    weights: Dtype,
    is_exact: impl Fn(&str) -> bool,
) -> Result<HostTensors> {
    let stored = stored(tensors, weights);
    let bytes = encode_with(&stored, &BTreeMap::new(), |name| match is_exact(name) {
        true => Dtype::F32,
        false => dtype_of(name, weights, &stored),
    })?;
    restored(decode(&bytes)?.tensors)
}

/// The tensors with weights as integers, still as f32, and their scales.
fn quantised(tensors: &HostTensors) -> HostTensors {
    let mut all = HostTensors::default();
    for (name, tensor) in &tensors.0 {
        if !is_quantised(name, tensor) {
            all.0.insert(name.clone(), tensor.clone());
            continue;
        }
        let channels = tensor.shape[0];
        let width = (tensor.values.len() / channels).max(1);
        let scale = |row: &[f32]| row.iter().fold(0.0f32, |most, w| most.max(w.abs())) / LARGEST;
        let scales: Vec<f32> = tensor.values.chunks_exact(width).map(scale).collect();
        let rows = tensor.values.chunks_exact(width).zip(&scales);
        let integer = |w: f32, scale: f32| {
            if scale > 0.0 {
                (w / scale).round()
            } else {
                0.0 * w
            }
        };
        let values = rows
            .flat_map(|(row, &scale)| row.iter().map(move |&w| integer(w, scale)))
            .collect();
        let shape = tensor.shape.clone();
        all.0.insert(name.clone(), HostTensor { shape, values });
        let shape = vec![channels];
        all.0.insert(
            format!("{name}{SCALE}"),
            HostTensor {
                shape,
                values: scales,
            },
        );
    }
    all
}

/// The inverse of [`stored`], up to rounding.
///
/// # Errors
/// If scales have no weight, or not one for each of its channels.
pub(super) fn restored(mut tensors: HostTensors) -> Result<HostTensors> {
    let names: Vec<String> = tensors
        .0
        .keys()
        .filter(|name| name.ends_with(SCALE))
        .cloned()
        .collect();
    for name in names {
        let weight = &name[..name.len() - SCALE.len()];
        if let (Some(scales), Some(integers)) = (tensors.0.remove(&name), tensors.0.remove(weight))
        {
            tensors
                .0
                .insert(weight.to_owned(), scaled(weight, integers, &scales)?);
        } else {
            return Err(Error::tensor(name)
                .found("without its weight")
                .remedy("export the model again"));
        }
    }
    Ok(tensors)
}

/// A weight of its integers and scales.
///
/// # Errors
/// If there is not a scale for each channel.
pub(super) fn scaled(
    name: &str,
    mut integers: HostTensor,
    scales: &HostTensor,
) -> Result<HostTensor> {
    let channels = integers.shape.first().copied().unwrap_or_default();
    if scales.shape != [channels] {
        return Err(Error::tensor(format_args!("{name}{SCALE}"))
            .found(format_args!("{:?}", scales.shape))
            .expected(format_args!("[{channels}], one for each channel of {name}"))
            .remedy("export the model again"));
    }
    let width = (integers.values.len() / channels.max(1)).max(1);
    for (row, scale) in integers.values.chunks_exact_mut(width).zip(&scales.values) {
        row.iter_mut().for_each(|value| *value *= scale);
    }
    Ok(integers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::model_file::tests::tiny;
    use crate::file::{ModelFile, OpenModel};
    use crate::named::TensorSource;

    fn tensors(all: &[(&str, &[usize], &[f32])]) -> HostTensors {
        let named = all.iter().map(|(name, shape, values)| {
            let tensor = HostTensor {
                shape: shape.to_vec(),
                values: values.to_vec(),
            };
            ((*name).to_owned(), tensor)
        });
        HostTensors(named.collect())
    }

    #[test]
    fn each_channel_has_a_scale_of_its_own() {
        let weights = [127.0, -1.0, 0.4, 0.0, 0.0, 0.0, 1e-3, -5e-4, 0.0];
        let all = tensors(&[
            ("w", &[3, 3], &weights),
            ("b", &[3], &[0.3, 0.2, 0.1]),
            ("stats.w", &[1, 3], &[9.0; 3]),
        ]);
        let made = quantised(&all);
        let expected = tensors(&[(
            "w",
            &[3, 3],
            &[127.0, -1.0, 0.0, 0.0, 0.0, 0.0, 127.0, -64.0, 0.0],
        )]);
        assert_eq!(made.0["w"], expected.0["w"]);
        assert_eq!(made.0["w.q8_scale"].values, [1.0, 0.0, 1e-3 / 127.0]);
        assert_eq!(
            (&made.0["b"], &made.0["stats.w"]),
            (&all.0["b"], &all.0["stats.w"])
        );
        let back = restored(made).unwrap();
        assert_eq!(
            back.0.keys().collect::<Vec<_>>(),
            all.0.keys().collect::<Vec<_>>()
        );
        // half a step of the channel at most
        for (row, (found, wanted)) in back.0["w"]
            .values
            .chunks(3)
            .zip(weights.chunks(3))
            .enumerate()
        {
            let step = [1.0, 0.0, 1e-3 / 127.0][row];
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() <= 0.5001 * step, "{found} {wanted}");
            }
        }
    }

    /// A model with weights of two axes.
    fn model() -> ModelFile {
        let mut model = tiny();
        for (name, shape) in [("linear.weight", [4, 10]), ("output_conv.weight", [3, 9])] {
            model.tensors.0.get_mut(name).unwrap().shape = shape.to_vec();
        }
        model
    }

    #[test]
    fn models_are_read_whole_in_parts_and_a_tensor_at_a_time() {
        let model = model();
        let bytes = model.encode(Dtype::Q8).unwrap();
        assert_eq!(bytes, model.encode(Dtype::Q8).unwrap());
        let read = ModelFile::decode(&bytes).unwrap();
        assert_eq!(read.info, model.info);
        for (name, tensor) in &model.tensors.0 {
            let found = &read.tensors.0[name];
            assert_eq!(found.shape, tensor.shape);
            let exact = name.starts_with(STATISTICS);
            for (found, wanted) in found.values.iter().zip(&tensor.values) {
                let most = if exact { 0.0 } else { 0.51 * 52.0 / LARGEST };
                assert!((found - wanted).abs() <= most, "{name}: {found} {wanted}");
            }
        }
        let mut open = OpenModel::file(&bytes).unwrap();
        for (name, tensor) in &read.tensors.0 {
            assert_eq!(open.take(name).unwrap().as_ref(), Some(tensor));
        }
        assert_eq!(open.left(), None);
        for most in [1, 700, 1 << 20] {
            let mut parts: BTreeMap<String, Vec<u8>> = model
                .encode_shards("m", Dtype::Q8, most)
                .unwrap()
                .into_iter()
                .collect();
            let index = parts.remove("m.safetensors.index.json").unwrap();
            let whole = ModelFile::decode_shards(&index, |name| Ok(parts[name].clone())).unwrap();
            assert_eq!(whole, read);
            assert!(OpenModel::shards(&index, &parts).unwrap().read().unwrap() == read);
        }
    }

    #[test]
    fn integers_are_whole_and_have_scales() {
        let metadata = model().info.metadata().unwrap();
        let integers = tensors(&[("w", &[1, 2], &[3.0, -7.0])]);
        let bytes = encode_with(&integers, &metadata, |_| Dtype::Q8).unwrap();
        let words = ModelFile::decode(&bytes).unwrap_err().to_string();
        assert!(words.contains("I8 without w.q8_scale"), "{words}");
        let mut broken = model();
        broken.tensors.0.get_mut("linear.weight").unwrap().values[3] = f32::NAN;
        let words = broken.encode(Dtype::Q8).unwrap_err().to_string();
        assert!(
            words.contains("linear.weight") && words.contains("NaN"),
            "{words}"
        );
        let halves = tensors(&[("w", &[1, 1], &[0.5])]);
        assert!(encode_with(&halves, &metadata, |_| Dtype::Q8).is_err());
    }

    #[test]
    fn scales_that_do_not_fit_are_refused() {
        let words = |all| restored(all).unwrap_err().to_string();
        assert!(
            words(tensors(&[("w.q8_scale", &[2], &[1.0, 1.0])])).contains("without its weight")
        );
        let short = tensors(&[("w", &[2, 1], &[1.0, 1.0]), ("w.q8_scale", &[1], &[1.0])]);
        assert!(words(short).contains("one for each channel of w"));
    }
}
