//! The one integration binary: linking is what costs.

mod ingest;
