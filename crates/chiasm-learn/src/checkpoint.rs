//! A trained predictor as files: JSON for what is small and readable, safetensors for networks.

use crate::Error;
use crate::calibrate::Calibration;
use crate::expert::Expert;
use crate::fusion::{NetModel, Reader, Stacked};
use crate::net::Net;
use crate::predict::Predictor;
use crate::reference::Reference;
use crate::trained::{Fused, FusionModel, Single, Trained};
use chiasm_record::{Modality, Task};
use serde::{Deserialize, Serialize};

/// The version of the stored form that this code writes and reads.
const VERSION: u32 = 2;

/// A predictor as bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The experts, the chosen fusion and its calibration, as JSON.
    pub model: Vec<u8>,
    /// The witnesses (out-of-fold scores and outcomes of training subjects), as JSON.
    pub reference: Vec<u8>,
    /// The network's weights, where the chosen fusion has one.
    pub tensors: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    task: Task,
    modalities: Vec<Modality>,
    base: Vec<f64>,
    best_single: usize,
    tried: usize,
    confidence: f64,
    seed: u64,
    singles: Vec<Single>,
    fusion: StoredFusion,
}

#[derive(Serialize, Deserialize)]
struct StoredFusion {
    name: String,
    setting: String,
    model: StoredModel,
    calibration: Calibration,
    baseline_hazard: Vec<f64>,
    loss: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredModel {
    Stacked(Stacked),
    Concat(Box<Expert>),
    Net { readers: Vec<Reader>, net: serde_json::Value },
}

impl Predictor {
    /// The predictor as bytes; fusions that were not chosen are left out.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where a number cannot be written.
    pub fn save(&self) -> Result<Checkpoint, Error> {
        let trained = &self.trained;
        let fused = &trained.fusions[trained.selected];
        let mut tensors = None;
        let model = match &fused.model {
            FusionModel::Stacked(stacked) => StoredModel::Stacked(stacked.clone()),
            FusionModel::Concat(expert) => StoredModel::Concat(Box::new(expert.clone())),
            FusionModel::Net(net) => {
                let (bytes, shape) = net.net().save()?;
                tensors = Some(bytes);
                StoredModel::Net { readers: net.readers().to_vec(), net: shape }
            }
        };
        let stored = Stored {
            version: VERSION,
            task: trained.task.clone(),
            modalities: trained.modalities.clone(),
            base: trained.base.clone(),
            best_single: trained.best_single,
            tried: trained.tried,
            confidence: self.confidence,
            seed: self.seed,
            singles: trained.singles.clone(),
            fusion: StoredFusion {
                name: fused.name.clone(),
                setting: fused.setting.clone(),
                model,
                calibration: fused.calibration.clone(),
                baseline_hazard: fused.baseline_hazard.clone(),
                loss: fused.loss,
            },
        };
        let bytes = |value: Result<Vec<u8>, serde_json::Error>| {
            value.map_err(|e| Error::Checkpoint { message: e.to_string() })
        };
        Ok(Checkpoint {
            model: bytes(serde_json::to_vec(&stored))?,
            reference: bytes(serde_json::to_vec(&self.reference))?,
            tensors,
        })
    }

    /// Reads a predictor back.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where the bytes are damaged or of another version.
    pub fn load(checkpoint: &Checkpoint) -> Result<Self, Error> {
        let broken = |e: serde_json::Error| Error::Checkpoint { message: e.to_string() };
        // The version first: another version's fields are no damage.
        let Versioned { version } = serde_json::from_slice(&checkpoint.model).map_err(broken)?;
        if version != VERSION {
            let message = format!("found version {version}, expected {VERSION}");
            return Err(Error::Checkpoint { message });
        }
        let stored: Stored = serde_json::from_slice(&checkpoint.model).map_err(broken)?;
        let reference: Reference = serde_json::from_slice(&checkpoint.reference).map_err(broken)?;
        let model = match stored.fusion.model {
            StoredModel::Stacked(stacked) => FusionModel::Stacked(stacked),
            StoredModel::Concat(expert) => FusionModel::Concat(*expert),
            StoredModel::Net { readers, net } => {
                let Some(tensors) = &checkpoint.tensors else {
                    return Err(Error::Checkpoint { message: "the network's weights are missing".into() });
                };
                FusionModel::Net(NetModel::from_parts(readers, Net::load(tensors, &net)?))
            }
        };
        let fused = Fused {
            name: stored.fusion.name,
            setting: stored.fusion.setting,
            model,
            calibration: stored.fusion.calibration,
            baseline_hazard: stored.fusion.baseline_hazard,
            loss: stored.fusion.loss,
        };
        let trained = Trained {
            task: stored.task,
            modalities: stored.modalities,
            singles: stored.singles,
            fusions: vec![fused],
            selected: 0,
            best_single: stored.best_single,
            tried: stored.tried,
            base: stored.base,
        };
        Ok(Self { trained, reference, confidence: stored.confidence, seed: stored.seed })
    }
}
