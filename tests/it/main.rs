//! The one integration binary: linking is what costs.
