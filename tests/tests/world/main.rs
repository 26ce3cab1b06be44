//! The core on the virtual wire: every legal pair of socket types, storages and kinds of weather.

mod crowds;
mod hwm;
mod kind;
mod message;
mod pairs;
mod player;
mod replay;
