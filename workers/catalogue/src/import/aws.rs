//! AWS, from the API models in botocore: every service, every operation, and the command line's own `s3` commands.
//!
//! Start at [`Botocore::open`]. Reads a botocore wheel (a zip file) as it comes from PyPI, or an unpacked
//! `botocore/data` folder. Licence of the models: Apache-2.0.
//!
//! The AWS command line renames some services, flags and commands (tables of `awscli/customizations`); what of that is
//! kept stands in `aws_cli.json`. A shape marked `union` becomes an object with `x-union: true`: exactly one member.

mod cli;
mod commands;
mod effect;
mod filters;
mod inverse;
mod names;
mod operation;
mod s3;
mod semantics;
mod shapes;
mod source;
pub(super) mod text;
mod waiters;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{Imported, ImportedService};
use crate::error::Result;
pub use names::xform_name;
use shapes::Shapes;
use source::{ServiceModel, Source};

/// Name of the vendor.
pub const PROVIDER: &str = "aws";

/// Services of a botocore wheel or data folder, read one at a time: all of AWS at once would take a gigabyte.
#[derive(Debug)]
pub struct Botocore {
    source: Source,
}

/// Imports everything at once; for a whole botocore prefer [`Botocore::services`].
///
/// # Errors
/// The source cannot be read, or a model in it is not understood.
pub fn operations(source: &Path) -> Result<Imported> {
    let services: Result<Vec<ImportedService>> = Botocore::open(source)?.services().collect();
    Ok(Imported { provider: PROVIDER.to_owned(), services: services? })
}

// === impl Botocore ===

impl Botocore {
    /// Opens a wheel (`….whl`) or a `botocore/data` folder.
    ///
    /// # Errors
    /// Neither is there, or it holds no service.
    pub fn open(source: &Path) -> Result<Self> {
        Ok(Self { source: Source::open(source)? })
    }

    /// Each service in its newest version, in the order of their names.
    pub fn services(&mut self) -> impl Iterator<Item = Result<ImportedService>> + '_ {
        let folders = self.source.services();
        folders.into_iter().map(|folder| Ok(import_service(&folder, &self.source.load(&folder)?)))
    }
}

/// Imports one service model that somebody brought (`service-2.json`): said through the AWS command line, as
/// `aws configure add-model` makes it.
pub(super) fn operations_of_model(api: Value, source: &super::brought::Source) -> Result<Imported> {
    let given = api.pointer("/metadata/endpointPrefix").and_then(Value::as_str);
    let folder = given.and_then(super::clean::slug).unwrap_or_else(|| source.name.clone());
    let model = ServiceModel { api, paginators: Value::Null, waiters: Value::Null, retry: Vec::new() };
    let service = import_service(&folder, &model);
    if service.operations.is_empty() {
        return Err(super::document::refused(&source.origin, "it describes no operation".to_owned()));
    }
    let mut imported = Imported { provider: source.name.clone(), services: vec![service] };
    imported.belong_to(&source.name)?;
    Ok(imported)
}

fn import_service(folder: &str, model: &ServiceModel) -> ImportedService {
    let service = cli::service_name(folder);
    let shapes = Shapes::new(model.api.get("shapes").unwrap_or(&Value::Null));
    let mut operations = operation::import_all(&service, model, &shapes);
    let mut definitions = shapes.take_definitions();
    definitions.sort_keys();
    operation::add_semantics(&mut operations, model, &shapes, &definitions);
    if folder == "s3" {
        operations.extend(s3::operations(&model.retry));
    }
    operations.extend(commands::operations(&service, &operations));
    ImportedService { name: service, title: title(&model.api), definitions: Arc::new(definitions), operations }
}

/// `Amazon Elastic Compute Cloud (Amazon EC2)`: the full name, and the short one when it says something else.
fn title(api: &Value) -> String {
    let field = |name: &str| api.pointer(&format!("/metadata/{name}")).and_then(Value::as_str);
    let full = field("serviceFullName").unwrap_or_default();
    match field("serviceAbbreviation").or_else(|| field("serviceId")) {
        Some(short) if !full.contains(short) => format!("{full} ({short})"),
        _ => full.to_owned(),
    }
}

#[cfg(test)]
mod tests;
