//! Events in Parquet, assets by content, a manifest with atomic commits, SQL over it.
