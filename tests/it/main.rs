//! The one integration binary: linking is what costs.

mod layers;
mod render;
mod sample;
