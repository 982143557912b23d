//! A trained network as safetensors and JSON, and back. What comes in may be hostile: every name and
//! shape is checked against what the description asks for, and nothing is allocated on its word.

use super::config::NetConfig;
use super::loss::Link;
use super::model::{Member, Net};
use super::network::ModalityShape;
use crate::Error;
use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of this layout.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: u32,
    config: NetConfig,
    modalities: Vec<ModalityShape>,
    link: Link,
    outputs: usize,
}

fn broken(message: impl std::fmt::Display) -> Error {
    Error::Checkpoint { message: message.to_string() }
}

impl Net {
    /// The weights as safetensors (`seed.K.NAME`) and all else as
    /// JSON. The same network gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where the weights cannot be written down.
    pub fn save(&self) -> Result<(Vec<u8>, serde_json::Value), Error> {
        let mut arrays: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        for (k, member) in self.members.iter().enumerate() {
            for (name, tensor) in &member.weights {
                let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
                arrays.insert(format!("seed.{k}.{name}"), (tensor.dims().to_vec(), bytes(&values)));
            }
        }
        let views = arrays
            .iter()
            .map(|(name, (shape, bytes))| {
                Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(broken)?))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let description = Description {
            version: VERSION,
            config: self.config.clone(),
            modalities: self.modalities.clone(),
            link: self.link.clone(),
            outputs: self.outputs,
        };
        let json = serde_json::to_value(description).map_err(broken)?;
        Ok((safetensors::serialize(views, None).map_err(broken)?, json))
    }

    /// Reads what [`Net::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] says what is wrong with it.
    pub fn load(weights: &[u8], description: &serde_json::Value) -> Result<Self, Error> {
        let d = Description::deserialize(description).map_err(broken)?;
        if d.version != VERSION {
            return Err(broken(format!("version {}, expected {VERSION}", d.version)));
        }
        d.config.check().map_err(broken)?;
        if d.modalities.is_empty() || d.modalities.len() > chiasm_record::Availability::MAX {
            return Err(broken(format!("{} modalities", d.modalities.len())));
        }
        check_link(&d.link, d.outputs)?;
        let tensors = SafeTensors::deserialize(weights).map_err(broken)?;
        let mut seeds: Vec<BTreeMap<String, Tensor>> = Vec::new();
        seeds.resize_with(d.config.seeds, BTreeMap::new);
        for (name, view) in tensors.iter() {
            let Some((k, rest)) = name.strip_prefix("seed.").and_then(|rest| rest.split_once('.')) else {
                return Err(broken(format!("tensor {name} is not part of a network")));
            };
            let k: usize = k.parse().map_err(|_| broken(format!("tensor {name}: no seed's number")))?;
            let Some(seed) = seeds.get_mut(k) else {
                return Err(broken(format!("tensor {name}: only {} seeds", d.config.seeds)));
            };
            let tensor = Tensor::from_vec(floats(name, &view)?, view.shape(), &Device::Cpu)?;
            seed.insert(rest.to_string(), tensor);
        }
        let members = seeds
            .into_iter()
            .map(|weights| Member::new(weights, &d.config, &d.modalities, d.outputs))
            .collect::<Result<_, _>>()?;
        Ok(Self { config: d.config, modalities: d.modalities, link: d.link, outputs: d.outputs, members })
    }
}

fn check_link(link: &Link, outputs: usize) -> Result<(), Error> {
    let fits = match link {
        Link::Logistic | Link::Softmax => outputs > 0,
        Link::Value { mean, sd } => outputs == 1 && mean.is_finite() && sd.is_finite(),
        Link::LogRisk => outputs == 1,
        Link::Hazards { edges } => outputs > 0 && edges.len() == outputs,
    };
    if fits { Ok(()) } else { Err(broken(format!("{outputs} outputs do not fit the link"))) }
}

/// The tensor's values, all finite.
fn floats(name: &str, view: &TensorView) -> Result<Vec<f32>, Error> {
    if view.dtype() != Dtype::F32 {
        return Err(broken(format!("tensor {name}: {:?}, expected F32", view.dtype())));
    }
    let values: Vec<f32> =
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if values.iter().all(|v| v.is_finite()) {
        Ok(values)
    } else {
        Err(broken(format!("tensor {name}: a value that is not finite")))
    }
}
