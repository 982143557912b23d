//! SQL over a store, on DataFusion: read only, and over the tables that hold no person's name.

use crate::columns::Row;
use crate::event_row::AS_SENT;
use crate::rows::{AssetRow, ClockRow, EntryRow, LinkRow, PairRow, QuarantineRow, SourceRow};
use crate::{Error, EventRow, Store, Table};
use arrow::array::RecordBatch;
use arrow::datatypes::{Fields, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};
use datafusion_proto::bytes::{logical_plan_from_bytes, logical_plan_to_bytes};
use std::sync::Arc;
use url::Url;

/// The address under which a store's files are known to the query engine.
const ADDRESS: &str = "chiasm://store";
/// Bytes that a query may use before it spills to disk.
const MEMORY: usize = 2 << 30;

/// The events by patient: a record that no link names is a patient of its own.
const EVENTS: &str = "CREATE VIEW events AS \
    SELECT coalesce(l.subject_id, e.record_id) AS subject_id, e.* \
    FROM recorded_events e LEFT JOIN links l ON e.record_id = l.record_id";

impl Store {
    /// A session in which the tables of this store's state can be asked: `events` (by patient), `links`,
    /// `pairs`, `clocks`, `entries`, `sources`, `assets` and `quarantine`. It sees that state as long as it lives.
    ///
    /// # Errors
    /// [`Error::Query`] where the engine cannot be set up.
    pub async fn session(&self) -> Result<SessionContext, Error> {
        let runtime = RuntimeEnvBuilder::new().with_memory_limit(MEMORY, 1.0).build_arc()?;
        let config = SessionConfig::new().with_information_schema(true);
        let context = SessionContext::new_with_config_rt(config, runtime);
        let address = Url::parse(ADDRESS).map_err(|e| DataFusionError::External(e.into()))?;
        context.register_object_store(&address, self.place().objects()?);
        self.register::<EventRow>(&context, "recorded_events")?;
        self.register::<LinkRow>(&context, Table::Links.name())?;
        self.register::<PairRow>(&context, Table::Pairs.name())?;
        self.register::<ClockRow>(&context, Table::Clocks.name())?;
        self.register::<EntryRow>(&context, Table::Entries.name())?;
        self.register::<SourceRow>(&context, Table::Sources.name())?;
        self.register::<AssetRow>(&context, Table::Assets.name())?;
        self.register::<QuarantineRow>(&context, Table::Quarantine.name())?;
        context.sql(EVENTS).await?.collect().await?;
        Ok(context)
    }

    fn register<R: Row>(&self, context: &SessionContext, name: &str) -> Result<(), Error> {
        let schema = asked(&R::batch(&[])?.schema());
        let files: Vec<ListingTableUrl> = self
            .manifest()
            .of(R::TABLE)
            .map(|p| ListingTableUrl::parse(format!("{ADDRESS}/{}", p.file)))
            .collect::<Result<_, _>>()?;
        if files.is_empty() {
            context.register_table(name, Arc::new(MemTable::try_new(schema, vec![vec![]])?))?;
            return Ok(());
        }
        let options = ListingOptions::new(Arc::new(ParquetFormat::default()));
        let config =
            ListingTableConfig::new_with_multi_paths(files).with_listing_options(options).with_schema(schema);
        context.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
        Ok(())
    }

    /// Answers a query. Only questions: nothing can be created, changed or set.
    ///
    /// # Errors
    /// [`Error::Query`] says what is wrong with it.
    pub async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        Ok(plan(&self.session().await?, sql).await?.collect().await?)
    }
}

/// The columns that queries are offered.
fn asked(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().filter(|f| f.name() != AS_SENT).cloned();
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// The plan of a question.
///
/// # Errors
/// [`Error::Query`] where it is none, or where it would change something.
pub async fn plan(context: &SessionContext, sql: &str) -> Result<DataFrame, Error> {
    let only_questions =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    Ok(context.sql_with_options(sql, only_questions).await?)
}

/// A plan as bytes, for a session elsewhere that has the same tables.
///
/// # Errors
/// [`Error::Query`] where the plan holds what cannot be written.
pub fn plan_to_bytes(asked: &DataFrame) -> Result<bytes::Bytes, Error> {
    Ok(logical_plan_to_bytes(asked.logical_plan())?)
}

/// The plan in bytes that [`plan_to_bytes`] made, in a session that has the same tables.
///
/// # Errors
/// [`Error::Query`] where the bytes are no plan, or the session lacks a table.
pub async fn plan_from_bytes(context: &SessionContext, bytes: &[u8]) -> Result<DataFrame, Error> {
    let plan = logical_plan_from_bytes(bytes, &context.task_ctx())?;
    Ok(context.execute_logical_plan(plan).await?)
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        Self::Query(Box::new(error))
    }
}
