//! What every kernel on a GPU needs: its WGSL put together ([`source`]) and declared ([`kernel`]), its parameters
//! ([`params`]), its launch among burn's own ([`launch`]), and what is kept for each GPU ([`state`]).

pub mod kernel;
pub mod launch;
pub mod params;
pub mod peak;
pub mod source;
pub mod state;
